"""What a report is made from: all of it is in the folder of a run."""

import dataclasses

from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.overfitting import Overfitting
from keras_tl.preflight.findings import Findings
from keras_tl.report.exhibits import Exhibits
from keras_tl.report.facts import Facts
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class Material:
    """What a report is made from. The same material makes the same file, byte for byte.

    Attributes:
        facts: of the model.
        test: the evaluation on the test split; `None`: not evaluated.
        overfitting: whether the model overfits; `None` where nothing is known.
        findings: of the checks before training; `None` if nobody looked.
        fitted: the choice of `Learner.fit`; `None`: the phases were trained as asked.
        exhibits: what was kept of single items, and a comparison with training from scratch.
    """

    facts: Facts
    test: Evaluation | None
    exhibits: Exhibits
    overfitting: Overfitting | None = None
    findings: Findings | None = None
    fitted: FitResult | None = None

    @property
    def task(self) -> Task:
        """The task of the model."""
        return self.facts.task
