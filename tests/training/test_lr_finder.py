"""The learning-rate finder: what it suggests, what it stops at, and that it leaves no trace."""

import contextlib
import dataclasses
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError, DataError
from keras_tl.training.lr_finder import (
    LearningRateSweep,
    has_diverged,
    learning_rates_between,
    longest_decrease,
    phase_to_sweep,
    read_sweep,
    smooth,
    suggest,
    sweep,
)
from keras_tl.training.policies import HEADS, phases_of
from tests import hub_modules, language_models
from tests.conftest import make_small_learner, make_tiny_data

RATES = np.geomspace(1e-7, 10, 81)
TUNE = Phase("tune", epochs=1, learning_rate=1e-3, unfreeze="all", optimizer="adamw", batch_size=8)


def curve(*points):
    """Losses on lines between points (log10 of the rate, loss)."""
    return np.interp(np.log10(RATES), *zip(*points, strict=True))


# Losses, and the log10 of the least and of the largest rate that may be suggested.
CURVES = {
    # The valley is from -4 to -1, two thirds of it -2.
    "valley": (curve((-7, 2), (-4, 2), (-1, 0.5), (1, 9)), (-2.05, -1.95)),
    "no-rise": (curve((-7, 2), (-4, 2), (1, 0.5)), (-0.72, -0.62)),
    "falls-from-the-first": (curve((-7, 2), (-1, 0.5), (1, 9)), (-3.05, -2.95)),
    "two-valleys": (curve((-7, 2), (-6, 1.5), (-5, 2.5), (-1, 0.5), (1, 9)), (-2.4, -2.2)),
    "a-bump-on-the-way": (
        curve((-7, 2), (-4, 2), (-2.5, 1.4), (-2.4, 1.6), (-1, 0.5), (1, 9)),
        (-2.1, -1.8),
    ),
    "noise": (
        curve((-7, 2), (-4, 2), (-1, 0.5), (1, 9))
        + np.random.default_rng(0).normal(0, 0.02, len(RATES)),
        (-2.4, -1.6),
    ),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_suggestion_is_two_thirds_into_the_valley(name):
    losses, (low, high) = CURVES[name]
    rate = suggest(RATES, losses)
    assert rate in RATES
    assert low <= np.log10(rate) <= high


@pytest.mark.parametrize("losses", [np.ones(20), np.arange(20.0), [1.0], [2.0, 1.0]])
def test_without_a_valley_nothing_is_suggested(losses):
    assert suggest(RATES[: len(losses)], losses) is None


@pytest.mark.parametrize("seed", range(5))
def test_the_valley_is_the_longest_decreasing_subsequence(seed):
    values = np.random.default_rng(seed).integers(0, 8, 10)
    found = longest_decrease(values)
    assert all(np.diff(found) > 0)
    assert all(np.diff(values[found]) < 0)
    longest = max(
        sum(1 for bit in range(10) if chosen >> bit & 1)
        for chosen in range(1, 2**10)
        if all(np.diff([values[bit] for bit in range(10) if chosen >> bit & 1]) < 0)
    )
    assert len(found) == longest


def test_smoothed_losses_are_weighted_means():
    losses = np.random.default_rng(0).uniform(0, 3, 30)
    weights = 0.9 ** np.arange(30)[::-1]
    for count in (1, 2, 30):
        expected = np.average(losses[:count], weights=weights[-count:])
        assert smooth(losses)[count - 1] == pytest.approx(expected)
    np.testing.assert_allclose(smooth([0.7] * 5), 0.7)


@pytest.mark.parametrize(
    ("losses", "diverged"),
    [
        ([1.0], False),
        ([float("nan")], True),
        ([1.0, float("inf")], True),
        ([1.0] * 20 + [27.0], False),
        ([1.0] * 20 + [29.0], True),
        ([9.0] * 3 + [0.1] * 60 + [3.0], False),
        ([9.0] * 3 + [0.1] * 60 + [5.0], True),
    ],
)
def test_divergence_is_four_times_the_best_smoothed_loss(losses, diverged):
    assert has_diverged(losses) is diverged


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1e-5, 1.0, 9), "steps must be a whole number of at least 10. Received: 9"),
        ((0, 1.0, 20), "lowest must be a number from 1e-12 to 1. Received: 0"),
        ((2.0, 1.0, 20), "lowest must be a number from 1e-12 to 1. Received: 2.0"),
        ((1.0, 1.0, 20), "lowest must be below highest"),
        ((1.0, float("inf"), 20), "highest must be a number from 1e-12 to 1000"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        learning_rates_between(*arguments)


def linear_model(optimizer):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer, "mse")
    return model


def linear_data():
    x = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
    y = x @ np.array([[3.0], [-1.0]], np.float32)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(4)


OPTIMIZERS = {
    "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
    "adam": keras.optimizers.Adam,
    "adamw": lambda rate: keras.optimizers.AdamW(rate, weight_decay=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_step_has_its_rate(name):
    rates = np.geomspace(1e-4, 0.1, 12)
    losses = sweep(linear_model(OPTIMIZERS[name](1.0)), linear_data(), rates)
    # A schedule that has the same rate at every step, and the losses one by one.
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
        list(range(11)), [float(rate) for rate in rates]
    )
    plain = linear_model(OPTIMIZERS[name](schedule))
    for (x, y), loss in zip(linear_data().repeat(4), losses, strict=True):
        plain.reset_metrics()
        assert float(plain.train_on_batch(x, y)) == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("rates", [[1e-3, 1e-3, 1e3, 1e3, 1e3, 1e3], [1e-3, float("inf"), 1, 1]])
def test_a_sweep_ends_when_the_loss_diverges(rates):
    losses = sweep(linear_model(keras.optimizers.SGD(1.0)), linear_data(), np.array(rates))
    assert len(losses) < len(rates)
    found = read_sweep(TUNE, np.array(rates), losses)
    assert np.isfinite(found.losses).all()
    assert len(found.rates) == len(found.losses) == len(found.smoothed) >= len(losses) - 1


def test_a_loss_that_is_no_number_at_once_is_an_error():
    with pytest.raises(ConfigError, match="The loss is nan before the first update"):
        read_sweep(TUNE, RATES, [float("nan")])


def make_text_learner(tmp_path, **encoder):
    vocabulary = hub_modules.write_vocabulary(tmp_path / "vocab.txt")
    module = hub_modules.make_encoder(tmp_path / "encoder", **encoder)
    texts = ["good film", "the good", "bad film", "the bad s"] * 6
    data = ktl.TextData.from_arrays(texts, [1, 1, 0, 0] * 6, validation_split=0, verbose=False)
    options = {"preprocess": str(vocabulary), "seed": 0, "verbose": False}
    return ktl.Learner(f"tfhub:{module}", data, **options)


def make_ulmfit_learner(tmp_path):
    """With the statistics of its own head's BatchNorm, and the states of five kinds of dropout."""
    model = language_models.save_language_model(tmp_path / "model")
    texts = ["good film", "the good", "bad film", "the bad s"] * 6
    data = ktl.TextData.from_arrays(texts, [1, 1, 0, 0] * 6, validation_split=0, verbose=False)
    return ktl.Learner(f"ulmfit:{model}", data, seed=0, verbose=False)


MAKERS = {
    "images": lambda folder: make_small_learner(make_tiny_data(6)),
    # Its dropout has a state, which moves.
    "texts": lambda folder: make_text_learner(folder, seeded=True, l2=0.1),
    "ulmfit": make_ulmfit_learner,
    "replicas": lambda folder: make_small_learner(make_tiny_data(6), strategy="mirrored"),
    "float16": lambda folder: make_small_learner(make_tiny_data(6), precision="mixed_float16"),
}


def state_of(learner):
    """Everything that a sweep might change, as things to compare with `==`."""
    models = (learner.model, learner.trainer.parts.head, learner.trainer.parts.extractor)
    optimizers = [getattr(model, "optimizer", None) for model in models]
    layers = [layer for model in models for layer in model._flatten_layers()]
    return {
        "variables": [(x.path, x.numpy().tobytes(), x.trainable) for x in learner.model.variables],
        "head": [
            (x.path, x.numpy().tobytes(), x.trainable) for x in learner.trainer.parts.head.variables
        ],
        "layers": [(layer.name, layer.trainable) for layer in layers],
        "losses": [id(loss) for loss in learner.model.losses],
        "blocks": (learner.backbone._unfrozen, learner.backbone._batch_norm_mode),
        "momenta": [getattr(layer, "momentum", None) for layer in layers],
        "compiled": [
            (model.compiled, id(optimizer), id(model.loss), id(model.train_function))
            for model, optimizer in zip(models, optimizers, strict=True)
        ],
        "optimizers": [
            [x.numpy().tobytes() for x in optimizer.variables]
            for optimizer in optimizers
            if optimizer is not None
        ],
        "history": [record.to_json() for record in learner.history],
        "evaluations": dict(learner.evaluations),
        "cache": id(learner.trainer.features.store),
        "original": learner.trainer.features.is_original,
        "random": (random.getstate(), np.random.get_state()[1].tobytes()),
    }


def sweep_both(learner):
    """A sweep of each phase: statistics live on an untrained head, one block on a trained one."""
    options = {"steps": 12, "lowest": 1e-6, "highest": 0.1, "batch_size": 8}
    yield learner.lr_find("head", **options)
    trained = {"unfreeze": 1} if learner.history else {"policy": "scratch"}
    yield learner.lr_find("fine-tune", **trained, **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_everything_is_as_it_was(name, tmp_path):
    learner = MAKERS[name](tmp_path)
    # Tracing loops over steps would cost most.
    with eagerly() if name == "ulmfit" else contextlib.nullcontext():
        for train in (
            lambda: None,
            lambda: learner.fit_head(epochs=1),
            lambda: learner.fine_tune(policy=TUNE),
        ):
            train()
            before = state_of(learner)
            for found in sweep_both(learner):
                # Of a few texts one batch may have so high a loss that the sweep ends.
                assert len(found.rates) == 12 or name == "texts"
                assert state_of(learner) == before
        # What was compiled still trains.
        batches = learner.trainer.pipeline.ordered(learner.data.split("train"), 8)
        learner.model.fit(batches, shuffle=False, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_training_after_a_sweep_is_training_without_one(name, tmp_path):
    def train(folder, find):
        folder.mkdir()
        learner = MAKERS[name](folder)
        for fit in (lambda: learner.fit_head(2), lambda: learner.fine_tune(policy=TUNE)):
            for _ in sweep_both(learner) if find else ():
                pass
            fit()
        return [x.numpy() for x in learner.model.variables], learner.history[-1].epochs

    found, epochs = train(tmp_path / "a", find=True)
    expected, expected_epochs = train(tmp_path / "b", find=False)
    assert epochs == expected_epochs
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("phase", ["head", "fine-tune"])
def test_everything_is_as_it_was_after_an_interruption(small_learner, monkeypatch, phase):
    with eagerly():
        small_learner.fit_head(epochs=1)
    before = state_of(small_learner)

    def interrupted(self, batch, logs=None):
        if batch == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(LearningRateSweep, "on_train_batch_end", interrupted)
    with pytest.raises(KeyboardInterrupt), eagerly():
        small_learner.lr_find(phase, lowest=1e-3, highest=1.0, steps=10)
    assert state_of(small_learner) == before


def test_the_rate_found_is_in_the_range_and_trains(small_learner):
    found = small_learner.lr_find("head", lowest=1e-5, highest=100.0, steps=60)
    assert 1e-5 <= found.suggestion <= 100.0
    np.testing.assert_allclose(np.diff(np.log(found.rates)), np.log(1e7) / 59, rtol=1e-6)
    record = small_learner.fit_head(epochs=10, learning_rate=found.suggestion)
    losses = [epoch["loss"] for epoch in record.epochs]
    assert losses[-1] < 0.7 * losses[0]


def test_a_sweep_of_ruinous_rates_ends_early(tiny_data):
    train = tiny_data.split("train")
    # Of labels that no features tell apart, large logits are wrong.
    labels = np.random.default_rng(0).permutation(train.labels)
    splits = {"train": dataclasses.replace(train, labels=labels)}
    learner = make_small_learner(dataclasses.replace(tiny_data, splits=splits))
    found = learner.lr_find("head", highest=1e3, steps=40)
    assert len(found.rates) < 40
    assert found.smoothed[-1] > 4 * min(found.smoothed)


def test_the_phase_swept_has_the_policys_settings(small_learner):
    (standard,) = phases_of("standard", "text")
    given = {"unfreeze": 1, "batch_size": 4}
    tuned = dataclasses.replace(standard, **given)
    assert phase_to_sweep("fine-tune", "standard", "text", **given) == tuned
    assert phase_to_sweep("fine-tune", [standard, TUNE], "text") == TUNE
    assert phase_to_sweep(TUNE, "standard", "text", unfreeze=None, batch_size=5).batch_size == 5
    assert phase_to_sweep("head", "standard", "text") == HEADS["text"]
    found = small_learner.lr_find("head", batch_size=4, steps=10, highest=1e-2)
    expected = dataclasses.replace(HEADS["image"], batch_size=4, min_steps=0)
    assert dataclasses.replace(found.phase, epochs=expected.epochs) == expected


@pytest.mark.slow
def test_a_sweep_without_validation_and_with_class_weights(tiny_data):
    data = dataclasses.replace(tiny_data, splits={"train": tiny_data.split("train")})
    learner = make_small_learner(data)
    phase = Phase("p", epochs=1, learning_rate=1.0, class_weight={"red": 2.0}, label_smoothing=0.1)
    assert learner.lr_find(phase, lowest=1e-4, steps=10).losses
    learner.fit_head(1, cache="off")
    assert learner.lr_find("head", highest=1e-2, steps=10).losses


def test_a_figure_shows_losses_and_suggestion():
    found = read_sweep(TUNE, RATES, CURVES["valley"][0])
    axes = found.plot().axes[0]
    assert axes.get_xscale() == "log"
    assert [len(line.get_xdata()) for line in axes.lines] == [81, 81, 2]
    assert axes.lines[2].get_label() == f"suggestion {found.suggestion:.1e}"
    assert len(read_sweep(TUNE, RATES, [1.0] * 9).plot().axes[0].lines) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"phase": "fine-tune"}, "The head is untrained"),
        ({"phase": "tail"}, "Unknown phase 'tail'. Expected one of: 'head', 'fine-tune'"),
        ({"phase": "fine-tune", "policy": "magic"}, "Unknown policy 'magic'"),
        ({"phase": "head", "unfreeze": 1}, "unfreeze= needs phase='fine-tune'"),
        ({"phase": "head", "policy": "gradual"}, "policy= needs phase='fine-tune'"),
        ({"phase": TUNE, "policy": "gradual"}, "policy= needs phase='fine-tune'"),
        ({"phase": "fine-tune", "policy": "scratch", "unfreeze": "nowhere"}, "Unknown block"),
        ({"steps": 5}, "steps must be a whole number of at least 10"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
    ],
)
def test_wrong_arguments_of_lr_find(small_learner, arguments, message):
    before = state_of(small_learner)
    with pytest.raises(ConfigError, match=message):
        small_learner.lr_find(**arguments)
    assert state_of(small_learner) == before


def test_a_learner_without_data_says_so(small_learner, tmp_path):
    small_learner.save(tmp_path / "run")
    loaded = ktl.Learner.load(tmp_path / "run", verbose=False)
    with pytest.raises(DataError, match="loaded without data"):
        loaded.lr_find()
