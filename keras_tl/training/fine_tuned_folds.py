"""Out-of-fold predictions: predict each fold with a model fine-tuned on all other folds."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_tl.base.config import Phase
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.training.policies import with_heads
from keras_tl.training.trainer import Trainer
from keras_tl.training.weight_average import WeightAverage


@dataclasses.dataclass(frozen=True)
class FineTunedFolds:
    """For each fold, fine-tune a model on all other folds, from the same pretrained weights.

    Attributes:
        trainer: Trainer of a model with pretrained backbone weights. After each fold, the
            pretrained weights are restored.
        data: Labelled data, from which the training takes the augmentation and the groups.
        head: Phase that trains the head.
        phases: Phases that fine-tune the model. Fine-tuning never stops early, because no
            fold has a validation split.
        augment: Augmentation of the training items in fine-tuning, see `Learner.fine_tune`.
        shares: Fractions of the fine-tuned weights in the weight averages, in [0, 1]. 0, which must
            be one of them: weights before fine-tuning, with a trained head. 1: weights after
            fine-tuning.
    """

    trainer: Trainer
    data: LabelledData
    head: Phase
    phases: tuple[Phase, ...]
    augment: Augmentation
    shares: Sequence[float]

    def logits(
        self, split: Split, features: np.ndarray, numbers: np.ndarray
    ) -> dict[float, np.ndarray]:
        """Return the out-of-fold logits of each weight average.

        Args:
            features: Features of the split's items from the frozen backbone, float32 (n, ...).
            numbers: Fold number of each item, int (n,).

        Returns:
            Dictionary from each value of `shares` to logits, float32 (n, outputs).
        """
        folds = np.unique(numbers)
        outputs = self.trainer.task.outputs
        found = {share: np.empty((len(split), outputs), np.float32) for share in self.shares}
        for place, fold in enumerate(folds, start=1):
            out = np.flatnonzero(numbers == fold)
            rest = np.flatnonzero(numbers != fold)
            label = f" (fold {place} of {len(folds)})"
            with self.trainer.trial() as trial:
                items = split.take(rest), split.take(out)
                trial.features.adopt(items[0], features[rest])
                for share, logits in self._trained(trial, *items, features[out], label):
                    found[share][out] = logits
        return found

    def _trained(self, trial: Trainer, train: Split, held_out: Split, features, label: str):
        data = dataclasses.replace(self.data, splits={"train": train})
        self._run(trial, self.head, data, False, label)
        model, head = trial.parts.model, trial.parts.head
        before = model.get_weights()
        yield 0, np.asarray(head(features, training=False))
        for phase, is_head in with_heads(self.phases, trial.config, len(train)):
            self._run(trial, phase, data, False if is_head else self.augment, label)
        line = WeightAverage.to_now(model, before)
        for share in self.shares:
            if share:
                line.move(model, share)
                yield share, trial.logits(held_out)

    @staticmethod
    def _run(
        trial: Trainer, phase: Phase, data: LabelledData, augment: Augmentation, label: str
    ) -> None:
        stop_after = None
        if phase.unfreeze is None and phase.patience is not None:
            stop_after = trial.best_epoch(phase, data)
        named_phase = dataclasses.replace(phase, name=phase.name + label)
        trial.run(named_phase, data, augment, stop_after=stop_after)
