"""From a name to a network with weights: raw pixels in, feature maps out."""

import contextlib
import copy
import dataclasses
import importlib
import random
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import keras

from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.layer import leaf_layers
from keras_tl.backbones.preprocessing import Preprocessing, get_preprocessing
from keras_tl.backbones.spec import BackboneSpec, Block
from keras_tl.errors import BackboneError, WeightsError, unknown


@dataclasses.dataclass(frozen=True)
class LoadedBackbone:
    """A network ready to be put into a model.

    Attributes:
        network: float32 pixels (batch, height, width, 3) in [0, 255] to feature maps.
        blocks: block names from input to output, each with its layers' names.
        identity: what the network's graph is, for the feature cache's key.
    """

    network: keras.Model
    blocks: list[tuple[str, list[str]]]
    identity: str


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
    return load_spec(spec, weights, size or spec.image_size).network


def load_spec(
    spec: BackboneSpec,
    weights: str | None,
    image_size: tuple[int, int],
    output_block: str | None = None,
) -> LoadedBackbone:
    """Builds the network of a record; see `load`.

    Args:
        spec: the record.
        weights: as in `load`.
        image_size: (height, width).
        output_block: cut the network off after this block.
    """
    if min(image_size) < spec.min_size:
        raise BackboneError(
            f"{spec.name} needs images of at least {spec.min_size} x {spec.min_size} pixels. "
            f"Received image_size={image_size}."
        )
    module, function = spec.builder.split(":")
    build = getattr(importlib.import_module(module), function)
    bare = build(include_top=False, weights=None, input_shape=(*image_size, 3))
    if weights == "imagenet":
        _load_imagenet(spec, build, bare)
    elif weights is not None:
        load_weights(bare, Path(weights), spec.name)
    blocks = assign_blocks(bare, spec.blocks)
    if output_block is not None:
        bare, blocks = cut(bare, blocks, output_block)
    return LoadedBackbone(
        with_preprocessing(bare, spec.preprocessing, image_size, spec.name),
        blocks,
        identity=f"{spec.name} {spec.preprocessing} {output_block} keras {keras.__version__}",
    )


def cut(
    network: keras.Model, blocks: list[tuple[str, list[str]]], output_block: str
) -> tuple[keras.Model, list[tuple[str, list[str]]]]:
    """Keeps a network up to the last layer of one of its blocks.

    Raises:
        BackboneError: there is no such block.
    """
    names = [name for name, _ in blocks]
    if output_block not in names:
        raise BackboneError(unknown(f"block of {network.name}", output_block, names))
    kept = blocks[: names.index(output_block) + 1]
    last = network.get_layer(kept[-1][1][-1])
    return keras.Model(network.input, last.output, name=network.name), kept


def load_architecture(architecture: dict[str, Any]) -> LoadedBackbone:
    """Builds a network of the user's own again, from what Keras serialised.

    Raises:
        BackboneError: it holds a class that is neither Keras's nor registered in this process
            (nothing is imported to find one).
    """
    _check_classes(architecture)
    # Keras takes apart what it is given.
    network = keras.saving.deserialize_keras_object(copy.deepcopy(architecture), safe_mode=True)
    return LoadedBackbone(network, _leaf_blocks(network), identity=network.to_json())


def _check_classes(config: Any) -> None:
    if isinstance(config, dict):
        module, registered = config.get("module"), config.get("registered_name")
        known = module is None or module.split(".")[0] in ("keras", "builtins")
        if not known and keras.saving.get_registered_object(registered) is None:
            raise BackboneError(
                f"The saved network uses the class {config.get('class_name')!r} of {module!r}, "
                "which is not registered here. Import the module that registers it with "
                "keras.saving.register_keras_serializable first."
            )
        for value in config.values():
            _check_classes(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            _check_classes(value)


def load_model(
    model: keras.Model, preprocess: str | Preprocessing | None, image_size: tuple[int, int] | None
) -> LoadedBackbone:
    """Wraps a Keras model of the user's own; each layer with weights is a block.

    Args:
        model: images (batch, height, width, 3), preprocessed, to feature maps or a vector.
        preprocess: the name of a preprocessing (`"none"` if the model has its own inside), or
            a `Preprocessing`.
        image_size: (height, width); `None`: the model's own input size.

    Raises:
        BackboneError: the model's input is not a batch of RGB images, or there is no size or
            no preprocessing.
    """
    if preprocess is None:
        raise BackboneError(
            "A keras.Model as backbone needs preprocess=: 'none' if it takes pixels in [0, 255] "
            "as they are, else 'tf', 'torch', 'caffe' or a Preprocessing(scale, offset)."
        )
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] != 3:
        raise BackboneError(
            "A backbone takes one input of shape (batch, height, width, 3). "
            f"Received a model with input shape {shape}."
        )
    own = shape[1:3] if None not in shape[1:3] else None
    if own and image_size and own != image_size:
        raise BackboneError(f"The model takes {own} pixels. Received image_size={image_size}.")
    if not (own or image_size):
        raise BackboneError("The model takes images of any size: pass image_size=.")
    network = with_preprocessing(
        model, get_preprocessing(preprocess), own or image_size, f"{model.name}_backbone"
    )
    return LoadedBackbone(network, _leaf_blocks(network), identity=network.to_json())


def _leaf_blocks(network: keras.Model) -> list[tuple[str, list[str]]]:
    return [(leaf.name, [leaf.name]) for leaf in leaf_layers(network) if leaf.weights]


def with_preprocessing(
    network: keras.Model, preprocessing: Preprocessing, image_size: tuple[int, int], name: str
) -> keras.Model:
    """Puts a network's preprocessing in front of it: raw pixels in."""
    pixels = keras.Input((*image_size, 3), name="pixels", dtype="float32")
    return keras.Model(pixels, network(preprocessing.apply(pixels)), name=name)


def assign_blocks(network: keras.Model, blocks: tuple[Block, ...]) -> list[tuple[str, list[str]]]:
    """Sorts the layers that have weights into the blocks.

    Raises:
        BackboneError: a layer with weights belongs to no block, or a block has no layer.
    """
    assigned = {block.name: [] for block in blocks}
    for layer in leaf_layers(network):
        homes = [block.name for block in blocks if layer.name.startswith(block.prefixes)]
        if homes:
            assigned[homes[0]].append(layer.name)
        elif layer.weights:
            raise BackboneError(f"Layer {layer.name!r} of {network.name} is in none of its blocks.")
    empty = [name for name, layers in assigned.items() if not layers]
    if empty:
        raise BackboneError(f"Blocks without layers in {network.name}: {', '.join(empty)}.")
    return list(assigned.items())


def load_weights(network: keras.Model, path: Path, name: str) -> None:
    """Loads a weights file (`.weights.h5`, or the older `.h5` that Keras publishes).

    Raises:
        WeightsError: the file is missing, is not such a file, or is of another network.
    """
    if not path.is_file():
        raise WeightsError(
            f"No weights file at {str(path)!r}. Expected 'imagenet', the path of a .weights.h5 "
            "or .h5 file, or None for random weights."
        )
    try:
        network.load_weights(path)
    except Exception as error:  # Keras raises whatever its readers meet in a wrong file.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"The weights in {str(path)!r} do not fit {name} without its classifier: {reason}"
        ) from error


def _load_imagenet(spec: BackboneSpec, build, network: keras.Model) -> None:
    if spec.weights.bundled:
        bundled = resources.files("keras_tl.backbones") / "weights" / spec.weights.bundled
        with resources.as_file(bundled) as path:
            load_weights(network, path, spec.name)
        return
    try:
        pretrained = build(
            include_top=False, weights="imagenet", input_shape=network.input_shape[1:]
        )
    except Exception as error:  # Keras wraps network faults in a bare Exception.
        raise WeightsError(
            f"Could not download the ImageNet weights of {spec.name} ({error}). Without a "
            "network: download that file elsewhere and pass weights='PATH', or use "
            "'efficientnet_lite0', whose weights come with keras_tl."
        ) from error
    network.set_weights(pretrained.get_weights())


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
