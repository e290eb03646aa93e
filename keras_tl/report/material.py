"""What a report is made from: all of it is in the folder of a run."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from keras_tl.evaluation.outcomes import Outcomes
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
        evaluations: by split, results of `keras_tl.evaluation.measuring.measure`.
        outcomes: by split, as calibrated; runs of earlier versions have none.
        overfitting: whether the model overfits; `None` where nothing is known.
        findings: of the checks before training; `None` if nobody looked.
        fitted: the choice of `Learner.fit`; `None`: the phases were trained as asked.
        exhibits: what was kept of single items, and a comparison with training from scratch.
    """

    facts: Facts
    evaluations: Mapping[str, Mapping[str, Any]]
    outcomes: Mapping[str, Outcomes]
    exhibits: Exhibits
    overfitting: Overfitting | None = None
    findings: Findings | None = None
    fitted: FitResult | None = None

    @property
    def task(self) -> Task:
        """The task of the model."""
        return self.facts.task

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The metrics of the test split; empty where it was not evaluated."""
        return self.evaluations.get("test", {})
