"""What people see while it works: rich progress bars on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
