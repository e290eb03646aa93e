"""From a name to a network with weights: raw pixels in, feature maps out."""

import contextlib
import json
import random
from collections.abc import Iterator

import keras

from keras_tl.backbones.blocks import assign_blocks, up_to
from keras_tl.backbones.building import behind_scaling, build
from keras_tl.backbones.catalogue import CATALOGUE, get_spec
from keras_tl.backbones.kerashub.networks import blocks_of, find_kerashub, longest_of
from keras_tl.backbones.layer import Backbone, leaf_layers, leaf_paths
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.spec import BackboneSpec, Block
from keras_tl.base.keras_compat import layers_of
from keras_tl.errors import BackboneError


def load(
    name: str, weights: str | None = "imagenet", image_size: int | tuple[int, int] | None = None
) -> keras.Model:
    """The bare network of a backbone, its preprocessing inside.

    Args:
        name: a name from the catalogue.
        weights: `"imagenet"`, the path of a weights file, or `None` for random ones.
        image_size: side in pixels, or (height, width); `None`: the one it was trained at.

    Returns:
        A `keras.Model` of stock Keras layers: float32 (batch, height, width, 3) RGB pixels in
        [0, 255] to feature maps (batch, h, w, c).

    Raises:
        BackboneError: the name is unknown, or the size too small.
        WeightsError: the weights are missing, cannot be downloaded, or do not fit.
    """
    spec = get_spec(name)
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    return _network_of(spec, weights, size or spec.image_size, None)[0]


def load_spec(
    spec: BackboneSpec,
    weights: str | None,
    image_size: tuple[int, int],
    output_block: str | None = None,
) -> Backbone:
    """Build the backbone of a record; see `load`.

    Args:
        spec: the record.
        weights: as in `load`.
        image_size: (height, width).
        output_block: cut the network off after this block.
    """
    network, bare, blocks = _network_of(spec, weights, image_size, output_block)
    # What a builder of the user's own makes is only known by looking at it.
    graph = spec.name if CATALOGUE.get(spec.name) is spec else network.to_json()
    identity = f"{graph} {spec.preprocessing} {blocks[-1]} keras {keras.__version__}"
    return Backbone(network, assign_blocks(bare, blocks)).set_facts(
        source=spec.name, weights_source=weights, output_block=output_block, identity=identity
    )


def _network_of(
    spec: BackboneSpec, weights: str | None, image_size: tuple[int, int], output_block: str | None
) -> tuple[keras.Model, keras.Model, tuple[Block, ...]]:
    """The network, the same without its preprocessing, and its blocks."""
    if min(image_size) < spec.min_size:
        raise BackboneError(
            f"{spec.name} needs images of at least {spec.min_size} x {spec.min_size} pixels. "
            f"Received image_size={image_size}."
        )
    built = build(spec, weights, image_size)
    first = behind_scaling(built, spec) if spec.scales_inside else built.input
    blocks, last = up_to(built, spec.blocks, output_block)
    whole = first is built.input and last is built.output
    bare = built if whole else keras.Model(first, last, name=built.name)
    return with_preprocessing(bare, spec.preprocessing, image_size, spec.name), bare, blocks


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy all weights of a network into its equal."""
    target.set_weights(source.get_weights())
    _use_statistics(target)


def copy_statistics(source: keras.Model, target: keras.Model) -> None:
    """Copy what a network's `Normalization` layers know of its inputs into its equal.

    They are preprocessing that was adapted to data, and not trained.
    """
    for given, other in zip(leaf_layers(source), leaf_layers(target), strict=True):
        if isinstance(given, keras.layers.Normalization):
            other.set_weights(given.get_weights())
    _use_statistics(target)


def _use_statistics(network: keras.Model) -> None:
    # Keras normalises by tensors that it makes of the weights when it adapts or loads them only.
    for layer in layers_of(network):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def backbone_of(network: keras.Model) -> Backbone:
    """Return a backbone of a network; each layer with weights is a block, unless it is KerasHub's.

    Its layers are frozen.
    """
    theirs = find_kerashub(network)
    identity = network.to_json()
    return Backbone(
        network, _leaf_blocks(network) if theirs is None else blocks_of(theirs)
    ).set_facts(
        identity=identity,
        architecture=json.loads(identity),
        longest=None if theirs is None else longest_of(theirs),
    )


def _leaf_blocks(network: keras.Model) -> list[tuple[str, list[keras.layers.Layer]]]:
    """Each layer with weights, by its name; by the end of its path where others are called so."""
    paths = [path for path in leaf_paths(network) if path[-1].weights]
    named = [tuple(layer.name for layer in path) for path in paths]
    blocks = []
    for path, names in zip(paths, named, strict=True):
        ends = [names[-length:] for length in range(1, len(names) + 1)]
        alone = (end for end in ends if sum(other[-len(end) :] == end for other in named) == 1)
        blocks.append(("/".join(next(alone, names)), [path[-1]]))
    return blocks


def with_preprocessing(
    network: keras.Model, preprocessing: Preprocessing, image_size: tuple[int, int], name: str
) -> keras.Model:
    """Puts a network's preprocessing in front of it: raw pixels in."""
    pixels = keras.Input((*image_size, 3), name="pixels", dtype="float32")
    return keras.Model(pixels, network(preprocessing.apply(pixels)), name=name)


@contextlib.contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Fixes the seeds that Keras layers draw for themselves while they are made.

    Layers without a seed of their own take one from Python's `random`; its state is put back.
    """
    state = random.getstate()
    if seed is not None:
        random.seed(seed)
    try:
        yield
    finally:
        if seed is not None:
            random.setstate(state)
