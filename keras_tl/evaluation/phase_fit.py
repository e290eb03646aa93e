"""What the curves of one phase of training say of how it fits."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from keras_tl.data.images.augmentation import mixes_labels
from keras_tl.evaluation.convergence import column
from keras_tl.evaluation.fit_evidence import Evidence, best_epoch
from keras_tl.evaluation.fit_state import UNKNOWN, judge
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import Task, monitored


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
            worse while the training loss fell, and weights from before were kept; `"diverged"`: a
            loss is not finite, or training did harm at a loss that rose or is above that of
            guessing; `"unconverged"`: training ended while the model still got better;
            `"underfits"`: the losses of training and validation are high, and that of training is
            flat; `"fits"`: a sign of none of these; `"unknown"`: nothing can be said, see `reason`.
        reason: of `"unknown"` `"no-validation"`, `"few-items"` (the gap may be chance),
            `"one-epoch"` (which has no trend), `"mixed-labels"`, `"averaged"` (`fit` kept other
            weights than the last) or `"nothing-better"` (weights from before were kept, and the
            curves do not show why); of `"diverged"` `"not-finite"`,
            `"rose"` or `"above-guessing"`; else empty.
        converged: whether the training loss had settled; `None`: one epoch does not show it.
        is_measured: whether `train` and `validation` are of the kept weights in inference mode.
        items: of the validation split, as far as that is known.
        solved: see `keras_tl.runs.history.PhaseRecord`.
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
    state: str = UNKNOWN
    reason: str = ""
    converged: bool | None = None
    is_measured: bool = False
    items: int | None = None
    solved: bool = False

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
    validation = column(record, f"val_{watched}")
    kept, avoided = record.best_epoch, None
    if 0 < kept < len(validation):
        change = float((validation[-1] - validation[kept - 1]) * (-1 if more else 1))
        avoided = change if math.isfinite(change) else None
    sign = 1 if task.more_is_better else -1
    gaps = sign * (column(record, task.watched) - column(record, f"val_{task.watched}"))
    trend = None
    if (
        len(gaps) > 2
        and np.isfinite(gaps).all()
        and not mixes_labels(record.augment or False)
        and not record.solved
    ):
        trend = float(np.polyfit(np.arange(len(gaps)), gaps, 1)[0])
    fit = PhaseFit(
        name=record.phase.name,
        planned=record.phase.epochs,
        ran=len(record.epochs),
        kept_epoch=kept,
        best_epoch=best_epoch(record, task),
        watched=watched,
        avoided=avoided,
        metric=task.watched,
        train=None,
        validation=None,
        gap=None,
        trend=trend,
        items=items,
        solved=record.solved,
    )
    values = None, None
    if not mixes_labels(record.augment or False):
        row = record.kept_values
        logged = row.get(task.watched), row.get(f"val_{task.watched}")
        if None not in logged and np.isfinite(logged).all():
            values = logged
    return with_values(fit, record, task, values, False)


def with_values(
    fit: PhaseFit,
    record: PhaseRecord,
    task: Task,
    values: Sequence[float | None],
    is_measured: bool,
) -> PhaseFit:
    """Judge a phase by the metric in training and validation.

    Args:
        fit: what is known without them.
        record: as for `read_phase`.
        task: as for `read_phase`.
        values: in training and on the validation split; `None`: nothing that can be compared.
        is_measured: see `PhaseFit`.
    """
    train, validation = values
    evidence = Evidence(record, task, fit.items, train, validation, is_measured)
    found = judge(evidence)
    return dataclasses.replace(
        fit,
        train=train,
        validation=validation,
        gap=evidence.gap,
        is_measured=is_measured,
        state=found.state,
        reason=found.reason,
        converged=evidence.has_converged if evidence.is_finite else None,
    )
