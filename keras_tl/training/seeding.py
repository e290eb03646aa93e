"""Seeding of the random generators in a model's layers, for example for dropout."""

from collections.abc import Sequence

import keras
import numpy as np

_LARGEST = 2**31


def seed_generators(
    model: keras.Model, seeds: Sequence[int], frozen: keras.layers.Layer | None = None
) -> None:
    """Set the states of all random generators in a model, from `seeds` alone.

    A saved model does not contain the states of its random generators. Without `seed_generators`, a
    loaded model would generate other random numbers than the saved model.

    Args:
        model: Model whose `keras.random.SeedGenerator` objects the function sets. The random states
            inside of TF-Hub modules do not change.
        frozen: Layer that does not use its random generators in training. The function does not
            change the random generators of the frozen layer.
    """
    rng = np.random.default_rng(seeds)
    spared = set() if frozen is None else {id(variable) for variable in frozen.variables}
    for variable in model.variables:
        if variable.name == "seed_generator_state" and id(variable) not in spared:
            variable.assign([int(rng.integers(_LARGEST)), 0])
