"""Diagnose one training phase from its curves: overfitting, underfitting or a good fit."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from keras_tl.data.images.augmentation import mixes_labels
from keras_tl.evaluation.convergence import column
from keras_tl.evaluation.fit_evidence import Evidence, best_epoch
from keras_tl.evaluation.fit_state import judge
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task, monitored


@dataclasses.dataclass(frozen=True)
class PhaseFit:
    """Diagnosis of one training phase.

    Attributes:
        name: Name of the training phase.
        planned: Number of planned epochs.
        ran: Number of epochs that ran. After early stopping, `ran` is smaller than `planned`.
        kept_epoch: Epoch, from 1, whose weights the phase kept. 0: the phase kept the weights from
            before the phase.
        best_epoch: Epoch, from 1, of the best validation value of `monitor`. `None`: no value is
            finite.
        monitor: Name of the monitored value: `"loss"` or the task's metric.
        avoided: How much worse `monitor` was in the last epoch than in the kept epoch. `None`:
            unknown, or the phase kept the last epoch.
        metric: Name of the task's metric. `train` and `validation` are values of `metric`.
        train: Value of `metric` on the training split, logged at the kept epoch or measured (see
            `is_measured`). `None`: not comparable with `validation`, because an augmentation mixed
            the labels or the phase kept the weights from before the phase.
        validation: Value of `metric` on the validation split.
        gap: How much better `train` is than `validation`. If the values were logged, the
            true gap may be larger: a logged training value is a mean over an epoch, with changing
            weights, dropout and augmentation.
        trend: Slope per epoch of a least-squares line through the logged gaps between the training
            and the validation metric. `None`: there are fewer than three epochs, a value is not
            finite, an augmentation mixed the labels, or `solved` is true.
        state: State of the phase, one of the following.
            `"overfits"`: the model is clearly better on the training split than on the validation
                split, or the validation result got worse and the phase kept the last weights.
            `"spared"`: the validation result got worse while the training loss fell, but the phase
                kept earlier weights.
            `"diverged"`: a loss is not finite, or the model got worse and the training loss rose or
                was above the loss of guessing.
            `"unconverged"`: training ended while the model still improved.
            `"underfits"`: training and validation losses are high, and the training loss is flat.
            `"fits"`: the curves show no sign of another state. `"unknown"`: see `reason`.
        reason: Reason for the state `"unknown"` or `"diverged"`, else empty.
            Reasons for `"unknown"`: `"no-validation"`, `"few-items"` (the gap may be chance),
            `"one-epoch"` (no trend), `"mixed-labels"`, `"averaged"` (`fit` or a callback kept other
            weights) and `"nothing-better"` (no epoch improved the model, for an unknown cause).
            Reasons for `"diverged"`: `"not-finite"`, `"rose"` and `"above-guessing"`.
        converged: Whether the training loss has converged. `None`: convergence is unknown, for
            example after one epoch.
        is_measured: Whether `train` and `validation` were measured with the kept weights in
            inference mode, instead of logged during training.
        items: Number of validation items. `None`: unknown.
        solved: Whether the head's weights were optimal before the phase, see
            `keras_tl.runs.history.PhaseRecord`.

    Example:
        >>> phase = ktl.overfitting(learner).phases[0]
        >>> phase.name, phase.planned, phase.items
        ('head', 2, 8)
    """

    name: str
    planned: int
    ran: int
    kept_epoch: int
    best_epoch: int | None
    monitor: str
    avoided: float | None
    metric: str
    train: float | None
    validation: float | None
    gap: float | None
    trend: float | None
    state: str
    reason: str
    converged: bool | None
    is_measured: bool
    items: int | None
    solved: bool

    @property
    def saved(self) -> int:
        """Number of planned epochs that did not run, because of early stopping.

        Example:
            >>> phase = ktl.overfitting(learner).phases[0]
            >>> phase.saved == phase.planned - phase.ran
            True
        """
        return self.planned - self.ran


def read_phase(
    record: PhaseRecord,
    task: Task,
    items: int | None = None,
    measured: Sequence[float] | None = None,
) -> PhaseFit:
    """Diagnose a training phase from the record of its curves.

    Args:
        items: Number of validation items. `None`: unknown.
        measured: Values of the task's metric on the training and the validation split, measured
            with the kept weights. `None`: use the logged values.
    """
    monitor, more = monitored(task, record.phase)
    validation = column(record, f"val_{monitor}")
    kept, avoided = record.best_epoch, None
    if 0 < kept < len(validation):
        change = float((validation[-1] - validation[kept - 1]) * (-1 if more else 1))
        avoided = change if math.isfinite(change) else None
    sign, is_mixed = 1 if task.more_is_better else -1, mixes_labels(record.augment or False)
    gaps = sign * (column(record, task.monitor) - column(record, f"val_{task.monitor}"))
    trend = None
    if len(gaps) > 2 and np.isfinite(gaps).all() and not is_mixed and not record.solved:
        trend = float(np.polyfit(np.arange(len(gaps)), gaps, 1)[0])
    values = (None, None) if measured is None else measured
    if measured is None and not is_mixed:
        row = record.kept_values
        logged = row.get(task.monitor), row.get(f"val_{task.monitor}")
        if None not in logged and np.isfinite(logged).all():
            values = logged
    evidence = Evidence(record, task, items, *values, is_measured=measured is not None)
    state, reason = judge(evidence)
    return PhaseFit(
        name=record.phase.name,
        planned=record.phase.epochs,
        ran=len(record.epochs),
        kept_epoch=kept,
        best_epoch=best_epoch(record, task),
        monitor=monitor,
        avoided=avoided,
        metric=task.monitor,
        train=evidence.train,
        validation=evidence.validation,
        gap=evidence.gap,
        trend=trend,
        state=state,
        reason=reason,
        converged=evidence.has_converged if evidence.is_finite else None,
        is_measured=evidence.is_measured,
        items=items,
        solved=record.solved,
    )
