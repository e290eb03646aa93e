"""What training did: one record a phase, one row an epoch, over all the phases."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_tl.config import Phase
from keras_tl.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class PhaseRecord:
    """One phase as it ran.

    Attributes:
        phase: its settings.
        epochs: for each epoch that ran: loss and the task's metrics, the same of the validation
            split (`val_loss`, ...) where there is one, and learning_rate at its end.
        seconds: wall time of the phase, feature extraction included.
        best_epoch: the epoch, from 1, whose weights were kept; 0: those from before the phase.
        cached: whether the epochs ran on cached features.
        augment: how items were augmented, see `keras_tl.data.augmentation.names_of`; `None`: it is
            not known, as of runs from before it was recorded.
        solved: whether the phase began at the regularised optimum of a linear head on cached
            features, so that its epochs have nothing left to improve and its curves no trend.
        l2: strength of the head's L2 penalty, see `Phase.l2`; `None`: it had none.
        share: where on the line from the weights before the phase (0) to those after it (1) the
            weights are that were kept, see `keras_tl.training.weight_line`.
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

    @property
    def changed_backbone(self) -> bool:
        """Whether the backbone has other weights than before the phase."""
        return self.phase.unfreeze is not None and self.best_epoch > 0

    def to_json(self) -> dict[str, Any]:
        """The record as JSON types."""
        return dataclasses.asdict(self) | {"phase": self.phase.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "PhaseRecord":
        """Reads `to_json`'s result."""
        augment = values.get("augment")
        read = {
            "phase": Phase.from_json(values["phase"]),
            "epochs": tuple(values["epochs"]),
            "augment": None if augment is None else tuple(augment),
        }
        return cls(**(values | read))


def check_trained(history: Sequence[PhaseRecord]) -> None:
    """Raises `ConfigError` if no phase ran, so that there is nothing to be read or drawn."""
    if not history:
        raise ConfigError("The model is untrained: there are no curves. Call fit_head() first.")
