"""Random generators of a model's layers, such as those of dropout."""

from collections.abc import Sequence

import keras
import numpy as np

_LARGEST = 2**31


def seed_generators(
    model: keras.Model, seeds: Sequence[int], frozen: keras.layers.Layer | None = None
) -> None:
    """Set the states of all random generators in a model; given seeds decide alone.

    A saved model has no states of generators, so that a loaded one would draw other numbers.

    Args:
        model: its layers' `keras.random.SeedGenerator` are set, not those of a TF-Hub module.
        seeds: whole numbers of at least 0.
        frozen: a layer that draws nothing and is left as it is.
    """
    rng = np.random.default_rng(seeds)
    spared = set() if frozen is None else {id(variable) for variable in frozen.variables}
    for variable in model.variables:
        if variable.name == "seed_generator_state" and id(variable) not in spared:
            variable.assign([int(rng.integers(_LARGEST)), 0])
