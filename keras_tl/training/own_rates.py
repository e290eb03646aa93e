"""Adam, AdamW and SGD in which every variable has a learning rate of its own.

`keras.optimizers.MultiOptimizer` came with Keras 3.15, has no `learning_rate` that a callback or
`LossScaleOptimizer` could read, and clips the gradients of each group by themselves.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_tl.base.keras_compat import decays, place_of
from keras_tl.training.whole_gradients import SGD, Adam, AdamW


def rate_factors(
    blocks: Sequence[Sequence[keras.layers.Layer]], variables: list, factor: float
) -> tuple[float, ...]:
    """What each variable's learning rate is multiplied by: discriminative fine-tuning.

    Source: Howard and Ruder, 2018 (arXiv:1801.06146), sec. 3.2.

    Args:
        blocks: the layers of each block, from input to output.
        variables: of the model; those of no block are the head's.
        factor: the rate of a block is that of the block above it, and of the last one that of the
            head, divided by this.
    """
    factors = {
        id(variable): factor ** (number - len(blocks))
        for number, block in enumerate(blocks)
        for layer in block
        for variable in layer.weights
    }
    return tuple(factors.get(id(variable), 1.0) for variable in variables)


class OwnRates:
    """For a Keras optimizer: the update, decay included, takes each variable's own rate.

    `learning_rate` stays the rate of a factor of 1.

    Args:
        rate_factors: for each variable that the optimizer is built with, in that order.
        others: as of the Keras optimizer.
    """

    def __init__(self, *others, rate_factors: Sequence[float], **named):
        super().__init__(*others, **named)
        self.rate_factors = tuple(rate_factors)

    def build(self, variables):
        if not self.built and len(variables) != len(self.rate_factors):
            raise ValueError(
                f"The optimizer has rates for {len(self.rate_factors)} variables and was given "
                f"{len(variables)}. Compile again after a change of what is trainable; load a "
                "file with compile=False."
            )
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        index = place_of(self, variable)
        rate = ops.cast(learning_rate, variable.dtype) * self.rate_factors[index]
        if self.weight_decay is not None and decays(self, variable):
            decay = ops.cast(self.weight_decay, variable.dtype)
            self.assign_sub(variable, variable * decay * rate)
        super().update_step(gradient, variable, self._corrected(rate, index))

    def _apply_weight_decay(self, variables):
        """Nothing: all at once they would decay at one rate."""

    def _corrected(self, rate, index: int):
        return rate

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return super().get_config() | {"rate_factors": list(self.rate_factors)}


class OwnSteps(OwnRates):
    """For Adam: a variable that joins later has its moments corrected by its own steps.

    Adam divides the moments by what they lack after so many steps of the optimizer (Kingma and
    Ba, 2015, arXiv:1412.6980, sec. 3). Those of a variable that joins after some hundred steps
    would not be corrected at all, and its first steps be up to 6.6 times as long as the rate says.
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
class OwnRatesAdam(OwnSteps, Adam):
    """Adam; see `OwnRates`."""


@keras.saving.register_keras_serializable("keras_tl")
class OwnRatesAdamW(OwnSteps, AdamW):
    """AdamW; see `OwnRates`."""


@keras.saving.register_keras_serializable("keras_tl")
class OwnRatesSGD(OwnRates, SGD):
    """SGD; see `OwnRates`."""
