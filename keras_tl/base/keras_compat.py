"""Private names of Keras and TensorFlow, which only this module uses.

`make test-floor` tests the private names with the lowest version of Keras, `make test` with the
newest version.
"""

import contextlib
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import keras
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format
from keras.src.trainers.trainer import Trainer
from keras.src.utils import file_utils
from keras.src.utils.naming import to_snake_case  # noqa: F401 (`backbones.blocks` uses it)

# Keras stores `trainable` in `_trainable`. Setting `_trainable` leaves inner layers unchanged.
TRAINABLE = "_trainable"


def layers_of(layer: keras.layers.Layer, include_self: bool = True) -> list[keras.layers.Layer]:
    """Return all layers inside a layer or model, at any depth, each layer once."""
    return layer._flatten_layers(include_self=include_self)


def own_variables(
    owner: keras.layers.Layer | keras.optimizers.Optimizer,
) -> list[keras.Variable]:
    """Return the trainable variables of an optimizer, or of a layer without its inner layers."""
    return owner._trainable_variables


def share_storage(source: keras.Model, target: keras.Model) -> None:
    """Make `target` use the weights of `source`, so that changing one model changes both."""
    for given, own in zip(source.weights, target.weights, strict=True):
        own._value = given._value


def shares_storage(source: keras.Model, target: keras.Model) -> bool:
    """Return whether two networks share their weights in memory, see `share_storage`."""
    pairs = zip(source.weights, target.weights, strict=True)
    return all(own._value is given._value for given, own in pairs)


def added_losses(layer: keras.layers.Layer) -> list:
    """Return the list of the losses that a layer added in its last call."""
    return layer._losses


def graph_nodes(network: keras.Model) -> list:
    """Return the nodes of a functional or sequential model, or `[]` if it has no graph."""
    # A Sequential model keeps its graph in an inner Functional model.
    inner = getattr(network, "_functional", None)
    levels = getattr(network if inner is None else inner, "_nodes_by_depth", {})
    return [node for nodes in levels.values() for node in nodes]


def handle_of(variable: tf.Variable) -> Any:
    """Return the tensor that refers to a variable, or the variable itself if it has replicas.

    The public `handle` of a variable of several replicas raises an error outside of a replica.
    """
    return getattr(variable, "_handle", variable)


def learning_rate_or_schedule(
    optimizer: keras.optimizers.Optimizer,
) -> keras.Variable | keras.optimizers.schedules.LearningRateSchedule:
    """Return the learning rate of an optimizer: a variable or a schedule."""
    return optimizer._learning_rate


def operation_of(tensor: keras.KerasTensor) -> keras.Operation:
    """Return the operation that produced a symbolic tensor."""
    return tensor._keras_history.operation


def place_of(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> int:
    """Return the index of a variable among the variables of a built optimizer."""
    return optimizer._get_variable_index(variable)


def decays(optimizer: keras.optimizers.Optimizer, variable: keras.Variable) -> bool:
    """Return whether an optimizer applies weight decay to a variable."""
    return optimizer._use_weight_decay(variable)


def eagerly() -> contextlib.AbstractContextManager:
    """Make Keras models run their steps eagerly inside the `with` block.

    `tf.config.run_functions_eagerly` would also run grouped convolutions eagerly. Keras compiles
    grouped convolutions, because TensorFlow has no gradients for uncompiled grouped convolutions on
    a CPU.
    """
    always = property(lambda model: True, lambda model, value: None)
    return mock.patch.object(Trainer, "run_eagerly", always)


def giving_download(file: Path) -> contextlib.AbstractContextManager:
    """Make Keras use `file` inside the `with` block, instead of downloading files."""
    return mock.patch.object(file_utils, "get_file", return_value=str(file))


def save_as_published(network: keras.Model, file: Path) -> None:
    """Write the weights of a network in the format of the weight files that Keras publishes."""
    with h5py.File(file, "w") as opened:
        legacy_h5_format.save_weights_to_hdf5_group(opened, network)
