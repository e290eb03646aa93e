"""What is read from learning curves: start, slope, skill at the end, area, plateau.

Torrey and Shavlik, "Transfer learning" (Handbook of Research on Machine Learning Applications,
2010, sec. 1 and fig. 2), name three ways in which transfer may improve learning: a higher start, a
higher slope, a higher asymptote. Taylor and Stone, "Transfer learning for reinforcement learning
domains: a survey" (JMLR 10, 2009, sec. 2.2), have the jumpstart, the asymptotic performance, the
total reward (the area under the curve) and the time to a threshold. Each of the first four is a
weighted sum over the evaluations, taken item by item, so that all have the same statistics.
"""

import dataclasses

import numpy as np

from keras_tl.comparison.statistics import Components, Estimate, components

# A plateau needs so many evaluations, of which the last third is looked at, at least so many.
_EVALUATIONS, _LAST = 6, 3


def weights_of(measure: str, epochs: int) -> np.ndarray:
    """Float array (epochs,): what each evaluation counts in a measure.

    * `"start"`: the first evaluation, after one pass over the training split. (Before it, no arm
      has a trained head.)
    * `"slope"`: that of the least-squares line through the curve, per pass.
    * `"final"`: the last evaluation.
    * `"area"`: the mean of all evaluations.
    """
    if measure == "area":
        return np.full(epochs, 1 / epochs)
    if measure == "slope":
        return _slope(epochs)
    weights = np.zeros(epochs)
    weights[0 if measure == "start" else -1] = 1
    return weights


def measured(values: np.ndarray, weights: np.ndarray) -> Components:
    """A weighted sum over the evaluations, over seeds and items.

    Args:
        values: float array (seeds, epochs, items).
        weights: float array (epochs,).
    """
    return components(np.einsum("e,sei->si", weights, values), float(np.abs(weights).sum()))


def curve(values: np.ndarray, lowest: float) -> list[Estimate]:
    """The mean and its 95% interval at each evaluation.

    Args:
        values: as in `measured`, at most 1 each.
        lowest: the least that one can be.
    """
    found = [components(values[:, epoch]).interval() for epoch in range(values.shape[1])]
    return [
        estimate
        if estimate.low is None
        else dataclasses.replace(
            estimate, low=max(estimate.low, lowest), high=min(estimate.high, 1.0)
        )
        for estimate in found
    ]


def has_plateau(values: np.ndarray, limit: float) -> bool:
    """Whether a curve is shown to have stopped rising and falling.

    Its change over the last third of the evaluations, by the least-squares line, has a 90% interval
    within -limit and limit: a test of equivalence at 5% (Schuirmann, Journal of Pharmacokinetics
    and Biopharmaceutics 15, 1987). Never so with fewer than six evaluations, or one seed.

    Args:
        values: as in `measured`.
        limit: a change that does not matter.
    """
    epochs = values.shape[1]
    if epochs < _EVALUATIONS:
        return False
    last = max(_LAST, -(-epochs // 3))
    weights = np.zeros(epochs)
    weights[-last:] = _slope(last) * (last - 1)
    return measured(values, weights).interval(0.9).is_within(limit)


def epochs_to_reach(values: np.ndarray, threshold: float) -> int | None:
    """The passes after which the mean curve first is at the threshold; `None` if it never is."""
    reached = np.flatnonzero(values.mean(axis=(0, 2)) >= threshold)
    return int(reached[0]) + 1 if len(reached) else None


def _slope(epochs: int) -> np.ndarray:
    centred = np.arange(epochs) - (epochs - 1) / 2
    return centred / np.sum(centred**2)
