"""What a report is made from: all of it is in the folder of a run."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.report.exhibits import Exhibits
from keras_tl.report.facts import Facts
from keras_tl.runs.history import PhaseRecord
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class Material:
    """What a report is made from. The same material makes the same file, byte for byte.

    Attributes:
        facts: of the model.
        task: of the model.
        history: a record of each phase.
        evaluations: by split, results of `keras_tl.evaluation.measuring.measure`.
        outcomes: by split, as calibrated; runs of earlier versions have none.
        overfitting: whether the model overfits, as JSON types, see
            `keras_tl.evaluation.overfitting.Overfitting`; `None` where nothing is known.
        findings: what was found before training, as JSON types: `findings`, each with `name`,
            `severity`, `what` and `action`, and `not_checked`, reasons by names; `None` if nobody
            looked.
        fitted: the choice of `Learner.fit`; `None`: the phases were trained as asked.
        exhibits: what was kept of single items, and a comparison with training from scratch.
    """

    facts: Facts
    task: Task
    history: tuple[PhaseRecord, ...]
    evaluations: Mapping[str, Mapping[str, Any]]
    outcomes: Mapping[str, Outcomes]
    exhibits: Exhibits
    overfitting: Mapping[str, Any] | None = None
    findings: Mapping[str, Any] | None = None
    fitted: FitResult | None = None

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The metrics of the test split; empty where it was not evaluated."""
        return self.evaluations.get("test", {})
