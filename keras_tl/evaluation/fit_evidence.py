"""The evidence of how a phase fits: its gap between training and validation, and its curves."""

import dataclasses
import math
from functools import cached_property

import numpy as np

from keras_tl.data.images.augmentation import mixes_labels
from keras_tl.evaluation.convergence import column, still_falls
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task, monitored

# A gap of a metric in [0, 1] that matters; of an error validation is so many times training, and
# the gap so much of the targets' standard deviation.
_GAP, _ERROR_RATIO, _SHARE_OF_SCALE = 0.1, 1.5, 0.05
# Training is near perfect from here on (0.95 in float32); an error up to this share of the
# standard deviation.
_NEAR_PERFECT, _SMALL_ERROR = 0.95 - 1e-6, 0.1
# What is watched got worse by so much (of a loss or an error relative to it), for two epochs.
_WORSE, _WORSE_METRIC, _WORSE_EPOCHS = 0.05, 0.02, 2
# A training loss that changed by less is flat.
_FLAT = 0.02
# The least loss that is high, as a share of that of guessing.
_HIGH = 0.5


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What is known of how a phase fits.

    Attributes:
        record: the phase as it ran.
        task: of the model.
        items: of the validation split, as far as that is known.
        train: the task's metric in training, of the weights that were kept; `None`: not known.
        validation: the same on the validation split.
        is_measured: whether both are of the weights that were kept, in inference mode.
    """

    record: PhaseRecord
    task: Task
    items: int | None
    train: float | None
    validation: float | None
    is_measured: bool

    @property
    def gap(self) -> float | None:
        """By how much training is better."""
        if self.train is None or self.validation is None:
            return None
        return float((self.train - self.validation) * (1 if self.task.more_is_better else -1))

    @property
    def matters(self) -> bool:
        """Whether the gap would matter, were it not chance."""
        if self.gap is None or self.task.more_is_better:
            return self.gap is not None and self.gap > _GAP
        is_large = self.gap > _SHARE_OF_SCALE * self.task.target_scale
        return is_large and self.validation > _ERROR_RATIO * self.train

    @property
    def is_wide(self) -> bool:
        """Whether the gap matters and is more than so few validation items show by chance."""
        return self.matters and not (self.task.more_is_better and self.gap <= chance(self.items))

    @property
    def is_near_perfect(self) -> bool:
        """Whether there is next to nothing left to learn of the training items."""
        last = math.nan if self.is_mixed else column(self.record, self.task.watched)[-1]
        known = [x for x in (self.train, last) if x is not None and math.isfinite(x)]
        if self.task.more_is_better:
            return max(known, default=0.0) >= _NEAR_PERFECT
        return min(known, default=math.inf) <= _SMALL_ERROR * self.task.target_scale

    @property
    def is_mixed(self) -> bool:
        """Whether an augmentation mixed the labels, so that training says little of the items."""
        return mixes_labels(self.record.augment or False) and not self.is_measured

    @property
    def guessing(self) -> float:
        """The loss of even odds; of a regression, of the mean, in units of the variance."""
        return self.task.guessing_loss

    @cached_property
    def is_validated(self) -> bool:
        """Whether there is a validation loss."""
        return any("val_loss" in row for row in self.record.epochs)

    @cached_property
    def is_finite(self) -> bool:
        """Whether the losses of the last epoch are numbers."""
        losses = [self._loss, self._validation_loss] if self.is_validated else [self._loss]
        return all(np.isfinite(loss[-1]) for loss in losses)

    @property
    def made_nothing_better(self) -> bool:
        """Whether the weights from before were kept; a head at its optimum may be no better."""
        return not self.record.best_epoch and not self.record.solved

    @cached_property
    def is_high(self) -> bool:
        """Whether the losses of training and validation are high in the last epoch."""
        smoothing, count = self.record.phase.label_smoothing, self.task.choices
        # With smoothed labels no loss is less than their entropy.
        shares = [1 - smoothing + smoothing / count, *[smoothing / count] * (count - 1)]
        least = -sum(share * math.log(share) for share in shares if share)
        last = np.fmin(self._loss[-1], self._validation_loss[-1])
        return bool(last > least + _HIGH * (self.guessing - least))

    @cached_property
    def is_above_guessing(self) -> bool:
        """Whether the training loss is so in the last epoch."""
        return bool(self._loss[-1] > self.guessing)

    @cached_property
    def has_converged(self) -> bool | None:
        """Whether the training loss had settled; `None`: one epoch does not show it."""
        if self.record.solved:
            return True
        falls = still_falls(self.record, "loss", self.guessing)
        return None if falls is None else not falls

    @cached_property
    def goes_on(self) -> bool:
        """Whether the model would get better if the phase went on.

        The training loss still falls, and there is something left to learn; and the validation loss
        falls too, or both are still high (that of mixed labels always is). Early stopping has seen
        that nothing gets better.
        """
        ran_out = len(self.record.epochs) == self.record.phase.epochs
        if self.has_converged is not False or not ran_out or self.is_near_perfect or self.turned:
            return False
        is_high = self.is_high and not self.is_mixed
        return is_high or bool(still_falls(self.record, "val_loss", self.guessing))

    @cached_property
    def turned(self) -> bool:
        """Whether validation got worse after the best epoch, for two epochs and in the last.

        If the weights from before were kept, it is compared with the first epoch. A head that began
        at its optimum has nowhere to turn to.
        """
        if self.record.solved:
            return False
        name, more = monitored(self.task, self.record.phase)
        values = column(self.record, f"val_{name}")
        after = values[self._since + 1 :]
        if len(after) < _WORSE_EPOCHS:
            return False
        best = values[self._since]
        limit = best - max(_WORSE_METRIC, chance(self.items)) if more else best * (1 + _WORSE)
        worse = after < limit if more else after > limit
        return bool(worse[-1] and worse.sum() >= _WORSE_EPOCHS)

    @cached_property
    def rose(self) -> bool:
        """Whether the training loss rose since that epoch."""
        return bool(self._loss[-1] > (1 + _FLAT) * self._loss[self._since])

    @cached_property
    def fell(self) -> bool:
        """Whether the training loss fell since that epoch."""
        return bool(self._loss[-1] < (1 - _FLAT) * self._loss[self._since])

    @cached_property
    def _since(self) -> int:
        """Row of the epoch that is best on the validation split; 0 if none was kept."""
        best = best_epoch(self.record, self.task)
        return best - 1 if best and self.record.best_epoch else 0

    @cached_property
    def _loss(self) -> np.ndarray:
        return column(self.record, "loss")

    @cached_property
    def _validation_loss(self) -> np.ndarray:
        return column(self.record, "val_loss")


def chance(items: int | None) -> float:
    """The gap that so many validation items show by chance: two standard errors of one half."""
    return 0.0 if items is None else 2 * math.sqrt(0.25 / items)


def best_epoch(record: PhaseRecord, task: Task) -> int | None:
    """The epoch, from 1, that is best on the validation split by what the phase watched."""
    name, more = monitored(task, record.phase)
    values = column(record, f"val_{name}")
    if not np.isfinite(values).any():
        return None
    return int((np.nanargmax if more else np.nanargmin)(values)) + 1
