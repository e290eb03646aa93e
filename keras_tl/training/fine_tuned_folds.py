"""Out-of-fold predictions of fine-tuned models: one model per fold."""

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
    """Fine-tuning on all folds but one, always from the same pretrained weights.

    Attributes:
        trainer: Trainer of a model with its original backbone. Every fold restores it.
        data: Data with the augmentation and the groups to use.
        head: Phase of the head.
        phases: Phases of fine-tuning, without early stopping.
        augment: See `Learner.fine_tune`.
        shares: Positions on the line from the head's weights (0) to the fine-tuned weights (1).
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
        """Return logits by share, each from a model that was not trained on the item's fold.

        Args:
            split: Split with n items.
            features: Features of the frozen backbone, float32 (n, ...).
            numbers: Fold of each item, int (n,).

        Returns:
            For each share, float32 (n, outputs).
        """
        folds = np.unique(numbers)
        outputs = self.trainer.task.outputs
        found = {share: np.empty((len(split), outputs), np.float32) for share in self.shares}
        for place, fold in enumerate(folds, start=1):
            out = np.flatnonzero(numbers == fold)
            rest = np.flatnonzero(numbers != fold)
            named = f" (fold {place} of {len(folds)})"
            with self.trainer.trial() as trial:
                items = split.take(rest), split.take(out)
                trial.features.adopt(items[0], features[rest])
                for share, answers in self._trained(trial, *items, features[out], named):
                    found[share][out] = answers
        return found

    def _trained(self, trial: Trainer, train: Split, held_out: Split, features, named: str):
        data = dataclasses.replace(self.data, splits={"train": train})
        self._run(trial, self.head, data, False, named)
        model, head = trial.parts.model, trial.parts.head
        before = model.get_weights()
        if 0 in self.shares:
            yield 0, np.asarray(head(features, training=False))
        for phase, is_head in with_heads(self.phases, trial.config, len(train)):
            self._run(trial, phase, data, False if is_head else self.augment, named)
        line = WeightAverage.to_now(model, before)
        for share in self.shares:
            if share:
                line.move(model, share)
                yield share, trial.logits(held_out)

    @staticmethod
    def _run(
        trial: Trainer, phase: Phase, data: LabelledData, augment: Augmentation, named: str
    ) -> None:
        stop_after = None
        if phase.unfreeze is None and phase.patience is not None:
            stop_after = trial.best_epoch(trial.settled(phase, data.split("train")), data)
        named_phase = dataclasses.replace(phase, name=phase.name + named)
        trial.run(named_phase, data, augment, stop_after=stop_after)
