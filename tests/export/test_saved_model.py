"""Exports: versions, layout, parity, and what happens when it is not right."""

import io
import json
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from keras_tl.errors import ConfigError, ExportError
from keras_tl.export.saved_model import export_version
from keras_tl.export.without_keras import graph
from keras_tl.export.without_keras.examples import EXAMPLES, decode_array, encode_array
from tests.conftest import export_unverified


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def served(exported_once):
    """The signatures of the export, loaded."""
    loaded = tf.saved_model.load(str(exported_once))
    yield loaded.signatures
    del loaded  # Its variables live as long as it does.


def test_layout_and_labels(exported):
    assert exported.name == "1"
    assert {f.name for f in exported.parent.iterdir()} == {"1"}
    assert {f.name for f in exported.iterdir()} >= {"saved_model.pb", "variables", "assets"}
    assert (exported / "assets" / "labels.txt").read_text() == "red\ngreen\nblue\n"


def test_versions_count_up_and_keep_the_earlier(learner, exported):
    before = (exported / "saved_model.pb").read_bytes()
    (exported.parent / "7").mkdir()
    assert export_unverified(learner, exported.parent, serving=True).name == "8"
    assert (exported / "saved_model.pb").read_bytes() == before
    assert {f.name for f in exported.parent.iterdir()} == {"1", "7", "8", "serving"}
    readme = (exported.parent / "serving" / "README.md").read_text()
    assert "# Serving model\n" in readme
    assert '["red", "green", "blue"]' in readme


def test_a_name_for_no_server_is_said_before_anything_is_written(learner, tmp_path):
    with pytest.raises(ConfigError, match="Received: 'my model'"):
        learner.export(tmp_path / "my model", serving=True)
    assert list(tmp_path.iterdir()) == []


def test_signatures_are_as_documented(exported):
    def array(dtype, *shape):
        return {"dtype": dtype, "shape": list(shape)}

    answers = {
        "probabilities": array("float32", -1, 3),
        "class_id": array("int64", -1),
        "label": array("string", -1),
    }
    files, valid = {"image_bytes": array("string", -1)}, {"valid": array("bool", -1)}
    definitions = graph.read_meta_graph(exported).signature_def
    found = {n: graph.describe(definitions[n]) for n in definitions if not n.startswith("__")}
    assert found == {
        "serving_default": {"inputs": files, "outputs": answers | valid},
        "pixels": {"inputs": {"pixels": array("float32", -1, -1, -1, 3)}, "outputs": answers},
        "classify": {
            "inputs": {"inputs": array("string", -1)},
            "outputs": {"classes": array("string", -1, 3), "scores": array("float32", -1, 3)},
        },
        "embed": {
            "inputs": files,
            "outputs": {"features": array("float32", -1, 16)} | valid,
        },
    }


def test_the_methods_are_those_of_tf_serving(exported):
    saved = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    methods = {name: s.method_name for name, s in saved.meta_graphs[0].signature_def.items()}
    methods.pop("__saved_model_init_op", None)
    assert methods == {
        "serving_default": "tensorflow/serving/predict",
        "pixels": "tensorflow/serving/predict",
        "embed": "tensorflow/serving/predict",
        "classify": "tensorflow/serving/classify",
    }


def as_example(**features):
    values = {
        n: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])) for n, v in features.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()


def test_one_bad_item_does_not_fail_the_batch(learner, served):
    """Three of 32 are not images; the others are answered as if they were alone."""
    rng = np.random.default_rng(0)
    files = [png(rng.integers(0, 255, (9, 11, 3)).astype(np.uint8)) for _ in range(32)]
    expected = learner.predict(files)
    bad = {3: b"", 8: files[8][:60], 30: b"not an image"}
    files = [bad.get(row, file) for row, file in enumerate(files)]
    good = np.array([row not in bad for row in range(32)])
    answers = served["serving_default"](image_bytes=tf.constant(files))
    np.testing.assert_array_equal(answers["valid"], good)
    np.testing.assert_allclose(
        answers["probabilities"], expected.probabilities * good[:, None], atol=1e-6
    )
    assert set(answers["class_id"].numpy()[~good]) == {-1}
    assert set(answers["label"].numpy()[~good]) == {b""}
    embedded = served["embed"](image_bytes=tf.constant(files))
    np.testing.assert_array_equal(embedded["valid"], good)
    assert not embedded["features"].numpy()[~good].any()
    examples = [as_example(image_bytes=file) for file in files]
    examples[8] = as_example(other=b"")
    classified = served["classify"](inputs=tf.constant(examples))
    np.testing.assert_allclose(classified["scores"], answers["probabilities"], atol=1e-6)
    names = np.array(learner.config.class_names, object)
    assert (classified["classes"].numpy() == [[name.encode() for name in names]]).all()
    assert classified["classes"].shape == (32, 3)


def test_embed_gives_the_features(learner, served):
    rng = np.random.default_rng(0)
    files = [png(rng.integers(0, 255, (24, 20, 3)).astype(np.uint8)) for _ in range(3)]
    found = served["embed"](image_bytes=tf.constant(files))["features"]
    np.testing.assert_allclose(found, learner.features(files), rtol=1e-5, atol=1e-5)


def test_it_answers_as_predict_does(learner, served):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (3, 40, 50, 3)).astype(np.uint8)
    files = [png(image) for image in images]
    predicted = learner.predict(files)
    answers = served["serving_default"](image_bytes=tf.constant(files))
    np.testing.assert_allclose(answers["probabilities"], predicted.probabilities, atol=1e-6)
    assert [label.decode() for label in answers["label"].numpy()] == predicted.labels
    from_pixels = served["pixels"](pixels=tf.constant(images, tf.float32))
    np.testing.assert_allclose(from_pixels["probabilities"], predicted.probabilities, atol=1e-6)
    np.testing.assert_array_equal(from_pixels["class_id"], predicted.class_ids)
    np.testing.assert_allclose(
        learner.predict(images).probabilities, predicted.probabilities, atol=1e-6
    )


def spoil_outputs(folder):
    file = folder / "assets.extra" / EXAMPLES
    # The other signatures take seconds: they decode files.
    examples = {"pixels": json.loads(file.read_text())["pixels"]}
    outputs = examples["pixels"]["outputs"]
    outputs["probabilities"] = encode_array(decode_array(outputs["probabilities"]) + 1e-3)
    file.write_text(json.dumps(examples))


def test_an_export_that_does_not_match_is_not_kept(learner, exported, verified_here, tmp_path):
    spoil_outputs(exported)
    examples = f"assets.extra/{EXAMPLES}"
    texts = {examples: (exported / examples).read_text()}
    state, base = learner._state, tmp_path / "other"
    inputs, names = state.parts.modality.example_inputs(), state.config.class_names
    with pytest.raises(ExportError, match=r"was not kept: pixels/probabilities differs"):
        export_version(state.serving_model, inputs, names, base, texts)
    assert list(base.iterdir()) == []


def test_a_number_taken_meanwhile_is_passed_over(learner, tmp_path):
    base, until = tmp_path / "model", time.monotonic() + 60

    def take_the_first_number():
        while not [*base.glob(".new-*")] and time.monotonic() < until:
            time.sleep(0.001)
        (base / "1").mkdir()

    with ThreadPoolExecutor() as pool:
        other = pool.submit(take_the_first_number)
        assert export_unverified(learner, base).name == "2"
        other.result()
    assert sorted(f.name for f in base.iterdir()) == ["1", "2"]


def test_killed_while_writing(learner, tmp_path):
    """A killed export leaves no version, and the next one clears up after it."""
    base = tmp_path / "model"
    program = f"""
        import os, signal
        from pathlib import Path
        from keras_tl.base.files import whole_folder
        with whole_folder(Path({str(base / "1")!r})) as folder:
            (folder / "saved_model.pb").write_bytes(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [f.name.isdecimal() for f in base.iterdir()] == [False]
    assert export_unverified(learner, base).name == "1"
    assert [f.name for f in base.iterdir()] == ["1"]


def test_a_file_is_where_the_versions_should_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match=r"is a file. Expected the folder that holds"):
        export_version(None, {}, (), tmp_path / "file")


@pytest.mark.parametrize(
    "array",
    [
        np.array([b"\x00\xff", b"", b"abc"], object),
        np.array([[1.5, np.pi]], np.float32),
        np.array([1, -2], np.int64),
        np.zeros((0, 3), np.float32),
    ],
)
def test_examples_are_exact(array):
    again = decode_array(json.loads(json.dumps(encode_array(array))))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
