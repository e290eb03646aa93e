"""Construction of the optimizer and the learning-rate schedule of a phase."""

from collections.abc import Sequence

import keras

from keras_tl.base.config import Phase
from keras_tl.errors import ConfigError, quoted
from keras_tl.training.dense_embedding_gradients import SGD, Adam, AdamW
from keras_tl.training.layer_learning_rates import PerVariableAdam, PerVariableAdamW, PerVariableSGD
from keras_tl.training.schedules import LinearDecay, OneCycle, SettableSchedule, SlantedTriangular


def check_weight_decay(phase: Phase) -> None:
    """Raise `ConfigError` if a phase has weight decay and an optimizer without weight decay."""
    if phase.weight_decay and phase.optimizer != "adamw":
        raise ConfigError(
            "weight_decay= works only with optimizer='adamw'. Set weight_decay=0, or "
            f"optimizer='adamw'. Received: weight_decay={phase.weight_decay}, "
            f"optimizer={quoted(phase.optimizer)}."
        )


def make_optimizer(
    phase: Phase, steps: int, variables: list, learning_rate_factors: Sequence[float] | None = None
) -> keras.optimizers.Optimizer:
    """Return the optimizer of a phase.

    Args:
        steps: Number of optimizer updates in the whole phase, for the schedule.
        variables: Trainable variables. Biases and variables of normalisation layers get no weight
            decay.
        learning_rate_factors: Factor of each variable, by which the optimizer multiplies the
            learning rate. `None`: all variables have the same learning rate, as in Keras.
    """
    rate = make_schedule(phase, steps)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        rate = SettableSchedule(rate)
    sgd, adam, adamw = SGD, Adam, AdamW
    options = {"global_clipnorm": phase.clip_norm, "l2": phase.l2 or 0.0}
    if learning_rate_factors is not None:
        sgd, adam, adamw = PerVariableSGD, PerVariableAdam, PerVariableAdamW
        options["learning_rate_factors"] = learning_rate_factors
    if phase.optimizer == "sgd":
        return sgd(rate, momentum=0.9, **options)
    if phase.optimizer == "adam":
        return adam(rate, **options)
    optimizer = adamw(rate, weight_decay=phase.weight_decay, **options)
    # Exclude biases and normalisation variables from weight decay. Biases and normalisation
    # variables are vectors, except that biases of attention layers have more axes.
    spared = [x for x in variables if len(x.shape) < 2 or x.name.split(":")[0] == "bias"]
    if spared:
        optimizer.exclude_from_weight_decay(var_list=spared)
    return optimizer


def make_schedule(
    phase: Phase, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning-rate schedule of a phase, or a number if the learning rate is constant.

    Raises:
        ConfigError: The learning rate is still `"auto"` instead of a number.
    """
    if phase.learning_rate == "auto":
        raise ConfigError(
            "learning_rate='auto' becomes a number only in training. Pass a phase that ran, such "
            "as learner.history[-1].phase, or set learning_rate to a number."
        )
    rising = () if phase.warmup == 0 else (phase.warmup,)
    if phase.schedule == "slanted_triangular":
        return SlantedTriangular(phase.learning_rate, steps, *rising)
    if phase.schedule == "one_cycle":
        return OneCycle(phase.learning_rate, steps, *rising)
    warmup_steps = round(phase.warmup * steps)
    if phase.schedule == "linear":
        return LinearDecay(phase.learning_rate, steps, warmup_steps)
    if phase.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup_steps else phase.learning_rate,
            decay_steps=max(steps - warmup_steps, 1),
            warmup_target=phase.learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
    if not warmup_steps:
        return phase.learning_rate
    return keras.optimizers.schedules.PolynomialDecay(
        initial_learning_rate=phase.learning_rate / warmup_steps,
        decay_steps=warmup_steps,
        end_learning_rate=phase.learning_rate,
    )
