"""Conformance checks of networks from the catalogue, and the registration of all checks.

Each check takes a case and a temporary folder, and can raise AssertionError. The checks in this
module train nothing.
"""

import functools
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np

from keras_tl import backbones
from keras_tl.backbones.building import build, get_builder
from keras_tl.backbones.layer import Backbone, leaf_layers
from keras_tl.backbones.loading import load_spec
from keras_tl.base.keras_compat import giving_download, save_as_published
from keras_tl.testing.cases import Case

_SCALING = (keras.layers.Rescaling, keras.layers.Normalization)
REGISTERED: list[Any] = []


def register(applies: Callable[[Case], bool] = lambda case: case.trained, cheap: bool = False):
    """Register a check function. Cheap checks run a network at most once, without training."""

    def add(function):
        function.applies = applies
        function.cheap = cheap
        REGISTERED.append(function)
        return function

    return add


def pixels_of(case: Case) -> np.ndarray:
    """Return two noise images, float32 (2, height, width, 3) in [0, 255], from a fixed seed."""
    rng = np.random.default_rng(1)
    return rng.uniform(0, 255, (2, case.image_size, case.image_size, 3)).astype(np.float32)


@functools.lru_cache(maxsize=1)
def random_backbone(spec: backbones.BackboneSpec, image_size: int) -> Backbone:
    """Return a backbone with random weights, cached because the checks do not change it."""
    return load_spec(spec, None, (image_size, image_size))


def _shapes(layers: list[keras.layers.Layer]) -> list[tuple[int, ...]]:
    """Return the shapes of the weights of some layers, in the order of the layers."""
    return [tuple(weight.shape) for layer in layers for weight in layer.weights]


@register(lambda case: case.in_catalogue, cheap=True)
def check_record(case: Case, tmp_path: Path) -> None:
    """Check the catalogue's feature and parameter counts, and that one block owns each weight."""
    spec = backbones.get_spec(case.backbone)
    backbone = random_backbone(spec, spec.min_size)
    network = backbone.network
    assert network.output_shape[-1] == spec.features
    assert network.count_params() == spec.parameters
    owners = [layer for name in backbone.blocks for layer in backbone.block_layers(name)]
    assert len(owners) == len(set(owners))
    assert {layer for layer in leaf_layers(network) if layer.weights} <= set(owners)


@register(lambda case: case.in_catalogue, cheap=True)
def check_output_block(case: Case, tmp_path: Path) -> None:
    """Check that a network with `output_block` has exactly the weights up to this block.

    The check compares shapes, not names: Keras renames the layers of a process's second network.
    """
    spec = backbones.get_spec(case.backbone)
    whole = random_backbone(spec, case.image_size)
    kept = whole.blocks[: max(len(whole.blocks) // 2, 1)]
    part = load_spec(spec, None, (case.image_size,) * 2, output_block=kept[-1])
    assert part.blocks == kept
    for name in kept:
        assert _shapes(part.block_layers(name)) == _shapes(whole.block_layers(name))
    expected = sum(len(_shapes(whole.block_layers(name))) for name in kept)
    assert len(part.network.weights) == expected


@register(lambda case: case.in_catalogue, cheap=True)
def check_default_size(case: Case, tmp_path: Path) -> None:
    """Check that the network can be built for the image size in the catalogue."""
    spec = backbones.get_spec(case.backbone)
    network = backbones.load(case.backbone, weights=None)
    assert network.input_shape == (None, *spec.image_size, 3)
    assert network.output_shape[-1] == spec.features
    assert network.count_params() == spec.parameters


def _bare(case: Case, weights: str | None) -> keras.Model:
    """Build a network with random weights. `weights="imagenet"` only adds the scaling layers."""
    builder = get_builder(backbones.get_spec(case.backbone))
    with (
        giving_download(Path()),
        mock.patch.object(keras.Model, "load_weights"),
        warnings.catch_warnings(),
    ):
        # MobileNet builders warn about image sizes without published weights.
        warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
        shape = (case.image_size, case.image_size, 3)
        network = builder(include_top=False, weights=weights, input_shape=shape)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.set_weights([*map(np.array, case.statistics), np.array(0)])
            layer.finalize_state()
    return network


def _prepared(case: Case, pixels: np.ndarray) -> np.ndarray:
    """Return pixels after the preprocessing function of the weights' authors."""
    module, function = case.reference.split(":")
    return getattr(importlib.import_module(module), function)(pixels.copy())


@register(lambda case: case.reference is not None, cheap=True)
def check_preprocessing(case: Case, tmp_path: Path) -> None:
    """Check that the preprocessing layer equals the preprocessing of the weights' authors."""
    spec = backbones.get_spec(case.backbone)
    expected = _prepared(case, pixels_of(case))
    if spec.scales_inside:
        for layer in _bare(case, "imagenet").layers:
            expected = layer(expected) if isinstance(layer, _SCALING) else expected
    network = random_backbone(spec, case.image_size).network
    embedded = keras.Model(network.input, network.get_layer("preprocessing").output)
    np.testing.assert_allclose(embedded(pixels_of(case)), expected, rtol=1e-5, atol=1e-4)


@register(lambda case: case.in_catalogue, cheap=True)
def check_preprocessed_once(case: Case, tmp_path: Path) -> None:
    """Check that the preprocessing layer is the only scaling layer and computes in float32."""
    network = random_backbone(backbones.get_spec(case.backbone), case.image_size).network
    scaling = [layer for layer in leaf_layers(network) if isinstance(layer, _SCALING)]
    assert [layer.name for layer in scaling] == ["preprocessing"]
    assert scaling[0].compute_dtype == "float32"


@register(lambda case: case.in_catalogue and case.trained, cheap=True)
def check_weights_file(case: Case, tmp_path: Path) -> None:
    """Check that weights from a file and from a download give a network with the same features.

    If the case has a `reference`, the check also runs the network of `keras.applications` with the
    same weights. The inputs of this network are pixels that the function `reference`, from the
    weights' authors, has preprocessed. Both networks must return the same features.
    """
    spec = backbones.get_spec(case.backbone)
    pixels = pixels_of(case)
    is_packaged = spec.weights is not None and spec.weights.package is not None
    network = build(spec, "imagenet", (case.image_size,) * 2) if is_packaged else _bare(case, None)
    file, as_published = tmp_path / "some.weights.h5", tmp_path / "published.h5"
    network.save_weights(file)
    save_as_published(network, as_published)
    if spec.weights is not None and spec.weights.bundled:
        file = as_published = Path(backbones.__file__).parent / "weights" / spec.weights.bundled
    from_file = backbones.load(case.backbone, weights=str(file), image_size=case.image_size)(pixels)
    published = str(as_published) if spec.weights is None else "imagenet"
    with giving_download(as_published):
        ours = backbones.load(case.backbone, weights=published, image_size=case.image_size)(pixels)
    np.testing.assert_array_equal(ours, from_file)
    scale = np.abs(ours).max()
    assert scale > 0
    if case.reference is not None:
        if spec.scales_inside:
            values, network = network.get_weights(), _bare(case, "imagenet")
            network.set_weights(values)
        expected = network(_prepared(case, pixels))
        np.testing.assert_allclose(ours / scale, expected / scale, atol=1e-5)
