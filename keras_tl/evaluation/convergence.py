"""Convergence of training, from a loss and the learning rates."""

import numpy as np

from keras_tl.runs.history import PhaseRecord

# A fall is measured over this last fraction of the total distance.
_LAST = 0.25
# A loss still falls if it falls by the first fraction of itself. It also does if it falls by the
# second fraction of its distance below the loss of guessing, where that distance is at least the
# third fraction of that loss.
_OF_ITSELF, _OF_GAINED, _LITTLE = 0.05, 0.1, 0.01


def still_falls(record: PhaseRecord, name: str, guessing: float) -> bool | None:
    """Return whether a loss would fall further at the same learning rate.

    A schedule that decays to 0 flattens every curve, converged or not. So the fall is measured in
    the last quarter of a distance: the sum of the learning rates of all steps. With a constant
    learning rate this is the last quarter of the epochs, with cosine decay the last 56%.

    Args:
        record: Record of the phase.
        name: `"loss"` or `"val_loss"`.
        guessing: Loss of guessing. With a very low learning rate, a loss stays near it.

    Returns:
        `None` if unknown: there are fewer than two epochs, or values are not finite.
    """
    values = column(record, name)
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    ends = _distances(record)
    # A training loss is a mean over its epoch, so it belongs to the middle of the epoch.
    places = ends - np.diff(ends, prepend=0) / 2 if name == "loss" else ends
    last = values[-1]
    before = float(np.interp(places[-1] - _LAST * ends[-1], places, values))
    falls, gained = before - last, guessing - last
    is_moving = gained >= _LITTLE * guessing and falls >= _OF_GAINED * gained
    return bool(falls >= _OF_ITSELF * before or is_moving)


def column(record: PhaseRecord, name: str) -> np.ndarray:
    """Return a column of the record, float64 (epochs,), with NaN for missing values."""
    return np.array([row.get(name, np.nan) for row in record.epochs], np.float64)


def _distances(record: PhaseRecord) -> np.ndarray:
    """Return the cumulative sum of mean learning rates (unknown: 1), float64 (epochs,)."""
    rates = column(record, "learning_rate")
    if not np.isfinite(rates).all() or not rates.any():
        return np.arange(1.0, len(rates) + 1)
    first = 0.0 if record.phase.warmup else max(record.phase.learning_rate, rates[0])
    begins = np.concatenate([[first], rates[:-1]])
    return np.cumsum((begins + rates) / 2)
