"""Assign the layers of a network to blocks, and find the layers where the network can be cut."""

import fnmatch
import glob
import re
from collections import Counter

import keras

from keras_tl.backbones.layer import leaf_layers
from keras_tl.backbones.spec import BlockSpec
from keras_tl.base.keras_compat import graph_nodes, to_snake_case
from keras_tl.errors import BackboneError, unknown


def assign_blocks(
    network: keras.Model, blocks: tuple[BlockSpec, ...]
) -> list[tuple[str, list[keras.layers.Layer]]]:
    """Return each block of a functional model as a pair: its name, and its leaf layers.

    A block consists of its last layer and all layers that lead to this last layer, except the
    layers of earlier blocks. With this rule, no block uses the output of a later block, even if the
    network has parallel branches. If `blocks` is empty, each layer with weights is a block.

    Raises:
        BackboneError: A layer with weights is in no block, a block has no layers, or the layer at
            which a block should end does not exist.
    """
    parents = _parents(network)
    names, taken = [], set()
    for block in blocks or default_blocks(network):
        needed = _needed(find_end(network, block), parents) - taken
        taken |= needed
        names.append((block.name, _layers_of(network, needed)))
    rest = _layers_of(network, set(network.operations) - taken, with_weights=True)
    if rest:
        raise BackboneError(
            f"No block of {network.name} contains the layer {rest[0].name!r}. Each layer with "
            "weights must be in a block. Add a block that ends at or after this layer."
        )
    empty = [name for name, layers in names if not layers]
    if empty:
        raise BackboneError(
            f"These blocks of {network.name} contain no layers: {', '.join(empty)}. Remove "
            "these blocks, or correct their ends."
        )
    return names


def up_to(
    network: keras.Model, blocks: tuple[BlockSpec, ...], last: str | None
) -> tuple[tuple[BlockSpec, ...], keras.KerasTensor]:
    """Return the blocks from the input to the block named `last`, and the output of that block.

    If `last` is `None`, return all blocks and the output of the network.

    Raises:
        BackboneError: The network has no block with the name `last`.
    """
    blocks = blocks or default_blocks(network)
    names = [block.name for block in blocks]
    if last is None:
        return blocks, network.output
    if last not in names:
        raise BackboneError(unknown(f"block of {network.name}", last, names))
    kept = blocks[: names.index(last) + 1]
    return kept, _output(network, find_end(network, kept[-1]))


def output_of(network: keras.Model, layers: list[keras.layers.Layer]) -> keras.KerasTensor:
    """Return the last output that a network computes with the weights of the given layers alone.

    `layers` are leaf layers. A function or one of `layers` returns the output. Layers without
    weights that are not in `layers` may lead to the output.
    """
    parents, layers = _parents(network), set(layers)
    possible, end = set(), network.operations[0]
    for operation in network.operations:  # Each operation comes after its inputs.
        leaves = _leaves(operation)
        if parents[operation] <= possible and layers >= {x for x in leaves if x.weights}:
            possible.add(operation)
            end = operation if layers >= set(leaves) else end
    return _output(network, end)


def find_end(network: keras.Model, block: BlockSpec) -> keras.Operation:
    """Return the last layer of a block.

    Raises:
        BackboneError: No layer's name matches `block.end`.
    """
    if block.end is None:
        return network.operations[-1]
    names = stable_names(network)
    found = [x for x in network.operations if fnmatch.fnmatchcase(names[x], block.end)]
    if not found:
        raise BackboneError(
            f"Block {block.name!r} of {network.name} should end at a layer named {block.end!r}, "
            "but no layer has this name. Correct the end of the BlockSpec."
        )
    return found[-1]


def default_blocks(network: keras.Model) -> tuple[BlockSpec, ...]:
    """Return a block for each layer with weights. The last block ends at the network's output."""
    names = stable_names(network)
    with_weights = [names[layer] for layer in network.layers if layer.weights]
    ends = [*(glob.escape(name) for name in with_weights[:-1]), None]
    return tuple(BlockSpec(name, end) for name, end in zip(with_weights, ends, strict=True))


def stable_names(network: keras.Model) -> dict[keras.Operation, str]:
    """Return layer names that do not depend on which networks the process built earlier.

    Keras numbers layers without a user-given name across all networks of a process (`"add_7"`).
    `stable_names` numbers the layers of each network separately, in the order of the graph.
    """
    names, counts = {}, Counter()
    for operation in network.operations:
        kind = to_snake_case(type(operation).__name__)
        names[operation] = operation.name
        if re.fullmatch(rf"{kind}(_\d+)?", operation.name):
            names[operation] = f"{kind}_{counts[kind]}" if counts[kind] else kind
            counts[kind] += 1
    return names


def _output(network: keras.Model, operation: keras.Operation) -> keras.KerasTensor:
    # `layer.output` is the output of the layer's first call, which may be in a different network.
    return next(node.outputs[0] for node in graph_nodes(network) if node.operation is operation)


def _parents(network: keras.Model) -> dict[keras.Operation, set[keras.Operation]]:
    parents = {operation: set() for operation in network.operations}
    for node in graph_nodes(network):
        parents[node.operation] |= {parent.operation for parent in node.parent_nodes}
    return parents


def _needed(end, parents) -> set[keras.Operation]:
    """Return an operation and all operations that lead to it."""
    needed, waiting = set(), [end]
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += parents.get(operation, ())
    return needed


def _layers_of(
    network: keras.Model, chosen: set, with_weights: bool = False
) -> list[keras.layers.Layer]:
    """Return the leaf layers of the operations in `chosen`."""
    layers = []
    for layer in network.layers:
        if layer in chosen:
            layers += [leaf for leaf in _leaves(layer) if leaf.weights or not with_weights]
    return layers


def _leaves(operation: keras.Operation) -> list[keras.layers.Layer]:
    """Return the leaf layers of an operation. Input layers and functions have no leaf layers."""
    if isinstance(operation, keras.Model):
        return leaf_layers(operation)
    is_layer = isinstance(operation, keras.layers.Layer)
    return [operation] if is_layer and not isinstance(operation, keras.layers.InputLayer) else []
