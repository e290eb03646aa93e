"""Learning-rate finder: train a few steps with rising learning rates, and suggest one of them."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, get_args

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_tl.base.choices import PhaseKind, PolicyName
from keras_tl.base.config import Phase, check_choice, check_range
from keras_tl.base.reporting import KERAS_TRAINER, no_retracing_warnings
from keras_tl.errors import ConfigError, quoted
from keras_tl.training.policies import HEADS, phases_of

PHASES: tuple[PhaseKind, ...] = get_args(PhaseKind)

# Decay of the moving average of the losses: mainly the last ten losses determine the average.
_SMOOTHING = 0.9
# The sweep of learning rates stops if the smoothed loss exceeds its minimum times this factor.
_DIVERGED = 4.0
# Minimum number of points in a valley, the range of the curve in which the loss falls.
_SHORTEST_VALLEY = 3


@dataclasses.dataclass(frozen=True)
class LearningRates:
    """Result of the learning-rate finder, which tries rising learning rates in a short training.

    Attributes:
        phase: Phase that the finder tried. The finder ignores the phase's own learning rate and
            schedule.
        rates: Learning rate of each step, in rising order. If the loss diverges, the training ends
            early and the result has fewer learning rates.
        losses: Training loss of each step, computed on the step's batch before the update.
        smoothed: Exponential moving average of the losses, see `smooth`.
        suggestion: Suggested peak learning rate, see `suggest`. `None`: the smoothed losses fall
            over fewer than three learning rates.

    Example:
        >>> len(rates.losses) == len(rates.smoothed) == len(rates.rates)
        True
        >>> rates.suggestion is None or 1e-7 <= rates.suggestion <= 10
        True
    """

    phase: Phase
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float | None

    def plot(self) -> Figure:
        """Plot the loss against the learning rate, and mark the suggested learning rate.

        Example:
            >>> type(rates.plot()).__name__
            'Figure'
        """
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, ".", color="#9db8d6", label="loss of a batch")
        axes.plot(self.rates, self.smoothed, color="#1f5fa8", label="smoothed")
        if self.suggestion is not None:
            label = f"suggestion {self.suggestion:.1e}"
            axes.axvline(self.suggestion, color="#c2571a", linestyle="--", label=label)
        axes.set_xscale("log")
        # Limit the y axis: beside the large losses after the minimum, the rest of the curve would
        # look flat.
        best = int(np.argmin(self.smoothed))
        low, high = min(self.losses), max(self.smoothed[: best + 1])
        margin = 0.2 * (high - low) or 0.5
        axes.set_ylim(low - margin, high + margin)
        axes.set_xlabel("learning rate")
        axes.set_ylabel("training loss")
        axes.set_title(f"{self.phase.name}: {self.phase.optimizer}", fontsize=10)
        axes.grid(alpha=0.25)
        axes.legend()
        return figure


def phase_to_sweep(
    phase: PhaseKind | Phase,
    policy: PolicyName | Phase | Sequence[Phase],
    family: str,
    **given: Any,
) -> Phase:
    """Return the phase that the arguments of `Learner.lr_find` select.

    Args:
        phase: Phase to select: `"head"`, `"fine-tune"`, or your own phase.
        policy: Policy of fine-tuning. `phase="fine-tune"` selects the last phase of the policy.
        given: New values for fields of `Phase`. `None` keeps the value of the phase.

    Raises:
        ConfigError: The phase or policy is unknown, `unfreeze` is set although `phase` is `"head"`,
            or `policy` is set although `phase` is not `"fine-tune"`.
    """
    if phase != "fine-tune" and policy != "standard":
        raise ConfigError(
            "policy= needs phase='fine-tune', because it selects a phase of fine-tuning. Leave "
            f"policy= out. Received: phase={quoted(phase)}."
        )
    if isinstance(phase, Phase):
        return phases_of(phase, family, **given)[0]
    check_choice("phase", phase, PHASES)
    if phase == "fine-tune":
        return phases_of(policy, family, **given)[-1]
    if given.get("unfreeze") is not None:
        raise ConfigError(
            "unfreeze= needs phase='fine-tune'. With phase='head' the backbone stays frozen. Leave "
            "unfreeze= out."
        )
    return phases_of(HEADS[family], family, **given)[0]


def learning_rates_between(lowest: float, highest: float, steps: int) -> np.ndarray:
    """Return learning rates from lowest to highest with a constant ratio, float64 (steps,).

    Raises:
        ConfigError: `steps` is below 10, or the limits violate 1e-12 <= lowest < highest <= 1000.
    """
    check_range("steps", steps, 10, whole=True)
    check_range("highest", highest, 1e-12, 1e3)
    check_range("lowest", lowest, 1e-12, highest)
    if lowest == highest:
        raise ConfigError(f"lowest must be below highest. Received: {quoted(lowest)} for both.")
    return np.geomspace(lowest, highest, steps)


def as_swept(phase: Phase) -> Phase:
    """Return the phase with constant learning rate, no gradual unfreezing, and no L2 penalty."""
    return dataclasses.replace(
        phase, learning_rate=1.0, schedule="constant", warmup=0.0, unfreeze_every=None, l2=None
    )


class LearningRateSweep(keras.callbacks.Callback):
    """Set the learning rate of each step, record the step's loss, and stop if the loss diverges.

    Attributes:
        losses: Losses of the finished steps. The last loss can be infinite or NaN.
    """

    def __init__(self, rates: np.ndarray, advance: Callable[[int], None] = lambda done: None):
        super().__init__()
        self.losses: list[float] = []
        self._rates = rates
        self._advance = advance

    def on_train_begin(self, logs: Any = None) -> None:
        # If `LossScaleOptimizer` wraps the optimizer, use the inner optimizer, which has the
        # learning rate.
        self._optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # Reset the metrics, because Keras logs the mean loss of all steps since the last reset.
        self.model.reset_metrics()
        self._optimizer.learning_rate = self._rates[len(self.losses)]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.losses.append(float(logs["loss"]))
        self._advance(len(self.losses))
        if has_diverged(self.losses):
            self.model.stop_training = True


def sweep(
    model: keras.Model,
    train: tf.data.Dataset,
    rates: np.ndarray,
    advance: Callable[[int], None] = lambda done: None,
) -> list[float]:
    """Train a compiled model with a higher learning rate in each step, and return the losses.

    Source: learning-rate range test of Smith, 2017 (arXiv:1506.01186), sec. 3.3. As in fastai, the
    learning rate rises exponentially and the function records the training loss. Smith raises the
    learning rate linearly and observes the accuracy.

    Args:
        model: Model that is compiled with a constant learning rate (see `as_swept`) and with
            `steps_per_execution=1`.
        train: Training batches. The sweep repeats the training batches as often as needed.
        advance: Function to call after each step with the number of finished steps.

    Returns:
        Losses of the finished steps, fewer than `rates` if the loss diverged.
    """
    callback = LearningRateSweep(rates, advance)
    with no_retracing_warnings(KERAS_TRAINER):
        model.fit(
            train.repeat(),
            steps_per_epoch=len(rates),
            callbacks=[callback],
            shuffle=False,  # The data set already shuffles its items.
            verbose=0,
        )
    return callback.losses


def has_diverged(losses: Sequence[float]) -> bool:
    """Return whether a training with the losses `losses` has diverged.

    Training has diverged if the last loss is not finite, or the smoothed loss exceeds 4 times its
    minimum.
    """
    smoothed = smooth(losses)
    return not np.isfinite(losses[-1]) or bool(smoothed[-1] > _DIVERGED * smoothed.min())


def smooth(losses: Sequence[float]) -> np.ndarray:
    """Return the exponential moving average of the losses with decay 0.9, float32 (n,).

    Each average is a weighted mean of losses: the bias correction of Adam (Kingma and Ba, 2015,
    arXiv:1412.6980, sec. 3) makes the coefficients of the mean add up to 1.
    """
    mean, smoothed = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        smoothed.append(mean / (1 - _SMOOTHING**count))
    # Round to float32, the precision of the losses: smaller differences are rounding errors.
    return np.array(smoothed, np.float32)


def read_sweep(phase: Phase, rates: np.ndarray, losses: Sequence[float]) -> LearningRates:
    """Smooth the losses of a sweep of learning rates, and suggest a learning rate.

    Raises:
        ConfigError: The first loss is not finite.
    """
    finite = [loss for loss in losses if np.isfinite(loss)]
    if not np.isfinite(losses[0]):
        raise ConfigError(
            f"The loss is {losses[0]} before the first update. Expected a finite loss. Call "
            "learner.check() to check the data. Also check the weights."
        )
    smoothed = smooth(finite)
    return LearningRates(
        phase=phase,
        rates=tuple(map(float, rates[: len(finite)])),
        losses=tuple(finite),
        smoothed=tuple(map(float, smoothed)),
        suggestion=suggest(rates[: len(finite)], smoothed),
    )


def suggest(
    rates: Sequence[float] | np.ndarray, smoothed: Sequence[float] | np.ndarray
) -> float | None:
    """Suggest a learning rate: the point at two thirds of the range in which the loss falls.

    The range in which the loss falls (valley) is the longest strictly decreasing subsequence of the
    smoothed losses. A few rising losses do not end the valley. The documentation of fastai
    describes the point at two thirds under the name "valley" (fastai/callback/schedule.py). The
    code of fastai suggests the learning rate in the middle of the valley.

    Returns:
        The suggested learning rate, an element of `rates`. `None`: the valley has fewer than three
        points.
    """
    valley = longest_decrease(smoothed)
    if len(valley) < _SHORTEST_VALLEY:
        return None
    return float(rates[valley[round(2 / 3 * (len(valley) - 1))]])


def longest_decrease(values: Sequence[float] | np.ndarray) -> list[int]:
    """Return the indices of the (first) longest strictly decreasing subsequence of `values`."""
    known = np.asarray(values)
    lengths = np.ones(len(known), int)
    before = np.full(len(known), -1)
    for place in range(1, len(known)):
        higher = np.flatnonzero(known[:place] > known[place])
        if len(higher):
            before[place] = higher[lengths[higher].argmax()]
            lengths[place] = lengths[before[place]] + 1
    places = [int(lengths.argmax())]
    while before[places[-1]] >= 0:
        places.append(int(before[places[-1]]))
    return places[::-1]
