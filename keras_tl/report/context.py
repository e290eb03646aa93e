"""Input of a report. The folder of a run stores the complete input of its report."""

import dataclasses

from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.overfitting import Overfitting
from keras_tl.preflight.findings import Findings
from keras_tl.report.artifacts import Artifacts
from keras_tl.report.facts import Facts
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class ReportContext:
    """Input of a report. Reports with the same input are equal, byte for byte.

    Attributes:
        facts: Facts of the model that the report describes.
        test: Evaluation on the test split, or `None` if the test split was not evaluated.
        overfitting: Analysis of whether the model overfits, or `None` if there was no analysis.
        findings: Findings of the preflight, or `None` if the preflight did not run.
        fitted: Result of `Learner.fit`, or `None` if the user did not train with `Learner.fit`.
        artifacts: Files of the run with test items, PCA projections, and a comparison with training
            from scratch.
    """

    facts: Facts
    test: Evaluation | None
    artifacts: Artifacts
    overfitting: Overfitting | None = None
    findings: Findings | None = None
    fitted: FitResult | None = None

    @property
    def task(self) -> Task:
        """Task of the model."""
        return self.facts.task
