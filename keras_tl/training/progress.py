"""Progress reports of training: a live display in terminals, and one printed line per epoch."""

import contextlib
import math
import time

import keras

from keras_tl.base.reporting import Reporter
from keras_tl.training.dashboard import Dashboard, Pace
from keras_tl.training.schedules import last_learning_rate

# Minimum time in seconds between two updates of the live display. An update takes as long as
# several training steps.
_SECONDS_A_FRAME = 1 / 4


class EpochProgress(keras.callbacks.Callback):
    """Keras callback that adds the learning rate to the logs and reports every epoch.

    Args:
        steps: Number of training steps per epoch.
        count: Number of epochs of the phase.
        items: Number of items per training step.
        monitor: Metric that selects the best epoch, see `keras_tl.training.dashboard.Dashboard`.
        following: Total number of epochs of all phases after this phase.
    """

    def __init__(
        self,
        reporter: Reporter,
        name: str,
        steps: int,
        count: int,
        items: int,
        item: str,
        monitor: tuple[str, bool] | None = None,
        following: int = 0,
    ):
        super().__init__()
        self._reporter = reporter
        self._pace = Pace(steps, count, following)
        self._shown = Dashboard(name, count, steps, items, item, self._pace, following, monitor)
        self._open = contextlib.ExitStack()
        self._draw = None
        self._began = 0.0
        self._drawn = -math.inf

    def on_train_begin(self, logs=None):
        if self._reporter.can_draw:
            self._draw = self._open.enter_context(self._reporter.live(self._shown))

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.perf_counter()
        self._pace.start_epoch(epoch)
        shown = self._shown
        shown.epoch, shown.step, shown.is_validating, shown.logs = epoch + 1, 0, False, {}
        self._frame_if_due(logs)

    def on_train_batch_end(self, batch, logs=None):
        self._shown.step = batch + 1
        self._pace.step(batch + 1)
        self._frame_if_due(logs)

    def on_test_begin(self, logs=None):
        self._shown.is_validating = True
        self._pace.start_validation()
        self._frame_if_due(None)

    def on_test_end(self, logs=None):
        self._pace.end_validation()

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = self._rate()
        values = {name: value for name, value in logs.items() if name != "learning_rate"}
        self._shown.done.append({name: float(value) for name, value in values.items()})
        self._shown.logs = {}
        self._pace.start_epoch(epoch + 1)
        told = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
        seconds = time.perf_counter() - self._began
        self._reporter.say(
            f"{self._shown.name:<10} epoch {epoch + 1:>2}/{self._shown.epochs}  {told}  "
            f"learning rate {logs['learning_rate']:.1e}  {seconds:.1f} s"
        )

    def on_train_end(self, logs=None):
        self.close()

    def close(self) -> None:
        """Remove the live display from the terminal, also after an interruption."""
        self._open.close()
        self._draw = None

    def _frame_if_due(self, logs: dict | None) -> None:
        if self._draw is None or time.perf_counter() - self._drawn < _SECONDS_A_FRAME:
            return
        if logs:
            self._shown.logs = {name: float(value) for name, value in logs.items()}
        self._shown.rate = self._rate()
        self._draw()
        self._drawn = time.perf_counter()

    def _rate(self) -> float:
        return last_learning_rate(self.model.optimizer)
