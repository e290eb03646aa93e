"""The metrics of a split with their 95% intervals."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Self

from keras_tl.evaluation.slices import Slices

# The confusion matrix of 1,000 classes has a million entries.
_LARGEST_MATRIX = 100
_NO_METRICS = ("items", "fingerprint", "slices")


@dataclasses.dataclass(frozen=True)
class Measured:
    """A metric and its 95% interval; `None` where it is not defined."""

    value: float | None
    interval: Sequence[float] | None = None


@dataclasses.dataclass(frozen=True)
class ClassMetrics:
    """The items of a class, and its metrics."""

    items: int
    metrics: Mapping[str, Measured]


@dataclasses.dataclass(frozen=True)
class SplitMetrics:
    """The metrics of a split.

    Attributes:
        items: number of items.
        fingerprint: of the items; `None`: not known.
        metrics: of all items.
        per_class: of each class or label; none for a regression.
        most_frequent_share: accuracy of always answering the most frequent class; `None`: items
            have no single class.
        confusion_matrix: counts, a row for each true class; `None`: none, or more than 100 classes.
        slices: groups of items that were measured.
    """

    items: int
    fingerprint: str | None
    metrics: Mapping[str, Measured]
    per_class: Mapping[str, ClassMetrics]
    most_frequent_share: float | None = None
    confusion_matrix: Sequence[Sequence[int]] | None = None
    slices: Slices | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """Read a result of `keras_tl.evaluation.measuring.measure`."""
        intervals = found["intervals"]
        of_classes = intervals.get("per_class", {})
        matrix = found.get("confusion_matrix")
        is_small = matrix is not None and len(matrix) <= _LARGEST_MATRIX
        return cls(
            items=found["items"],
            fingerprint=found.get("fingerprint"),
            metrics={
                name: Measured(value, intervals.get(name))
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
        )


def _of_class(row: Mapping[str, Any], intervals: Mapping[str, Any]) -> dict[str, Measured]:
    """The metrics of a class; scikit-learn gives 0 where there is no item to measure them on."""
    undefined = {name for name, interval in intervals.items() if interval is None}
    return {
        name: Measured(None if name in undefined else value, intervals.get(name))
        for name, value in row.items()
        if name != "items"
    }
