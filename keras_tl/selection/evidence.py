"""Predictions that compare the models on the line between head and fine-tuned model."""

from collections.abc import Sequence

import numpy as np

from keras_tl.data.labelled_data import Split, groups_of
from keras_tl.data.splits import folds as make_folds
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.training.trainer import Trainer
from keras_tl.training.tuned_folds import TunedFolds
from keras_tl.training.weight_line import WeightLine


def along_the_line(
    trainer: Trainer, line: WeightLine, shares: Sequence[float], split: Split
) -> dict[float, Outcomes]:
    """Return by share the predictions for a split; the model ends fine-tuned.

    Args:
        trainer: of the model, just fine-tuned.
        line: from the head on the frozen backbone to now.
        shares: places on the line.
        split: items that did not train the model.
    """
    model, found = trainer.parts.model, {}
    try:
        for share in shares:
            line.move(model, share)
            found[share] = Outcomes(split.labels, trainer.logits(split), split.identity)
    finally:
        # Whatever happens, the weights are those that the history tells of.
        line.move(model, 1.0)
    return found


def out_of_fold(
    training: TunedFolds, names: Sequence[str], folds: int, seed: int
) -> dict[float, Outcomes]:
    """Return by share the predictions for all items of some splits, by models of other folds.

    Args:
        training: how a model is fine-tuned on the other folds.
        names: of the splits; their features are read, not computed again.
        folds: how many.
        seed: of the folds.
    """
    data, features = training.data, training.trainer.features
    split = data.joined(names)
    rows = np.concatenate([features.of(data.split(name)).all_rows for name in names])
    classes = split.labels if split.labels.dtype.kind in "iu" else None
    numbers = make_folds(classes, groups_of(split, data.groups), len(split), folds, seed)
    logits = training.logits(split, rows, numbers)
    return {share: Outcomes(split.labels, found) for share, found in logits.items()}
