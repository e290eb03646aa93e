"""Seeds of the random generators in a model's layers, for example of dropout."""

from collections.abc import Sequence

import keras
import numpy as np

_LARGEST = 2**31


def seed_generators(
    model: keras.Model, seeds: Sequence[int], frozen: keras.layers.Layer | None = None
) -> None:
    """Set the states of all random generators in a model, as a function of the seeds only.

    A saved model does not contain these states, so a loaded model would draw other numbers.

    Args:
        model: Model with `keras.random.SeedGenerator` objects. Those of TF-Hub modules are not set.
        seeds: Whole numbers of at least 0.
        frozen: Layer that draws no random numbers and is left unchanged.
    """
    rng = np.random.default_rng(seeds)
    spared = set() if frozen is None else {id(variable) for variable in frozen.variables}
    for variable in model.variables:
        if variable.name == "seed_generator_state" and id(variable) not in spared:
            variable.assign([int(rng.integers(_LARGEST)), 0])
