"""Training history: one record per phase, with one row per epoch."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras_tl.base.config import Phase
from keras_tl.errors import ConfigError


def name_of(share: float) -> str:
    """Return a name for a weight average. `share` is the fine-tuned model's part, from 0 to 1."""
    if share in (0, 1):
        return "fine-tuned" if share else "head"
    return f"average, {share:.0%} fine-tuned"


@dataclasses.dataclass(frozen=True)
class MetricDrop:
    """Statistically significant fall of a validation metric in fine-tuning.

    Attributes:
        metric: Name of the metric in words.
        before: Value of the metric before fine-tuning.
        after: Value of the metric after fine-tuning.
        items: Number of items of the validation split.
        unit: Unit of the comparison: an item (`"image"` or `"text"`), or `"group"` if items have
            groups.
        worse: Number of units with a worse prediction after fine-tuning than before.
        better: Number of units with a better prediction after fine-tuning than before.
        p_value: Probability that `worse` or more of the changed units get worse by chance, if each
            changed unit is equally likely to get better or worse.

    Example:
        >>> learner.history[0].metric_drop is None
        True
    """

    metric: str
    before: float
    after: float
    items: int
    unit: str
    worse: int
    better: int
    p_value: float


@dataclasses.dataclass(frozen=True)
class PhaseRecord:
    """Record of a finished training phase, with `history` and `epoch` as in Keras's `History`.

    Attributes:
        phase: Settings of the phase.
        epochs: Dict for each epoch: training loss and metrics, validation loss and metrics
            (`val_loss`, ...) if there is a validation split, and `learning_rate` of the last step.
        seconds: Wall time of the phase, including feature extraction.
        best_epoch: Epoch whose weights the model has after the phase, counted from 1. 0 means the
            weights from before the phase.
        cached: Whether the epochs ran on cached features.
        augment: Names of the augmentations, see `keras_tl.data.images.augmentation.names_of`, or
            `None` if the names are unknown, because an older version saved the run.
        solved: Whether the phase began at the regularised optimum of a linear head on cached
            features. If `solved` is true, the epochs of the phase improve nothing, and the curves
            have no trend.
        l2: Strength of the L2 penalty of the head, or `None` for no penalty, see `Phase.l2`.
        share: Position of the chosen weights on the line from the weights before the phase (0) to
            the fine-tuned weights (1), see `keras_tl.training.weight_average`.
        by_callback: Whether a callback of the user replaced the weights that training had chosen.
            If `by_callback` is true, `best_epoch` is the epoch of the callback's weights, or the
            last epoch if `of_no_epoch` is true.
        of_no_epoch: Whether a callback set weights that belong to no epoch, such as averaged
            weights.
        metric_drop: Significant fall of a validation metric during a call of `fine_tune`. The call
            tests for a fall only if one of its phases has no early stopping (`patience=None`). The
            record of the call's last phase has the result. In other records, and if the call found
            no fall or did not test, `metric_drop` is `None`.
        train_fingerprint: Fingerprint of the training split of the phase, see `Split.identity`, or
            `None` if the fingerprint is unknown: an older version saved the run, or a file was
            missing.

    Example:
        >>> record = learner.history[0]
        >>> record.phase.name, record.cached, len(record.epochs)
        ('head', True, 2)
    """

    phase: Phase
    epochs: tuple[dict[str, float], ...]
    seconds: float
    best_epoch: int
    cached: bool
    augment: tuple[str, ...] | None = None
    solved: bool = False
    l2: float | None = None
    share: float = 1.0
    by_callback: bool = False
    of_no_epoch: bool = False
    metric_drop: MetricDrop | None = None
    train_fingerprint: str | None = None

    @property
    def history(self) -> dict[str, list[float]]:
        """Lists with one value per epoch, by name such as `"val_loss"`, as in Keras's `History`.

        Example:
            >>> sorted(learner.history[0].history) == sorted(learner.history[0].epochs[0])
            True
        """
        return _by_name(self.epochs)

    @property
    def epoch(self) -> list[int]:
        """Numbers of the phase's epochs, counted from 0, as in Keras's `History`.

        Example:
            >>> learner.history[0].epoch
            [0, 1]
        """
        return list(range(len(self.epochs)))

    @property
    def changed_backbone(self) -> bool:
        """Whether the phase changed the weights of the backbone.

        Example:
            >>> learner.history[0].changed_backbone
            False
        """
        return self.phase.unfreeze is not None and self.best_epoch > 0

    @property
    def is_average(self) -> bool:
        """Whether the chosen weights belong neither to an epoch nor to the start of the phase.

        Example:
            >>> learner.history[0].is_average
            False
        """
        return self.of_no_epoch or self.share not in (0, 1)

    @property
    def was_judged(self) -> bool:
        """Whether the chosen weights are from an epoch, or training kept the earlier weights.

        Example:
            >>> learner.history[0].was_judged
            True
        """
        was_restored = self.of_no_epoch or (self.by_callback and self.best_epoch == 0)
        return self.share == 1 and not was_restored

    @property
    def kept(self) -> str:
        """Description of the weights that the phase kept, in words.

        Example:
            >>> learner.history[0].kept in ("1", "2", "none was better than before")
            True
        """
        if self.share != 1:
            return f"{name_of(self.share)}, by fit()"
        if self.of_no_epoch:
            return "set by a callback"
        if self.by_callback:
            return f"{self.best_epoch or 'weights from before the phase'}, by a callback"
        return str(self.best_epoch) if self.best_epoch else "none was better than before"

    @property
    def kept_values(self) -> dict[str, float]:
        """Entry of `epochs` for the chosen weights, or an empty dict if they belong to no epoch.

        Example:
            >>> record = learner.history[0]
            >>> record.best_epoch == 0 or "val_loss" in record.kept_values
            True
        """
        is_known = self.best_epoch > 0 and not self.is_average
        return self.epochs[self.best_epoch - 1] if is_known else {}

    def to_json(self) -> dict[str, Any]:
        """Return the record as a dict that JSON can store.

        Example:
            >>> learner.history[0].to_json()["phase"]["name"]
            'head'
        """
        return dataclasses.asdict(self) | {"phase": self.phase.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "PhaseRecord":
        """Make a record from the result of `to_json`.

        Example:
            >>> record = learner.history[0]
            >>> ktl.PhaseRecord.from_json(record.to_json()) == record
            True
        """
        augment, metric_drop = values.get("augment"), values.get("metric_drop")
        read = {
            "phase": Phase.from_json(values["phase"]),
            "epochs": tuple(values["epochs"]),
            "augment": None if augment is None else tuple(augment),
            "metric_drop": None if metric_drop is None else MetricDrop(**metric_drop),
        }
        return cls(**(values | read))


class PhaseRecords(tuple[PhaseRecord, ...]):
    """Records of several training phases, with `history` and `epoch` as in Keras's `History`.

    Example:
        >>> [record.phase.name for record in learner.history], learner.history.epoch
        (['head'], [0, 1])
    """

    __slots__ = ()

    @property
    def history(self) -> dict[str, list[float]]:
        """Lists with one value per epoch of all phases, by name. Missing values are NaN.

        Example:
            >>> len(learner.history.history["val_loss"])
            2
        """
        return _by_name([row for record in self for row in record.epochs])

    @property
    def epoch(self) -> list[int]:
        """Numbers of the epochs of all phases, counted from 0 without a restart in each phase.

        Example:
            >>> learner.history.epoch
            [0, 1]
        """
        return list(range(sum(len(record.epochs) for record in self)))


def _by_name(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return a list for each name: the value of this name in each row, in the order of the rows."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, math.nan) for row in rows] for name in names}


def check_trained(history: Sequence[PhaseRecord]) -> None:
    """Raise `ConfigError` if no training phase ran, because there are no training curves."""
    if not history:
        raise ConfigError("The model is untrained: there are no curves. Call fit_head() first.")
