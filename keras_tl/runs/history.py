"""What training did: one record a phase, one row an epoch, over all the phases."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_tl.base.config import Phase
from keras_tl.errors import ConfigError


def name_of(share: float) -> str:
    """Return what people call a model by its share of the way to the fine-tuned one, in [0, 1]."""
    if share in (0, 1):
        return "fine-tuned" if share else "head"
    return f"average, {share:g} of the way"


@dataclasses.dataclass(frozen=True)
class Fall:
    """A metric that got worse on the validation split in a phase, beyond chance.

    Attributes:
        metric: its name in words.
        before: its value before the phase.
        after: its value after the phase.
        items: of the validation split.
        unit: what is compared: the name of one item, or `"group"` where items come in groups.
        worse: units that are answered worse than before.
        better: units that are answered better.
        p_value: how often chance alone makes so many of the units that changed worse.
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
    """One phase as it ran.

    Attributes:
        phase: its settings.
        epochs: for each epoch that ran: loss and the task's metrics, the same of the validation
            split (`val_loss`, ...) where there is one, and the learning_rate of its last step.
        seconds: wall time of the phase, feature extraction included.
        best_epoch: the epoch, from 1, whose weights were kept; 0: those from before the phase.
        cached: whether the epochs ran on cached features.
        augment: how items were augmented, see `keras_tl.data.images.augmentation.names_of`; `None`:
            it is not known, as of runs from before it was recorded.
        solved: whether the phase began at the regularised optimum of a linear head on cached
            features, so that its epochs have nothing left to improve and its curves no trend.
        l2: strength of the head's L2 penalty, see `Phase.l2`; `None`: it had none.
        share: where on the line from the weights before the phase (0) to those after it (1) the
            weights are that were kept, see `keras_tl.training.weight_line`.
        by_callback: whether a callback of the user gave the model other weights than training
            would have kept; `best_epoch` is theirs.
        of_no_epoch: whether these are of no epoch, such as an average; `best_epoch` is then the
            last one.
        fall: the harm that the phase did on the validation split, where training kept the last
            weights whatever that split says; `None`: none is known.
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
    fall: Fall | None = None

    @property
    def changed_backbone(self) -> bool:
        """Whether the backbone has other weights than before the phase."""
        return self.phase.unfreeze is not None and self.best_epoch > 0

    @property
    def is_average(self) -> bool:
        """Whether the kept weights are those of no epoch, nor those from before."""
        return self.of_no_epoch or self.share not in (0, 1)

    @property
    def was_judged(self) -> bool:
        """Whether training chose the weights by its curves, and nobody after it."""
        was_restored = self.of_no_epoch or (self.by_callback and self.best_epoch == 0)
        return self.share == 1 and not was_restored

    @property
    def kept(self) -> str:
        """Which weights were kept, in words."""
        if self.share != 1:
            return f"{name_of(self.share)}, by fit()"
        if self.of_no_epoch:
            return "set by a callback"
        if self.by_callback:
            return f"{self.best_epoch or 'those from before'}, by a callback"
        return str(self.best_epoch) if self.best_epoch else "none was better than before"

    @property
    def kept_values(self) -> dict[str, float]:
        """The row of `epochs` of the kept weights; empty where they are of no epoch."""
        is_known = self.best_epoch > 0 and not self.is_average
        return self.epochs[self.best_epoch - 1] if is_known else {}

    def to_json(self) -> dict[str, Any]:
        """The record as JSON types."""
        return dataclasses.asdict(self) | {"phase": self.phase.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "PhaseRecord":
        """Reads `to_json`'s result."""
        augment, fall = values.get("augment"), values.get("fall")
        read = {
            "phase": Phase.from_json(values["phase"]),
            "epochs": tuple(values["epochs"]),
            "augment": None if augment is None else tuple(augment),
            "fall": None if fall is None else Fall(**fall),
        }
        return cls(**(values | read))


def check_trained(history: Sequence[PhaseRecord]) -> None:
    """Raises `ConfigError` if no phase ran, so that there is nothing to be read or drawn."""
    if not history:
        raise ConfigError("The model is untrained: there are no curves. Call fit_head() first.")
