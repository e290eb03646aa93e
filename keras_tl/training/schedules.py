"""Learning-rate schedules that Keras does not have."""

import dataclasses
import math
from typing import Any

import keras
from keras import ops

from keras_tl.base.config import check_range
from keras_tl.base.keras_compat import learning_rate_or_schedule


class _FieldSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Base class of learning-rate schedules that are dataclasses: Keras saves all their fields."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the schedule's constructor."""
        return dataclasses.asdict(self)


@keras.saving.register_keras_serializable("keras_tl")
@dataclasses.dataclass(eq=False)
class LinearDecay(_FieldSchedule):
    """Learning rate that rises linearly to a peak, then falls linearly to 0, as for BERT.

    Source: Devlin et al., 2019 (arXiv:1810.04805), appendix A.2.

    Args:
        peak: Highest learning rate.
        steps: Number of steps after which the learning rate is 0.
        warmup_steps: Number of steps in which the learning rate rises. Step 0 already has a
            learning rate above 0.
    """

    peak: float
    steps: int
    warmup_steps: int = 0

    def __call__(self, step):
        """Return the learning rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        rise = (step + 1) / max(self.warmup_steps, 1)
        fall = (self.steps - step) / max(self.steps - self.warmup_steps, 1)
        return self.peak * ops.clip(ops.minimum(rise, fall), 0.0, 1.0)


@keras.saving.register_keras_serializable("keras_tl")
@dataclasses.dataclass(eq=False)
class SlantedTriangular(_FieldSchedule):
    """Learning rate that rises linearly to a peak in few steps, then falls linearly in many steps.

    Source: Howard and Ruder, 2018 (arXiv:1801.06146), eq. 3. T is the number of steps, and
    `cut = floor(T * cut_frac)`. At step t, counted from 0, the learning rate is
    `peak * (1 + p * (ratio - 1)) / ratio`. p is `t / cut` before step `cut`. From step `cut` on, p
    is `1 - (t - cut) / (cut * (1 / cut_frac - 1))`. `SlantedTriangular` differs from eq. 3 in two
    cases:

    * If `T * cut_frac` is not a whole number, p of eq. 3 falls below 0 before the end, and the
      learning rate can become negative. `SlantedTriangular` never lowers the learning rate below
      `peak / ratio`.
    * If `cut` is 0, eq. 3 divides by 0. With `cut` 0, the learning rate of `SlantedTriangular` only
      falls, in `T * (1 - cut_frac)` steps. If `T * cut_frac` is a whole number above 0, the
      learning rate of eq. 3 also falls in `T * (1 - cut_frac)` steps.

    Args:
        peak: Highest learning rate.
        steps: Number of steps, T.
        cut_frac: Fraction of the steps in which the learning rate rises, in [0, 1].
        ratio: Highest learning rate divided by the lowest learning rate, at least 1.
    """

    peak: float
    steps: int
    cut_frac: float = 0.1
    ratio: float = 32

    def __post_init__(self) -> None:
        check_range("cut_frac", self.cut_frac, 0, 1)
        check_range("ratio", self.ratio, 1)

    def __call__(self, step):
        """Return the learning rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        cut = _whole_share(self.steps, self.cut_frac)
        fall = cut * (1 / self.cut_frac - 1) if cut else self.steps * (1 - self.cut_frac)
        p = ops.where(step < cut, step / max(cut, 1), (cut + fall - step) / (fall or 1))
        return self.peak * (1 + ops.maximum(p, 0.0) * (self.ratio - 1)) / self.ratio


@keras.saving.register_keras_serializable("keras_tl")
@dataclasses.dataclass(eq=False)
class OneCycle(_FieldSchedule):
    """Learning rate that rises to a large peak and falls to almost 0, both along a half cosine.

    Source: Smith and Topin, 2018 (arXiv:1708.07120), and Smith, 2018 (arXiv:1803.09820).
    Smith's learning rate rises linearly, then falls linearly in about as many steps. The cosines
    and the default values are from fastai's `fit_one_cycle` (Howard and Gugger, 2020,
    arXiv:2002.04688). The learning rate rises from `peak / divisor` at step 0 to `peak` at step
    `floor(steps * rise)`. If `floor(steps * rise)` is 0, the learning rate only falls. After the
    last step, the learning rate is `peak / final_divisor`. keras_tl keeps the momentum constant,
    but Smith lowers the momentum while the learning rate rises.

    Args:
        peak: Highest learning rate.
        steps: Number of steps of the whole cycle.
        rise: Fraction of the steps in which the learning rate rises, in [0, 1].
        divisor: Peak divided by the learning rate of the first step, at least 1.
        final_divisor: Peak divided by the learning rate after the last step, at least 1.
    """

    peak: float
    steps: int
    rise: float = 0.25
    divisor: float = 25
    final_divisor: float = 1e5

    def __post_init__(self) -> None:
        check_range("rise", self.rise, 0, 1)
        check_range("divisor", self.divisor, 1)
        check_range("final_divisor", self.final_divisor, 1)

    def __call__(self, step):
        """Return the learning rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        cut = _whole_share(self.steps, self.rise)
        left = ops.maximum(self.steps - step, 0.0) / max(self.steps - cut, 1)
        near = ops.where(step < cut, step / max(cut, 1), left)
        lowest = 1 / ops.where(step < cut, float(self.divisor), float(self.final_divisor))
        # sin(pi / 2 * x)^2 equals (1 - cos(pi * x)) / 2, but has a smaller rounding error near 0.
        return self.peak * (lowest + (1 - lowest) * ops.sin(math.pi / 2 * near) ** 2)


@keras.saving.register_keras_serializable("keras_tl")
class SettableSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Learning-rate schedule that applies until a call of `set` fixes the learning rate.

    If an optimizer has a schedule, Keras does not allow a callback to set the learning rate. With a
    schedule, the callbacks `ReduceLROnPlateau` and `LearningRateScheduler` need `SettableSchedule`.
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule):
        super().__init__()
        self.schedule = schedule
        self._given = keras.Variable(
            -1.0, trainable=False, aggregation="only_first_replica", name="given_learning_rate"
        )

    def set(self, learning_rate: float) -> None:
        """Set the learning rate of all following steps. `learning_rate` must be at least 0."""
        check_range("learning_rate", learning_rate, 0)
        self._given.assign(learning_rate)

    def __call__(self, step):
        """Return the learning rate of a step, counted from 0."""
        given = ops.convert_to_tensor(self._given)
        return ops.where(given < 0, ops.cast(self.schedule(step), given.dtype), given)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the schedule's constructor."""
        return {"schedule": keras.saving.serialize_keras_object(self.schedule)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SettableSchedule":
        """Build the schedule from the result of `get_config`."""
        return cls(keras.saving.deserialize_keras_object(config["schedule"]))


def last_learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """Return the learning rate of an optimizer's last update, or of step 0 before any update.

    `optimizer.learning_rate` is the learning rate of the next update. After the last step of a
    schedule, `optimizer.learning_rate` may therefore be 0.
    """
    # If `LossScaleOptimizer` wraps the optimizer, use the inner optimizer, which has the learning
    # rate.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    rate = learning_rate_or_schedule(optimizer)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = rate(ops.maximum(optimizer.iterations - 1, 0))
    return float(ops.convert_to_numpy(rate))


def _whole_share(steps: int, share: float) -> int:
    # Add 1e-9, because 0.29 * 100 in floating point is slightly less than 29.
    return math.floor(steps * share + 1e-9)
