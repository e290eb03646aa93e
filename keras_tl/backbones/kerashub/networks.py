"""Find KerasHub networks and their blocks, without importing KerasHub."""

import glob
import re
import sys

import keras

from keras_tl.backbones.blocks import assign_blocks, default_blocks, stable_names
from keras_tl.backbones.spec import POOLER, BlockSpec
from keras_tl.base.keras_compat import operation_of

# Names of numbered layers: "transformer_layer_3", "disentangled_attention_encoder_layer_3".
_NUMBERED = re.compile(r"(?:^|_)layer_(\d+)$")


def find_kerashub(network: keras.Model) -> keras.Model | None:
    """Return the `keras_hub.models.Backbone` (the network or one of its layers), or `None`."""
    keras_hub = sys.modules.get("keras_hub")
    if keras_hub is None:  # KerasHub is not imported, so no object of KerasHub exists.
        return None
    candidates = [network, *network.layers]
    return next((x for x in candidates if isinstance(x, keras_hub.models.Backbone)), None)


def blocks_of(backbone: keras.Model) -> list[tuple[str, list[keras.layers.Layer]]]:
    """Return the names of the blocks from input to output, each with its layers.

    The blocks of an image feature pyramid are its levels. Layers after the last level of a pyramid
    are the block `top`. The blocks of a transformer are `embeddings`, its numbered layers, `top`
    for layers after the numbered layers, and `pooler`, which only `pooled_output` needs. In
    networks of any other kind, each layer with weights is a block.
    """
    levels = getattr(backbone, "pyramid_outputs", None)
    if levels:
        return assign_blocks(backbone, _levels(backbone, levels))
    return _grouped(backbone, assign_blocks(backbone, default_blocks(backbone)))


def _levels(backbone: keras.Model, levels: dict[str, keras.KerasTensor]) -> tuple[BlockSpec, ...]:
    names = stable_names(backbone)
    order = {operation: place for place, operation in enumerate(backbone.operations)}
    ends = [(name, operation_of(tensor)) for name, tensor in levels.items()]
    ends.sort(key=lambda end: order[end[1]])
    blocks = [BlockSpec(name, glob.escape(names[end])) for name, end in ends]
    last_name, last = ends[-1]
    if any(order[x] > order[last] and x.weights for x in backbone.layers):
        return (*blocks, BlockSpec("top"))
    return (*blocks[:-1], BlockSpec(last_name))


def _grouped(
    backbone: keras.Model, blocks: list[tuple[str, list[keras.layers.Layer]]]
) -> list[tuple[str, list[keras.layers.Layer]]]:
    numbers = [_NUMBERED.search(name) for name, _ in blocks]
    if not any(numbers):
        return blocks
    of_sequence = {name for name, _ in blocks}
    if isinstance(backbone.output, dict) and "pooled_output" in backbone.output:
        sequence = keras.Model(backbone.input, backbone.output["sequence_output"])
        of_sequence = {layer.name for layer in sequence.layers}
    grouped, current = {}, "embeddings"
    for number, (name, layers) in zip(numbers, blocks, strict=True):
        if number:
            current = f"layer_{number[1]}"
        elif name not in of_sequence:
            current = POOLER
        elif current != "embeddings":
            current = "top"
        grouped.setdefault(current, []).extend(layers)
    return list(grouped.items())
