"""An epoch's progress: a rich bar on a terminal, a line elsewhere."""

import time

import keras

from keras_tl.reporting import Reporter


class EpochProgress(keras.callbacks.Callback):
    """Records the learning rate in the logs and reports every epoch."""

    def __init__(self, reporter: Reporter, name: str, steps: int, count: int):
        super().__init__()
        self._reporter = reporter
        self._name = name
        self._steps = steps
        self._count = count
        self._open = None
        self._began = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.perf_counter()
        self._open = self._reporter.bar(f"{self._name} {epoch + 1}/{self._count}", self._steps)
        self._advance = self._open.__enter__()

    def on_train_batch_end(self, batch, logs=None):
        self._advance(batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.close()
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        logs["learning_rate"] = float(rate)
        values = "  ".join(
            f"{name} {value:.4f}" for name, value in logs.items() if name != "learning_rate"
        )
        seconds = time.perf_counter() - self._began
        self._reporter.say(
            f"{self._name:<10} epoch {epoch + 1:>2}/{self._count}  {values}  "
            f"rate {logs['learning_rate']:.1e}  {seconds:.1f} s"
        )

    def close(self) -> None:
        """Takes the bar off the screen, also after an interruption."""
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None
