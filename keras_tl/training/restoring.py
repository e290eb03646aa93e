"""Puts models back as they were after they were trained for a trial."""

import contextlib
from collections.abc import Iterator

import keras

from keras_tl.base.keras_compat import TRAINABLE, added_losses, layers_of

# What training may change on a layer, beside its variables: see `keras_tl.backbones.layer`.
_ATTRIBUTES = (TRAINABLE, "_unfrozen", "_batch_norm_mode", "momentum")


@contextlib.contextmanager
def restored(*models: keras.Model) -> Iterator[None]:
    """On leaving, however it is left, the models' layers are what they were, bit for bit.

    That is the values of all variables, those of statistics and of random generators among them,
    and what is trainable. What the models were compiled with is theirs: train another model of the
    same layers. The values are held in memory meanwhile.
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
        # Not by the setter of `trainable`, which sets everything below as well.
        for layer, name, value in attributes:
            setattr(layer, name, value)
        # Layers keep what they added to the loss last, and with it the graph of the trial.
        for layer, added in losses:
            added_losses(layer)[:] = added
        for variable, value, trainable in values:
            variable.assign(value)
            variable.trainable = trainable
