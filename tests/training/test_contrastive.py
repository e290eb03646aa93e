"""Contrastive phases: the loss, what is refused, and a learner that runs one."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.backbones.layer import leaf_layers
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.comparison.budget import Protocol
from keras_tl.errors import ConfigError
from keras_tl.evaluation.phase_call import call_of
from keras_tl.export.verification import verify
from keras_tl.learner.reporting import facts
from keras_tl.runs.history import PhaseRecord
from keras_tl.training.contrastive import SupervisedContrastive
from keras_tl.training.policies import POLICIES, SOLVED_HEAD
from tests import kerashub_presets
from tests.conftest import make_small_learner, make_tiny_data
from tests.test_text_journey import make_texts

(PHASE,) = POLICIES["contrastive"]["image"]
SHORT = dataclasses.replace(PHASE, epochs=1, batch_size=12)


def reference(labels, features, temperature):
    """Equation 2 of Khosla et al., item by item, in float64."""
    z = np.reshape(features, (len(features), -1)).astype(np.float64)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    found = []
    for i, own in enumerate(labels):
        others = [a for a in range(len(z)) if a != i]
        total = sum(np.exp(z[i] @ z[a] / temperature) for a in others)
        pairs = [p for p in others if labels[p] == own]
        shares = [np.log(np.exp(z[i] @ z[p] / temperature) / total) for p in pairs]
        found.append(-np.mean(shares) if pairs else 0.0)
    return np.array(found)


# Labels, and the shape of one item's features.
BATCHES = {
    "two-classes": ([0, 1, 0, 1, 1, 0], (4,)),
    "unequal": ([2, 2, 2, 0, 0, 7], (5,)),
    "all-one-class": ([3, 3, 3], (2,)),
    "maps": ([0, 1, 1, 0], (2, 3, 4)),
}


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("name", BATCHES)
def test_the_loss_is_that_of_the_paper(name, temperature):
    labels, shape = BATCHES[name]
    features = np.random.default_rng(0).normal(size=(len(labels), *shape)).astype(np.float32)
    loss = SupervisedContrastive(temperature, reduction=None)
    expected = reference(labels, features, temperature)
    for given in (np.array(labels), np.array(labels, np.float32)[:, None]):
        np.testing.assert_allclose(loss(given, features), expected, rtol=1e-4, atol=1e-5)
    # Only directions count.
    np.testing.assert_allclose(loss(labels, 7 * features), expected, rtol=1e-4, atol=1e-5)


def test_its_gradient_is_that_of_the_reference():
    labels = np.array([0, 1, 0, 1, 0])
    features = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    variable = tf.Variable(features)
    with tf.GradientTape() as tape:
        value = SupervisedContrastive(0.5)(labels, variable)
    found = tape.gradient(value, variable).numpy()
    for place in np.ndindex(features.shape):
        step = np.zeros(features.shape)
        step[place] = 1e-4
        up, down = (reference(labels, features + s, 0.5).mean() for s in (step, -step))
        assert found[place] == pytest.approx((up - down) / 2e-4, abs=1e-3)


def test_features_that_lie_together_by_class_have_the_lower_loss():
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2], 4)
    centres = np.eye(3)[labels]
    losses = [
        float(SupervisedContrastive()(labels, centres + spread * rng.normal(size=(12, 3))))
        for spread in (0.0, 0.3, 3.0)
    ]
    assert losses == sorted(losses)
    # Three others of the class, each with a third of the probability.
    assert losses[0] == pytest.approx(np.log(3), abs=1e-3)
    assert float(SupervisedContrastive()(np.roll(labels, 2), centres)) > losses[0] + 1


def test_the_loss_is_made_again_of_its_configuration():
    loss = SupervisedContrastive(0.3)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert (type(again), again.temperature) == (SupervisedContrastive, 0.3)


def data_of(task):
    rng = np.random.default_rng(0)
    labels = {"multilabel": rng.integers(0, 2, (24, 3)), "regression": rng.normal(size=24)}
    pixels = rng.uniform(0, 255, (24, 32, 32, 3))
    return ktl.ImageData.from_arrays(pixels, labels[task], task=task, verbose=False)


# What is asked for, and a part of the one sentence.
REFUSED = {
    "multilabel": (lambda: data_of("multilabel"), {}, "The task is multilabel"),
    "regression": (lambda: data_of("regression"), {}, "The task is regression"),
    "mixing": (make_tiny_data, {"augment": "mixup"}, "'mixup' and 'cutmix' mix labels"),
    "batch": (make_tiny_data, {"batch_size": 3}, "at least 4 items.*batch_size=3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_come_before_any_training(name):
    data, options, message = REFUSED[name]
    learner = make_small_learner(data())
    with pytest.raises(ConfigError, match=message):
        learner.fine_tune(policy="contrastive", **options)
    assert learner.history == ()


def test_a_phase_that_freezes_the_backbone_cannot_be_contrastive():
    with pytest.raises(ConfigError, match="unfreeze is None"):
        Phase("p", epochs=1, learning_rate=0.1, objective="contrastive")
    with pytest.raises(ConfigError, match="Unknown objective 'contrast'"):
        Phase("p", epochs=1, learning_rate=0.1, unfreeze="all", objective="contrast")


def test_a_comparison_has_no_contrastive_arm():
    with pytest.raises(ConfigError, match="a contrastive phase has none"):
        Protocol(policy="contrastive").budget("image")


def separation(learner):
    """Mean cosine of two items of one class minus that of two of different classes."""
    split = learner.data.split("train")
    z = np.concatenate(list(learner.trainer.features.batches(split)))
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    same = split.labels[:, None] == split.labels
    return (z @ z.T)[same].mean() - (z @ z.T)[~same].mean()


def fitted_accuracy(learner):
    """In training, of a head that has had the steps it needs on the features as they are now."""
    assert learner.fit_head(epochs=30, learning_rate=0.1).cached
    return learner.evaluate("train")["accuracy"]


def test_a_learner_s_features_are_drawn_together_by_class(small_learner, tmp_path):
    before = separation(small_learner)
    layers = leaf_layers(small_learner.backbone.network)
    norm = next(layer for layer in layers if layer.name == "first_norm")
    statistics = [norm.moving_mean.numpy(), norm.moving_variance.numpy()]
    phase = dataclasses.replace(SHORT, epochs=3, learning_rate=1e-2)
    with eagerly():
        tuned, head = small_learner.fine_tune(policy=phase, augment=False)
    assert (tuned.phase.objective, tuned.cached, head.cached) == ("contrastive", False, True)
    assert dataclasses.replace(head.phase, l2="auto") == SOLVED_HEAD
    assert head.l2 == 100 / len(small_learner.data.split("train"))
    assert set(tuned.epochs[0]) == {"loss", "learning_rate"}
    assert tuned.epochs[-1]["loss"] < tuned.epochs[0]["loss"]
    assert separation(small_learner) > before + 0.1
    np.testing.assert_array_equal(norm.moving_mean, statistics[0])
    np.testing.assert_array_equal(norm.moving_variance, statistics[1])
    assert small_learner.history == (tuned, head)
    assert fitted_accuracy(small_learner) > 0.9
    phases = ktl.overfitting(small_learner).phases
    assert [phase.name for phase in phases] == ["contrastive", "head", "head"]
    small_learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    assert loaded.history == small_learner.history
    pixels = small_learner.data.split("test").images
    answers = small_learner.predict(pixels).probabilities
    np.testing.assert_array_equal(loaded.predict(pixels).probabilities, answers)


@pytest.mark.slow
def test_fine_tuning_goes_on_from_there(small_learner):
    small_learner.fine_tune(policy=[SHORT, *POLICIES["standard"]["image"]], epochs=None)
    names = [record.phase.name for record in small_learner.history]
    assert names == ["contrastive", "head", "fine-tune"]


def test_the_phase_is_written_as_a_call():
    call = call_of(dataclasses.replace(PHASE, epochs=2), "image")
    assert (call.function, call.arguments) == ("fine_tune", {"policy": "contrastive", "epochs": 2})


def test_the_card_does_not_train_the_head_twice(small_learner):
    for phase in (SOLVED_HEAD, PHASE, SOLVED_HEAD):
        small_learner.trainer.history.append(
            PhaseRecord(phase, ({"loss": 1.0},), 1.0, 1, cached=False)
        )
    lines = facts(small_learner._state).calls
    assert sum("fit_head" in line for line in lines) == 1
    assert any('policy="contrastive"' in line for line in lines)


@pytest.mark.slow
def test_one_seed_repeats_it():
    def train(seed):
        learner = make_small_learner(make_tiny_data(6), seed=seed)
        learner.fine_tune(policy=SHORT)
        return learner.model.get_weights()

    first, again, other = train(0), train(0), train(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.slow
def test_the_finder_sweeps_it_and_changes_nothing(small_learner):
    before = small_learner.model.get_weights()
    found = small_learner.lr_find("fine-tune", policy="contrastive", steps=12)
    assert found.phase.objective == "contrastive"
    assert len(found.losses) > 3
    for was, now in zip(before, small_learner.model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"strategy": "mirrored"}, {"precision": "mixed_bfloat16"}, {"precision": "mixed_float16"}],
    ids=str,
)
def test_it_runs_on_replicas_and_in_half_precision(options):
    learner = make_small_learner(make_tiny_data(), **options)
    phase = dataclasses.replace(SHORT, epochs=3, learning_rate=1e-2)
    tuned, _ = learner.fine_tune(policy=phase, augment=False)
    assert tuned.epochs[-1]["loss"] < tuned.epochs[0]["loss"]
    assert fitted_accuracy(learner) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [False, True])
def test_texts_from_labels_to_an_export(tmp_path, pairs):
    pytest.importorskip("keras_hub", reason="it needs a newer Keras than ours may be")
    preset = kerashub_presets.make_bert(tmp_path / "preset")
    data = make_texts(pairs=pairs, validation_split=0.2)
    learner = ktl.Learner(f"kerashub:{preset}", data, seed=0, verbose=False)
    learner.fine_tune(policy="contrastive", learning_rate=1e-2, batch_size=8)
    assert [record.phase.name for record in learner.history] == ["contrastive", "head"]
    assert fitted_accuracy(learner) > 0.9
    learner.export(tmp_path / "model")
    assert verify(tmp_path / "model").ok
