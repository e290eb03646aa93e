"""Compute how the inputs of a network's first layers vary for given images."""

import keras
import numpy as np

from keras_tl.base.keras_compat import graph_nodes, layers_of

_SCALING = (keras.layers.Rescaling, keras.layers.Normalization)


def first_statistics(network: keras.Model, pixels: np.ndarray) -> tuple[str, float] | None:
    """Return the name of the first BatchNorm layer, and how much its input varies.

    The second result is the standard deviation of the layer's input, divided by the standard
    deviation of this input in pretraining (median over the channels). `None`: the network has no
    BatchNorm layer, the first BatchNorm layer is untrained, or the input of this layer cannot be
    computed (see `_input_of`).

    Args:
        network: Keras model, whose layers may be models themselves.
        pixels: Images, float32 (n, height, width, 3) in [0, 255].
    """
    found = _input_of(network, pixels, lambda x: isinstance(x, keras.layers.BatchNormalization))
    if found is None:
        return None
    layer, given = found
    mean, variance = (np.asarray(x) for x in (layer.moving_mean, layer.moving_variance))
    if np.all(mean == 0) and np.all(variance == 1):
        return None
    axis = layer.axis if isinstance(layer.axis, int) else layer.axis[0]
    channels = np.moveaxis(given, axis, -1).reshape(-1, len(variance))
    ratios = channels.std(axis=0) / np.sqrt(variance + layer.epsilon)
    return layer.name, float(np.median(ratios))


def at_first_weights(network: keras.Model, pixels: np.ndarray) -> tuple[float, float] | None:
    """Return mean and standard deviation of the input of the first layer with weights.

    The function skips Rescaling and Normalization layers. `None`: no layer has weights, or the
    input of the first layer with weights cannot be computed (see `_input_of`).
    """
    found = _input_of(network, pixels, lambda x: x.weights and not isinstance(x, _SCALING))
    return None if found is None else (float(found[1].mean()), float(found[1].std()))


def _input_of(
    network: keras.Model, inputs: np.ndarray, wanted
) -> tuple[keras.layers.Layer, np.ndarray] | None:
    """Return the first layer for which `wanted(layer)` is true, and the input of this layer.

    `None`: `wanted` is false for all layers, the graph of the network does not contain exactly one
    call of the layer, or the layer has several inputs.
    """
    nodes = graph_nodes(network)
    for layer in network.layers:
        inner = isinstance(layer, keras.Model)
        parts = layers_of(layer, include_self=False) if inner else [layer]
        if not any(map(wanted, parts)):
            continue
        # Do not use `layer.input`: for a nested network, it is the input of the inner graph.
        calls = [node for node in nodes if node.operation is layer]
        if len(calls) != 1 or len(calls[0].input_tensors) != 1:
            return None
        upto = keras.Model(network.inputs, calls[0].input_tensors[0], name="seen")
        given = np.asarray(upto([inputs], training=False), np.float32)
        return _input_of(layer, given, wanted) if inner else (layer, given)
    return None
