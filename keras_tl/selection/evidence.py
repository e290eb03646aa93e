"""Predict with averages of the weights before and after fine-tuning, to compare the averages."""

from collections.abc import Sequence

import numpy as np

from keras_tl.data.labelled_data import Split, groups_of
from keras_tl.data.splits import folds as make_folds
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.training.fine_tuned_folds import FineTunedFolds
from keras_tl.training.trainer import Trainer
from keras_tl.training.weight_average import WeightAverage


def along_the_line(
    trainer: Trainer, line: WeightAverage, shares: Sequence[float], split: Split
) -> dict[float, PredictionRecord]:
    """Return a split's prediction record for each weight average. Restore the fine-tuned weights.

    Args:
        shares: Fraction of the fine-tuned weights in each weight average, in [0, 1].
        split: Split whose items were not used for training.
    """
    model, found = trainer.parts.model, {}
    try:
        for share in shares:
            line.move(model, share)
            found[share] = PredictionRecord(split.labels, trainer.logits(split), split.identity)
    finally:
        # Restore the fine-tuned weights also after an error: the training history describes them.
        line.move(model, 1.0)
    return found


def out_of_fold(
    training: FineTunedFolds, names: Sequence[str], folds: int, seed: int
) -> dict[float, PredictionRecord]:
    """Return an out-of-fold prediction record of each weight average, for the splits `names`."""
    data, features = training.data, training.trainer.features
    split = data.joined(names)
    rows = np.concatenate([features.of(data.split(name)).all_rows for name in names])
    classes = split.labels if split.labels.dtype.kind in "iu" else None
    numbers = make_folds(classes, groups_of(split, data.groups), len(split), folds, seed)
    logits = training.logits(split, rows, numbers)
    groups = groups_of(split, training.data.groups), training.data.groups
    return {
        share: PredictionRecord(split.labels, found).in_groups(*groups)
        for share, found in logits.items()
    }
