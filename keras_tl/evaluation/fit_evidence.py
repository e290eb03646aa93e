"""Evidence of overfitting or underfitting in the curves and metrics of a training phase."""

import dataclasses
import math
from functools import cached_property

import numpy as np

from keras_tl.data.images.augmentation import mixes_labels
from keras_tl.evaluation.convergence import column, still_falls
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task, monitored

# A gap between training and validation matters if it is larger than 0.1, for a metric in [0, 1].
# For a regression, the validation error must be larger than 1.5 times the training error. The gap
# of a regression must also be larger than 5% of the standard deviation of the targets.
_GAP, _ERROR_RATIO, _SHARE_OF_SCALE = 0.1, 1.5, 0.05
# Training is near perfect if a metric in [0, 1] is at least 0.95 (less the rounding of float32), or
# if the error of a regression is at most 0.1 standard deviations of the targets.
_NEAR_PERFECT, _SMALL_ERROR = 0.95 - 1e-6, 0.1
# An epoch is worse than the best epoch if its validation loss or error is more than 5% higher, or
# its validation metric is lower by more than 0.02 and more than `chance`. `turned` is true after at
# least two worse epochs.
_WORSE, _WORSE_METRIC, _WORSE_EPOCHS = 0.05, 0.02, 2
# A training loss is flat if it changed by less than 2%.
_FLAT = 0.02
# A loss is high if it is above the middle between its lower bound and the loss of guessing.
_HIGH = 0.5


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Values that show whether the model overfits or underfits in a phase.

    Attributes:
        record: Record of the training phase.
        task: Task of the model.
        items: Number of validation items. `None`: unknown. For `train`, `validation` and
            `is_measured`, see `keras_tl.evaluation.phase_fit.PhaseFit`.
    """

    record: PhaseRecord
    task: Task
    items: int | None
    train: float | None
    validation: float | None
    is_measured: bool

    @property
    def gap(self) -> float | None:
        """Difference by which `train` is better than `validation`. `None`: one value is unknown."""
        if self.train is None or self.validation is None:
            return None
        return float((self.train - self.validation) * (1 if self.task.more_is_better else -1))

    @property
    def matters(self) -> bool:
        """Whether the gap between training and validation is large, even if only by chance."""
        if self.gap is None or self.task.more_is_better:
            return self.gap is not None and self.gap > _GAP
        is_large = self.gap > _SHARE_OF_SCALE * self.task.target_scale
        return is_large and self.validation > _ERROR_RATIO * self.train

    @property
    def is_wide(self) -> bool:
        """Whether the gap between training and validation is large, and larger than `chance`.

        If lower values of the metric are better, the gap is not compared with `chance`.
        """
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
        """Whether the training metrics say little, because an augmentation mixed their labels."""
        return mixes_labels(self.record.augment or False) and not self.is_measured

    @cached_property
    def is_validated(self) -> bool:
        """Whether the phase logged a validation loss."""
        return any("val_loss" in row for row in self.record.epochs)

    @cached_property
    def is_finite(self) -> bool:
        """Whether the losses of the last epoch are finite numbers."""
        losses = [self._loss, self._validation_loss] if self.is_validated else [self._loss]
        return all(np.isfinite(loss[-1]) for loss in losses)

    @property
    def made_nothing_better(self) -> bool:
        """Whether no epoch improved the model. Always `False` if the head began at its optimum."""
        return not self.record.best_epoch and not self.record.solved

    @cached_property
    def is_high(self) -> bool:
        """Whether both the training loss and the validation loss of the last epoch are high."""
        smoothing, count = self.record.phase.label_smoothing, self.task.choices
        # With label smoothing, the loss cannot be lower than the entropy of the smoothed labels.
        shares = [1 - smoothing + smoothing / count, *[smoothing / count] * (count - 1)]
        least = -sum(share * math.log(share) for share in shares if share)
        last = np.fmin(self._loss[-1], self._validation_loss[-1])
        return bool(last > least + _HIGH * (self.task.guessing_loss - least))

    @cached_property
    def is_above_guessing(self) -> bool:
        """Whether the training loss of the last epoch is above the loss of guessing."""
        return bool(self._loss[-1] > self.task.guessing_loss)

    @cached_property
    def has_converged(self) -> bool | None:
        """Whether the training loss has converged. `None`: unknown, for example after one epoch."""
        if self.record.solved:
            return True
        falls = still_falls(self.record, "loss", self.task.guessing_loss)
        return None if falls is None else not falls

    @cached_property
    def goes_on(self) -> bool:
        """Whether further epochs would improve the model.

        `True` if the training loss and the validation loss still fall, and training is not near
        perfect. A falling training loss alone is enough if the training loss and the validation
        loss are both high. High losses do not count if `is_mixed` is true, because mixed labels
        always give high losses. The result is `False` after early stopping, or after validation got
        worse.
        """
        ran_out = len(self.record.epochs) == self.record.phase.epochs
        if self.has_converged is not False or not ran_out or self.is_near_perfect or self.turned:
            return False
        is_high = self.is_high and not self.is_mixed
        return is_high or bool(still_falls(self.record, "val_loss", self.task.guessing_loss))

    @cached_property
    def turned(self) -> bool:
        """Whether at least two epochs after the best epoch, the last one included, are worse.

        If no epoch improved the model, the first epoch counts as the best epoch. The result is
        always `False` for a head that began at its optimum.
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
        """Whether the training loss rose from the best validation epoch to the last epoch."""
        return bool(self._loss[-1] > (1 + _FLAT) * self._loss[self._since])

    @cached_property
    def fell(self) -> bool:
        """Whether the training loss fell from the best validation epoch to the last epoch."""
        return bool(self._loss[-1] < (1 - _FLAT) * self._loss[self._since])

    @cached_property
    def _since(self) -> int:
        """Index of the epoch with the best validation result. 0 if no epoch improved the model."""
        best = best_epoch(self.record, self.task)
        return best - 1 if best and self.record.best_epoch else 0

    @cached_property
    def _loss(self) -> np.ndarray:
        return column(self.record, "loss")

    @cached_property
    def _validation_loss(self) -> np.ndarray:
        return column(self.record, "val_loss")


def chance(items: int | None) -> float:
    """Return the largest gap between training and validation that chance explains.

    The largest gap is twice the standard error of a proportion of 0.5 on all validation items.
    """
    return 0.0 if items is None else 2 * math.sqrt(0.25 / items)


def best_epoch(record: PhaseRecord, task: Task) -> int | None:
    """Return the epoch, from 1, with the best validation value. `None`: no value is finite."""
    name, more = monitored(task, record.phase)
    values = column(record, f"val_{name}")
    if not np.isfinite(values).any():
        return None
    return int((np.nanargmax if more else np.nanargmin)(values)) + 1
