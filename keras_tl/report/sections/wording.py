"""How sections write numbers and sentences."""

from collections.abc import Sequence


def capitalised(text: str) -> str:
    """A sentence with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def interval_text(interval: Sequence[float] | None, form: str = ".3g", short: bool = False) -> str:
    """An interval, as what stands behind its value; nothing where there is none.

    Args:
        interval: its ends.
        form: of the ends, as `format` takes it.
        short: without saying what it is.
    """
    if interval is None:
        return ""
    low, high = (format(end, form) for end in interval)
    return f"{low} to {high}" if short else f" (95% interval {low} to {high})"
