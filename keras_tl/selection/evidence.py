"""Predict with averages of the weights before and after fine-tuning, to compare the averages."""

from collections.abc import Sequence

import numpy as np

from keras_tl.base.config import Phase
from keras_tl.data.labelled_data import LabelledData, Split, groups_of
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
    split, rows, numbers = _in_folds(training.trainer, training.data, names, folds, seed)
    logits = training.logits(split, rows, numbers)
    groups = groups_of(split, training.data.groups), training.data.groups
    return {
        share: PredictionRecord(split.labels, found).in_groups(*groups)
        for share, found in logits.items()
    }


def head_out_of_fold(
    trainer: Trainer, data: LabelledData, phase: Phase, names: Sequence[str], folds: int
) -> PredictionRecord:
    """Return an out-of-fold prediction record of the head, for the splits `names`.

    Args:
        phase: Phase that trains the head.
    """
    split, rows, numbers = _in_folds(trainer, data, names, folds, trainer.seed)
    training = trainer.out_of_fold(phase, len(split), trainer.seed)
    logits = training.logits(split.labels, rows, numbers, groups_of(split, data.groups))
    return PredictionRecord(split.labels, logits)


def _in_folds(
    trainer: Trainer, data: LabelledData, names: Sequence[str], folds: int, seed: int
) -> tuple[Split, np.ndarray, np.ndarray]:
    """Return the joined splits, the features of their items, and the fold number of each item."""
    split = data.joined(names)
    rows = np.concatenate([trainer.features.of(data.split(name)).all_rows for name in names])
    classes = split.labels if split.labels.dtype.kind in "iu" else None
    numbers = make_folds(classes, groups_of(split, data.groups), len(split), folds, seed)
    return split, rows, numbers
