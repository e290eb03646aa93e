"""What was done with a learner: `Learner.history`."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from keras_tl.evaluation import plots
from keras_tl.evaluation.ranking import Ranking
from keras_tl.preflight.findings import Findings
from keras_tl.runs.history import PhaseRecord, check_trained
from keras_tl.selection.result import FitResult


class History(list[PhaseRecord]):
    """The records of the phases that ran, in their order.

    Attributes:
        ranking: how `Learner("auto", data)` chose its backbone; `None`: it was named.
        findings: what `check` found; `None`: nobody looked.
        fitted: the choice of `fit`; `None`: the model was trained otherwise, or changed since.
    """

    def __init__(
        self,
        records: Sequence[PhaseRecord],
        watched: str,
        ranking: Ranking | None,
        findings: Findings | None,
        fitted: FitResult | None,
    ):
        super().__init__(records)
        self.ranking, self.findings, self.fitted = ranking, findings, fitted
        self._watched = watched

    def plot(self) -> Figure:
        """Draw the loss and the watched metric over the epochs of all phases.

        Raises:
            ConfigError: nothing was trained.
        """
        check_trained(self)
        return plots.learning_curves(self, self._watched)
