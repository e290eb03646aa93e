"""Had training converged when it ended? Read off a loss and the learning rates."""

import numpy as np

from keras_tl.runs.history import PhaseRecord

# The share of the whole distance over which a fall is measured, the last one.
_LAST = 0.25
# A loss still falls if it does so by this share of itself; or by this share of what it is below
# the loss of guessing, if that is more than a little of it.
_OF_ITSELF, _OF_GAINED, _LITTLE = 0.05, 0.1, 0.01


def still_falls(record: PhaseRecord, name: str, guessing: float) -> bool | None:
    """Whether a loss would fall further, if training went on at the same learning rate.

    A schedule that decays to 0 flattens every curve, converged or not. So a fall is measured over
    distance, the sum of the learning rates of all steps, and not over epochs: in the last quarter
    of it. With a constant rate that is the last quarter of the epochs, with cosine decay the last
    56%.

    Args:
        record: the phase.
        name: `"loss"` or `"val_loss"`.
        guessing: the loss of guessing. At a very low learning rate a loss stays near it.

    Returns:
        `None` if it cannot be known: there are fewer than two epochs, or values are not finite.
    """
    values = column(record, name)
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    ends = _distances(record)
    # A training loss is a mean over its epoch.
    places = ends - np.diff(ends, prepend=0) / 2 if name == "loss" else ends
    last = values[-1]
    before = float(np.interp(places[-1] - _LAST * ends[-1], places, values))
    falls, gained = before - last, guessing - last
    is_moving = gained >= _LITTLE * guessing and falls >= _OF_GAINED * gained
    return bool(falls >= _OF_ITSELF * before or is_moving)


def column(record: PhaseRecord, name: str) -> np.ndarray:
    """float64 (epochs,): a column of the record, NaN where an epoch has no such value."""
    return np.array([row.get(name, np.nan) for row in record.epochs], np.float64)


def _distances(record: PhaseRecord) -> np.ndarray:
    """float64 (epochs,): the sum of the learning rates up to the last step of each epoch."""
    rates = column(record, "learning_rate")
    if not np.isfinite(rates).all() or not rates.any():
        return np.arange(1.0, len(rates) + 1)
    first = 0.0 if record.phase.warmup else max(record.phase.learning_rate, rates[0])
    begins = np.concatenate([[first], rates[:-1]])
    return np.cumsum((begins + rates) / 2)
