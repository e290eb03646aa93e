"""Weight averages of two states of a model (WiSE-FT)."""

import dataclasses

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class WeightAverage:
    """Line between the weights of the frozen-head model and of the fine-tuned model.

    Source: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, arXiv:2109.01903,
    eq. 2. An averaged model costs no more than either end.

    Attributes:
        before: Values of all weights of the model with the frozen backbone.
        after: Values of the same weights after fine-tuning.
    """

    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...]

    @classmethod
    def to_now(cls, model: keras.Model, before: list[np.ndarray]) -> "WeightAverage":
        """Return the line from earlier weights (`model.get_weights()`) to the current weights."""
        return cls(tuple(before), tuple(model.get_weights()))

    def move(self, model: keras.Model, share: float) -> None:
        """Set a model's weights to a position on the line.

        Args:
            model: Model with the weights `before` and `after`.
            share: Position in [0, 1]. 0 is `before`, 1 is `after`, both bit for bit.
        """
        model.set_weights(
            [
                _between(first, last, share)
                for first, last in zip(self.before, self.after, strict=True)
            ]
        )


def _between(first: np.ndarray, last: np.ndarray, share: float) -> np.ndarray:
    if share in (0, 1) or not np.issubdtype(first.dtype, np.floating):
        # Seeds and counters are not averaged.
        return last if share else first
    return ((1 - share) * first.astype(np.float64) + share * last).astype(first.dtype)
