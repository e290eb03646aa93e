"""What is exported has the temperature and the thresholds."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax

import keras_tl as ktl
from keras_tl.export.runtimes.file_export import RUNTIMES
from tests.conftest import export_unverified, make_small_learner

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3)).astype(np.float32)
LABELS = {
    "multiclass": [0, 1, 2] * 4,
    "binary": [0, 1] * 6,
    "multilabel": np.arange(36).reshape(12, 3) % 5 % 2,
}
TEMPERATURE = 2.0


def calibrated_learner(task):
    """A learner with a temperature, and thresholds that about half of the items are above of."""
    data = ktl.ImageData.from_arrays(PIXELS, LABELS[task], task=task, verbose=False)
    learner = make_small_learner(data)
    logits = learner.model(PIXELS, training=False).numpy() / TEMPERATURE
    thresholds = () if task == "multiclass" else tuple(np.median(expit(logits), axis=0).tolist())
    learner._state.config = dataclasses.replace(
        learner.config, temperature=TEMPERATURE, thresholds=thresholds
    )
    return learner, logits


def check(task, thresholds, logits, answers):
    expected = softmax(logits, axis=1) if task == "multiclass" else expit(logits)
    if task == "binary":
        expected = np.concatenate([expit(-logits), expected], axis=1)
    shares = np.asarray(answers["probabilities"])
    np.testing.assert_allclose(shares, expected, atol=1e-5)
    if task == "multilabel":
        decided = np.asarray(answers["labels_mask"])
        np.testing.assert_array_equal(decided, shares > np.float32(thresholds))
    else:
        decided = np.asarray(answers["class_id"])
        by_threshold = shares[:, 1] > np.float32(thresholds[0]) if thresholds else None
        wanted = shares.argmax(axis=1) if by_threshold is None else by_threshold
        np.testing.assert_array_equal(decided, wanted)
    # Otherwise the thresholds would decide nothing.
    assert task == "multiclass" or 0.2 < decided.mean() < 0.8


CASES = [("binary", "litert"), ("multilabel", "litert")]
DEARER = [("multiclass", "litert"), *((task, "onnx") for task in LABELS)]


@pytest.mark.parametrize(
    ("task", "kind"), [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in DEARER)]
)
def test_files_for_other_runtimes_have_them(tmp_path, task, kind):
    learner, logits = calibrated_learner(task)
    runtime = RUNTIMES[kind]
    file = learner.export(tmp_path / f"model{runtime.suffix}", format=kind)
    check(task, learner.config.thresholds, logits, runtime.ask(file, {"pixels": PIXELS}))
    about = json.loads(file.with_name(f"{file.name}.json").read_text("utf-8"))
    assert about["temperature"] == TEMPERATURE
    assert about["thresholds"] == list(learner.config.thresholds)


@pytest.mark.slow
@pytest.mark.parametrize("task", LABELS)
def test_saved_models_have_them(tmp_path, task):
    learner, logits = calibrated_learner(task)
    version = export_unverified(learner, tmp_path / "model")
    served = tf.saved_model.load(str(version)).signatures["pixels"](pixels=PIXELS)
    check(task, learner.config.thresholds, logits, served)
    assert "| Temperature | 2.0000 |" in (version / "MODEL_CARD.md").read_text("utf-8")
