"""What was done with a learner: `Learner.history`."""

from collections.abc import Iterable
from typing import Self

from matplotlib.figure import Figure

from keras_tl.evaluation import plots
from keras_tl.evaluation.ranking import Ranking
from keras_tl.preflight.findings import Findings
from keras_tl.runs.history import PhaseRecord, check_trained
from keras_tl.selection.result import FitResult


class History(tuple[PhaseRecord, ...]):
    """The records of the phases that ran, in their order.

    Attributes:
        ranking: how `Learner("auto", data)` chose its backbone; `None`: it was named.
        findings: what `check` found; `None`: nobody looked.
        fitted: the choice of `fit`; `None`: the model was trained otherwise, or changed since.
    """

    ranking: Ranking | None
    findings: Findings | None
    fitted: FitResult | None

    @classmethod
    def of(
        cls,
        records: Iterable[PhaseRecord],
        watched: str,
        ranking: Ranking | None,
        findings: Findings | None,
        fitted: FitResult | None,
    ) -> Self:
        """Make it of the records, the metric that `plot` draws, and the attributes."""
        history = cls(records)
        history.ranking, history.findings, history.fitted = ranking, findings, fitted
        history._watched = watched
        return history

    def plot(self) -> Figure:
        """Draw the loss and the watched metric over the epochs of all phases.

        Raises:
            ConfigError: nothing was trained.
        """
        check_trained(self)
        return plots.learning_curves(self, self._watched)
