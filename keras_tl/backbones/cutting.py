"""Cuts a network that is already there off after one of its blocks."""

import dataclasses

import keras

from keras_tl.backbones.blocks import output_of
from keras_tl.backbones.loading import LoadedBackbone
from keras_tl.errors import BackboneError, unknown


def cut_short(loaded: LoadedBackbone, output_block: str) -> LoadedBackbone:
    """The same network up to the end of a block; the layers are shared.

    Args:
        loaded: a network whose preprocessing is followed by one inner model.
        output_block: the name of the last block to keep.

    Raises:
        BackboneError: there is no such block, it lies inside a model inside the model, or the
            network takes texts.
    """
    if not loaded.takes_pixels:
        raise BackboneError("output_block= cannot cut an encoder of texts. Leave it out.")
    names = [name for name, _ in loaded.blocks]
    network = loaded.network
    if output_block not in names:
        raise BackboneError(unknown(f"block of {network.name}", output_block, names))
    kept = loaded.blocks[: names.index(output_block) + 1]
    inner, last = network.layers[-1], kept[-1][1][-1]
    if last not in inner.layers:
        raise BackboneError(
            f"Block {output_block!r} of {network.name} lies inside a nested model, where it cannot "
            "be cut. Build the model without nesting, or cut it before passing it."
        )
    end = output_of(inner, [layer for _, layers in kept for layer in layers])
    shorter = keras.Model(inner.input, end, name=inner.name)
    pixels = network.get_layer("preprocessing").output
    network = keras.Model(network.input, shorter(pixels), name=network.name)
    return dataclasses.replace(
        loaded, network=network, blocks=kept, identity=f"{loaded.identity} {output_block}"
    )
