"""Load a backbone by name, as a network with weights that maps raw pixels to feature maps."""

import contextlib
import json
import os
import random
from collections.abc import Iterator

import keras

from keras_tl.backbones.blocks import assign_blocks, up_to
from keras_tl.backbones.building import behind_scaling, build
from keras_tl.backbones.catalogue import CATALOGUE, get_spec
from keras_tl.backbones.kerashub.networks import blocks_of, find_kerashub
from keras_tl.backbones.layer import Backbone, leaf_layers, leaf_paths
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.spec import BackboneSpec, BlockSpec
from keras_tl.base.keras_compat import layers_of
from keras_tl.errors import BackboneError


def load(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = "imagenet",
    image_size: int | tuple[int, int] | None = None,
) -> keras.Model:
    """Return the network of a backbone with its weights. The network includes the preprocessing.

    Args:
        name: Name of the backbone in the catalogue, or a name that `register` added.
        weights: Source of the weights: `"imagenet"`, the path of a weights file, or `None` for
            random weights.
        image_size: Image size in pixels: the side of a square, or (height, width). `None` means the
            image size of the original training.

    Returns:
        A `keras.Model` of standard Keras layers, from RGB pixels in [0, 255], float32 (batch,
        height, width, 3), to feature maps (batch, h, w, c).

    Raises:
        BackboneError: No backbone has this name, or the image size is too small for the backbone.
        WeightsError: The weights are missing, cannot be downloaded, or do not fit the network.

    Example:
        >>> network = ktl.backbones.load("efficientnet_lite0", weights=None, image_size=64)
        >>> network.output_shape
        (None, 2, 2, 1280)
    """
    spec = get_spec(name)
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    weights = None if weights is None else os.fspath(weights)
    return _network_of(spec, weights, size or spec.image_size, None)[0]


def load_spec(
    spec: BackboneSpec,
    weights: str | None,
    image_size: tuple[int, int],
    output_block: str | None = None,
) -> Backbone:
    """Build the `Backbone` layer that a record describes, cut after `output_block`.

    `load` explains `weights`. The image size is (height, width) in pixels.
    """
    network, bare, blocks = _network_of(spec, weights, image_size, output_block)
    # Users can change a builder and keep its name, so the whole graph identifies a user's network.
    graph = spec.name if CATALOGUE.get(spec.name) is spec else network.to_json()
    identity = f"{graph} {spec.preprocessing} {blocks[-1]} keras {keras.__version__}"
    return Backbone(network, assign_blocks(bare, blocks)).set_facts(
        source=spec.name, weights_source=weights, output_block=output_block, identity=identity
    )


def _network_of(
    spec: BackboneSpec, weights: str | None, image_size: tuple[int, int], output_block: str | None
) -> tuple[keras.Model, keras.Model, tuple[BlockSpec, ...]]:
    """Return the network, the network without its preprocessing, and the blocks of the network."""
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
    """Copy all weights of a network into a network of the same architecture."""
    target.set_weights(source.get_weights())
    _use_statistics(target)


def copy_statistics(source: keras.Model, target: keras.Model) -> None:
    """Copy the statistics of `Normalization` layers into a network of the same architecture.

    `Normalization` layers are preprocessing: `adapt` computes their statistics from data. Training
    does not change the statistics of `Normalization` layers.
    """
    for given, other in zip(leaf_layers(source), leaf_layers(target), strict=True):
        if isinstance(given, keras.layers.Normalization):
            other.set_weights(given.get_weights())
    _use_statistics(target)


def _use_statistics(network: keras.Model) -> None:
    # `Normalization` layers compute tensors from their weights. `set_weights` does not update these
    # tensors, but `finalize_state` does.
    for layer in layers_of(network):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def backbone_of(network: keras.Model) -> Backbone:
    """Return a frozen `Backbone` layer that holds a network.

    Each layer with weights is a block of its own, except in KerasHub networks, where blocks are
    larger (see `blocks_of`).
    """
    theirs = find_kerashub(network)
    identity = network.to_json()
    blocks = _leaf_blocks(network) if theirs is None else blocks_of(theirs)
    longest = getattr(theirs, "max_sequence_length", None)
    return Backbone(network, blocks).set_facts(
        identity=identity, architecture=json.loads(identity), longest=longest
    )


def _leaf_blocks(network: keras.Model) -> list[tuple[str, list[keras.layers.Layer]]]:
    """Return a block for each layer with weights.

    Each block has the name of its layer. If several layers have equal names, the names of the
    nested models around a layer precede its name, until the result is unique: `"inner/conv"`.
    """
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
    """Return a network with the preprocessing in front, so that the result takes raw pixels."""
    pixels = keras.Input((*image_size, 3), name="pixels", dtype="float32")
    return keras.Model(pixels, network(preprocessing.apply(pixels)), name=name)


@contextlib.contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Make the random seeds of new Keras layers reproducible. `seed=None` changes nothing.

    Without a given seed, a Keras layer takes a random seed from Python's module `random`. This
    context manager seeds `random`, and restores the state of `random` at the end.
    """
    state = random.getstate()
    if seed is not None:
        random.seed(seed)
    try:
        yield
    finally:
        if seed is not None:
            random.setstate(state)
