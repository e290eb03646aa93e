"""`Learner.history`: the phases, the ranking, the findings and the result of `fit`."""

from typing import Self

from matplotlib.figure import Figure

from keras_tl.evaluation import plots
from keras_tl.evaluation.ranking import Ranking
from keras_tl.learner.state import State
from keras_tl.preflight.findings import Findings
from keras_tl.runs.history import PhaseRecords, check_trained
from keras_tl.selection.result import FitResult


class History(PhaseRecords):
    """Records of the training phases of a learner, in order.

    Attributes:
        ranking: Ranking from which `Learner("auto", data)` chose the backbone. `None`: the user
            named the backbone.
        findings: Problems that the preflight found. `None`: the preflight has not run.
        fitted: Result of `fit`. `None`: `fit` was not called, or the model changed after `fit`.

    Example:
        >>> history = learner.history
        >>> [record.phase.name for record in history], history.ranking
        (['head'], None)
    """

    ranking: Ranking | None
    findings: Findings | None
    fitted: FitResult | None
    _monitor: str

    @classmethod
    def of(cls, state: State) -> Self:
        """Return the history of a learner from the learner's state."""
        history = cls(state.trainer.history)
        history.ranking, history.findings = state.ranking, state.findings
        history.fitted = state.measured.fitted
        history._monitor = state.task.monitor
        return history

    def plot(self) -> Figure:
        """Draw the loss and the monitored metric over the epochs of all phases.

        Raises:
            ConfigError: Nothing was trained.

        Example:
            >>> type(learner.history.plot()).__name__
            'Figure'
        """
        check_trained(self)
        return plots.learning_curves(self, self._monitor)
