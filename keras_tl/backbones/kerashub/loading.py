"""Load a KerasHub preset as a network with its preprocessing."""

import functools
from typing import Any

import keras
import numpy as np

from keras_tl.backbones.extras import import_keras_hub
from keras_tl.backbones.kerashub.tokens import find_preprocessor
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import backbone_of
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.user_models import network_of
from keras_tl.errors import BackboneError, quoted

# Maps BERT's names of an encoder's inputs to KerasHub's names.
TOKENS = {
    "input_word_ids": "token_ids",
    "input_mask": "padding_mask",
    "input_type_ids": "segment_ids",
}


def load_kerashub(
    preset: str, image_size: tuple[int, int] | None = None, with_preprocessor: bool = True
) -> Backbone:
    """Return the backbone of a KerasHub preset. The backbone computes in the global dtype policy.

    * Text encoders take a dict of `input_word_ids`, `input_mask` and, if the encoder has this
      input, `input_type_ids`, int32 (batch, length). Text encoders return a dict of
      `sequence_output` (batch, length, d), `mask` (equal to `input_mask`) and, if available,
      `pooled_output` (batch, d). The backbone's `preprocessor` converts texts to tokens, see
      `find_preprocessor`.
    * Image backbones take `pixels` in [0, 255], float32 (batch, height, width, 3). Image backbones
      return feature maps (batch, h, w, c) or a sequence (batch, length, d). The network itself
      scales the pixels.

    Args:
        preset: Name, handle (`kaggle://...`, `hf://...`) or folder of a preset, as in
            `keras_hub.models.Backbone.from_preset`.
        image_size: (height, width) of images in pixels. `None` means the preset's own image size.
        with_preprocessor: Whether to load the preset's own text preprocessor.

    Raises:
        BackboneError: The preset does not exist, or cannot be used.
        ConfigError: KerasHub (for texts also tensorflow_text) is not installed, or keras_tl does
            not know the rules of the tokenizer in the preset's folder.
    """
    keras_hub = import_keras_hub()
    policy = keras.config.dtype_policy().name
    backbone = _from_preset(keras_hub.models.Backbone, preset, dtype=policy)
    given = backbone.input
    if isinstance(given, keras.KerasTensor) and len(given.shape) == 4:
        converter = _from_preset(keras_hub.layers.ImageConverter, preset)
        own_size = given.shape[1:3] if None not in given.shape[1:3] else converter.image_size
        size = image_size or own_size
        return backbone_of(network_of(backbone, _preprocessing_of(converter, preset), size))
    if image_size is not None:
        raise BackboneError(
            f"image_size= is for images, but the preset {quoted(preset)} takes texts. Leave "
            "image_size= out."
        )
    encoder = backbone_of(_encoder(backbone, preset))
    if not with_preprocessor:
        return encoder
    load = functools.partial(_from_preset, keras_hub.models.TextClassifierPreprocessor, preset)
    return encoder.set_facts(preprocessor=find_preprocessor(preset, load))


def _from_preset(kind: type, preset: str, **options: Any) -> Any:
    try:
        return kind.from_preset(preset, **options)
    except Exception as error:  # KerasHub's loaders can raise any exception.
        reason = str(error).split("\n")[0].split(". ")[0].rstrip(".")
        raise BackboneError(
            f"Could not load a {kind.__name__} from the KerasHub preset {quoted(preset)} "
            f"({type(error).__name__}: {reason}). Expected a preset's name (see "
            "https://keras.io/keras_hub/presets), a kaggle:// or hf:// handle, or a folder that "
            "save_to_preset wrote. Without internet access, download the preset on another "
            "machine and pass its folder."
        ) from error


def _encoder(backbone: keras.Model, preset: str) -> keras.Model:
    """Return a text encoder whose inputs and outputs have BERT's names."""
    given, outputs = backbone.input, backbone.output
    takes = set(given) if isinstance(given, dict) else set()
    if not {"token_ids", "padding_mask"} <= takes <= set(TOKENS.values()):
        raise BackboneError(
            f"The KerasHub preset {quoted(preset)} takes {_names(given)}. Expected an image "
            "backbone, or a text encoder with the inputs token_ids, padding_mask and optionally "
            "segment_ids."
        )
    named = outputs if isinstance(outputs, dict) else {"sequence_output": outputs}
    if "sequence_output" not in named:
        raise BackboneError(
            f"The KerasHub preset {quoted(preset)} returns {_names(outputs)}. Expected "
            "sequence_output."
        )
    inputs = {
        ours: keras.Input((None,), name=ours, dtype="int32")
        for ours, theirs in TOKENS.items()
        if theirs in takes
    }
    found = backbone({TOKENS[name]: tensor for name, tensor in inputs.items()})
    found = found if isinstance(found, dict) else {"sequence_output": found}
    kept = {name: found[name] for name in ("sequence_output", "pooled_output") if name in found}
    outputs = kept | {"mask": inputs["input_mask"]}
    return keras.Model(inputs, outputs, name=f"{backbone.name}_encoder")


def _names(tensors: Any) -> str:
    return ", ".join(sorted(tensors)) if isinstance(tensors, dict) else "one tensor"


def _preprocessing_of(converter: Any, preset: str) -> Preprocessing:
    """Return the scale and offset that an image converter applies to resized pixels.

    Raises:
        BackboneError: The image converter does more than scale and shift the pixels.
    """
    channels = np.array([[[[0.0, 0.0, 0.0], [255.0, 255.0, 255.0], [255.0, 0.0, 127.0]]]])
    size, converter.image_size = converter.image_size, None
    given = np.asarray(converter(channels.astype(np.float32)), np.float64)
    converter.image_size = size
    offset = given[0, 0, 0]
    scale = (given[0, 0, 1] - offset) / 255
    if not np.allclose(given, channels * scale + offset, atol=1e-4):
        raise BackboneError(
            f"The KerasHub preset {quoted(preset)} does more than scale and shift the pixels. "
            "Build a keras.Model that includes this preprocessing, and pass the model with "
            "preprocess='none'."
        )
    return Preprocessing(tuple(map(float, scale)), tuple(map(float, offset)))
