"""Format numbers and sentences for the sections of a report."""

from collections.abc import Sequence

from keras_tl.report.blocks import Cell
from keras_tl.report.split_metrics import MetricEstimate


def capitalised(text: str) -> str:
    """Return a sentence with a capital first letter."""
    return text[:1].upper() + text[1:]


def interval_text(interval: Sequence[float] | None, form: str = ".4g") -> str:
    """Return an interval such as `0.91 to 0.95`, or an empty text for `None`."""
    return "" if interval is None else " to ".join(format(end, form) for end in interval)


def measured_cell(found: MetricEstimate | None, form: str = ".4g") -> Cell:
    """Return a table cell with a metric and its interval, or `-` without a metric."""
    if found is None or found.value is None:
        return Cell("-")
    return Cell(format(found.value, form), interval_text(found.interval, form))
