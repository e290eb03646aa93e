"""Progress output: bars and live displays on a terminal, plain lines elsewhere."""

import contextvars
import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def only_errors(logger_name: str) -> Iterator[None]:
    """Suppress the log messages of a library, except errors."""
    logger = logging.getLogger(logger_name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def no_retracing_warnings(of: str = "") -> Iterator[None]:
    """Suppress TensorFlow's warning about frequent retracing.

    Each Keras model has functions that TensorFlow traces once or twice. TensorFlow adds up the
    traces of functions with the same code, and therefore warns after a few models in one process.

    Args:
        of: Suppress only warnings about functions whose name contains this text. Warnings about
            other functions, such as the user's own functions, are still shown.
    """

    def keep(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return "triggered tf.function retracing" not in message or of not in message

    logger = logging.getLogger("tensorflow")
    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


# Part of the names of all functions that Keras traces in `fit` and `evaluate`.
KERAS_TRAINER = "TensorFlowTrainer."


def size_text(size: int) -> str:
    """Return a number of bytes in readable units, such as `1.5 GiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:,} bytes" if unit == "bytes" else f"{size:,.1f} {unit}"


def time_text(seconds: float) -> str:
    """Return a time as text, in seconds, minutes (from two minutes) or hours (from two hours)."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


# Function that changes each message of all reporters, see `reworded`.
_wording: contextvars.ContextVar[Callable[[str], str]] = contextvars.ContextVar(
    "wording", default=str
)


@contextmanager
def reworded(wording: Callable[[str], str]) -> Iterator[None]:
    """In the `with` block, pass each message of all reporters through the function `wording`.

    In messages, the command line replaces Python arguments and calls by options and commands.
    """
    token = _wording.set(wording)
    try:
        yield
    finally:
        _wording.reset(token)


class Reporter:
    """Writes progress to standard error, but in a notebook to standard output.

    Notebooks show standard error as errors.

    Args:
        verbose: Whether to write progress. `verbose=False` means no output.

    Attributes:
        writes_results: Whether `say_result` writes. A command that prints the results itself sets
            `writes_results` to false.
    """

    def __init__(self, verbose: bool = True):
        self.writes_results = True
        self.console = Console(stderr=True, quiet=not verbose, highlight=False)
        self._bars = self.console
        if self.console.is_jupyter:
            # In notebooks, rich would make each line a separate display. rich draws progress bars
            # only if ipywidgets is installed, as in Colab.
            self.console = Console(
                quiet=not verbose, highlight=False, force_jupyter=False, force_terminal=False
            )
            if importlib.util.find_spec("ipywidgets") is None:
                self._bars = self.console
        self._is_live = False

    @property
    def can_draw(self) -> bool:
        """Whether the output is a terminal that supports redrawing."""
        console = self.console
        return console.is_terminal and not (console.is_dumb_terminal or console.quiet)

    def say(self, message: str) -> None:
        """Print a message as one line."""
        self.console.print(_wording.get()(message), markup=False, soft_wrap=True)

    def say_result(self, message: str) -> None:
        """Print a result of a call as one line, unless a command prints the result itself."""
        if self.writes_results:
            self.say(message)

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar. Yield a function that takes the number of finished items."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        shown = Progress(
            *columns,
            console=self._bars,
            transient=True,
            # Draw no bar while a live display is visible.
            disable=self._bars.quiet or not self._bars.is_terminal or self._is_live,
        )
        with shown as progress:
            task = progress.add_task(title, total=total)
            # A caller that counts whole batches can pass more items than `total` at the end.
            yield lambda done: progress.update(task, completed=min(done, total))

    @contextmanager
    def live(self, shown: RenderableType) -> Iterator[Callable[[], None]]:
        """Keep a display visible below the printed lines. Use `live` only if `can_draw` is true.

        Yields a function that redraws the display. No background thread redraws the display,
        because such a thread would slow down the computation.
        """
        display = Live(
            shown,
            console=self.console,
            auto_refresh=False,
            transient=True,
            # Print the output of other code above the display, unless that output goes to a file.
            redirect_stdout=sys.stdout.isatty(),
        )
        with display:
            self._is_live = True
            try:
                yield display.refresh
            finally:
                self._is_live = False
