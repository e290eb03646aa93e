"""Snapshot of models: restore their state after a trial training."""

import contextlib
from collections.abc import Iterator

import keras

from keras_tl.base.keras_compat import TRAINABLE, added_losses, layers_of

# Attributes of a layer that training may change besides variables, see `keras_tl.backbones.layer`.
_ATTRIBUTES = (TRAINABLE, "_unfrozen", "_batch_norm_mode", "momentum")


@contextlib.contextmanager
def snapshot(*models: keras.Model) -> Iterator[None]:
    """Restore the models' layers on exit, bit for bit, also after an exception.

    Restores the values of all variables, including statistics and random generators, and the
    trainable flags. The compiled state of the models is not restored. To keep it, train another
    model with the same layers. The snapshot stays in memory until the exit.
    """
    layers = {id(layer): layer for model in models for layer in layers_of(model)}
    variables = {id(variable): variable for model in models for variable in model.variables}
    attributes = [
        (layer, name, getattr(layer, name))
        for layer in layers.values()
        for name in _ATTRIBUTES
        if hasattr(layer, name)
    ]
    losses = [(layer, list(added_losses(layer))) for layer in layers.values()]
    values = [(x, x.numpy(), x.trainable) for x in variables.values()]
    try:
        yield
    finally:
        # Do not use the setter of `trainable`: it would also change all layers inside.
        for layer, name, value in attributes:
            setattr(layer, name, value)
        # Layers keep their last added losses, and through them the graph of the trial.
        for layer, added in losses:
            added_losses(layer)[:] = added
        for variable, value, trainable in values:
            variable.assign(value)
            variable.trainable = trainable
