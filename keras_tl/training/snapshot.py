"""Snapshot of models, to restore their weights after a trial training."""

import contextlib
from collections.abc import Iterator

import keras

from keras_tl.base.keras_compat import TRAINABLE, added_losses, layers_of

# Attributes of a layer, besides variables, that training can change (`keras_tl.backbones.layer`).
_ATTRIBUTES = (TRAINABLE, "_unfrozen", "_batch_norm_mode", "momentum")


@contextlib.contextmanager
def snapshot(*models: keras.Model) -> Iterator[None]:
    """Context manager that restores the layers of models on exit, also after an exception.

    On exit, the values of all variables are restored, including moving statistics and states of
    random generators. `snapshot` also restores the trainable flags, but not the settings of
    `compile`. To keep a model's `compile` settings, train another model with the same layers. The
    snapshot is held in memory.
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
        # Set private attributes, because the setter of `trainable` would also change all layers
        # inside a layer.
        for layer, name, value in attributes:
            setattr(layer, name, value)
        # Remove the losses that layers added in the trial: these losses keep the trial's graph in
        # memory.
        for layer, added in losses:
            added_losses(layer)[:] = added
        for variable, value, trainable in values:
            variable.assign(value)
            variable.trainable = trainable
