"""Verification: what it finds in a right export, in a spoilt one, and in one of others."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_tl.base.files import write_checksums
from keras_tl.errors import ExportError
from keras_tl.export.verification import CHECKSUMS, verify
from keras_tl.export.without_keras.examples import EXAMPLES, encode_array
from keras_tl.export.without_keras.serving_messages import WARMUP

PREDICT = "tensorflow/serving/predict"


def variables_file(folder):
    (file,) = (folder / "variables").glob("*.data-*")
    return file


def change_recorded(folder, changes):
    """Change recorded outputs: `{"signature/output": array}`. Drop all other signatures.

    Warm-up requests go, too: signatures that decode files take seconds.
    """
    file, found = folder / "assets.extra" / EXAMPLES, {}
    examples = json.loads(file.read_text())
    for where, array in changes.items():
        signature, output = where.split("/")
        found.setdefault(signature, examples[signature])["outputs"][output] = encode_array(array)
    file.write_text(json.dumps(found))
    (folder / "assets.extra" / WARMUP).unlink()
    write_checksums(folder, CHECKSUMS)


def rewrite_graph(folder, change):
    file = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    change(saved.meta_graphs[0])
    file.write_bytes(saved.SerializeToString())
    write_checksums(folder, CHECKSUMS)


def test_a_right_export(exported):
    found = verify(exported.parent)
    assert found.ok
    assert found.path == str(exported)
    assert found.notes == ()
    assert found.tensorflow == tf.__version__
    assert found.warmup_records == 2 * len(found.signatures)
    assert set(found.signatures) == set(found.differences) == set(found.timings)
    # The process optimises the graph, which fast tests do not.
    assert max(d for outputs in found.differences.values() for d in outputs.values()) < 1e-6
    for timed in found.timings.values():
        rates = timed["items_per_second"]
        assert set(rates) == {"1", "8", "32"}
        assert rates["1"] * timed["latency_seconds"] == pytest.approx(1)
        assert min(rates.values()) > 0
    # TensorFlow alone takes more than 100 MiB.
    assert found.peak_bytes > 100 * 2**20
    json.dumps(found.to_json(), allow_nan=False)


# What a checksum tells: the file is named, and no process is started.
CHANGED = {
    "labels": (
        lambda folder: (folder / "assets" / "labels.txt").write_text("green\nred\nblue\n"),
        "assets/labels.txt has changed since it was exported",
    ),
    "missing-asset": (
        lambda folder: (folder / "assets" / "labels.txt").unlink(),
        "assets/labels.txt is missing",
    ),
    "variables": (
        lambda folder: os.truncate(variables_file(folder), 100),
        "variables/variables.data-00000-of-00001 has changed since it was exported",
    ),
    "no-variables": (
        lambda folder: variables_file(folder).unlink(),
        "variables/variables.data-00000-of-00001 is missing",
    ),
    "graph": (
        lambda folder: (folder / "saved_model.pb").write_bytes(b""),
        "saved_model.pb has changed since it was exported",
    ),
    "no-graph": (
        lambda folder: (folder / "saved_model.pb").unlink(),
        "saved_model.pb is missing",
    ),
    "checksums": (
        lambda folder: os.truncate(folder / CHECKSUMS, 100),
        f"{CHECKSUMS} is damaged",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_file_is_named(exported, name):
    spoil, problem = CHANGED[name]
    spoil(exported)
    found = verify(exported.parent)
    assert found.problems == (problem,)
    assert not found.ok


def test_a_python_that_cannot_load_it_is_said(exported):
    found = verify(exported, python=shutil.which("false"))
    expected = "The process that loads the export ended with status 1: no error message"
    assert found.problems == (expected,)


def test_a_file_that_came_later_is_no_change(exported):
    (exported / "README.md").write_text("Ours.")
    (exported / "saved_model.pb").unlink()
    assert verify(exported.parent).problems == ("saved_model.pb is missing",)


def test_operations_and_assets_that_a_server_lacks(exported, verified_here):
    """A graph that others changed, with checksums to match."""

    def change(meta_graph):
        meta_graph.graph_def.node.add(name="strange", op="MyOwnKernel")
        meta_graph.graph_def.node.add(name="python", op="PyFunc")
        function = meta_graph.graph_def.library.function[0]
        function.node_def.add(name="strange", op="AnotherKernel")
        # A call of a function by its name is no operation.
        meta_graph.graph_def.node.add(name="call", op=function.signature.name)
        meta_graph.asset_file_def.add(filename="vocab.txt")

    rewrite_graph(exported, change)
    assert verify(exported).problems == (
        "The graph uses the operation PyFunc, which calls Python: a server has no Python",
        "The graph uses operations that neither TensorFlow nor tensorflow_text has: AnotherKernel, "
        "MyOwnKernel",
        "assets/vocab.txt is missing, but the graph reads this file",
    )


def test_answers_that_are_not_the_recorded_ones(exported, verified_here):
    change_recorded(
        exported,
        {
            "serving_default/score": np.zeros(4, np.float32),
            "pixels/probabilities": np.zeros((4, 3), np.float32),
            "pixels/class_id": np.full(4, 7),
            "pixels/label": np.array([b"red"], object),
        },
    )
    found = verify(exported, timings=False)
    *others, differs = found.problems
    assert others == [
        "The recorded examples name score, which is no input or output of serving_default",
        "pixels/class_id differs from the output of the model",
        "pixels/label is object[4], but was object[1] at the time of the export",
    ]
    assert differs.startswith("pixels/probabilities differs from the model by 0.")
    assert found.differences["pixels"]["label"] is None
    json.dumps(found.to_json(), allow_nan=False)


class Foreign(tf.Module):
    """Made by plain TensorFlow: one signature that can be batched, and two that say less."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable(tf.ones((3, 2)))

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def scores(self, x):
        return {"y": x @ self.weights}

    @tf.function(input_signature=[tf.TensorSpec([2, 3], tf.float32, name="x")])
    def pair(self, x):
        return {"y": x @ self.weights}


@pytest.fixture(scope="module")
def foreign_once(tmp_path_factory):
    folder, module = tmp_path_factory.mktemp("foreign"), Foreign()
    signatures = {"scores": module.scores, "pair": module.pair}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    updater.replace_method_name(signature_key="pair", method_name="our/method")
    updater.save()
    return folder


def test_an_export_of_others_passes_with_notes(foreign_once, verified_here):
    found = verify(foreign_once)
    assert found.ok
    assert found.notes == (
        "pair is not timed: the export has no example inputs for this signature",
        "The export has no recorded examples: its outputs were not compared",
        "The export has no warm-up requests: the first responses will be slow",
        "pair cannot be batched: the first dimension of inputs/x, outputs/y is fixed",
        "pair has the method name 'our/method', which no API of TensorFlow Serving uses",
        "The export has no signature serving_default: clients must name another signature",
    )
    assert found.signatures["scores"] == {
        "inputs": {"x": {"dtype": "float32", "shape": [-1, 3]}},
        "outputs": {"y": {"dtype": "float32", "shape": [-1, 2]}},
    }
    assert found.methods == {"scores": PREDICT, "pair": "our/method"}
    assert set(found.timings) == {"scores"}


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (
            lambda folder: os.truncate(variables_file(folder), 3),
            "The files in variables/ are truncated or damaged: ",
        ),
        pytest.param(
            lambda folder: (folder / "variables" / "variables.index").write_bytes(b"nothing"),
            "The files in variables/ are truncated or damaged: ",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda folder: (folder / "saved_model.pb").write_bytes(b"nothing"),
            "saved_model.pb is damaged: it is not a SavedModel",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda folder: (folder / "saved_model.pb").write_bytes(b""),
            "saved_model.pb has no graph tagged 'serve'",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_spoilt_export_of_others(foreign_once, verified_here, tmp_path, spoil, problem):
    folder = shutil.copytree(foreign_once, tmp_path / "1")
    spoil(folder)
    (said,) = verify(tmp_path).problems
    assert said.startswith(problem)


def test_no_export_there(tmp_path):
    with pytest.raises(ExportError, match=r"No export at .*expected a folder with saved_model.pb"):
        verify(tmp_path)
