"""The catalogue: a record for each constructor of Keras, true facts, names, and registration."""

import inspect

import keras
import numpy as np
import pytest
from keras.src.applications import imagenet_utils

import keras_tl as ktl
from keras_tl import backbones
from keras_tl.backbones import CATALOGUE, BackboneSpec, BlockSpec, Weights, catalogue
from keras_tl.backbones.building import get_builder
from keras_tl.errors import BackboneError, WeightsError
from keras_tl.testing import Case, parametrize_with_checks
from keras_tl.testing.network_checks import check_record
from tests.conftest import make_tiny_data

CONSTRUCTORS = {
    name: value
    for name, value in vars(keras.applications).items()
    if inspect.isfunction(value) and "include_top" in inspect.signature(value).parameters
}


def test_every_constructor_of_keras_has_one_record():
    assert len(CONSTRUCTORS) == 40
    of_keras = [spec for spec in CATALOGUE.values() if spec.builder.startswith("keras.app")]
    assert sorted(spec.builder.split(":")[1] for spec in of_keras) == sorted(CONSTRUCTORS)
    assert len(CATALOGUE) == 43


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_record_is_found_by_the_name_of_its_constructor(name):
    spec = CATALOGUE[name]
    constructor = spec.builder.split(":")[1]
    spellings = (name, constructor, name.upper(), name.replace("_", "-"), name.replace("_", " "))
    for spelling in spellings:
        assert backbones.get_spec(spelling) is spec


class StoppedError(Exception):
    """The constructor got as far as its sizes."""


@pytest.mark.parametrize("name", CATALOGUE)
def test_sizes_are_those_of_the_constructor(name, monkeypatch):
    spec = CATALOGUE[name]
    sides = {"efficientnet_lite0": 224, "efficientnet_lite1": 240, "efficientnet_lite2": 260}
    if name in sides or name.startswith("mobilenet_v3"):
        side = sides.get(name, 224)
        assert (spec.image_size, spec.min_size) == ((side, side), 32)
        return

    def stop(input_shape, default_size, min_size, **options):
        raise StoppedError(default_size, min_size)

    monkeypatch.setattr(imagenet_utils, "obtain_input_shape", stop)
    with pytest.raises(StoppedError) as found:
        get_builder(spec)(weights=None)
    assert found.value.args == (spec.image_size[0], spec.min_size)


@pytest.mark.parametrize("spec", CATALOGUE.values(), ids=CATALOGUE)
def test_records_are_complete(spec):
    assert spec.weights.source
    assert spec.weights.licence in {"Apache-2.0", "BSD", "BSD-3-Clause", "CC-BY-4.0", "MIT"}
    assert 0.6 < spec.weights.top1 < 0.9
    assert spec.weights.top1_source
    assert len(spec.blocks) >= 4


def build_tiny(include_top, weights, input_shape):
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(8, 3, strides=2)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    return keras.Model(inputs, keras.layers.Conv2D(16, 3)(x), name="tiny")


TINY = BackboneSpec(
    name="tiny_net",
    builder=build_tiny,
    preprocessing="tf",
    image_size=(32, 32),
    min_size=8,
    features=16,
    parameters=1424,
)


@pytest.fixture
def registered():
    backbones.register(TINY, overwrite=True)


def test_a_registered_backbone_is_one_like_the_others(registered, tmp_path):
    data = make_tiny_data()
    learner = ktl.Learner("TinyNet", data, weights=None, seed=0, verbose=False)
    assert learner.backbone.blocks == ("conv2d", "batch_normalization", "conv2d_1")
    learner.fit_head(epochs=1)
    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    pixels = data.split("test").images
    np.testing.assert_array_equal(loaded.model(pixels), learner.model(pixels))
    catalogue._registered.clear()
    with pytest.raises(
        BackboneError, match=r"Unknown backbone 'tiny_net'.* keras_tl.backbones.register"
    ):
        ktl.Learner.load(tmp_path / "run", verbose=False)


@pytest.mark.slow
@parametrize_with_checks([Case("tiny_net")])
def test_a_registered_backbone_is_checked(case, check, tmp_path, registered):
    check(case, tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"parameters": 1}, {"features": 8}, {"blocks": (BlockSpec("all", "conv2d"),)}]
)
def test_the_checks_find_a_wrong_record(registered, wrong, tmp_path):
    backbones.register(BackboneSpec(**(vars(TINY) | wrong)), overwrite=True)
    with pytest.raises((AssertionError, BackboneError)):
        check_record(Case("tiny_net"), tmp_path)


def test_the_weights_of_a_registered_backbone(registered):
    with pytest.raises(WeightsError, match=r"tiny_net has no published weights\. Expected the"):
        backbones.load("tiny_net", weights="imagenet")
    published = Weights("me", licence="MIT", top1=0.5, top1_source="nowhere")
    spec = BackboneSpec(**(vars(TINY) | {"name": "published", "weights": published}))
    backbones.register(spec)
    assert backbones.load("published").count_params() == TINY.parameters


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "ResNet50"}, "catalogue already has a backbone 'resnet50'"),
        ({"name": "Tiny-Net"}, "'tiny_net' is registered already.*overwrite=True"),
        ({"name": "x", "builder": "module.function"}, "function or 'module:function'.*module.func"),
        ({"name": "x", "image_size": (4, 4)}, r"sides of at least min_size=8. Received: \(4, 4\)"),
        ({"name": "x", "image_size": 32}, r"must be \(height, width\).*Received: 32"),
        ({"name": "x", "preprocessing": "tff"}, "Unknown preprocessing 'tff'"),
        ({"name": "x", "blocks": (BlockSpec("a", "b"), BlockSpec("a"))}, "different names.*a, a"),
    ],
)
def test_wrong_records_are_refused(registered, changes, message):
    with pytest.raises(BackboneError, match=message):
        backbones.register(BackboneSpec(**(vars(TINY) | changes)))


def test_only_records_can_be_registered(registered):
    with pytest.raises(BackboneError, match=r"takes a BackboneSpec. Received: str"):
        backbones.register("resnet50")
    backbones.register(TINY, overwrite=True)


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        ("no_such_module:build", "'no_such_module:build' of wrong cannot be imported"),
        ("keras.applications:ResNet5", "'keras.applications:ResNet5' of wrong cannot be imported"),
        (lambda **options: None, "The builder of wrong must return a keras.Model. Received: None"),
    ],
)
def test_builders_that_do_not_build_are_named(registered, builder, message):
    backbones.register(
        BackboneSpec(**(vars(TINY) | {"name": "wrong", "builder": builder})), overwrite=True
    )
    with pytest.raises(BackboneError, match=message):
        backbones.load("wrong", weights=None)
