"""Adam, AdamW and SGD with a separate learning rate for every variable.

`keras.optimizers.MultiOptimizer` exists only since Keras 3.15. It has no `learning_rate` for
callbacks and `LossScaleOptimizer` to read, and clips the gradients of each group separately.
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
    """Return the factor on each variable's learning rate, for discriminative fine-tuning.

    Source: Howard and Ruder, 2018 (arXiv:1801.06146), sec. 3.2.

    Args:
        blocks: Layers of each block, from input to output.
        variables: Variables of the model. Variables outside of all blocks belong to the head.
        factor: Ratio of learning rates between neighbouring blocks, and between head and last
            block. Lower blocks learn more slowly.
    """
    factors = {
        id(variable): factor ** (number - len(blocks))
        for number, block in enumerate(blocks)
        for layer in block
        for variable in layer.weights
    }
    return tuple(factors.get(id(variable), 1.0) for variable in variables)


class PerVariableLearningRates:
    """Mixin for a Keras optimizer: scale the update of each variable, weight decay included.

    `learning_rate` is the learning rate of variables with a factor of 1.

    Args:
        learning_rate_factors: Factors in the order of the variables given to `build`.
        others: Arguments of the Keras optimizer.
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
        """Do nothing: Keras would decay all variables at one learning rate."""

    def _corrected(self, rate, index: int):
        return rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"learning_rate_factors": list(self.learning_rate_factors)}


class PerVariableSteps(PerVariableLearningRates):
    """Mixin for Adam: correct the bias of a variable's moments by the variable's own step count.

    Adam corrects the moments by the number of the optimizer's steps (Kingma and Ba, 2015,
    arXiv:1412.6980, sec. 3). A variable that is unfrozen after some hundred steps would get no
    correction. Its first steps would be up to 6.6 times as long as the learning rate implies.
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
    """Adam with `PerVariableLearningRates` and `PerVariableSteps`."""


@keras.saving.register_keras_serializable("keras_tl")
class PerVariableAdamW(PerVariableSteps, AdamW):
    """AdamW with `PerVariableLearningRates` and `PerVariableSteps`."""


@keras.saving.register_keras_serializable("keras_tl")
class PerVariableSGD(PerVariableLearningRates, SGD):
    """SGD with `PerVariableLearningRates`."""
