"""EfficientNet-Lite: answers of independent networks, padding, the file that is shipped, names."""

import importlib
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_tl.backbones import efficientnet_lite, get_spec
from keras_tl.backbones.efficientnet_lite import DROP_CONNECT, STAGES, EfficientNetLite0
from keras_tl.base.files import sha256
from keras_tl.errors import BackboneError

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


@pytest.fixture(scope="module")
def convert():
    """The conversion script, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        yield importlib.import_module("convert_efficientnet_lite0")


@pytest.fixture(scope="module")
def facts(convert):
    return json.loads(convert.FACTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reference(convert):
    return json.loads(convert.reference.REFERENCE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shipped(convert):
    """The whole network with the shipped weights, for images of any size."""
    return EfficientNetLite0(weights=convert.WEIGHTS, input_shape=(None, None, 3))


def original(name, convert):
    """The whole network with the weights of the package they came from."""
    try:
        package = convert.reference.weights_package(name, None)
    except SystemExit as missing:
        pytest.skip(f"float32 needs the original weights. {missing}")
    return convert.whole_network(name, convert.packages.weights_file(package))


def check_top1(model, convert, reference, every=1):
    folder = convert.reference.PHOTOS
    if not folder.is_dir():
        pytest.skip(f"no check photos at {os.path.relpath(folder, ROOT)}")
    photos = convert.reference.load_photos(folder, convert.reference.SIZES[model.name])
    found = [{"file": path.name, "sha256": sha256(path)} for path in photos.paths]
    assert found == reference["photos"]
    best = convert.logits(model, photos.pixels[::every]).argmax(axis=1).tolist()
    assert best == reference["networks"][model.name]["top1"][::every]


@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_top1_of_the_shipped_file_is_the_reference(every, shipped, convert, reference):
    check_top1(shipped, convert, reference, every)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_top1_of_the_package_is_the_reference_on_every_photo(name, convert, reference):
    check_top1(original(name, convert), convert, reference)


def check_patterns(model, convert, reference, bound):
    step = convert.reference.LOGIT_STEP
    for size in reference["networks"][model.name]["patterns"]:
        pixels = convert.reference.pattern(size["height"], size["width"])
        answers = convert.logits(model, pixels)[0, ::step]
        np.testing.assert_allclose(answers, size[f"logits_of_every_{step}th_class"], atol=bound)


def test_padding_is_the_reference_at_even_and_odd_sizes(shipped, convert, reference, facts):
    bound = facts["measured_on_check_photos"]["largest_logit_difference"]
    check_patterns(shipped, convert, reference, bound)


@pytest.mark.parametrize("name", [NAMES[1], pytest.param(NAMES[2], marks=pytest.mark.slow)])
def test_the_package_s_weights_give_the_reference_s_logits(name, convert, reference):
    check_patterns(original(name, convert), convert, reference, 1e-3)


def test_facts_are_those_of_the_file(convert, facts, reference):
    assert facts["file"] == convert.WEIGHTS.name
    assert facts["sha256"] == sha256(convert.WEIGHTS)
    assert facts["bytes"] == convert.WEIGHTS.stat().st_size
    assert facts["source"] == reference["networks"][NAMES[0]]["weights"]


@pytest.mark.parametrize("name", NAMES[1:])
def test_records_name_the_file_of_the_reference(name, reference):
    package, known = get_spec(name).weights.package, reference["networks"][name]["weights"]
    assert package.requirement == f"{known['package']}=={known['version']}"
    assert package.file == f"{known['package'].replace('-', '_')}/models/{known['file']}"
    assert package.sha256 == known["sha256"]


def test_without_the_top_the_same_file_gives_the_same_maps(shipped, convert):
    maps = EfficientNetLite0(include_top=False, weights=convert.WEIGHTS)
    inner = keras.Model(shipped.input, shipped.get_layer("top_activation").output)
    image = np.random.default_rng(0).uniform(-1, 1, (2, 64, 45, 3)).astype(np.float32)
    found = maps(image, training=False)
    assert found.shape == (2, 2, 2, 1280)
    np.testing.assert_array_equal(found, inner(image, training=False))


# Keras 3.15 reads variables in a way that NumPy 2.4 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_keras_file_loads_without_custom_objects(tmp_path):
    model = EfficientNetLite0(include_top=False, pooling="max")
    model.save(tmp_path / "lite.keras")
    loaded = keras.models.load_model(tmp_path / "lite.keras")
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(model(image, training=False), loaded(image, training=False))


def test_stochastic_depth_rises_with_depth_and_drops_whole_images():
    drops = [
        layer for layer in EfficientNetLite0(include_top=False).layers if "_drop" in layer.name
    ]
    rates = [layer.rate for layer in drops]
    assert len(rates) == sum(stage.repeats - 1 for stage in STAGES)
    assert rates == sorted(rates)
    assert rates[0] > 0
    assert rates[-1] < DROP_CONNECT
    kept = np.asarray(drops[-1](np.ones((64, 2, 2, 3), np.float32), training=True))
    assert {len(np.unique(image)) for image in kept} == {1}
    assert {bool(image.any()) for image in kept} == {True, False}


@pytest.mark.parametrize(
    ("variant", "repeats", "filters"),
    [
        ("LITE0", [1, 2, 2, 3, 3, 4, 1], [16, 24, 40, 80, 112, 192, 320]),
        ("LITE1", [1, 3, 3, 4, 4, 5, 1], [16, 24, 40, 80, 112, 192, 320]),
        ("LITE2", [1, 3, 3, 4, 4, 5, 1], [16, 24, 48, 88, 120, 208, 352]),
    ],
)
def test_the_first_and_the_last_stage_are_not_deeper(variant, repeats, filters):
    stages = efficientnet_lite.scaled_stages(getattr(efficientnet_lite, variant))
    assert [stage.repeats for stage in stages] == repeats
    assert [stage.filters for stage in stages] == filters


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (31, 64, 3)}, r"at least 32.*\(31, 64, 3\)"),
        ({"input_shape": (64, 64, 1)}, r"RGB.*\(64, 64, 1\)"),
        ({"include_top": False, "pooling": "mean"}, "None, 'avg' or 'max'.*'mean'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(BackboneError, match=message):
        EfficientNetLite0(**arguments)
