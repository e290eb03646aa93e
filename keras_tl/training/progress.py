"""What people see while it works: rich progress bars on a terminal, a line an epoch elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Reporter:
    """Writes progress to standard error.

    Args:
        verbose: `False` for silence.
    """

    def __init__(self, verbose: bool = True):
        self.console = Console(stderr=True, quiet=not verbose, highlight=False)

    def say(self, message: str) -> None:
        """One line."""
        self.console.print(message, markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Yields a function that takes the number done so far."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        shown = Progress(
            *columns,
            console=self.console,
            transient=True,
            disable=self.console.quiet or not self.console.is_terminal,
        )
        with shown as progress:
            task = progress.add_task(title, total=total)
            yield lambda done: progress.update(task, completed=done)


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
