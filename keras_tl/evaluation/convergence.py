"""Decide from a loss and the learning rates whether training has converged."""

import numpy as np

from keras_tl.runs.history import PhaseRecord

# `still_falls` judges the end of training: the last 25% of the sum of all learning rates.
_LAST = 0.25
# A loss still falls if it decreased by at least 5% of its earlier value.
# A loss also still falls if it is at least 1% below the loss of guessing, and the decrease is at
# least 10% of the difference between the loss of guessing and the last loss.
_OF_ITSELF, _OF_GAINED, _LITTLE = 0.05, 0.1, 0.01


def still_falls(record: PhaseRecord, name: str, guessing: float) -> bool | None:
    """Return whether a loss would fall further if training went on at the same learning rate.

    A learning rate that decays to 0 flattens every curve, even before training has converged.
    `still_falls` therefore measures training by the sum of the learning rates, not by the number of
    epochs. The function judges the last 25% of the sum of all learning rates. With a constant
    learning rate, `still_falls` judges the last 25% of the epochs, with cosine decay the last 56%.

    The result is `None` if the phase has fewer than two epochs, or if a loss is not finite.

    Args:
        record: Record of the training phase, with the losses and learning rates of its epochs.
        name: Name of the loss to judge: `"loss"` or `"val_loss"`.
        guessing: Loss of a model that guesses. With a very low learning rate, the model's loss
            stays near the loss of guessing.
    """
    values = column(record, name)
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    ends = _distances(record)
    # A logged training loss is the mean over an epoch, so it belongs to the middle of the epoch.
    places = ends - np.diff(ends, prepend=0) / 2 if name == "loss" else ends
    last = values[-1]
    before = float(np.interp(places[-1] - _LAST * ends[-1], places, values))
    falls, gained = before - last, guessing - last
    is_moving = gained >= _LITTLE * guessing and falls >= _OF_GAINED * gained
    return bool(falls >= _OF_ITSELF * before or is_moving)


def column(record: PhaseRecord, name: str) -> np.ndarray:
    """Return a phase's logged values of a loss or metric, float64 (epochs,). Missing value: NaN."""
    return np.array([row.get(name, np.nan) for row in record.epochs], np.float64)


def _distances(record: PhaseRecord) -> np.ndarray:
    """Return the sum of the learning rates up to each epoch. Unknown learning rates count as 1."""
    rates = column(record, "learning_rate")
    if not np.isfinite(rates).all() or not rates.any():
        return np.arange(1.0, len(rates) + 1)
    first = 0.0 if record.phase.warmup else max(record.phase.learning_rate, rates[0])
    begins = np.concatenate([[first], rates[:-1]])
    return np.cumsum((begins + rates) / 2)
