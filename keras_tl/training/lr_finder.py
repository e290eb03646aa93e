"""Learning-rate finder: a short sweep of learning rates, and a suggestion."""

import dataclasses
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from keras_tl.base.config import Phase, check_choice, check_range
from keras_tl.base.reporting import KERAS_TRAINER, no_retracing_warnings
from keras_tl.errors import ConfigError, quoted
from keras_tl.training.policies import HEADS, phases_of

PHASES = ("head", "fine-tune")

# Weight of the past in the moving average of the losses: about the last ten losses count.
_SMOOTHING = 0.9
# The sweep stops if the smoothed loss exceeds this multiple of its minimum.
_DIVERGED = 4.0
# Minimum number of falling losses in a valley.
_SHORTEST_VALLEY = 3


@dataclasses.dataclass(frozen=True)
class LearningRates:
    """Result of a sweep of learning rates.

    Attributes:
        phase: Phase of the sweep. The sweep ignores its learning rate and schedule.
        rates: Rising learning rates, one per step. A diverging loss ends the sweep early.
        losses: Training loss of each step's batch, before the update.
        smoothed: Exponentially weighted means of the losses, see `smooth`.
        suggestion: Peak learning rate, see `suggest`. `None`: no learning rate lowered the loss.
    """

    phase: Phase
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float | None

    def plot(self) -> Figure:
        """Plot the losses over the learning rates, and mark the suggestion."""
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, ".", color="#9db8d6", label="loss of a batch")
        axes.plot(self.rates, self.smoothed, color="#1f5fa8", label="smoothed")
        if self.suggestion is not None:
            label = f"suggestion {self.suggestion:.1e}"
            axes.axvline(self.suggestion, color="#c2571a", linestyle="--", label=label)
        axes.set_xscale("log")
        # The large losses after the minimum would flatten the rest of the curve.
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
    phase: str | Phase, policy: str | Phase | Sequence[Phase], family: str, **given
) -> Phase:
    """Return the phase that the arguments of `Learner.lr_find` select.

    Args:
        phase: `"head"`, `"fine-tune"`, or your own phase.
        policy: Policy of fine-tuning. Its last phase is used.
        family: Family of the backbone, see `phases_of`.
        given: Fields of `Phase` to change. `None` keeps the value.

    Raises:
        ConfigError: The phase or policy is unknown, or `unfreeze` is given for the head.
    """
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
    """Return learning rates with a constant ratio from lowest to highest, float64 (steps,).

    Raises:
        ConfigError: The limits are not 1e-12 <= lowest < highest <= 1000, or there are fewer than
            10 steps.
    """
    check_range("steps", steps, 10, whole=True)
    check_range("highest", highest, 1e-12, 1e3)
    check_range("lowest", lowest, 1e-12, highest)
    if lowest == highest:
        raise ConfigError(f"lowest must be below highest. Received: {quoted(lowest)} for both.")
    return np.geomspace(lowest, highest, steps)


def as_swept(phase: Phase) -> Phase:
    """Return the phase with a constant learning rate, all blocks at once, and no L2 penalty."""
    return dataclasses.replace(
        phase, learning_rate=1.0, schedule="constant", warmup=0.0, unfreeze_every=None, l2=None
    )


class LearningRateSweep(keras.callbacks.Callback):
    """Set the learning rate of every step, record its loss, and stop if the loss diverges.

    Args:
        rates: Learning rates, one per step.
        advance: Progress function, called with the number of finished steps.

    Attributes:
        losses: Losses of the finished steps. The last one can be infinite or NaN.
    """

    def __init__(self, rates: np.ndarray, advance: Callable[[int], None] = lambda done: None):
        super().__init__()
        self.losses: list[float] = []
        self._rates = rates
        self._advance = advance

    def on_train_begin(self, logs=None):
        # `LossScaleOptimizer` wraps the optimizer that has the learning rate.
        self._optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)

    def on_train_batch_begin(self, batch, logs=None):
        # Without the reset, the loss in the logs would be the mean over the epoch.
        self.model.reset_metrics()
        self._optimizer.learning_rate = self._rates[len(self.losses)]

    def on_train_batch_end(self, batch, logs=None):
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
    """Train a compiled model at rising learning rates.

    Source: range test of Smith, 2017 (arXiv:1506.01186), sec. 3.3. As in fastai, learning rates
    rise exponentially and the training loss decides. Smith uses a linear rise and the accuracy.

    Args:
        model: Compiled model with constant learning rate (see `as_swept`), one step per execution.
        train: Batches, repeated as often as needed.
        rates: Learning rates, one per step.
        advance: Progress function, called with the number of finished steps.

    Returns:
        Losses of the finished steps, fewer than `rates` if the loss diverged.
    """
    callback = LearningRateSweep(rates, advance)
    with no_retracing_warnings(KERAS_TRAINER):
        model.fit(
            train.repeat(),
            steps_per_epoch=len(rates),
            callbacks=[callback],
            shuffle=False,  # The dataset shuffles already.
            verbose=0,
        )
    return callback.losses


def has_diverged(losses: Sequence[float]) -> bool:
    """Whether the last loss is not finite, or its smoothed value exceeds 4 times the minimum."""
    smoothed = smooth(losses)
    return not np.isfinite(losses[-1]) or bool(smoothed[-1] > _DIVERGED * smoothed.min())


def smooth(losses: Sequence[float]) -> np.ndarray:
    """Return exponentially weighted means of the losses, float32 (n,), decay 0.9 per step.

    The weights sum to 1 from the first step on, with Adam's bias correction (Kingma and Ba, 2015,
    arXiv:1412.6980, sec. 3).
    """
    mean, smoothed = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        smoothed.append(mean / (1 - _SMOOTHING**count))
    # Losses are float32: a smaller decrease is only a rounding error.
    return np.array(smoothed, np.float32)


def read_sweep(phase: Phase, rates: np.ndarray, losses: Sequence[float]) -> LearningRates:
    """Smooth the losses of a sweep and suggest a learning rate.

    Raises:
        ConfigError: The first loss is not finite.
    """
    finite = [loss for loss in losses if np.isfinite(loss)]
    if not np.isfinite(losses[0]):
        raise ConfigError(
            f"The loss is {losses[0]} before the first update. Expected a finite loss. Call "
            "learner.check() to check the data, and check the weights."
        )
    smoothed = smooth(finite)
    return LearningRates(
        phase=phase,
        rates=tuple(map(float, rates[: len(finite)])),
        losses=tuple(finite),
        smoothed=tuple(map(float, smoothed)),
        suggestion=suggest(rates[: len(finite)], smoothed),
    )


def suggest(rates: Sequence[float], smoothed: Sequence[float]) -> float | None:
    """Suggest the learning rate two thirds into the valley, the range where the loss falls.

    The valley is the longest strictly decreasing subsequence of the smoothed losses. A few rising
    losses do not end it. The rule is "valley" in the documentation of fastai
    (fastai/callback/schedule.py). The code of fastai takes a point half-way instead.

    Args:
        rates: Rising learning rates, one per step.
        smoothed: Smoothed losses.

    Returns:
        One of the learning rates. `None`: the valley has fewer than three points.
    """
    valley = longest_decrease(smoothed)
    if len(valley) < _SHORTEST_VALLEY:
        return None
    return float(rates[valley[round(2 / 3 * (len(valley) - 1))]])


def longest_decrease(values: Sequence[float]) -> list[int]:
    """Return indices of the longest strictly decreasing subsequence. The first to end wins ties."""
    values = np.asarray(values)
    lengths = np.ones(len(values), int)
    before = np.full(len(values), -1)
    for place in range(1, len(values)):
        higher = np.flatnonzero(values[:place] > values[place])
        if len(higher):
            before[place] = higher[lengths[higher].argmax()]
            lengths[place] = lengths[before[place]] + 1
    places = [int(lengths.argmax())]
    while before[places[-1]] >= 0:
        places.append(int(before[places[-1]]))
    return places[::-1]
