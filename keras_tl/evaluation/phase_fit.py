"""What the curves of one phase of training say of how it fits."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from keras_tl.evaluation.remedies import MIXING
from keras_tl.tasks import Task, monitored
from keras_tl.training.history import PhaseRecord

OVERFITS, SPARED, UNDERFITS, DIVERGED = "overfits", "spared", "underfits", "diverged"
FITS, UNKNOWN = "fits", "unknown"

# Of a metric in [0, 1] from here on, and more than chance allows; of an error half as much again,
# and so much of the targets' standard deviation.
_GAP, _ERROR_RATIO, _SHARE_OF_SCALE = 0.1, 1.5, 0.05
# What was watched got worse by so much (of a loss or an error relative to it), for two epochs.
_WORSE, _WORSE_METRIC, _WORSE_EPOCHS = 0.05, 0.02, 2
# The validation loss still falls by so much of itself in the last epoch.
_STILL_FALLS = 0.02
# The training loss is this much of what guessing by the classes' number, or the mean, gives.
_HIGH_LOSS = 0.5


@dataclasses.dataclass(frozen=True)
class PhaseFit:
    """What the curves of one phase say.

    Attributes:
        name: of the phase.
        planned: epochs that were to run.
        ran: epochs that did; fewer where training was stopped early.
        kept_epoch: the epoch, from 1, whose weights were kept; 0: those from before.
        best_epoch: the epoch with the best `watched` on the validation split; `None`: there is no
            such split.
        watched: what the phase watched there, `"loss"` or the task's metric.
        avoided: by how much `watched` was worse in the last epoch than in the kept one, which its
            weights were kept from; `None`: not known, or the last epoch was kept.
        metric: the task's metric that is compared.
        train: its value in training at the kept epoch, or measured (see `is_measured`); `None`:
            nothing that can be compared, as an augmentation mixed labels, or the weights from
            before were kept.
        validation: the same on the validation split.
        gap: by how much `train` is better than `validation`. Unless measured, the true gap is at
            least so large: training values are means over an epoch in which the weights changed,
            with dropout and augmentation.
        trend: change of the logged gap per epoch, by least squares; `None`: fewer than three
            epochs.
        state: `"overfits"`: the kept weights fit the training split markedly better than the
            validation split, or are from after the validation result got worse; `"spared"`: it got
            worse while the training loss fell, and weights from before were kept; `"diverged"`:
            the training loss rose too, or the only epoch made nothing better; `"underfits"`: the
            validation loss was still falling, or the loss is high on both; `"fits"`: none of these;
            `"unknown"`: there is no validation split, and the training loss is finite.
        still_falls: whether the validation loss fell in the last epoch by at least 2% of itself.
        is_measured: whether `train` and `validation` are of the kept weights in inference mode.
    """

    name: str
    planned: int
    ran: int
    kept_epoch: int
    best_epoch: int | None
    watched: str
    avoided: float | None
    metric: str
    train: float | None
    validation: float | None
    gap: float | None
    trend: float | None
    state: str
    still_falls: bool
    is_measured: bool = False

    @property
    def saved(self) -> int:
        """Epochs that early stopping saved."""
        return self.planned - self.ran


def read_phase(record: PhaseRecord, task: Task, items: int | None = None) -> PhaseFit:
    """Reads the curves of a phase.

    Args:
        record: the phase as it ran.
        task: of the model.
        items: see `keras_tl.evaluation.overfitting.find_overfitting`.
    """
    watched, more = monitored(task, record.phase)
    validation = _column(record, f"val_{watched}")
    kept, best, avoided = record.best_epoch, None, None
    if np.isfinite(validation).any():
        best = int((np.nanargmax if more else np.nanargmin)(validation)) + 1
        if 0 < kept < len(validation):
            change = float((validation[-1] - validation[kept - 1]) * (-1 if more else 1))
            avoided = change if math.isfinite(change) else None
    losses = _column(record, "val_loss")
    gaps = _sign(task) * (_column(record, task.watched) - _column(record, f"val_{task.watched}"))
    trend = None
    if len(gaps) > 2 and np.isfinite(gaps).all() and not _mixes(record):
        trend = float(np.polyfit(np.arange(len(gaps)), gaps, 1)[0])
    fit = PhaseFit(
        name=record.phase.name,
        planned=record.phase.epochs,
        ran=len(record.epochs),
        kept_epoch=kept,
        best_epoch=best,
        watched=watched,
        avoided=avoided,
        metric=task.watched,
        train=None,
        validation=None,
        gap=None,
        trend=trend,
        state=UNKNOWN,
        still_falls=len(losses) > 1 and bool(losses[-1] < (1 - _STILL_FALLS) * losses[-2]),
    )
    values = None, None
    if kept and not _mixes(record):
        row = record.epochs[kept - 1]
        logged = row.get(task.watched), row.get(f"val_{task.watched}")
        if None not in logged and np.isfinite(logged).all():
            values = logged
    return with_values(fit, record, task, items, values, False)


def with_values(
    fit: PhaseFit,
    record: PhaseRecord,
    task: Task,
    items: int | None,
    values: Sequence[float | None],
    is_measured: bool,
) -> PhaseFit:
    """The same with the metric in training and validation, which the state then follows.

    Args:
        fit: what is known without them.
        record: as for `read_phase`.
        task: as for `read_phase`.
        items: as for `read_phase`.
        values: in training and on the validation split; `None`: nothing that can be compared.
        is_measured: see `PhaseFit`.
    """
    train, validation = values
    gap = None if None in values else float(_sign(task) * (train - validation))
    fit = dataclasses.replace(
        fit, train=train, validation=validation, gap=gap, is_measured=is_measured
    )
    return dataclasses.replace(fit, state=_state(fit, record, task, items))


def _state(fit: PhaseFit, record: PhaseRecord, task: Task, items: int | None) -> str:
    if _is_wide(fit, task, items):
        return OVERFITS
    train, validation = _column(record, "loss"), _column(record, "val_loss")
    is_validated = any("val_loss" in row for row in record.epochs)
    if not (np.isfinite(train[-1]) and (np.isfinite(validation[-1]) or not is_validated)):
        return DIVERGED
    if not is_validated:
        return FITS if fit.is_measured else UNKNOWN
    # If nothing was better than before, the first epoch is what there is to compare with.
    since = fit.best_epoch - 1 if fit.kept_epoch else 0
    if not fit.kept_epoch or _got_worse(record, task, since):
        if train[-1] >= train[since]:
            return DIVERGED
        return OVERFITS if fit.kept_epoch == fit.ran else SPARED
    chance = _loss_of_guessing(task)
    high = chance is not None and min(train[-1], validation[-1]) > _HIGH_LOSS * chance
    ended = fit.best_epoch == fit.ran and fit.ran == fit.planned
    return UNDERFITS if high or (ended and fit.still_falls) else FITS


def _is_wide(fit: PhaseFit, task: Task, items: int | None) -> bool:
    if fit.gap is None:
        return False
    if task.more_is_better:
        chance = 0.0 if items is None else 2 * math.sqrt(0.25 / items)
        return fit.gap > max(_GAP, chance)
    matters = fit.gap > _SHARE_OF_SCALE * task.target_scale
    return matters and fit.validation > _ERROR_RATIO * fit.train


def _got_worse(record: PhaseRecord, task: Task, since: int) -> bool:
    name, more = monitored(task, record.phase)
    values = _column(record, f"val_{name}")
    if len(values) - 1 - since < _WORSE_EPOCHS:
        return False
    best, after = values[since], values[since + 1 :]
    limit = best - _WORSE_METRIC if more else best * (1 + _WORSE)
    worse = after < limit if more else after > limit
    return bool(worse[-1] and worse.sum() >= _WORSE_EPOCHS)


def _loss_of_guessing(task: Task) -> float | None:
    """The loss of even odds, or of the mean; nothing is known of labels that may be rare."""
    if task.kind == "multilabel":
        return None
    if task.kind == "regression":
        return 1.0  # in units of the variance
    return math.log(max(len(task.class_names), 2))


def _column(record: PhaseRecord, name: str) -> np.ndarray:
    return np.array([row.get(name, math.nan) for row in record.epochs])


def _sign(task: Task) -> int:
    return 1 if task.more_is_better else -1


def _mixes(record: PhaseRecord) -> bool:
    return bool(MIXING & set(record.augment or ()))
