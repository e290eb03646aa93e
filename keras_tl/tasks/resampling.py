"""Metrics as functions of item weights, to evaluate many resamples or groups of items at once."""

from collections.abc import Callable

import numpy as np

# Function that computes a metric for each row of non-negative item weights (b, n). The result is
# float64 (b,), with NaN where the metric is undefined.
Statistic = Callable[[np.ndarray], np.ndarray]


def mean_of(values: np.ndarray) -> Statistic:
    """Return the weighted mean of n values (n,) as a function of item weights."""
    values = values.astype(np.float64)
    return lambda weights: _shares(weights @ values, weights.sum(axis=1))


def area_of(labels: np.ndarray, score: np.ndarray) -> Statistic:
    """Return the area under the ROC curve as a function of item weights.

    The area is the fraction of pairs in which a positive item scores higher than a negative item.
    A pair with equal scores counts as half a pair (Hanley and McNeil, Radiology 143, 1982).
    """
    order, starts = _groups(score)
    is_positive = labels[order].astype(bool)

    def area(weights: np.ndarray) -> np.ndarray:
        weights = weights[:, order]
        positive = _summed(weights * is_positive, starts)
        negative = _summed(weights * ~is_positive, starts)
        below = np.cumsum(negative, axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        return _shares((positive * below).sum(axis=1), pairs)

    return area


def average_precision_of(labels: np.ndarray, score: np.ndarray) -> Statistic:
    """Return the average precision as a function of item weights.

    The average precision equals scikit-learn's. If all items are positive, or if all items are
    negative, the function returns NaN, and `Task.measure` returns `None`.
    """
    order, starts = _groups(-score)
    is_positive = labels[order].astype(bool)

    def precision(weights: np.ndarray) -> np.ndarray:
        weights = weights[:, order]
        positive = _summed(weights * is_positive, starts)
        counted = np.cumsum(_summed(weights, starts), axis=1)
        found = np.cumsum(positive, axis=1)
        at_each = np.divide(found, counted, out=np.zeros_like(found), where=counted > 0)
        total = found[:, -1]
        there = np.where(total < counted[:, -1], total, 0)
        return _shares((positive * at_each).sum(axis=1), there)

    return precision


def f1_of(labels: np.ndarray, answers: np.ndarray) -> tuple[Statistic, Statistic]:
    """Return micro and macro F1 of arrays (n, labels) of 0 and 1, as functions of item weights."""

    def counts(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * weights @ (labels & answers), weights @ labels + weights @ answers

    def micro(weights: np.ndarray) -> np.ndarray:
        right, all_of_them = (count.sum(axis=1) for count in counts(weights))
        return np.nan_to_num(_shares(right, all_of_them))

    def macro(weights: np.ndarray) -> np.ndarray:
        return np.nan_to_num(_shares(*counts(weights))).mean(axis=1)

    return micro, macro


def mean_of_known(parts: list[Statistic]) -> Statistic:
    """Return the mean of those metrics that are not NaN, as a function of item weights."""

    def mean(weights: np.ndarray) -> np.ndarray:
        values = np.stack([part(weights) for part in parts])
        known = np.isfinite(values)
        return _shares(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))

    return mean


def _shares(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    """Divide `parts` by `wholes`. The result is NaN where `wholes` is not positive."""
    parts, wholes = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    return np.divide(parts, wholes, out=np.full_like(parts, np.nan), where=wholes > 0)


def _groups(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return item indices by rising score, and the positions where each distinct score begins."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    return order, np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def _summed(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum the values of items with equal scores, float64 (b, groups)."""
    values = values.astype(np.float64)
    return values if len(starts) == values.shape[1] else np.add.reduceat(values, starts, axis=1)
