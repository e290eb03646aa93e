"""`fit_head` with its defaults ends at the regularised optimum, whatever it is given."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.training.dense_embedding_gradients import SGD, Adam, AdamW
from keras_tl.training.head_solver import Problem, Standardisation
from keras_tl.training.optimizers import make_schedule
from tests.conftest import make_small_learner


def hard_data(kind="multiclass", count=60):
    """Noisy images that no head can tell apart perfectly."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 255, (count, 32, 32, 3)).astype(np.float32)
    score = pixels.mean(axis=(1, 2)) - 127.5 + rng.normal(size=(count, 3)) * 2
    pixels += 4 * score[:, None, None]
    labels = {
        "multiclass": score.argmax(axis=1),
        "binary": (score[:, 0] > 0).astype(int),
        "multilabel": (score > 0).astype(int),
        "regression": score[:, 0] * 10 + 500,
    }[kind]
    return ktl.ImageData.from_arrays(
        np.clip(pixels, 0, 255), labels, task=kind, validation_split=0.2, test_split=0.2
    )


def gradients_at_the_end(learner, record, **phase):
    """Of the penalised mean loss by kernel and bias, on standardised features."""
    split = learner.data.split("train")
    features = learner.features(learner.data.split("train")).astype(np.float64)
    task = learner.task
    targets = task.dense_targets(split.labels, phase.get("label_smoothing", 0.0))
    kernel, bias = (
        w.astype(np.float64) for w in learner.trainer.parts.head.get_layer("logits").get_weights()
    )
    _, gradient = task.convex_loss(features @ kernel + bias, targets)
    weights = task.class_weights(split.labels, phase.get("class_weight"))
    if weights is not None:
        gradient *= weights[split.labels][:, None]
    standardisation = Standardisation.of(features)
    x = standardisation.apply(features)
    by_kernel = x.T @ gradient / len(x) + record.l2 * kernel * standardisation.scale[:, None]
    return np.abs(by_kernel).max(), np.abs(gradient.mean(axis=0)).max()


OPTIONS = {
    "multiclass": {},
    "binary": {},
    "multilabel": {},
    "regression": {},
    "balanced": {"class_weight": "balanced"},
    "smoothed": {"label_smoothing": 0.2},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_defaults_end_at_the_optimum(name):
    kind = name if name in ("binary", "multilabel", "regression") else "multiclass"
    learner = make_small_learner(hard_data(kind))
    before = learner.trainer.parts.head.get_weights()
    record = learner.fit_head(**OPTIONS[name])
    assert record.solved
    assert record.l2 > 0
    assert max(gradients_at_the_end(learner, record, **OPTIONS[name])) < 5e-3
    # At the beginning it was not there.
    learner.trainer.parts.head.set_weights(before)
    assert max(gradients_at_the_end(learner, record, **OPTIONS[name])) > 2e-2


@pytest.mark.parametrize("given", ["mirrored", "mixed_bfloat16"])
def test_replicas_and_half_precision_end_there_too(given):
    options = {"strategy": given} if given == "mirrored" else {"precision": given}
    learner = make_small_learner(hard_data(), **options)
    record = learner.fit_head()
    assert record.solved
    assert max(gradients_at_the_end(learner, record)) < 5e-3


def test_what_the_user_gives_means_what_it_says():
    learner = make_small_learner(hard_data())
    with eagerly():
        record = learner.fit_head(epochs=3, learning_rate=0.01, batch_size=4)
    phase = record.phase
    assert (phase.epochs, phase.learning_rate, phase.batch_size) == (3, 0.01, 4)
    assert len(record.epochs) == 3
    steps = -(-len(learner.data.split("train")) // 4)
    rate = float(make_schedule(phase, 3 * steps)(steps - 1))
    assert record.epochs[0]["learning_rate"] == pytest.approx(rate, rel=1e-4)


def test_the_validation_split_has_no_say():
    learner = make_small_learner(hard_data())
    chosen = learner.fit_head().l2
    shuffled = learner.data.split("validation")
    shuffled.labels[:] = np.random.default_rng(1).permutation(shuffled.labels)
    assert learner.fit_head().l2 == chosen


@pytest.mark.parametrize("cache", ["memory", "off"])
def test_augmented_images_train_the_head_further(cache):
    learner = make_small_learner(hard_data())
    with eagerly():
        record = learner.fit_head(epochs=2, augment="standard", cache=cache)
    assert (record.cached, record.solved, len(record.epochs)) == (False, False, 2)


@pytest.mark.slow
def test_few_items_get_as_many_steps_as_many_do():
    learner = make_small_learner(hard_data(), head=ktl.HeadConfig(hidden=(4,)))
    record = learner.fit_head()
    steps = -(-len(learner.data.split("train")) // 32)
    assert (record.phase.epochs - 1) * steps < 500 <= record.phase.epochs * steps


def test_features_that_do_not_fit_in_memory_begin_on_a_sample(tmp_path):
    learner = make_small_learner(hard_data())
    row = 4 * learner.trainer.parts.extractor.output_shape[-1]
    cache = ktl.CacheConfig("disk", folder=str(tmp_path), memory_limit=20 * row)
    record = learner.fit_head(epochs=2, cache=cache)
    assert not record.solved
    assert record.l2 > 0


def test_a_solved_head_trains_on_a_fine_tuned_backbone(tiny_data):
    learner = make_small_learner(tiny_data)
    with eagerly():
        learner.fit_head()
        learner.fine_tune(1, augment=False)
    record = learner.fit_head()
    assert record.solved
    rows = learner.data.split("train").images
    np.testing.assert_allclose(
        learner.trainer.parts.head(learner.features(learner.data.split("train"))),
        learner.model(rows),
        rtol=1e-3,
        atol=1e-3,
    )


def test_the_penalty_is_part_of_every_optimizer():
    for make in (SGD, Adam, AdamW):
        kernel, bias = (keras.Variable(np.ones(s, "float32")) for s in ((2, 2), (2,)))
        optimizer = make(0.1, l2=0.5)
        optimizer.apply([tf.zeros((2, 2)), tf.zeros(2)], [kernel, bias])
        assert np.all(kernel.numpy() < 1), make
        if make is not AdamW:  # whose own decay is for all
            np.testing.assert_array_equal(bias.numpy(), 1)
        assert type(optimizer).from_config(optimizer.get_config()).l2 == 0.5


def test_a_problem_keeps_its_rows_together():
    problem = Problem(np.eye(3), np.eye(3), None, 1.0, classes=np.arange(3), weights=np.ones(3))
    some = problem.take(np.array([2, 0]))
    assert some.classes.tolist() == [2, 0]
    assert some.groups is None
