"""The whole journey from the command line, from a weights file such as people have."""

import json
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from keras.src.legacy.saving import legacy_h5_format

from keras_tl.cli import cli

COLOURS = ("blue", "green", "red")


def call(*arguments):
    """Runs a command with --json and gives its result."""
    done = CliRunner().invoke(cli, [*map(str, arguments), "--json"], catch_exceptions=False)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for channel, name in enumerate(reversed(COLOURS)):
        (folder / name).mkdir()
        for number in range(12):
            pixels = rng.integers(0, 100, (40, 52, 3))
            pixels[..., channel] += 150
            content = tf.io.encode_jpeg(pixels.astype(np.uint8)).numpy()
            (folder / name / f"{number}.jpg").write_bytes(content)
    return folder


def save_as_published(network, path):
    """The older format, in which Keras publishes the weights of its applications."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


@pytest.mark.slow
def test_from_a_weights_file_to_a_verified_export(photos, tmp_path):
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    weights, run, exported = tmp_path / "vgg16_notop.h5", tmp_path / "run", tmp_path / "model"
    save_as_published(network, weights)

    trained = call(
        *("train", "--data", f"folder:{photos}", "--backbone", "vgg16", "--weights", weights),
        *("--image-size", 32, "--head-epochs", 3, "--fine-tune-epochs", 1, "--out", run),
        *("--seed", 0, "--learning-rate", 1e-4, "--no-augment"),
    )
    evaluated = call("evaluate", run, "--data", f"folder:{photos}")
    assert evaluated["accuracy"] == trained["fine_tuned"]["accuracy"]
    assert evaluated["loss"] == pytest.approx(trained["fine_tuned"]["loss"], rel=1e-4)
    assert evaluated["items"] == 5

    predicted = call("predict", run, photos / "red")
    assert len(predicted) == 12
    assert set(predicted[0]["probabilities"]) == set(COLOURS)

    version = call("export", run, "--out", exported)["version"]
    assert call("verify", exported)["ok"]
    served = tf.saved_model.load(version).signatures["serving_default"]
    contents = [Path(p["source"]).read_bytes() for p in predicted]
    np.testing.assert_allclose(
        served(image_bytes=tf.constant(contents))["probabilities"],
        [list(p["probabilities"].values()) for p in predicted],
        atol=1e-5,
    )
    call("report", run, "--out", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert all(part in page for part in ("Confusion matrix", "Grad-CAM", "before fine-tuning"))


@pytest.mark.slow
def test_a_refit_leaves_no_test_split(photos, tmp_path):
    trained = call(
        *("train", "--data", f"folder:{photos}", "--backbone", "efficientnet_lite0", "--refit"),
        *("--image-size", 64, "--minutes", 0.01, "--seed", 0, "--out", tmp_path / "run"),
    )
    assert (trained["fit"]["refit"], trained["fit"]["trained_on"]) == (True, 36)
    assert trained["head"]["accuracy"] >= 0
    assert trained.get("fine_tuned") is None
    assert len(call("predict", tmp_path / "run", photos / "red")) == 12
    call("report", tmp_path / "run")
    assert "no untouched test split exists" in (tmp_path / "run" / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_a_head_on_a_weights_file_of_keras_3(photos, tmp_path):
    network = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
    weights, run = tmp_path / "resnet50.weights.h5", tmp_path / "run"
    network.save_weights(weights)
    trained = call(
        *("train", "--data", f"folder:{photos}", "--backbone", "resnet50", "--weights", weights),
        *("--image-size", 32, "--head-epochs", 3, "--fine-tune-epochs", 0, "--out", run),
        *("--seed", 0, "--no-preflight"),
    )
    evaluated = call("evaluate", run, "--data", f"folder:{photos}")
    assert evaluated["accuracy"] == trained["head"]["accuracy"]
    assert evaluated["loss"] == pytest.approx(trained["head"]["loss"], rel=1e-4)


# The label of a single-coloured image, made from its channels, and an output of the export.
TASKS = {
    "binary": (lambda c: "warm" if c[0] > c[2] else "cold", "probabilities"),
    "multilabel": (
        lambda c: ";".join(n for n, v in zip("rgb", c, strict=True) if v > 127),
        "labels_mask",
    ),
    "regression": (lambda c: f"{sum(c) / 3:.1f}", "value"),
}


# The fast tier has the tasks in tests/test_tasks.py, from Python.
@pytest.mark.slow
@pytest.mark.parametrize("task", ["multilabel", "binary", "regression"])
def test_every_task_from_a_table_to_a_verified_export(tmp_path, task):
    label_of, output = TASKS[task]
    rng = np.random.default_rng(0)
    rows = ["path,label,camera"]
    for number in range(24):
        colour = rng.integers(0, 255, 3)
        pixels = np.broadcast_to(colour, (33, 40, 3)).astype(np.uint8)
        (tmp_path / f"{number}.png").write_bytes(tf.io.encode_png(pixels).numpy())
        rows.append(f"{number}.png,{label_of(colour)},{'xy'[number % 2]}")
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(rows))

    run = tmp_path / "run"
    trained = call(
        *("train", "--data", f"csv:{table}", "--image-size", 32, "--head-epochs", 2),
        *("--fine-tune-epochs", 0, "--seed", 0, "--out", run),
    )
    evaluated = call("evaluate", run, "--data", f"csv:{table}")
    assert evaluated["items"] == 4
    for name, value in trained["head"].items():
        assert evaluated[name] == pytest.approx(value, rel=1e-4), name
    by = call("evaluate", run, "--data", f"csv:{table}", "--split", "train", "--by", "camera")
    assert [one["value"] for one in by["slices"]["slices"]] == ["x", "y"]
    losses = call("losses", run, "--data", f"csv:{table}", "--count", 2)["items"]
    assert losses[0]["source"].endswith(".png")
    if task != "regression":
        fitted = call("calibrate", run, "--data", f"csv:{table}")
        chosen = call("thresholds", run, "--data", f"csv:{table}", "--min-recall", 0.5)
        config = json.loads((run / "run.json").read_text("utf-8"))["config"]
        assert config["temperature"] == fitted["temperature"] != 1
        assert config["thresholds"] == [one["threshold"] for one in chosen["labels"]]
    predicted = call("predict", run, tmp_path / "0.png", tmp_path / "1.png")
    assert len(predicted) == 2
    version = call("export", run, "--out", tmp_path / "model", "--serving")["version"]
    assert (tmp_path / "model" / "serving" / "models.config").is_file()
    found = call("verify", version)
    assert found["ok"]
    assert output in found["signatures"]["serving_default"]["outputs"]
    features = call("features", run, tmp_path / "0.png", "--out", tmp_path / "f.npy")
    assert np.load(tmp_path / "f.npy").shape == (1, features["width"])
    call("report", run, "--out", tmp_path / "report.html")
    assert task in (tmp_path / "report.html").read_text("utf-8")
