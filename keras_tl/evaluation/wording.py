"""How metrics are named and written for people."""

from collections.abc import Mapping, Sequence
from typing import Any

_TITLES = {
    "auc": "AUC",
    "brier": "Brier score",
    "ece": "expected calibration error (ECE)",
    "f1": "F1",
    "f1_micro": "F1, micro",
    "f1_macro": "F1, macro",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R\N{SUPERSCRIPT TWO}",
}


# A text of the data that is longer is cut, and a list of names that is longer.
LONGEST_TEXT = 600
_NAMES = 20


def title_of(key: str) -> str:
    """A metric's name in words."""
    return _TITLES.get(key, key.replace("_", " "))


def number_text(value: float | int | None) -> str:
    """A number to four digits, whole ones to all of them; `-` for none."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def metric_rows(metrics: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and 95% interval of each metric that is one number, for people.

    Args:
        metrics: see `keras_tl.evaluation.measuring.measure`.
    """
    known = metrics["intervals"]
    return [
        (title_of(key), number_text(value), ", ".join(map(number_text, known.get(key) or ())))
        for key, value in metrics.items()
        if isinstance(value, float)
    ]


def metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The same, a line each."""
    return [
        f"  {name}: {value}" + (f" [{ends}]" if ends else "")
        for name, value, ends in metric_rows(metrics)
    ]


def shortened(text: str) -> str:
    """A text of the data, at most `LONGEST_TEXT` characters of it."""
    if len(text) <= LONGEST_TEXT:
        return text
    return text[: LONGEST_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def thresholds_text(class_names: Sequence[str], thresholds: Sequence[float]) -> str:
    """Chosen thresholds with their labels, such as `dog above 0.1060`."""
    # Of two classes the threshold is of the second.
    names = class_names[-len(thresholds) :] if thresholds else ()
    return listed([f"{name} above {t:.4f}" for name, t in zip(names, thresholds, strict=True)])


def listed(names: Sequence[str]) -> str:
    """The first 20 names, and how many there are more."""
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def with_share(name: str, share: float | None) -> str:
    """An answer and how probable it is, as in `cat (93.0%)`; `None`: nothing is known of that."""
    return name if share is None else f"{name} ({share:.1%})"
