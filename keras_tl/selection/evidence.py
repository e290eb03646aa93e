"""Predictions for comparing the models on the line from head to fine-tuned model."""

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
    """Return prediction records of a split by share. The model ends with the fine-tuned weights.

    Args:
        trainer: Trainer of the fine-tuned model.
        line: Line from the head on the frozen backbone to the current weights.
        shares: Positions on the line.
        split: Items that did not train the model.
    """
    model, found = trainer.parts.model, {}
    try:
        for share in shares:
            line.move(model, share)
            found[share] = PredictionRecord(split.labels, trainer.logits(split), split.identity)
    finally:
        # Even after an error, the weights must match the history.
        line.move(model, 1.0)
    return found


def out_of_fold(
    training: FineTunedFolds, names: Sequence[str], folds: int, seed: int
) -> dict[float, PredictionRecord]:
    """Return out-of-fold prediction records of all items of some splits, by share.

    Args:
        training: Fine-tuning on the other folds.
        names: Names of the splits. Their cached features are reused.
        folds: Number of folds.
        seed: Seed of the folds.
    """
    data, features = training.data, training.trainer.features
    split = data.joined(names)
    rows = np.concatenate([features.of(data.split(name)).all_rows for name in names])
    classes = split.labels if split.labels.dtype.kind in "iu" else None
    numbers = make_folds(classes, groups_of(split, data.groups), len(split), folds, seed)
    logits = training.logits(split, rows, numbers)
    return {share: PredictionRecord(split.labels, found) for share, found in logits.items()}
