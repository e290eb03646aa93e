"""Live display of a phase's training progress in a terminal."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_WIDEST, _NARROW = 78, 64
_BARS = "▁▂▃▄▅▆▇█"
# Maximum number of epochs in a sparkline: more bars would not fit beside the numbers.
_LONGEST_LINE = 8
_VALIDATION = "val_"


class Pace:
    """Measure the training speed of a phase, and estimate the remaining time.

    The speed does not include the first step, because the first step also traces the graph.

    Args:
        following: Total number of epochs of all phases after this phase, to estimate the remaining
            time.

    Attributes:
        per_second: Training steps per second. `None` before the second step ends.
    """

    def __init__(
        self,
        steps: int,
        epochs: int,
        following: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.per_second: float | None = None
        self._steps = steps
        self._epochs = epochs
        self._following = following
        self._clock = clock
        self._epoch = self._step = self._counted = 0
        self._seconds = self._validation = 0.0
        self._last: float | None = None

    def start_epoch(self, epoch: int) -> None:
        """Record the start of an epoch, counted from 0."""
        self._epoch, self._step = epoch, 0
        if epoch:
            self._last = self._clock()

    def step(self, done: int) -> None:
        """Record the number of finished steps in the epoch, limited to the steps per epoch."""
        done, now = min(done, self._steps), self._clock()
        if self._last is not None:
            self._seconds += now - self._last
            self._counted += done - self._step
            self.per_second = self._counted / max(self._seconds, 1e-9)
        self._step, self._last = done, now

    def start_validation(self) -> None:
        """Record the time at which the validation of an epoch begins."""
        self._last = self._clock()

    def end_validation(self) -> None:
        """Record the time that the validation of an epoch took."""
        self._validation = self._clock() - self._last

    @property
    def left(self) -> float | None:
        """Seconds to the end of the phase, without early stopping. `None`: no estimate yet."""
        return self._seconds_of(self._epochs - self._epoch)

    @property
    def left_in_all(self) -> float | None:
        """Seconds to the end of the last phase, if epochs take as long as in the current phase."""
        return self._seconds_of(self._epochs - self._epoch + self._following)

    def _seconds_of(self, epochs: int) -> float | None:
        """Return the remaining seconds of `epochs` epochs, including the current epoch."""
        if self.per_second is None:
            return None
        steps = epochs * self._steps - self._step
        return steps / self.per_second + epochs * self._validation


@dataclass
class Dashboard:
    """Training state of a phase, which the package `rich` draws as a panel in a terminal.

    Attributes:
        steps: Number of training steps per epoch.
        items: Number of items per training step.
        item: Word for one item in the display, such as "image".
        following: Total number of epochs of all phases after this phase.
        monitor: Name of the validation metric that selects the best epoch, and whether higher
            values are better. `None`: training does not select the best epoch.
        epoch: Current epoch, counted from 1.
        is_validating: Whether the validation of the current epoch has begun.
        logs: Mean loss and metrics over the finished steps of the current epoch, by name.
        done: Loss and metrics of each finished epoch, by name.
    """

    name: str
    epochs: int
    steps: int
    items: int
    item: str
    pace: Pace
    following: int = 0
    monitor: tuple[str, bool] | None = None
    epoch: int = 1
    step: int = 0
    is_validating: bool = False
    logs: dict[str, float] = field(default_factory=dict)
    done: list[dict[str, float]] = field(default_factory=list)
    rate: float | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield a panel with progress bar, losses and metrics, learning rate, remaining time."""
        width = min(_WIDEST, options.max_width)
        is_wide = width >= _NARROW
        table = self._values(is_wide and not options.ascii_only, is_wide)
        values = [table] if self.done or self.logs else []
        parts = [self._progress(), *values, Text(self._foot())]
        title = f"{self.name}: epoch {self.epoch} of {self.epochs}"
        yield Panel(Group(*parts), title=title, title_align="left", width=width)

    def _progress(self) -> Table:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(ratio=1)
        grid.add_column(justify="right", no_wrap=True)
        count = f"{min(self.step, self.steps):,}/{self.steps:,}"
        if self.is_validating:
            doing = "validation"
        elif self.pace.per_second is None:
            doing = "starting"
        else:
            doing = f"{self.pace.per_second * self.items:,.0f} {self.item}s/s"
        bar = ProgressBar(total=self.steps, completed=min(self.step, self.steps))
        grid.add_row(bar, f"{count}  {doing}")
        return grid

    def _values(self, with_lines: bool, with_best: bool) -> Table:
        table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim")
        for heading in ("", "training", "", "validation", "", ""):
            table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
        rows = [*self.done, self.logs]
        names = {name: None for row in rows for name in row if not name.startswith(_VALIDATION)}
        for name in names:
            cells = [name]
            for key in (name, _VALIDATION + name):
                values = [row[key] for row in rows if key in row]
                cells.append(f"{values[-1]:.4f}" if values else "-")
                cells.append(sparkline(values[-_LONGEST_LINE:]) if with_lines else "")
            table.add_row(*cells, self._best_of(name) if with_best else "")
        return table

    def _best_of(self, name: str) -> str:
        if self.monitor is None or self.monitor[0] != name:
            return ""
        values = [row.get(_VALIDATION + name, math.nan) for row in self.done]
        finite = [value for value in values if math.isfinite(value)]
        if not finite:
            return ""
        best = (max if self.monitor[1] else min)(finite)
        return f"best {best:.4f}, epoch {values.index(best) + 1}"

    def _foot(self) -> str:
        parts = [] if self.rate is None else [f"learning rate {self.rate:.1e}"]
        if self.pace.left is not None:
            parts.append(f"{duration(self.pace.left)} left")
            if self.following:
                parts.append(f"{duration(self.pace.left_in_all)} left with the later phases")
        return "   ".join(parts)


def sparkline(values: Sequence[float]) -> str:
    """Return text with one bar per value. The text is empty if fewer than two values are finite."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    low, span = min(finite), max(finite) - min(finite)
    return "".join(
        _BARS[round((value - low) / (span or 1) * (len(_BARS) - 1))]
        if math.isfinite(value)
        else " "
        for value in values
    )


def duration(seconds: float) -> str:
    """Return seconds as minutes and seconds (`4:05`), from an hour on with hours (`1:04:05`)."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
