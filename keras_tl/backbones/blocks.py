"""The blocks of a network: which layers belong to which, and where it can be cut."""

import fnmatch
import glob
import re
from collections import Counter

import keras

from keras_tl.backbones.layer import leaf_layers
from keras_tl.backbones.spec import Block
from keras_tl.base.keras_compat import graph_nodes, to_snake_case
from keras_tl.errors import BackboneError, unknown


def assign_blocks(
    network: keras.Model, blocks: tuple[Block, ...]
) -> list[tuple[str, list[keras.layers.Layer]]]:
    """Sorts a network's layers into its blocks.

    A block holds all that its last layer needs and that no earlier block holds. So nothing in it
    needs a later block, however the branches of the network lie beside each other.

    Args:
        network: a functional model.
        blocks: from input to output; none: each layer with weights is one.

    Returns:
        The blocks' names and their layers, innermost level, in the order of the graph.

    Raises:
        BackboneError: a layer with weights belongs to no block, or a block has no layer.
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
            f"Layer {rest[0].name!r} of {network.name} is in none of its blocks. Expected blocks "
            "that hold every layer with weights."
        )
    empty = [name for name, layers in names if not layers]
    if empty:
        raise BackboneError(f"Blocks without layers in {network.name}: {', '.join(empty)}.")
    return names


def up_to(
    network: keras.Model, blocks: tuple[Block, ...], last: str | None
) -> tuple[tuple[Block, ...], keras.KerasTensor]:
    """The blocks up to the one named `last` (`None`: all of them), and its output.

    Raises:
        BackboneError: there is no such block.
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
    """The last output of some layers, of those that need no weights of other layers.

    Args:
        network: a functional model.
        layers: of the innermost level, such as those of its first blocks.
    """
    parents, layers = _parents(network), set(layers)
    possible, end = set(), network.operations[0]
    for operation in network.operations:  # Each one comes after those it needs.
        leaves = _leaves(operation)
        if parents[operation] <= possible and layers >= {x for x in leaves if x.weights}:
            possible.add(operation)
            end = operation if layers >= set(leaves) else end
    return _output(network, end)


def find_end(network: keras.Model, block: Block) -> keras.Operation:
    """The last layer of a block.

    Raises:
        BackboneError: no layer has such a name.
    """
    if block.end is None:
        return network.operations[-1]
    names = stable_names(network)
    found = [x for x in network.operations if fnmatch.fnmatchcase(names[x], block.end)]
    if not found:
        raise BackboneError(
            f"Block {block.name!r} of {network.name} should end at a layer named {block.end!r}, "
            "and there is none."
        )
    return found[-1]


def default_blocks(network: keras.Model) -> tuple[Block, ...]:
    """A block for each layer with weights; the last one goes to the output."""
    names = stable_names(network)
    with_weights = [names[layer] for layer in network.layers if layer.weights]
    ends = [*(glob.escape(name) for name in with_weights[:-1]), None]
    return tuple(Block(name, end) for name, end in zip(with_weights, ends, strict=True))


def stable_names(network: keras.Model) -> dict[keras.Operation, str]:
    """Names that do not depend on what else the process has built.

    A layer that was given no name has one with a number that Keras counts on from network to
    network. Here they are counted anew in each network, in the order of its graph.
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
    # A layer's own `output` is that of its first call, maybe in another network.
    return next(node.outputs[0] for node in graph_nodes(network) if node.operation is operation)


def _parents(network: keras.Model) -> dict[keras.Operation, set[keras.Operation]]:
    parents = {operation: set() for operation in network.operations}
    for node in graph_nodes(network):
        parents[node.operation] |= {parent.operation for parent in node.parent_nodes}
    return parents


def _needed(end, parents) -> set[keras.Operation]:
    """An operation and all those it needs."""
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
    """The layers among the chosen operations, innermost level."""
    layers = []
    for layer in network.layers:
        if layer in chosen:
            layers += [leaf for leaf in _leaves(layer) if leaf.weights or not with_weights]
    return layers


def _leaves(operation: keras.Operation) -> list[keras.layers.Layer]:
    """The layers that an operation consists of: none for a plain function or an input."""
    if isinstance(operation, keras.Model):
        return leaf_layers(operation)
    is_layer = isinstance(operation, keras.layers.Layer)
    return [operation] if is_layer and not isinstance(operation, keras.layers.InputLayer) else []
