"""Build the network that a record (`BackboneSpec`) describes, and load its weights."""

import importlib
import itertools
import warnings
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import keras
import numpy as np

from keras_tl.backbones.spec import BackboneSpec
from keras_tl.backbones.weights_packages import load_packaged
from keras_tl.base.files import local_path
from keras_tl.errors import BackboneError, WeightsError, quoted

SCALING_LAYERS = (keras.layers.Rescaling, keras.layers.Normalization)


def build(spec: BackboneSpec, weights: str | None, image_size: tuple[int, int]) -> keras.Model:
    """Build the network that a record describes, and load the weights.

    Raises:
        BackboneError: The record's builder cannot be imported, or does not return a model.
        WeightsError: The weights are missing, cannot be downloaded, or do not fit the network.
    """
    builder = get_builder(spec)
    arguments = {"include_top": False, "input_shape": (*image_size, 3)}
    if weights == "imagenet":
        if spec.weights is None:
            raise WeightsError(
                f"{spec.name} has no published weights. Expected the path of a weights file, or "
                "None for random weights. Received: weights='imagenet'."
            )
        if spec.weights.bundled is not None:
            bundled = resources.files("keras_tl.backbones") / "weights" / spec.weights.bundled
            with resources.as_file(bundled) as path:
                return build(spec, str(path), image_size)
        if spec.weights.package is None:
            return _published(spec, builder, arguments)
    network = builder(weights=None, **arguments)
    if not isinstance(network, keras.Model):
        raise BackboneError(
            f"The builder of {spec.name} must return a keras.Model. Received: {quoted(network)}."
        )
    if weights == "imagenet":
        load_packaged(network, spec)
    elif weights is not None:
        load_weights(network, local_path(weights), spec.name)
    return network


def get_builder(spec: BackboneSpec) -> Callable[..., keras.Model]:
    """Return the function that builds the network of a record.

    Raises:
        BackboneError: The record's builder cannot be imported.
    """
    if callable(spec.builder):
        return spec.builder
    module, function = spec.builder.split(":")
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise BackboneError(
            f"The builder {quoted(spec.builder)} of {spec.name} cannot be imported ({error}). "
            "Expected 'module:function'."
        ) from error


def _published(spec: BackboneSpec, builder, arguments) -> keras.Model:
    """Call the record's builder with `weights="imagenet"`, which downloads missing weights."""
    try:
        with warnings.catch_warnings():
            # Keras has MobileNet weights for some image sizes. For other sizes, Keras warns and
            # loads the weights for 224 pixels.
            warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
            return builder(weights="imagenet", **arguments)
    except Exception as error:  # Keras raises a bare Exception for network errors.
        raise WeightsError(
            f"Could not download the ImageNet weights of {spec.name} ({error}). Without internet "
            "access, download this file on another machine and pass weights='PATH'. Or use "
            "'efficientnet_lite0', whose weights are part of keras_tl."
        ) from error


def load_weights(network: keras.Model, path: Path, name: str) -> None:
    """Load a weights file: `.weights.h5`, or the older `.h5` format that Keras publishes.

    Raises:
        WeightsError: The file is missing, is not a weights file, or belongs to another network.
    """
    if not path.is_file():
        raise WeightsError(
            f"No weights file at {quoted(str(path))}. Expected 'imagenet', the path of a "
            ".weights.h5 or .h5 file, or None for random weights."
        )
    try:
        network.load_weights(path)
    except Exception as error:  # Keras can raise any exception for a wrong file.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"The weights in {quoted(str(path))} do not fit {name} without its classifier: {reason}"
        ) from error


def behind_scaling(network: keras.Model, spec: BackboneSpec) -> keras.KerasTensor:
    """Return the output of the scaling layers at the start of a network.

    Some constructors of `keras.applications` add scaling layers, which differ between
    `weights="imagenet"` and a weights file. In keras_tl, the preprocessing of the backbone's record
    replaces all scaling layers.

    Raises:
        WeightsError: The weights were trained with a normalisation that differs from ImageNet's.
    """
    scaling = list(itertools.takewhile(lambda x: isinstance(x, SCALING_LAYERS), network.layers[1:]))
    # `zero` holds the pixel values, one for each channel, that the record's preprocessing maps to
    # 0. The network's scaling layers must map these pixel values to about 0. Only the scale may
    # differ: Keras's published layers contain the standard deviation where the variance should be
    # (tensorflow/tensorflow#49930). For "imagenet", Keras adds a layer that corrects the scale.
    zero = -np.array(spec.preprocessing.offset) / np.array(spec.preprocessing.scale)
    for layer in scaling:
        zero = np.array(layer(np.reshape(zero, (1, 1, 1, 3)).astype(np.float32)), np.float32)
    if any(_adapted(layer) for layer in scaling) and np.abs(zero).max() > 0.05:
        raise WeightsError(
            f"These weights of {spec.name} were trained with a normalisation that differs from "
            "ImageNet's. Build the network yourself, load these weights, and pass the "
            "keras.Model with preprocess='none'."
        )
    return scaling[-1].output if scaling else network.input


def _adapted(layer: keras.layers.Layer) -> bool:
    """Return whether a scaling layer's statistics differ from the initial mean 0 and variance 1."""
    if not layer.weights:
        return False
    mean, variance, _ = layer.get_weights()
    return bool(np.any(mean != 0) or np.any(variance != 1))
