"""Adam, AdamW and SGD with a separate learning rate for every variable.

keras_tl does not use `keras.optimizers.MultiOptimizer`, which exists only since Keras 3.15 and
clips the gradients of each group of variables separately. `MultiOptimizer` also lacks the attribute
`learning_rate`, which callbacks and `LossScaleOptimizer` read.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_tl.base.keras_compat import decays, place_of
from keras_tl.training.dense_embedding_gradients import SGD, Adam, AdamW


def learning_rate_factors(
    blocks: Sequence[Sequence[keras.layers.Layer]], variables: list, factor: float
) -> tuple[float, ...]:
    """Return a learning-rate factor for each variable, for discriminative fine-tuning.

    Source: Howard and Ruder, 2018 (arXiv:1801.06146), sec. 3.2.

    Args:
        blocks: Layers of each block, from input to output.
        variables: Variables of the model. Variables outside of all blocks belong to the head and
            have the factor 1.
        factor: Learning rate of a block divided by the learning rate of the block below. The head's
            learning rate is `factor` times the last block's learning rate.
    """
    factors = {
        id(variable): factor ** (number - len(blocks))
        for number, block in enumerate(blocks)
        for layer in block
        for variable in layer.weights
    }
    return tuple(factors.get(id(variable), 1.0) for variable in variables)


class PerVariableLearningRates:
    """Mixin for a Keras optimizer: give each variable its own learning rate and weight decay.

    The learning rate of a variable is `learning_rate` times the factor of the variable.

    Args:
        learning_rate_factors: Factor of each variable, in the order in which `build` receives the
            variables.
    """

    def __init__(self, *others, learning_rate_factors: Sequence[float], **named):
        super().__init__(*others, **named)
        self.learning_rate_factors = tuple(learning_rate_factors)

    def build(self, variables):
        if not self.built and len(variables) != len(self.learning_rate_factors):
            raise ValueError(
                "The optimizer has learning rates for "
                f"{len(self.learning_rate_factors)} variables but received {len(variables)}. "
                "Compile the model again after you freeze or unfreeze layers. Load a saved model "
                "with compile=False."
            )
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        index = place_of(self, variable)
        rate = ops.cast(learning_rate, variable.dtype) * self.learning_rate_factors[index]
        if self.weight_decay is not None and decays(self, variable):
            decay = ops.cast(self.weight_decay, variable.dtype)
            self.assign_sub(variable, variable * decay * rate)
        super().update_step(gradient, variable, self._corrected(rate, index))

    def _apply_weight_decay(self, variables):
        """Do nothing: `update_step` decays each variable, with the variable's learning rate."""

    def _corrected(self, rate, index: int):
        return rate

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the optimizer's constructor."""
        return super().get_config() | {"learning_rate_factors": list(self.learning_rate_factors)}


class PerVariableSteps(PerVariableLearningRates):
    """Mixin for Adam: use the number of updates of each variable in Adam's bias correction.

    Adam's bias correction depends on the number of the optimizer's steps (Kingma and Ba, 2015,
    arXiv:1412.6980, sec. 3). After several thousand steps, the bias correction is almost 1. Without
    `PerVariableSteps`, a variable that is unfrozen after several thousand steps would have first
    updates up to 6.6 times as large as intended.
    """

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._steps = [
            self.add_variable((), dtype=x.dtype, name=f"{x.path.replace('/', '_')}_steps")
            for x in variables
        ]

    def _corrected(self, rate, index: int):
        steps = self._steps[index]
        own, all_of_them = steps + 1, ops.cast(self.iterations + 1, steps.dtype)
        self.assign_add(steps, 1)
        return rate * (self._correction(own) / self._correction(all_of_them))

    def _correction(self, step):
        lacking = [1 - ops.power(ops.cast(x, step.dtype), step) for x in (self.beta_1, self.beta_2)]
        return ops.sqrt(lacking[1]) / lacking[0]


@keras.saving.register_keras_serializable("keras_tl")
class PerVariableAdam(PerVariableSteps, Adam):
    """Adam with a learning rate and a bias correction for each variable."""


@keras.saving.register_keras_serializable("keras_tl")
class PerVariableAdamW(PerVariableSteps, AdamW):
    """AdamW with a learning rate and a bias correction for each variable."""


@keras.saving.register_keras_serializable("keras_tl")
class PerVariableSGD(PerVariableLearningRates, SGD):
    """SGD with a learning rate for each variable."""
