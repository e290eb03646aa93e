"""Learning-rate schedules that Keras has not."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_tl")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise to a peak, then a linear fall to 0, as BERT is fine-tuned.

    Source: Devlin et al., 2019 (arXiv:1810.04805), appendix A.2.

    Args:
        peak: the largest learning rate.
        steps: after which the rate is 0.
        warmup_steps: number of steps of the rise; the first of them is not 0.
    """

    def __init__(self, peak: float, steps: int, warmup_steps: int = 0):
        super().__init__()
        self.peak = peak
        self.steps = steps
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        """The rate of a step, which counts from 0."""
        step = ops.cast(step, "float32")
        rise = (step + 1) / max(self.warmup_steps, 1)
        fall = (self.steps - step) / max(self.steps - self.warmup_steps, 1)
        return self.peak * ops.clip(ops.minimum(rise, fall), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"peak": self.peak, "steps": self.steps, "warmup_steps": self.warmup_steps}
