"""The learning-rate finder: a short sweep of rates, and the rate that it suggests."""

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

# Weight of the past in the mean of the losses: about the last ten of them count.
_SMOOTHING = 0.9
# The sweep ends where the smoothed loss is this many times its best.
_DIVERGED = 4.0
# Fewer losses that fall are no valley.
_SHORTEST_VALLEY = 3


@dataclasses.dataclass(frozen=True)
class LearningRates:
    """What a sweep of learning rates showed.

    Attributes:
        phase: what was swept; its own rate and schedule had no part in it.
        rates: the rate of each step, rising; the sweep may have ended early.
        losses: the training loss of each step's batch, before its update.
        smoothed: their exponentially weighted means, see `smooth`.
        suggestion: a peak rate for the phase, see `suggest`; `None` if no rate made the loss fall.
    """

    phase: Phase
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float | None

    def plot(self) -> Figure:
        """The losses over the rates, with a line at the suggestion."""
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, ".", color="#9db8d6", label="loss of a batch")
        axes.plot(self.rates, self.smoothed, color="#1f5fa8", label="smoothed")
        if self.suggestion is not None:
            label = f"suggestion {self.suggestion:.1e}"
            axes.axvline(self.suggestion, color="#c2571a", linestyle="--", label=label)
        axes.set_xscale("log")
        # What comes after the best loss would flatten the rest.
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
    """The phase that `Learner.lr_find` means.

    Args:
        phase: `"head"`, `"fine-tune"`, or a phase of your own.
        policy: of fine-tuning; of several phases the last.
        family: what the phases are for, see `phases_of`.
        given: fields of `Phase`; `None` leaves the value that is there.

    Raises:
        ConfigError: there is no such phase or policy, or the head is to be unfrozen.
    """
    if isinstance(phase, Phase):
        return phases_of(phase, family, **given)[0]
    check_choice("phase", phase, PHASES)
    if phase == "fine-tune":
        return phases_of(policy, family, **given)[-1]
    if given.get("unfreeze") is not None:
        raise ConfigError(
            "unfreeze= is for phase='fine-tune': the head is trained on a frozen backbone. Leave "
            "it out."
        )
    return phases_of(HEADS[family], family, **given)[0]


def rates_between(lowest: float, highest: float, steps: int) -> np.ndarray:
    """float64 (steps,): from `lowest` to `highest`, each the same multiple of the one before.

    Raises:
        ConfigError: the limits are not 1e-12 <= lowest < highest <= 1000, or there are fewer than
            10 steps.
    """
    check_range("steps", steps, 10, whole=True)
    check_range("highest", highest, 1e-12, 1e3)
    check_range("lowest", lowest, 1e-12, highest)
    if lowest == highest:
        raise ConfigError(f"lowest must be below highest. Received: {quoted(lowest)} for both.")
    return np.geomspace(lowest, highest, steps)


def as_swept(phase: Phase) -> Phase:
    """The phase with one rate, which is set at every step, and all of its blocks at once."""
    return dataclasses.replace(
        phase, learning_rate=1.0, schedule="constant", warmup=0.0, unfreeze_every=None, l2=None
    )


class RateSweep(keras.callbacks.Callback):
    """Sets the rate of every step and records its loss; stops when the loss diverges.

    Args:
        rates: one a step.
        advance: is told the number of steps done.

    Attributes:
        losses: of the steps done, the last of them not always finite.
    """

    def __init__(self, rates: np.ndarray, advance: Callable[[int], None] = lambda done: None):
        super().__init__()
        self.losses: list[float] = []
        self._rates = rates
        self._advance = advance

    def on_train_begin(self, logs=None):
        # That of a `LossScaleOptimizer`.
        self._optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)

    def on_train_batch_begin(self, batch, logs=None):
        # Else the loss in the logs would be the mean over the epoch.
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
    """Trains a compiled model at rising rates.

    Source: Smith, 2017 (arXiv:1506.01186), sec. 3.3, the range test; exponential and on the
    training loss, as fastai does it, not linear and on the accuracy.

    Args:
        model: compiled at a constant rate, see `as_swept`, one step per execution.
        train: batches, which are repeated as often as is needed.
        rates: one a step.
        advance: is told the number of steps done.

    Returns:
        The losses of the steps done: all of them, unless the loss diverged.
    """
    callback = RateSweep(rates, advance)
    with no_retracing_warnings(KERAS_TRAINER):
        model.fit(
            train.repeat(),
            steps_per_epoch=len(rates),
            callbacks=[callback],
            shuffle=False,  # the dataset shuffles itself
            verbose=0,
        )
    return callback.losses


def has_diverged(losses: Sequence[float]) -> bool:
    """Whether the last loss is not finite, or the last smoothed one over 4 times their lowest."""
    smoothed = smooth(losses)
    return not np.isfinite(losses[-1]) or bool(smoothed[-1] > _DIVERGED * smoothed.min())


def smooth(losses: Sequence[float]) -> np.ndarray:
    """float32 (n,): means of each loss and those before it, each weighing 0.9 of the next one.

    Exactly means, also at the beginning: Adam's correction for what is not there yet (Kingma and
    Ba, 2015, arXiv:1412.6980, sec. 3).
    """
    mean, smoothed = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        smoothed.append(mean / (1 - _SMOOTHING**count))
    # As precise as the losses: what is rounded further down is no decrease.
    return np.array(smoothed, np.float32)


def read_sweep(phase: Phase, rates: np.ndarray, losses: Sequence[float]) -> LearningRates:
    """Smooths the losses of a sweep and suggests a rate.

    Raises:
        ConfigError: the first loss is not finite.
    """
    finite = [loss for loss in losses if np.isfinite(loss)]
    if not np.isfinite(losses[0]):
        raise ConfigError(
            f"The loss is {losses[0]} before the first update: no rate can be found. Check the "
            "data and the weights."
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
    """The rate two thirds into the valley: where the loss falls, well before it rises again.

    The valley is the longest strictly decreasing subsequence of the smoothed losses, so that a few
    that rise do not end it; the rate is that of the point after two thirds of its points. This is
    the rule "valley" of fastai as its documentation tells it (fastai/callback/schedule.py); its
    code takes a point half-way. Fewer than three points are no valley.

    Args:
        rates: rising, one a step.
        smoothed: the smoothed losses.

    Returns:
        One of the rates, or `None` if there is no valley.
    """
    valley = longest_decrease(smoothed)
    if len(valley) < _SHORTEST_VALLEY:
        return None
    return float(rates[valley[round(2 / 3 * (len(valley) - 1))]])


def longest_decrease(values: Sequence[float]) -> list[int]:
    """The places of the longest strictly decreasing subsequence; of several, the first to end."""
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
