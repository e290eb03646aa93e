"""Every task from data to export, and what its losses, weights and answers are."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.base.config import MONITORS, Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError, DataError
from keras_tl.tasks import TASKS, label_encoder, monitored, monitored_value
from keras_tl.tasks.labels.task_choice import read_splits
from tests.conftest import export_unverified, make_small_learner


def colours(count=48, size=16):
    """Images of one random colour each, and the colours, in [0, 1]."""
    rng = np.random.default_rng(0)
    shares = rng.uniform(0, 1, (count, 3))
    noise = rng.uniform(0, 20, (count, size, size, 3))
    return (shares[:, None, None, :] * 235 + noise).astype(np.float32), shares


IMAGES, SHARES = colours()
# What the labels are, and which metric says how good a head is; each can be learned from colour.
LABELS = {
    "multiclass": np.array(["red", "green", "blue"])[SHARES.argmax(axis=1)],
    "binary": np.where(SHARES[:, 0] > 0.5, "warm", "cold"),
    "multilabel": [
        [name for name, share in zip("rgb", row, strict=True) if share > 0.5] for row in SHARES
    ],
    "regression": 1000 + 500 * SHARES.mean(axis=1),
}
OUTPUTS = {
    "multiclass": {"probabilities": [None, 3], "class_id": [None], "label": [None]},
    "binary": {"probabilities": [None, 2], "class_id": [None], "label": [None]},
    "multilabel": {"probabilities": [None, 3], "labels_mask": [None, 3]},
    "regression": {"value": [None]},
}
STANDARD_OUTPUTS = {
    **{
        task: {"classes": outputs["probabilities"], "scores": outputs["probabilities"]}
        for task, outputs in OUTPUTS.items()
        if task != "regression"
    },
    "regression": {"outputs": [None]},
}
# A value of the headline metric that a model without any knowledge cannot reach.
REACHED = {
    "multiclass": lambda m: m["accuracy"] > 0.6,
    "binary": lambda m: m["auc"] > 0.8,
    "multilabel": lambda m: m["mean_average_precision"] > 0.75,
    "regression": lambda m: m["r2"] > 0.3,
}


def make_learner(task, validation_split=0.15, **options):
    data = ktl.ImageData.from_arrays(
        IMAGES, LABELS[task], test_split=0.3, validation_split=validation_split
    )
    assert data.task == task
    return make_small_learner(data, image_size=16, **options)


# The fast tier has multiclass journeys in tests/test_learner.py and tests/test_conformance.py.
@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_the_whole_journey(task, tmp_path):
    learner = make_learner(task, head=ktl.HeadConfig(dropout=0.0))
    learner.fit_head(epochs=60, learning_rate=0.03, batch_size=8)
    learner.fine_tune(epochs=1, learning_rate=1e-3, augment=False)
    metrics = learner.evaluate()
    assert REACHED[task](metrics), metrics
    assert learner.task.primary_metric in metrics

    learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", data=learner.data, verbose=False)
    assert loaded.evaluate() == metrics
    predictions = loaded.predict(IMAGES[:5])
    assert len(predictions.to_json()) == len(list(predictions)) == 5
    assert all(str(item) and item.name for item in predictions)

    version = export_unverified(loaded, tmp_path / "model")
    signatures = tf.saved_model.load(str(version)).signatures
    shapes = {
        name: {key: spec.shape.as_list() for key, spec in signature.structured_outputs.items()}
        for name, signature in signatures.items()
    }
    valid, standard = {"valid": [None]}, "regress" if task == "regression" else "classify"
    assert shapes == {
        "serving_default": OUTPUTS[task] | valid,
        "pixels": OUTPUTS[task],
        "embed": {"features": [None, math.prod(loaded.trainer.parts.extractor.output_shape[1:])]}
        | valid,
        standard: STANDARD_OUTPUTS[task],
    }
    for name, values in signatures["pixels"](tf.constant(IMAGES[:5])).items():
        expected = loaded.serving_model.answers_to([("pixels", {"pixels": IMAGES[:5]})])[name]
        if values.dtype.is_floating:
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(values, expected)
    assert (version / "assets" / "labels.txt").exists() == (task != "regression")

    page = loaded.report(tmp_path / "report.html").read_text("utf-8")
    for part in (task, "Learning curves", "Largest losses"):
        assert part in page


@pytest.mark.parametrize(
    ("task", "smoothing"),
    [*((task, 0.0) for task in TASKS), *((task, 0.1) for task in TASKS if task != "regression")],
)
def test_what_is_watched_of_a_split_is_what_fit_reports(task, smoothing):
    learner = make_learner(task)
    with eagerly():
        record = learner.fit_head(epochs=2, learning_rate=0.01, label_smoothing=smoothing)
    validation = learner.data.split("validation")
    logits = learner.trainer.logits(validation)
    for monitor in MONITORS:
        phase = dataclasses.replace(record.phase, monitor=monitor)
        name, _ = monitored(learner.task, phase)
        reported = record.epochs[record.best_epoch - 1][f"val_{name}"]
        found = monitored_value(learner.task, phase, labels=validation.labels, logits=logits)
        assert found == pytest.approx(reported, rel=1e-4)


# For each task the name of its metric, and which of its values is the best.
METRIC = {
    "multiclass": ("accuracy", np.argmax),
    "binary": ("accuracy", np.argmax),
    "multilabel": ("auc", np.argmax),
    "regression": ("mae", np.argmin),
}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_the_best_epoch_is_that_of_what_is_watched(task):
    learner = make_learner(task)
    learner.fit_head(epochs=1)
    for monitor in MONITORS:
        phase = Phase("tune", epochs=4, learning_rate=0.02, unfreeze="all", monitor=monitor)
        name, best = ("loss", np.argmin) if monitor == "loss" else METRIC[task]
        assert monitored(learner.task, phase) == (name, best is np.argmax)
        validation = learner.data.split("validation")
        logits = learner.trainer.logits(validation)
        before = monitored_value(learner.task, phase, labels=validation.labels, logits=logits)
        (record,) = learner.fine_tune(policy=phase, augment=False)
        values = [before, *(epoch[f"val_{name}"] for epoch in record.epochs)]
        assert record.best_epoch == int(best(values))


def test_two_classes_have_the_answers_of_a_softmax_of_two():
    logits = np.array([[-30.0], [-1.0], [0.0], [2.0]], np.float32)
    task = TASKS["binary"](("no", "yes"))
    answers = task.answers(tf.constant(logits))
    both = np.concatenate([np.zeros_like(logits), logits], axis=1)
    np.testing.assert_allclose(answers["probabilities"], tf.nn.softmax(both), rtol=1e-5)
    assert answers["label"].numpy().tolist() == [b"no", b"no", b"no", b"yes"]


@pytest.mark.parametrize("task", ["multiclass", "binary"])
def test_balanced_weights_make_all_classes_weigh_the_same(task):
    names = ("a", "b", "c")[: 3 if task == "multiclass" else 2]
    labels = np.repeat(np.arange(len(names)), [1, 4, 11][: len(names)])
    made = TASKS[task](names)
    weights = made.class_weights(labels, "balanced")
    for shares in {False, task == "multiclass"}:
        targets = tf.constant(made.targets(labels, shares))
        each = made.sample_weights(targets, weights).numpy()
        assert each.sum() == pytest.approx(len(labels))
        totals = np.bincount(labels, weights=each)
        np.testing.assert_allclose(totals, totals[0], rtol=1e-6)
    assert made.class_weights(labels, None) is None
    np.testing.assert_array_equal(made.class_weights(labels, {"b": 3.0})[:2], [1, 3])


@pytest.mark.parametrize(
    ("task", "cache"),
    [
        ("multiclass", "memory"),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in (("binary", "off"), ("multiclass", "off"), ("binary", "memory"))
        ),
    ],
)
def test_a_class_without_weight_is_never_learned(task, cache):
    learner = make_learner(task, validation_split=0)  # which would keep weights of before
    weights = {
        name: float(name == learner.config.class_names[0]) for name in learner.config.class_names
    }
    learner.fit_head(epochs=25, learning_rate=0.1, class_weight=weights, cache=cache)
    assert set(learner.predict(IMAGES).labels) == {learner.config.class_names[0]}


MIXES = ("mixup", "cutmix", ["standard", "mixup"])
FAST_MIX = ("multiclass", "mixup")


@pytest.mark.parametrize(
    ("task", "augment"),
    [
        pytest.param(task, augment, marks=[pytest.mark.slow] * ((task, augment) != FAST_MIX))
        for task in ("multiclass", "binary", "multilabel")
        for augment in MIXES
    ],
)
def test_mixed_labels_are_trained_on(task, augment):
    learner = make_learner(task)
    options = {} if task == "multilabel" else {"class_weight": "balanced"}
    options |= {"learning_rate": 0.01, "label_smoothing": 0.1}
    with eagerly():
        record = learner.fit_head(epochs=2, augment=augment, **options)
        learner.fine_tune(epochs=1, augment=augment)
    assert not record.cached
    assert all(math.isfinite(value) for epoch in record.epochs for value in epoch.values())


# The task, what is asked of `fit_head`, and what must be said.
REFUSED = {
    "regression-smoothing": (
        "regression",
        {"label_smoothing": 0.1},
        "label_smoothing= needs classes",
    ),
    "regression-weights": ("regression", {"class_weight": "balanced"}, "The task is regression"),
    "regression-mixup": ("regression", {"augment": "mixup"}, "The task is regression"),
    "multilabel-weights": ("multilabel", {"class_weight": "balanced"}, "The task is multilabel"),
    "unknown-class": ("binary", {"class_weight": {"hot": 2.0}}, "class in class_weight 'hot'"),
    "unknown-weights": ("binary", {"class_weight": "even"}, "Unknown class_weight 'even'"),
    "negative-weight": ("binary", {"class_weight": {"warm": -1.0}}, "class_weight.'warm'. must"),
    "too-smooth": ("binary", {"label_smoothing": 1.0}, "label_smoothing must be"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_task_has_not_is_refused_before_anything_is_trained(name):
    task, asked, message = REFUSED[name]
    learner = make_learner(task)
    for train in (learner.fit_head, learner.fine_tune):
        with pytest.raises(ConfigError, match=message):
            train(epochs=1, **asked)
    assert learner.history == ()


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_regression_does_not_depend_on_the_unit(optimizer):
    def train(scale):
        labels = LABELS["regression"] * scale
        data = ktl.ImageData.from_arrays(IMAGES, labels)
        learner = make_small_learner(data, image_size=16)
        learner.trainer.run(Phase("head", epochs=5, learning_rate=0.01, optimizer=optimizer), data)
        return learner.evaluate()

    small, large = train(1e-3), train(1e3)
    assert large["r2"] == pytest.approx(small["r2"], abs=1e-3)
    assert large["mae"] == pytest.approx(small["mae"] * 1e6, rel=1e-3)


def test_a_constant_target_is_learned():
    # Not the 9e-8 that is rounding.
    assert TASKS["regression"].target_fields(np.full(60, 0.3, np.float32))["target_scale"] == 1
    data = ktl.ImageData.from_arrays(IMAGES, np.full(len(IMAGES), 7.5))
    learner = make_small_learner(data, image_size=16)
    learner.fit_head(epochs=1)
    assert learner.evaluate()["mae"] < 1


def test_a_run_with_two_logits_for_two_classes_takes_binary_data(tmp_path):
    data = ktl.ImageData.from_arrays(IMAGES, LABELS["binary"], task="multiclass")
    learner = make_small_learner(data, image_size=16)
    learner.save(tmp_path / "run")
    binary = ktl.ImageData.from_arrays(IMAGES, LABELS["binary"])
    loaded = ktl.Learner.load(tmp_path / "run", data=binary, verbose=False)
    assert loaded.model.output_shape == (None, 2)
    loaded.fit_head(epochs=1)
    assert loaded.evaluate()["items"] == len(binary.split("test"))
    other = ktl.ImageData.from_arrays(IMAGES, LABELS["regression"])
    with pytest.raises(
        DataError, match="the task multiclass, but the data have the task regression"
    ):
        ktl.Learner.load(tmp_path / "run", data=other)


def test_training_from_random_weights_moves_the_statistics(tiny_data):
    learner = make_small_learner(tiny_data)
    statistics = [w for w in learner.backbone.weights if "moving_" in w.path]
    before = [w.numpy() for w in statistics]
    with eagerly():
        (record,) = learner.fine_tune(epochs=1, policy="scratch", augment=False)
    assert record.phase.name == "scratch"
    assert len(learner.history) == 1
    assert all(np.any(w.numpy() != b) for w, b in zip(statistics, before, strict=True))
    moved = [w.numpy() for w in statistics]
    train = tiny_data.split("train")
    with eagerly():
        learner.fine_tune(epochs=1, augment=False)
        learner.model.fit(train.images, train.labels, verbose=0)
    assert all(np.array_equal(w.numpy(), m) for w, m in zip(statistics, moved, strict=True))


# Labels; the arguments; the task, the names and the coded labels expected.
CODED = {
    "strings": (["b", "a", "c"], {}, "multiclass", ("a", "b", "c"), [1, 0, 2]),
    "two": (["b", "a", "b"], {}, "binary", ("a", "b"), [1, 0, 1]),
    "two-as-several": (["b", "a"], {"task": "multiclass"}, "multiclass", ("a", "b"), [1, 0]),
    "bools": ([True, False], {}, "binary", ("False", "True"), [1, 0]),
    "integers": ([7, 5, 9] * 2, {}, "multiclass", ("5", "7", "9"), [1, 0, 2] * 2),
    "named": ([2, 0], {"class_names": "abc"}, "multiclass", ("a", "b", "c"), [2, 0]),
    "floats": ([0.5, 2.0], {}, "regression", (), [0.5, 2.0]),
    "whole": ([3, 1], {"task": "regression"}, "regression", (), [3, 1]),
    "float-ids": (
        [1.0, 3.0, 2.0],
        {"task": "multiclass"},
        "multiclass",
        ("1", "2", "3"),
        [0, 2, 1],
    ),
    "one-hot": (np.eye(3)[[2, 0]], {}, "multiclass", ("0", "1", "2"), [2, 0]),
    "one-hot-named": (np.eye(2)[[1, 0]], {"class_names": "ab"}, "binary", ("a", "b"), [1, 0]),
    "rows": ([[1, 1], [0, 0]], {}, "multilabel", ("0", "1"), [[1, 1], [0, 0]]),
    "one-hot-labels": (
        np.eye(2)[[1, 0]],
        {"task": "multilabel"},
        "multilabel",
        ("0", "1"),
        [[0, 1], [1, 0]],
    ),
    "lists": ([["b"], [], ["a", "b"]], {}, "multilabel", ("a", "b"), [[0, 1], [0, 0], [1, 1]]),
    "sets": ([{"b"}, {"a", "b"}], {}, "multilabel", ("a", "b"), [[0, 1], [1, 1]]),
}


def coded(y, class_names=None, task=None):
    """What codes the labels, and the coded labels."""
    read, meaning = read_splits({"train": (y, y)}, "image", class_names, task)
    labels = read["train"][1]
    encoder = label_encoder(labels, meaning.class_names, task=meaning.task)
    return encoder, encoder.code(labels, len(y), "train")


@pytest.mark.parametrize("name", CODED)
def test_labels_decide_the_task(name):
    y, options, task, names, expected = CODED[name]
    encoder, labels = coded(y, **options)
    assert (encoder.task, encoder.class_names) == (task, names)
    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == (np.int64 if task in ("multiclass", "binary") else np.float32)


UNUSABLE = {
    "not-finite": ([0.5, math.inf, 1.0], {}, r"1 of the 3 train targets are not finite.*rows 1"),
    "words": (["a", "b"], {"task": "regression"}, r"Expected numbers as train targets"),
    "not-0-and-1": ([[1, 2], [0, 1]], {}, r"rows of 0 and 1.*from 0 to 2"),
    "no-label": ([[], []], {}, r"at least one item with a label"),
    "three-for-two": (["a", "b", "c"], {"task": "binary"}, r"two classes, found 3: a, b, c"),
    "columns": (
        [[1, 1], [0, 1]],
        {"class_names": "abc"},
        r"Expected 3 columns.*Received: 2 columns",
    ),
    "unknown-label": ([["a"], ["z", "b"]], {"class_names": "ab"}, r"Unknown train label 'z'"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_labels_that_make_no_task_are_explained(name):
    y, options, message = UNUSABLE[name]
    with pytest.raises(DataError, match=message):
        coded(y, **options)
    with pytest.raises(ConfigError, match="Unknown task 'ranking'"):
        coded(y, task="ranking")


def test_a_compiled_model_fits_with_plain_keras():
    learner = make_learner("binary")
    learner.fit_head(epochs=1)
    split = learner.data.split("train")
    assert isinstance(learner.model.loss, keras.losses.BinaryCrossentropy)
    found = learner.model.evaluate(split.images, split.labels, verbose=0, return_dict=True)
    metrics = learner.evaluate("train")
    assert found["accuracy"] == pytest.approx(metrics["accuracy"])
    assert found["loss"] == pytest.approx(metrics["loss"], rel=1e-4)
    assert found["auc"] == pytest.approx(metrics["auc"], abs=0.02)
