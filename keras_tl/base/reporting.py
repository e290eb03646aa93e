"""What people see while it works: bars and displays on a terminal, lines elsewhere."""

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
    """Holds back what a library logs about itself, but for errors."""
    logger = logging.getLogger(logger_name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def no_retracing_warnings(of: str = "") -> Iterator[None]:
    """Hold back TensorFlow's warning that functions are traced too often.

    Each model has its own functions, and each is traced once or twice. TensorFlow counts functions
    of the same code together, so it warns after a few models in one process.

    Args:
        of: only of functions with this in their names, where users' functions may run too.
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


# The name of the functions that `fit` and `evaluate` of Keras trace.
KERAS_TRAINER = "TensorFlowTrainer."


def size_text(size: int) -> str:
    """Bytes as people read them, such as `1.5 GiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:,} bytes" if unit == "bytes" else f"{size:,.1f} {unit}"


class Reporter:
    """Writes progress to standard error; in a notebook, which marks that as errors, to output.

    Args:
        verbose: `False` for silence.
    """

    def __init__(self, verbose: bool = True):
        self.console = Console(stderr=True, quiet=not verbose, highlight=False)
        self._bars = self.console
        if self.console.is_jupyter:
            # Lines as plain text: rich would make each a display of its own. It draws bars only
            # where there are widgets, as in Colab.
            self.console = Console(
                quiet=not verbose, highlight=False, force_jupyter=False, force_terminal=False
            )
            if importlib.util.find_spec("ipywidgets") is None:
                self._bars = self.console
        self._is_live = False

    @property
    def can_draw(self) -> bool:
        """Whether it writes to a terminal on which what was drawn can be drawn over."""
        console = self.console
        return console.is_terminal and not (console.is_dumb_terminal or console.quiet)

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
            console=self._bars,
            transient=True,
            # One thing is drawn at a time.
            disable=self._bars.quiet or not self._bars.is_terminal or self._is_live,
        )
        with shown as progress:
            task = progress.add_task(title, total=total)
            # Steps that run several at a time may pass the end.
            yield lambda done: progress.update(task, completed=min(done, total))

    @contextmanager
    def live(self, shown: RenderableType) -> Iterator[Callable[[], None]]:
        """Keeps something in sight below the lines that are said; only where it `can_draw`.

        Yields a function that draws it again. No thread does so meanwhile: it would take the
        interpreter from what is worked on.
        """
        display = Live(
            shown,
            console=self.console,
            auto_refresh=False,
            transient=True,
            # What others print goes above it, unless it goes somewhere else.
            redirect_stdout=sys.stdout.isatty(),
        )
        with display:
            self._is_live = True
            try:
                yield display.refresh
            finally:
                self._is_live = False
