"""The bundled EfficientNet-Lite0: its weights, its padding, and the reader of the original."""

import builtins
import importlib
import json
import os
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_tl.backbones.efficientnet_lite import DROP_CONNECT, STAGES, EfficientNetLite0
from keras_tl.errors import BackboneError
from keras_tl.files import sha256

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.fixture(scope="module")
def original(convert):
    """The whole network with the weights of the package they came from."""
    try:
        package = convert.reference.find_package(convert.reference.WEIGHTS_PACKAGE, None)
    except SystemExit as missing:
        pytest.skip(f"float32 needs the original weights. {missing}")
    model = EfficientNetLite0()
    convert.assign(model, convert.read_tensors(convert.reference.weights_file(package)))
    return model


@pytest.mark.parametrize("precision", ["shipped", "original"])
def test_top1_is_the_reference_on_every_photo(precision, convert, reference, request):
    folder = convert.reference.PHOTOS
    if not folder.is_dir():
        pytest.skip(f"no check photos at {os.path.relpath(folder, ROOT)}")
    photos = convert.reference.load_photos(folder)
    answers = convert.logits(request.getfixturevalue(precision), photos.pixels)
    found = [
        {"file": path.name, "sha256": sha256(path), "top1": int(best)}
        for path, best in zip(photos.paths, answers.argmax(axis=1), strict=True)
    ]
    assert found == reference["photos"]


def test_padding_is_the_reference_at_even_and_odd_sizes(shipped, convert, reference, facts):
    bound = facts["measured_on_check_photos"]["largest_logit_difference"]
    step = convert.reference.LOGIT_STEP
    for size in reference["patterns"]:
        pixels = convert.reference.pattern(size["height"], size["width"])
        answers = convert.logits(shipped, pixels)[0, ::step]
        np.testing.assert_allclose(answers, size[f"logits_of_every_{step}th_class"], atol=bound)


def test_facts_are_those_of_the_file(convert, facts, reference):
    assert facts["file"] == convert.WEIGHTS.name
    assert facts["sha256"] == sha256(convert.WEIGHTS)
    assert facts["bytes"] == convert.WEIGHTS.stat().st_size
    assert facts["source"] == reference["weights"]


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


class Malicious:
    """Pickles as a call of `function` with `argument`."""

    def __init__(self, function, argument):
        self.call = function, (argument,)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("behind_a_good_header", [False, True])
@pytest.mark.parametrize("function", [os.system, builtins.exec, builtins.getattr])
def test_unpickler_refuses_all_but_tensors(function, behind_a_good_header, convert, tmp_path):
    harm = tmp_path / "harm"
    payload = pickle.dumps(Malicious(function, f"open({str(harm)!r}, 'w')"), protocol=2)
    if behind_a_good_header:
        header = [*convert.TORCH_MAGIC, {"little_endian": True}]
        payload = b"".join(pickle.dumps(part, protocol=2) for part in header) + payload
    path = tmp_path / "malicious.pth"
    path.write_bytes(payload)
    with pytest.raises(pickle.UnpicklingError, match=f"Refused: .*{function.__name__}"):
        convert.read_tensors(path)
    assert not harm.exists()


def test_tensors_cannot_reach_beyond_their_storage(convert):
    storage = np.zeros(6, np.float32)
    assert convert._rebuild_tensor(storage, 0, (2, 3), (1, 2)).shape == (2, 3)
    for offset, shape, strides in [(1, (2, 3), (3, 1)), (0, (7,), (1,)), (5, (2,), (-1,))]:
        with pytest.raises(pickle.UnpicklingError, match="beyond"):
            convert._rebuild_tensor(storage, offset, shape, strides)
