"""Metric functions that several tasks share."""

from collections.abc import Callable

import numpy as np

# Maximum number of points of a stored curve.
_POINTS = 200


def per_class(class_names: tuple[str, ...], scores: tuple) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and number of items by class, from scikit-learn's arrays."""
    rows = zip(class_names, *(score.tolist() for score in scores), strict=True)
    return {
        name: {"precision": precision, "recall": recall, "f1": f1, "items": items}
        for name, precision, recall, f1, items in rows
    }


def if_both(labels: np.ndarray, measure: Callable, score: np.ndarray) -> float | None:
    """Return a metric of n labels (0 or 1) and scores. `None`: all n labels are equal."""
    return float(measure(labels, score)) if 0 < labels.mean() < 1 else None


def thinned(points: np.ndarray) -> list[list[float]]:
    """Return at most 200 rows of a curve, always with the first row and the last row."""
    kept = np.unique(np.linspace(0, len(points) - 1, _POINTS).round().astype(int))
    return points[kept].tolist()


def mean_of_defined(values: list[float | None]) -> float | None:
    """Return the mean of the values that are not `None`, or `None` if all values are `None`."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
