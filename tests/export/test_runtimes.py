"""Files for LiteRT and ONNX: they answer as the model, or are not kept."""

import json
import re
import sys
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from click.testing import CliRunner
from PIL import Image

import keras_tl as ktl
from keras_tl.base.extras import install_command
from keras_tl.base.files import sha256
from keras_tl.cli import cli
from keras_tl.data.images.decoder import load_image
from keras_tl.errors import ConfigError, ExportError
from keras_tl.export.runtimes.file_export import RUNTIMES, export_file
from keras_tl.export.runtimes.numeric_model import NumericModel
from keras_tl.export.runtimes.parity import compare
from keras_tl.models.text_modality import TextModality
from tests.conftest import make_tiny_data
from tests.made_images import tiff

PIXELS = np.random.default_rng(1).integers(0, 255, (5, 32, 32, 3)).astype(np.float32)
SUFFIXES = {"litert": ".tflite", "onnx": ".onnx"}
LARGEST = {"float32": 1e-6, "float16": 1e-3}
CASES = [(kind, precision) for kind in SUFFIXES for precision in LARGEST]


@pytest.fixture(scope="module")
def files(learner, tmp_path_factory):
    """A file of every format and precision, alone in its folder but for what belongs to it."""
    found = {}
    for kind, precision in CASES:
        file = tmp_path_factory.mktemp(kind) / f"colours{SUFFIXES[kind]}"
        found[kind, precision] = learner.export(file, format=kind, precision=precision)
    return found


@pytest.mark.parametrize(("kind", "precision"), CASES)
def test_a_file_answers_other_items_as_the_learner_does(learner, files, kind, precision):
    expected = learner.predict(PIXELS).probabilities
    found = RUNTIMES[kind].ask(files[kind, precision], {"pixels": PIXELS})
    assert set(found) == {"probabilities", "class_id"}
    np.testing.assert_allclose(found["probabilities"], expected, atol=LARGEST[precision])
    np.testing.assert_array_equal(found["class_id"], found["probabilities"].argmax(-1))


@pytest.mark.parametrize(("kind", "precision"), CASES)
def test_the_companion_says_what_the_file_is(files, kind, precision):
    file = files[kind, precision]
    assert {f.name for f in file.parent.iterdir()} == {file.name, f"{file.name}.json"}
    about = json.loads(file.with_name(f"{file.name}.json").read_text("utf-8"))
    if kind == "litert":
        interpreter = Interpreter(model_path=str(file))
        (details,) = interpreter.get_input_details()
        shape, dtype, batch = details["shape_signature"].tolist(), details["dtype"].__name__, 1
    else:
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        (details,) = session.get_inputs()
        shape, dtype, batch = details.shape, {"tensor(float)": "float32"}[details.type], "batch"
        assert {output.name: output.shape for output in session.get_outputs()} == {
            name: output["shape"] for name, output in about["outputs"].items()
        }
    assert about["inputs"] == {"pixels": {"dtype": dtype, "shape": shape}}
    assert shape == [batch, 32, 32, 3]
    assert {name: (x["dtype"], x["shape"]) for name, x in about["outputs"].items()} == {
        "probabilities": ("float32", [batch, 3]),
        "class_id": ("int64", [batch]),
    }
    assert (about["labels"], about["task"]) == (["red", "green", "blue"], "multiclass")
    assert (about["bytes"], about["sha256"]) == (file.stat().st_size, sha256(file))
    assert about["preparation"]["image_size"] == [32, 32]
    assert (about["preparation"]["resize"], about["precision"]) == ("crop", precision)
    difference = about["parity"]["largest_difference"]["probabilities"]
    assert (0 if precision == "float32" else 1e-9) <= difference < LARGEST[precision]


@pytest.mark.parametrize("kind", SUFFIXES)
def test_half_the_precision_is_less_to_store(files, kind):
    single, half = (files[kind, precision].stat().st_size for precision in LARGEST)
    assert half < 0.9 * single


@pytest.mark.parametrize("kind", SUFFIXES)
def test_what_answers_otherwise_is_not_kept_and_replaces_nothing(learner, tmp_path, kind):
    class Otherwise(NumericModel):
        def answers(self):
            true = super().answers()
            return true | {"probabilities": true["probabilities"] + np.float32(0.001)}

    state = learner._state
    model = Otherwise(state.serving_model, state.twin, state.task, state.parts.modality)
    file = tmp_path / f"a{SUFFIXES[kind]}"
    file.write_text("an earlier one")
    with pytest.raises(ExportError, match=r"not kept: probabilities differs by 1\.0e-03 \(allowed"):
        export_file(model, file, RUNTIMES[kind], "float32", overwrite=True)
    assert [f.name for f in tmp_path.iterdir()] == [file.name]
    assert file.read_text() == "an earlier one"


@pytest.fixture(scope="module")
def recipe():
    """The functions that the documentation gives to clients."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "other-runtimes.md").read_text("utf-8")
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "pixels_of(" in b)
    names = {}
    exec(block, names)
    return names


@pytest.fixture
def photo(tmp_path):
    """Smooth, wider than high, larger than the model's size; a PNG."""
    coarse = np.random.default_rng(3).integers(0, 255, (6, 9, 3)).astype(np.uint8)
    file = tmp_path / "photo.png"
    Image.fromarray(coarse).resize((95, 61), Image.Resampling.BICUBIC).save(file)
    return file


@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [(32, 32), (70, 50)])
def test_the_documented_recipe_makes_the_pixels_of_the_toolkit(recipe, photo, how, size):
    ours = load_image(tf.io.read_file(str(photo)), size, how).numpy()
    pillows = recipe["pixels_of"](photo, {"image_size": size, "resize": how})
    assert (pillows.dtype, pillows.shape) == (np.float32, (1, *size, 3))
    difference = np.abs(pillows[0] - ours)
    # Pillow rounds after each direction.
    assert np.mean(difference) < 0.5
    assert np.max(difference) < 2.5


VALUES = np.linspace(0, 5000, 40 * 60).reshape(40, 60, 1).astype(np.uint16)


@pytest.mark.parametrize("value_range", [(0, 4095), (1000, 2000), (0, 65535)])
@pytest.mark.parametrize("turn", [1, 6])
def test_the_documented_recipe_decodes_16_bits(recipe, tmp_path, value_range, turn):
    file = tmp_path / "scan.png"
    Image.fromarray(VALUES[..., 0]).save(file, exif=tiff(turn, ">"))
    ours = load_image(tf.io.read_file(str(file)), (32, 32), "crop", value_range).numpy()
    preparation = {"image_size": (32, 32), "resize": "crop", "value_range": value_range}
    difference = np.abs(recipe["pixels_of"](file, preparation)[0] - ours)
    assert np.mean(difference) < 0.5
    assert np.max(difference) < 2.5


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_the_documented_recipe_refuses_what_pillow_cannot_read(recipe, tmp_path, channels):
    file = tmp_path / "scan.png"
    file.write_bytes(tf.io.encode_png(VALUES.repeat(channels, axis=-1)).numpy())
    preparation = {"image_size": (32, 32), "resize": "crop", "value_range": (0, 4095)}
    with pytest.raises(ValueError, match="Expected a grey PNG of 16 bits"):
        recipe["pixels_of"](file, preparation)
    preparation["value_range"] = (0, 65535)
    ours = load_image(tf.io.read_file(str(file)), (32, 32), "crop").numpy()
    assert np.abs(recipe["pixels_of"](file, preparation)[0] - ours).max() < 2.5


@pytest.mark.parametrize(("kind", "precision"), CASES)
def test_the_documented_recipe_names_the_class(recipe, learner, files, photo, kind, precision):
    pixels = load_image(tf.io.read_file(str(photo)), (32, 32), "crop").numpy()
    expected = learner.predict(pixels[None])
    label, probability = recipe["classify"](str(files[kind, precision]), photo)
    assert label == expected.labels[0]
    assert probability == pytest.approx(expected.probabilities.max(), abs=0.01)


PROBABILITIES = np.array([[0.7, 0.3], [0.5, 0.5]], np.float32)
RIGHT = {"probabilities": PROBABILITIES, "class_id": np.array([0, 0])}
VALUE = {"value": np.array([2000.0], np.float32)}
# What the model answers, what the file does, the precision, and what is wrong.
COMPARED = {
    "equal": (RIGHT, RIGHT, "float32", None),
    # The file's own probabilities decide between classes that are equal in the model.
    "tie": (
        RIGHT,
        {
            "probabilities": PROBABILITIES - np.float32([[0, 0], [2e-5, 0]]),
            "class_id": np.array([0, 1]),
        },
        "float32",
        None,
    ),
    "class": (RIGHT, RIGHT | {"class_id": np.array([1, 0])}, "float32", "class_id contradicts"),
    "float16": (RIGHT, RIGHT | {"probabilities": PROBABILITIES + 0.01}, "float16", None),
    "float32": (RIGHT, RIGHT | {"probabilities": PROBABILITIES + 0.01}, "float32", "1.0e-02"),
    "nan": (RIGHT, RIGHT | {"probabilities": PROBABILITIES * np.nan}, "float16", "nan"),
    "shape": (
        RIGHT,
        RIGHT | {"class_id": np.array([[0, 0]])},
        "float32",
        "class_id is int64[1, 2]",
    ),
    "missing": (RIGHT, VALUE, "float32", "the file has the outputs ['value']"),
    "relative": (VALUE, {"value": VALUE["value"] + 0.1}, "float32", None),
    "value": (VALUE, {"value": VALUE["value"] + 1}, "float32", "5.0e-04"),
}


@pytest.mark.parametrize("name", COMPARED)
def test_comparison(name):
    expected, found, precision, wrong = COMPARED[name]
    found = {
        key: x.astype("float32" if x.dtype.kind == "f" else x.dtype) for key, x in found.items()
    }
    _, problems = compare(found, expected, precision)
    assert len(problems) == (wrong is not None), problems
    assert wrong is None or wrong in problems[0]


@keras.saving.register_keras_serializable("tests")
class Digamma(keras.layers.Layer):
    """An operation that neither runtime has."""

    def call(self, x):
        return tf.math.digamma(x + 10)


@pytest.mark.parametrize("kind", SUFFIXES)
def test_an_operation_that_the_runtime_has_not_is_named(tmp_path, kind):
    inputs = keras.Input((32, 32, 3))
    network = keras.Model(inputs, keras.layers.Conv2D(2, 3)(Digamma()(inputs)))
    learner = ktl.Learner(network, make_tiny_data(), preprocess="tf", seed=0, verbose=False)
    with pytest.raises(ExportError, match=r"TensorFlow's Digamma, which (LiteRT|ONNX) lacks"):
        learner.export(tmp_path / f"a{SUFFIXES[kind]}", format=kind)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_takes_strings_is_refused():
    strings = TextModality((("text", (), "string"),), None, are_pairs=False)
    with pytest.raises(ExportError, match="takes each text as a string"):
        NumericModel(None, None, None, strings)


MISTAKES = {
    "format": ({"path": "a.onnx", "format": "onyx"}, "Unknown format 'onyx'. Did you mean 'onnx'"),
    "precision": ({"path": "a.onnx", "format": "onnx", "precision": "int8"}, "precision 'int8'"),
    "float16": ({"path": "a", "precision": "float16"}, "A SavedModel is float32"),
    "folder": ({"path": "a", "format": "litert"}, "ends with .tflite. Received: 'a'"),
    "other-suffix": ({"path": "a.tflite", "format": "onnx"}, "ends with .onnx"),
    "serving": (
        {"path": "a.onnx", "format": "onnx", "serving": True},
        "leave out serving= and card=",
    ),
    "card": ({"path": "a.onnx", "format": "onnx", "card": {}}, "Only a SavedModel has a folder"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(learner, name):
    arguments, said = MISTAKES[name]
    with pytest.raises(ConfigError) as error:
        learner.export(**arguments)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("kind", "module"),
    [
        ("litert", "ai_edge_litert.interpreter"),
        ("onnx", "tf2onnx"),
        ("onnx", "onnx"),
        ("onnx", "onnxruntime"),
    ],
)
def test_a_missing_extra_is_named(learner, tmp_path, monkeypatch, kind, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=rf"Install with: {re.escape(install_command(kind))}"):
        learner.export(tmp_path / f"a{SUFFIXES[kind]}", format=kind)


def test_the_command_line_writes_one(learner, tmp_path):
    run, file = learner.save(tmp_path / "run"), tmp_path / "a.onnx"
    options = ["--out", str(file), "--format", "onnx", "--precision", "float16", "--json"]
    done = CliRunner().invoke(cli, ["export", str(run), *options])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"file": str(file)})
    assert json.loads((tmp_path / "a.onnx.json").read_text())["precision"] == "float16"
