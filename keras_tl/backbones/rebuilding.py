"""Rebuild the backbone of a saved run from the values that the run stores."""

from pathlib import Path
from typing import Any

import keras

from keras_tl.backbones.blocks import output_of
from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.hub import load_hub
from keras_tl.backbones.keras_configs import rebuild
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import backbone_of, load_spec
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.errors import BackboneError, unknown


def rebuild_backbone(
    source: str,
    image_size: tuple[int, int] | None,
    output_block: str | None = None,
    architecture: dict[str, Any] | None = None,
    module: Path | None = None,
    preprocessor: TextPreprocessor | None = None,
) -> Backbone:
    """Return a backbone with random weights, or with a TF-Hub module's own weights.

    The arguments are attributes of the original backbone, see `Backbone` for their meaning.

    Raises:
        BackboneError: `architecture` contains an unknown class, see `rebuild`.
        ConfigError: The network needs KerasHub, which is not installed.
    """
    if module is not None:
        backbone = load_hub(module, image_size)
    elif architecture is not None:
        backbone = backbone_of(rebuild(architecture)).set_facts(architecture=architecture)
        backbone = cut_short(backbone, output_block) if output_block else backbone
    else:
        backbone = load_spec(get_spec(source), None, image_size, output_block)
    return backbone.set_facts(source=source, preprocessor=preprocessor)


def cut_short(backbone: Backbone, output_block: str) -> Backbone:
    """Return a backbone that ends after a block of `backbone`, and shares layers with `backbone`.

    The given backbone must have one inner model after its preprocessing.

    Raises:
        BackboneError: The block is unknown or inside a nested model, or the network takes texts.
    """
    if backbone.image_size is None:
        raise BackboneError("output_block= cannot cut a text encoder. Leave output_block= out.")
    names, network = backbone.blocks, backbone.network
    if output_block not in names:
        raise BackboneError(unknown(f"block of {network.name}", output_block, names))
    kept = names[: names.index(output_block) + 1]
    blocks = [(name, backbone.block_layers(name)) for name in kept]
    inner, last = network.layers[-1], blocks[-1][1][-1]
    if last not in inner.layers:
        raise BackboneError(
            f"Block {output_block!r} of {network.name} is inside a nested model, where "
            "output_block= cannot cut. Build the model without nesting, or cut the model before "
            "you pass it."
        )
    end = output_of(inner, [layer for _, layers in blocks for layer in layers])
    shorter = keras.Model(inner.input, end, name=inner.name)
    pixels = network.get_layer("preprocessing").output
    network = keras.Model(network.input, shorter(pixels), name=network.name)
    changed = {"output_block": output_block, "identity": f"{backbone.identity} {output_block}"}
    return Backbone(network, blocks).set_facts(**backbone.facts | changed)
