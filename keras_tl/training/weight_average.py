"""Average the weights of a model before and after fine-tuning (WiSE-FT)."""

import dataclasses

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class WeightAverage:
    """Linear interpolation between the weights before and after fine-tuning.

    Source: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, arXiv:2109.01903,
    eq. 2. The averaged model predicts as fast as the fine-tuned model.

    Attributes:
        before: Values of all weights before fine-tuning, with an already trained head.
        after: Values of the same weights after fine-tuning.
    """

    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...]

    @classmethod
    def to_now(cls, model: keras.Model, before: list[np.ndarray]) -> "WeightAverage":
        """Return the `WeightAverage` of earlier weights (`get_weights()`) and a model's weights."""
        return cls(tuple(before), tuple(model.get_weights()))

    def move(self, model: keras.Model, share: float) -> None:
        """Set a model's weights to a weighted average of `before` and `after`.

        Args:
            share: Fraction of `after` in the average, in [0, 1]. 0 gives exactly `before`, 1 gives
                exactly `after`.
        """
        pairs = zip(self.before, self.after, strict=True)
        model.set_weights([_between(first, last, share) for first, last in pairs])


def _between(first: np.ndarray, last: np.ndarray, share: float) -> np.ndarray:
    if share in (0, 1) or not np.issubdtype(first.dtype, np.floating):
        # Do not average seeds or counters: their average has no meaning.
        return last if share else first
    return ((1 - share) * first.astype(np.float64) + share * last).astype(first.dtype)
