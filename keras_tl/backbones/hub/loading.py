"""Load a TF-Hub module from a folder, as a network with named inputs."""

from pathlib import Path

import keras

from keras_tl.backbones.hub.layer import HubLayer
from keras_tl.backbones.hub.module import TOKEN_INPUTS, HubModule, Kind
from keras_tl.backbones.hub.saved_model import open_saved_model
from keras_tl.backbones.layer import Backbone
from keras_tl.base.files import sha256_of_folder
from keras_tl.errors import BackboneError, quoted

# TF-Hub image modules take pixels in [0, 1]:
# https://www.tensorflow.org/hub/common_saved_model_apis/images#input
_TO_UNIT = 1 / 255


def load_hub(path: Path, image_size: tuple[int, int] | None = None) -> Backbone:
    """Return a `Backbone` layer that runs a TF-Hub module.

    The network of the `Backbone` has named inputs and float32 outputs:

    * BERT encoders take a dict of `input_word_ids`, `input_mask` and, if the module has this input,
      `input_type_ids`, int32 (batch, length). BERT encoders return a dict of `mask` (equal to
      `input_mask`) and at least one of two outputs: `sequence_output` (batch, length, d),
      `pooled_output` (batch, d). If the encoder takes texts of any length, the length in
      `network.input_shape` is `None`.
    * Text embeddings take `text`, string (batch,), and return (batch, d).
    * Image modules take `pixels` in [0, 255], float32 (batch, height, width, 3). Image modules
      return vectors (batch, d) or feature maps (batch, h, w, c). The network itself scales the
      pixels to [0, 1].

    If the caller is in a distribution strategy's scope, the variables are created in this scope.

    Args:
        path: Folder of the module, see `resolve`. `load_hub` runs code from the module's folder.
        image_size: (height, width) of images in pixels. `None` means the module's own image size.

    Raises:
        BackboneError: The module cannot be used, or the image size is missing or wrong.
        ConfigError: The module needs tensorflow_text, which is not installed.
    """
    module = HubModule(open_saved_model(path), name=quoted(str(path)))
    if image_size is not None and module.kind is not Kind.PIXELS:
        raise BackboneError(
            f"image_size= is for images, but the module {module.name} takes {module.kind.value}. "
            "Leave image_size= out."
        )
    layer = HubLayer(module, name="hub_module")
    if module.kind is Kind.TOKENS:
        specs = {name: module.inputs[name] for name in TOKEN_INPUTS if name in module.inputs}
        inputs = {
            name: keras.Input((spec.shape[1],), name=name, dtype="int32")
            for name, spec in specs.items()
        }
        outputs = layer(inputs) | {"mask": inputs["input_mask"]}
    elif module.kind is Kind.TEXT:
        inputs = keras.Input((), name="text", dtype="string")
        outputs = layer(inputs)
    else:
        inputs = keras.Input((*_size_of(module, image_size), 3), name="pixels", dtype="float32")
        scale = keras.layers.Rescaling(_TO_UNIT, dtype="float32", name="preprocessing")
        outputs = layer(scale(inputs))
    network = keras.Model(inputs, outputs, name="hub_backbone")
    return Backbone(network, [(part.name, [part]) for part in layer.parts]).set_facts(
        module=path, identity=f"tfhub {sha256_of_folder(path)} keras {keras.__version__}"
    )


def _size_of(module: HubModule, image_size: tuple[int, int] | None) -> tuple[int, int]:
    """Return the requested image size, or the module's own image size."""
    own = tuple(module.inputs.shape[1:3])
    size = image_size or own
    if None in size:
        raise BackboneError(
            f"The module {module.name} takes images of any size. Choose a size, for example "
            "image_size=(224, 224)."
        )
    if any(fixed not in (None, side) for fixed, side in zip(own, size, strict=True)):
        raise BackboneError(
            f"The module {module.name} takes {own} pixels. Received image_size={size}."
        )
    return size
