"""The private names of Keras that the toolkit needs: no other module uses any.

Tested on the lowest and on the newest version by `make test-floor` and `make test`.
"""

import contextlib
from pathlib import Path
from unittest import mock

import h5py
import keras
from keras.src.legacy.saving import legacy_h5_format
from keras.src.trainers.trainer import Trainer
from keras.src.utils import file_utils
from keras.src.utils.naming import to_snake_case

__all__ = [
    "TRAINABLE",
    "added_losses",
    "decays",
    "eagerly",
    "giving_download",
    "graph_nodes",
    "layers_of",
    "operation_of",
    "own_variables",
    "place_of",
    "rate_or_schedule",
    "save_as_published",
    "share_storage",
    "shares_storage",
    "to_snake_case",
]

# A layer's attribute behind `trainable`, whose setter sets everything below as well.
TRAINABLE = "_trainable"


def layers_of(layer: keras.layers.Layer, include_self: bool = True) -> list[keras.layers.Layer]:
    """All layers inside a layer or model, at any depth, each once."""
    return layer._flatten_layers(include_self=include_self)


def own_variables(
    owner: keras.layers.Layer | keras.optimizers.Optimizer,
) -> list[keras.Variable]:
    """A layer's own trainable variables, without those of layers inside; or an optimizer's."""
    return owner._trainable_variables


def share_storage(source: keras.Model, target: keras.Model) -> None:
    """Let the weights of a network be those of its equal: a change of one is a change of both."""
    for given, own in zip(source.weights, target.weights, strict=True):
        own._value = given._value


def shares_storage(source: keras.Model, target: keras.Model) -> bool:
    """Whether `share_storage` was called on two networks."""
    pairs = zip(source.weights, target.weights, strict=True)
    return all(own._value is given._value for given, own in pairs)


def added_losses(layer: keras.layers.Layer) -> list:
    """The list in which a layer keeps what it added to the loss last."""
    return layer._losses


def graph_nodes(network: keras.Model) -> list:
    """The calls that a functional model consists of."""
    return [node for nodes in network._nodes_by_depth.values() for node in nodes]


def rate_or_schedule(
    optimizer: keras.optimizers.Optimizer,
) -> keras.Variable | keras.optimizers.schedules.LearningRateSchedule:
    """What an optimizer was given as its learning rate: a variable, or a schedule."""
    return optimizer._learning_rate


def operation_of(tensor: keras.KerasTensor) -> keras.Operation:
    """What a symbolic tensor came out of."""
    return tensor._keras_history.operation


def place_of(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> int:
    """The place of a variable among those that an optimizer was built for."""
    return optimizer._get_variable_index(variable)


def decays(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> bool:
    """Whether an optimizer's weight decay is for this variable."""
    return optimizer._use_weight_decay(variable)


def eagerly() -> contextlib.AbstractContextManager:
    """Runs the steps of Keras models as plain Python inside the block.

    `tf.config.run_functions_eagerly` would do more than that: Keras compiles grouped
    convolutions, whose gradients TensorFlow has not on a CPU otherwise.
    """
    always = property(lambda model: True, lambda model, value: None)
    return mock.patch.object(Trainer, "run_eagerly", always)


def giving_download(file: Path) -> contextlib.AbstractContextManager:
    """Gives Keras a file in place of each download, and changes nothing else."""
    return mock.patch.object(file_utils, "get_file", return_value=str(file))


def save_as_published(network: keras.Model, file: Path) -> None:
    """Writes weights in the format of the files that Keras publishes."""
    with h5py.File(file, "w") as opened:
        legacy_h5_format.save_weights_to_hdf5_group(opened, network)
