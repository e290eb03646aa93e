"""Check and copy a user's Keras model, to use it as a backbone."""

import json
import os
import re
import warnings

import keras
import numpy as np

from keras_tl.backbones.keras_configs import rebuild
from keras_tl.backbones.loading import copy_weights, with_preprocessing
from keras_tl.backbones.preprocessing import Preprocessing, get_preprocessing
from keras_tl.base.files import local_path
from keras_tl.base.keras_compat import layers_of
from keras_tl.errors import BackboneError, quoted

# Largest accepted difference between the outputs of a model and of its copy, as a fraction of the
# largest output. Half precision causes smaller differences. Wrong arguments of layers cause larger
# differences.
_TOLERANCE = 0.05


def network_of(
    model: keras.Model, preprocess: str | Preprocessing | None, image_size: tuple[int, int] | None
) -> keras.Model:
    """Return a user's Keras model with the preprocessing in front. The layers are not copied.

    Args:
        model: Model from preprocessed images (batch, height, width, 3) to feature maps or vectors.
        preprocess: `Preprocessing` of the pixels, or its name (`"none"` if the model includes a
            preprocessing).
        image_size: (height, width) of the images in pixels. `None` means the input size of the
            model.

    Raises:
        BackboneError: The input is not a batch of RGB images, the model has several outputs, the
            preprocessing is missing, or the image size is missing or wrong.
    """
    if preprocess is None:
        raise BackboneError(
            "A keras.Model as backbone needs preprocess=. Use 'none' if the model takes pixels "
            "in [0, 255], else 'tf', 'torch', 'caffe' or a Preprocessing(scale, offset)."
        )
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] != 3:
        raise BackboneError(
            "A backbone takes one input of shape (batch, height, width, 3). Received a model with "
            f"input shape {shape}.{'' if shape else _NO_SHAPE}"
        )
    if len(model.outputs) != 1:
        raise BackboneError(
            f"A backbone has one output, but this model has {len(model.outputs)} outputs. Choose "
            "an output: keras.Model(model.input, model.outputs[0])."
        )
    own = shape[1:3] if None not in shape[1:3] else None
    if own and image_size and own != image_size:
        raise BackboneError(f"The model takes {own} pixels. Received image_size={image_size}.")
    if not (own or image_size):
        raise BackboneError(
            "The model takes images of any size. Choose a size, for example image_size=(224, 224)."
        )
    return with_preprocessing(
        model, get_preprocessing(preprocess), own or image_size, f"{model.name}_backbone"
    )


_NO_SHAPE = (
    " A subclassed model has no input shape. Wrap the model: inputs = keras.Input((224, 224, "
    "3)); keras.Model(inputs, model(inputs))."
)


def copied(network: keras.Model) -> keras.Model:
    """Return an independent copy of a network, rebuilt from the network's configuration.

    A learner trains this copy, so the training changes neither the user's model nor other learners.
    keras_tl also rebuilds the network of a saved run from a configuration. The argument is a result
    of `network_of`.

    Raises:
        BackboneError: The model contains a lambda, cannot be rebuilt, or has outputs that differ
            from the outputs of the copy.
    """
    name = network.layers[-1].name
    try:
        with warnings.catch_warnings():
            # Keras warns about lambdas, which `_refuse_lambdas` reports as an error.
            warnings.simplefilter("ignore", UserWarning)
            architecture = json.loads(network.to_json())
        _refuse_lambdas(network, name)
        copy = rebuild(architecture)
        copy_weights(network, copy)
    except BackboneError:
        raise
    except Exception as error:  # The user's layers can raise any exception.
        raise BackboneError(
            f"Keras cannot rebuild {name} from its configuration, so a saved run could not be "
            f"loaded: {_reason(error)} {_CURE}"
        ) from error
    pixels = np.random.default_rng(0).uniform(0, 255, (1, *network.input_shape[1:]))
    given, found = (
        np.asarray(each(pixels.astype(np.float32)), np.float32) for each in (network, copy)
    )
    limit = _TOLERANCE * float(np.abs(given).max(initial=0)) + 1e-6
    if given.shape != found.shape or not np.allclose(given, found, 0, limit, equal_nan=True):
        raise BackboneError(
            f"{name} returns different outputs after a rebuild from its configuration. {_CURE}"
        )
    return copy


_CURE = (
    "Register custom layers and functions with @keras.saving.register_keras_serializable(). The "
    "get_config() of each layer must return all arguments of its __init__()."
)


def _refuse_lambdas(network: keras.Model, name: str) -> None:
    layers = layers_of(network, include_self=False)
    found = next((x.name for x in layers if isinstance(x, keras.layers.Lambda)), None)
    if found is not None:
        raise BackboneError(
            f"The layer {quoted(found)} of {name} is a Lambda. A saved run cannot contain the "
            "layer's Python code. Instead use keras.ops on the tensors or a registered layer class."
        )


def _reason(error: Exception) -> str:
    """Return the cause in a Keras error message, without the configuration before the cause."""
    text = str(error).split("Exception encountered: ")[-1].strip()
    return f"{text.splitlines()[0][:200]}." if text else type(error).__name__


def is_keras_file(backbone: object) -> bool:
    """Return whether a backbone is the path of a `.keras` file, not a source such as `run:PATH`."""
    if not isinstance(backbone, (str, os.PathLike)):
        return False
    path = os.fspath(backbone)
    # A single letter before the colon is a Windows drive.
    return path.endswith(".keras") and not re.match(r"\w{2,}:(?!//)", path)


def read_keras_file(path: str | os.PathLike[str]) -> keras.Model:
    """Read a model from a `.keras` file.

    Raises:
        BackboneError: The file does not exist, or cannot be read.
        ConfigError: The path is on a file system that is not supported.
    """
    path = local_path(path)
    if not path.is_file():
        raise BackboneError(f"There is no file {quoted(str(path))}. Expected a .keras file.")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Layers can raise any exception.
        raise BackboneError(
            f"Cannot read {quoted(str(path))} as a Keras model: {_reason(error)} {_CURE}"
        ) from error
