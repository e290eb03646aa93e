"""Evidence of how a phase fits: its curves, and the gap between training and validation."""

import dataclasses
import math
from functools import cached_property

import numpy as np

from keras_tl.data.images.augmentation import mixes_labels
from keras_tl.evaluation.convergence import column, still_falls
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task, monitored

# Smallest gap that matters. A metric in [0, 1]: 0.1. An error: 1.5 times the training error, and a
# gap of 5% of the targets' standard deviation.
_GAP, _ERROR_RATIO, _SHARE_OF_SCALE = 0.1, 1.5, 0.05
# Training is near perfect from this metric on (0.95 in float32), or up to this error as a fraction
# of the targets' standard deviation.
_NEAR_PERFECT, _SMALL_ERROR = 0.95 - 1e-6, 0.1
# Validation is worse: a loss or error by this fraction, a metric by this much, in so many epochs.
_WORSE, _WORSE_METRIC, _WORSE_EPOCHS = 0.05, 0.02, 2
# A training loss is flat if it changed by a smaller fraction.
_FLAT = 0.02
# A loss is high above this fraction of the way from its lower bound to the loss of guessing.
_HIGH = 0.5


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Evidence of how a phase fits.

    Attributes:
        record: Record of the phase.
        task: Task of the model.
        items: Number of validation items. `None`: unknown.
        train: The task's metric of the kept weights in training. `None`: unknown.
        validation: The same metric on the validation split.
        is_measured: Whether both values are of the kept weights, in inference mode.
    """

    record: PhaseRecord
    task: Task
    items: int | None
    train: float | None
    validation: float | None
    is_measured: bool

    @property
    def gap(self) -> float | None:
        """Difference by which training is better than validation."""
        if self.train is None or self.validation is None:
            return None
        return float((self.train - self.validation) * (1 if self.task.more_is_better else -1))

    @property
    def matters(self) -> bool:
        """Whether the gap is large enough to matter, chance aside."""
        if self.gap is None or self.task.more_is_better:
            return self.gap is not None and self.gap > _GAP
        is_large = self.gap > _SHARE_OF_SCALE * self.task.target_scale
        return is_large and self.validation > _ERROR_RATIO * self.train

    @property
    def is_wide(self) -> bool:
        """Whether the gap matters and exceeds chance for this number of validation items."""
        return self.matters and not (self.task.more_is_better and self.gap <= chance(self.items))

    @property
    def is_near_perfect(self) -> bool:
        """Whether almost nothing is left to learn from the training items."""
        last = math.nan if self.is_mixed else column(self.record, self.task.monitor)[-1]
        known = [x for x in (self.train, last) if x is not None and math.isfinite(x)]
        if self.task.more_is_better:
            return max(known, default=0.0) >= _NEAR_PERFECT
        return min(known, default=math.inf) <= _SMALL_ERROR * self.task.target_scale

    @property
    def is_mixed(self) -> bool:
        """Whether an augmentation mixed the labels, so that training values say little."""
        return mixes_labels(self.record.augment or False) and not self.is_measured

    @property
    def guessing(self) -> float:
        """Loss of equal probabilities. Regression: of the mean, in units of the variance."""
        return self.task.guessing_loss

    @cached_property
    def is_validated(self) -> bool:
        """Whether the record has a validation loss."""
        return any("val_loss" in row for row in self.record.epochs)

    @cached_property
    def is_finite(self) -> bool:
        """Whether the losses of the last epoch are finite numbers."""
        losses = [self._loss, self._validation_loss] if self.is_validated else [self._loss]
        return all(np.isfinite(loss[-1]) for loss in losses)

    @property
    def made_nothing_better(self) -> bool:
        """Whether the phase kept the weights from before. A head at its optimum does not count."""
        return not self.record.best_epoch and not self.record.solved

    @cached_property
    def is_high(self) -> bool:
        """Whether both the training loss and the validation loss of the last epoch are high."""
        smoothing, count = self.record.phase.label_smoothing, self.task.choices
        # The entropy of smoothed labels is a lower bound of the loss.
        shares = [1 - smoothing + smoothing / count, *[smoothing / count] * (count - 1)]
        least = -sum(share * math.log(share) for share in shares if share)
        last = np.fmin(self._loss[-1], self._validation_loss[-1])
        return bool(last > least + _HIGH * (self.guessing - least))

    @cached_property
    def is_above_guessing(self) -> bool:
        """Whether the training loss of the last epoch is above the loss of guessing."""
        return bool(self._loss[-1] > self.guessing)

    @cached_property
    def has_converged(self) -> bool | None:
        """Whether the training loss had settled. `None`: one epoch does not show it."""
        if self.record.solved:
            return True
        falls = still_falls(self.record, "loss", self.guessing)
        return None if falls is None else not falls

    @cached_property
    def goes_on(self) -> bool:
        """Whether further epochs would improve the model.

        The training loss still falls, and training is not near perfect. The validation loss falls
        too, or both losses are still high. With mixed labels the losses are always high and do not
        count. After early stopping the answer is no.
        """
        ran_out = len(self.record.epochs) == self.record.phase.epochs
        if self.has_converged is not False or not ran_out or self.is_near_perfect or self.turned:
            return False
        is_high = self.is_high and not self.is_mixed
        return is_high or bool(still_falls(self.record, "val_loss", self.guessing))

    @cached_property
    def turned(self) -> bool:
        """Whether validation is worse after the best epoch: in at least two epochs and in the last.

        If the phase kept the weights from before, the reference is the first epoch. A head that
        began at its optimum never counts as worse.
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
        """Whether the training loss rose since the epoch of `_since`."""
        return bool(self._loss[-1] > (1 + _FLAT) * self._loss[self._since])

    @cached_property
    def fell(self) -> bool:
        """Whether the training loss fell since the epoch of `_since`."""
        return bool(self._loss[-1] < (1 - _FLAT) * self._loss[self._since])

    @cached_property
    def _since(self) -> int:
        """Row of the epoch with the best validation result, or 0 if the phase kept no epoch."""
        best = best_epoch(self.record, self.task)
        return best - 1 if best and self.record.best_epoch else 0

    @cached_property
    def _loss(self) -> np.ndarray:
        return column(self.record, "loss")

    @cached_property
    def _validation_loss(self) -> np.ndarray:
        return column(self.record, "val_loss")


def chance(items: int | None) -> float:
    """Return the gap that chance allows: two standard errors of a proportion of one half."""
    return 0.0 if items is None else 2 * math.sqrt(0.25 / items)


def best_epoch(record: PhaseRecord, task: Task) -> int | None:
    """Return the epoch, from 1, with the best monitored value on the validation split."""
    name, more = monitored(task, record.phase)
    values = column(record, f"val_{name}")
    if not np.isfinite(values).any():
        return None
    return int((np.nanargmax if more else np.nanargmin)(values)) + 1
