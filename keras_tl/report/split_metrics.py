"""The metrics of a split with their 95% intervals."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Self

from keras_tl.evaluation.grouping import Grouping
from keras_tl.evaluation.slices import Slices

# Do not keep larger confusion matrices: with 1,000 classes, a matrix has a million entries.
_LARGEST_MATRIX = 100
_NO_METRICS = ("items", "fingerprint", "slices", "groups")


@dataclasses.dataclass(frozen=True)
class MetricEstimate:
    """Metric with its 95% interval. An undefined or unknown number is `None`."""

    value: float | None
    interval: Sequence[float] | None = None


@dataclasses.dataclass(frozen=True)
class ClassMetrics:
    """Number of items of a class, and metrics of this class."""

    items: int
    metrics: Mapping[str, MetricEstimate]


@dataclasses.dataclass(frozen=True)
class SplitMetrics:
    """The metrics of a split.

    Attributes:
        items: Number of evaluated items.
        fingerprint: Fingerprint of the evaluated items, or `None` if the fingerprint is unknown.
        metrics: Metrics over all items, by name of the metric.
        per_class: Metrics of each class or label, by name, or an empty dict for a regression.
        most_frequent_share: Accuracy of always predicting the most frequent class, or `None` for a
            regression and for a multi-label task.
        confusion_matrix: Number of items for each true class (row) and predicted class (column), or
            `None` if the task has no such matrix or more than 100 classes.
        slices: Metrics of groups of items, or `None` if the user did not evaluate groups.
        grouping: Column and number of the groups of dependent items that the intervals count, or
            `None` without groups.
    """

    items: int
    fingerprint: str | None
    metrics: Mapping[str, MetricEstimate]
    per_class: Mapping[str, ClassMetrics]
    most_frequent_share: float | None = None
    confusion_matrix: Sequence[Sequence[int]] | None = None
    slices: Slices | None = None
    grouping: Grouping | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """Create the metrics from a result of `keras_tl.evaluation.metrics.measure`."""
        intervals = found["intervals"]
        of_classes = intervals.get("per_class", {})
        matrix = found.get("confusion_matrix")
        is_small = matrix is not None and len(matrix) <= _LARGEST_MATRIX
        return cls(
            items=found["items"],
            fingerprint=found.get("fingerprint"),
            metrics={
                name: MetricEstimate(value, intervals.get(name))
                for name, value in found.items()
                if name not in _NO_METRICS and (value is None or isinstance(value, float))
            },
            per_class={
                name: ClassMetrics(row["items"], _of_class(row, of_classes.get(name, {})))
                for name, row in found.get("per_class", {}).items()
            },
            most_frequent_share=matrix and max(map(sum, matrix)) / found["items"],
            confusion_matrix=matrix if is_small else None,
            slices=Slices.from_json(found["slices"]) if found.get("slices") else None,
            grouping=Grouping.among(found),
        )


def _of_class(row: Mapping[str, Any], intervals: Mapping[str, Any]) -> dict[str, MetricEstimate]:
    """Return the metrics of a class. Replace scikit-learn's 0 for an undefined metric by `None`."""
    undefined = {name for name, interval in intervals.items() if interval is None}
    return {
        name: MetricEstimate(None if name in undefined else value, intervals.get(name))
        for name, value in row.items()
        if name != "items"
    }
