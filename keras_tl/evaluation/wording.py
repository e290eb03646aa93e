"""Names and number formats of metrics in reports and messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.evaluation.grouping import Grouping

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

# `shortened` cuts texts from the data to 600 characters. `listed` cuts lists to 20 names.
LONGEST_TEXT = 600
_NAMES = 20


def title_of(key: str) -> str:
    """Return the name of a metric in words."""
    return _TITLES.get(key, key.replace("_", " "))


def number_text(value: float | int | None) -> str:
    """Write an integer with all digits, a float with four significant digits, or `None` as `-`."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def metric_rows(metrics: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, value and 95% confidence interval of each scalar metric, as texts."""
    known = metrics["intervals"]
    return [
        (title_of(key), number_text(value), ", ".join(map(number_text, known.get(key) or ())))
        for key, value in metrics.items()
        if isinstance(value, float)
    ]


def metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Return one line of text per scalar metric: name, value and 95% confidence interval.

    If the metrics name groups, the last line says how the intervals take the groups into account.
    """
    lines = [
        f"  {name}: {value}" + (f" [{ends}]" if ends else "")
        for name, value, ends in metric_rows(metrics)
    ]
    return [*lines, *grouping_lines(metrics)]


def grouping_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Return a text on the groups that the intervals count, as a list. Without groups: []."""
    grouping = Grouping.among(metrics)
    return [] if grouping is None else [grouping.describe()]


def shortened(text: str) -> str:
    """Return a text from the data, cut to `LONGEST_TEXT` characters."""
    if len(text) <= LONGEST_TEXT:
        return text
    return text[: LONGEST_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def thresholds_text(class_names: Sequence[str], thresholds: Sequence[float]) -> str:
    """Return labels with their decision thresholds, for example `dog above 0.1060`."""
    # The only threshold of a binary task belongs to the second class.
    names = class_names[-len(thresholds) :] if thresholds else ()
    return listed([f"{name} above {t:.4f}" for name, t in zip(names, thresholds, strict=True)])


def listed(names: Sequence[str]) -> str:
    """Return a text with the first 20 names and the number of further names."""
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def with_share(name: str, share: float | None) -> str:
    """Return a name with its probability, as in `cat (93.0%)`. Without a probability: the name."""
    return name if share is None else f"{name} ({share:.1%})"
