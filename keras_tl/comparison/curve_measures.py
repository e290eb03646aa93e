"""Measures of learning curves: start, slope, final skill, area, plateau.

Torrey and Shavlik, "Transfer learning" (Handbook of Research on Machine Learning Applications,
2010, sec. 1 and fig. 2), name three improvements by transfer: a higher start, a higher slope, a
higher asymptote. Taylor and Stone, "Transfer learning for reinforcement learning domains: a survey"
(JMLR 10, 2009, sec. 2.2), name the jumpstart, the asymptotic performance, the total reward (the
area under the curve) and the time to a threshold. `measured` computes start, slope, final skill and
area in the same way, because all four are weighted sums over the evaluations of each item.
"""

import dataclasses

import numpy as np

from keras_tl.comparison.statistics import Components, Estimate, components

# The plateau test needs a curve of at least 6 evaluations, and uses at least the last 3.
_EVALUATIONS, _LAST = 6, 3


def weights_of(measure: str, epochs: int) -> np.ndarray:
    """Return the weights that turn a curve's evaluations into `measure`, float array (epochs,).

    * `"start"` is the first evaluation, after the first epoch. Before it, no arm has a
      trained head.
    * `"slope"` is the slope of the least-squares line through the curve, per epoch.
    * `"final"` is the last evaluation.
    * `"area"` is the mean of all evaluations.
    """
    if measure == "area":
        return np.full(epochs, 1 / epochs)
    if measure == "slope":
        return _slope(epochs)
    weights = np.zeros(epochs)
    weights[0 if measure == "start" else -1] = 1
    return weights


def measured(values: np.ndarray, weights: np.ndarray) -> Components:
    """Return the mean and the variance components of a weighted sum over the evaluations.

    `values` has each item's skill, shape (seeds, epochs, items). `weights` has shape (epochs,).
    """
    return components(np.einsum("e,sei->si", weights, values), float(np.abs(weights).sum()))


def curve(values: np.ndarray, lowest: float) -> list[Estimate]:
    """Return the mean skill at each evaluation, with its 95% interval cut to [`lowest`, 1]."""
    found = []
    for epoch in range(values.shape[1]):
        one = components(values[:, epoch]).interval()
        if one.low is not None:
            one = dataclasses.replace(one, low=max(one.low, lowest), high=min(one.high, 1.0))
        found.append(one)
    return found


def has_plateau(values: np.ndarray, limit: float) -> bool:
    """Return whether a significance test shows that a learning curve has reached a plateau.

    A least-squares line gives the change over the last third of the evaluations. The curve has
    reached a plateau if the 90% interval of the change lies between `-limit` and `limit`: a test of
    equivalence at the 5% level (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15,
    1987). The result is false for fewer than six evaluations, and for one seed. `values` has the
    skill of each item, shape (seeds, epochs, items).
    """
    epochs = values.shape[1]
    if epochs < _EVALUATIONS:
        return False
    last = max(_LAST, -(-epochs // 3))
    weights = np.zeros(epochs)
    weights[-last:] = _slope(last) * (last - 1)
    return measured(values, weights).interval(0.9).is_within(limit)


def epochs_to_reach(values: np.ndarray, threshold: float) -> int | None:
    """Return the number of the first epoch whose mean skill reaches the threshold, or `None`.

    The first epoch has the number 1. The mean skill of an epoch is the mean
    over all seeds and test items. `values` has the skill of each item, shape (seeds, epochs,
    items).
    """
    reached = np.flatnonzero(values.mean(axis=(0, 2)) >= threshold)
    return int(reached[0]) + 1 if len(reached) else None


def _slope(epochs: int) -> np.ndarray:
    centred = np.arange(epochs) - (epochs - 1) / 2
    return centred / np.sum(centred**2)
