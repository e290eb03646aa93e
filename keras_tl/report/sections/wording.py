"""How sections write numbers and sentences."""

from collections.abc import Sequence

from keras_tl.report.blocks import Cell
from keras_tl.report.split_metrics import Measured


def capitalised(text: str) -> str:
    """A sentence with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def interval_text(interval: Sequence[float] | None, form: str = ".4g") -> str:
    """An interval, such as `0.91 to 0.95`; nothing where there is none.

    Args:
        interval: its ends.
        form: of the ends, as `format` takes it.
    """
    return "" if interval is None else " to ".join(format(end, form) for end in interval)


def measured_cell(found: Measured | None, form: str = ".4g") -> Cell:
    """A metric with its interval; `-` where it is not known or not defined."""
    if found is None or found.value is None:
        return Cell("-")
    return Cell(format(found.value, form), interval_text(found.interval, form))
