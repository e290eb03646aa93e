"""The line between two states of a model: the average of their weights (WiSE-FT)."""

import dataclasses

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class WeightLine:
    """The weights between the frozen-head model and the fine-tuned model.

    Source: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, arXiv:2109.01903,
    eq. 2. A model on the line costs as much as either end.

    Attributes:
        before: values of all weights of the model with the frozen backbone.
        after: values of the same weights after fine-tuning.
    """

    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...]

    @classmethod
    def to_now(cls, model: keras.Model, before: list[np.ndarray]) -> "WeightLine":
        """Return the line from earlier weights, `model.get_weights()`, to those of now."""
        return cls(tuple(before), tuple(model.get_weights()))

    def move(self, model: keras.Model, share: float) -> None:
        """Give a model the weights at a share of the way.

        Args:
            model: the model that has the weights `before` and `after`.
            share: 0 is `before`, 1 is `after`, both bit for bit; in [0, 1].
        """
        model.set_weights(
            [
                _between(first, last, share)
                for first, last in zip(self.before, self.after, strict=True)
            ]
        )


def _between(first: np.ndarray, last: np.ndarray, share: float) -> np.ndarray:
    if share in (0, 1) or not np.issubdtype(first.dtype, np.floating):
        # Seeds and counters have no average.
        return last if share else first
    return ((1 - share) * first.astype(np.float64) + share * last).astype(first.dtype)
