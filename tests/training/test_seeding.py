"""The seed of a learner alone decides: not the global seeds, not whether a run was loaded."""

import contextlib
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.data.pipeline import row_numbers
from keras_tl.errors import ConfigError
from keras_tl.training.seeding import seed_generators
from tests import hub_modules, language_models
from tests.conftest import make_small_learner, make_tiny_data
from tests.test_text_journey import make_texts

DROPPING = ktl.HeadConfig(hidden=(4,), dropout=0.5)


@pytest.fixture
def set_global_seeds():
    """Sets the global seeds of the process, as users do; they are put back."""
    states = random.getstate(), np.random.get_state()
    yield keras.utils.set_random_seed
    random.setstate(states[0])
    np.random.set_state(states[1])
    tf.random.set_seed(None)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
def test_a_seed_is_a_whole_number(tiny_data, seed):
    with pytest.raises(ConfigError, match="seed must be a whole number of at least 0"):
        make_small_learner(tiny_data, seed=seed)


def test_a_seed_of_numpy_is_saved_as_a_number(tiny_data, tmp_path):
    run = make_small_learner(tiny_data, seed=np.int64(3)).save(tmp_path / "run")
    assert ktl.Learner.load(run, verbose=False).trainer.seed == 3


def images(folder):
    return make_small_learner(make_tiny_data(), as_made=True, head=DROPPING)


def module(folder):
    """An encoder of TF-Hub; dropout inside a module draws from the process, so it has none."""
    vocabulary = hub_modules.write_vocabulary(folder / "vocab.txt")
    encoder = folder / "encoder"
    if not encoder.exists():
        hub_modules.make_encoder(encoder, dropout=0)
    options = {"preprocess": str(vocabulary), "head": DROPPING, "seed": 0, "verbose": False}
    return ktl.Learner(f"tfhub:{encoder}", make_texts(), **options)


def language_model(folder):
    path = folder / "language_model"
    if not path.exists():
        language_models.save_language_model(path)
    return ktl.Learner(f"ulmfit:{path}", make_texts(), seed=0, verbose=False)


MAKERS = [
    images,
    *(pytest.param(make, marks=pytest.mark.slow) for make in (module, language_model)),
]


def trained(make, folder):
    learner = make(folder)
    learner.fit_head(epochs=2, batch_size=8)
    learner.fine_tune(epochs=1, batch_size=8, augment=make is images)
    return learner.model.get_weights()


def equal(one, other):
    return all(map(np.array_equal, one, other))


@pytest.mark.parametrize("make", MAKERS)
def test_the_global_seeds_change_nothing(set_global_seeds, make, tmp_path):
    # The slow ones trace their steps.
    with eagerly() if make is images else contextlib.nullcontext():
        first = trained(make, tmp_path)
        set_global_seeds(5)
        assert equal(first, trained(make, tmp_path))


@pytest.mark.parametrize("make", MAKERS)
def test_a_loaded_run_goes_on_as_the_learner_would_have(make, tmp_path):
    learner = make(tmp_path)
    with eagerly():
        learner.fit_head(epochs=2, batch_size=8)
        run = learner.save(tmp_path / "run")
        loaded = ktl.Learner.load(run, data=learner.data, verbose=False)
        for each in (learner, loaded):
            each.fine_tune(epochs=1, batch_size=8, augment=make is images)
    assert equal(learner.model.get_weights(), loaded.model.get_weights())


@pytest.mark.parametrize(("count", "multiple"), [(7, 1), (7, 4), (8, 4)])
def test_orders_of_rows(set_global_seeds, count, multiple):
    def orders(seed):
        dataset = row_numbers(count, multiple, seed)
        assert int(dataset.cardinality()) == -(-count // multiple) * multiple
        return [[int(row) for row in dataset] for _ in range(3)]

    found = orders(1)
    assert all(sorted(order) == sorted(orders(None)[0]) for order in found)
    assert len({tuple(order) for order in found}) == 3
    set_global_seeds(9)
    assert orders(1) == found
    assert orders(2) != found
    assert len({tuple(order) for order in orders(None)}) == 1


def test_generators_are_set_and_nothing_else():
    layers = [keras.layers.Dense(64), keras.layers.Dropout(0.5), keras.layers.GaussianNoise(1.0)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    weights, ones = model.get_weights(), np.ones((2, 64), np.float32)

    def answers(seed):
        seed_generators(model, (seed, 0))
        return [np.asarray(model(ones, training=True)) for _ in range(2)]

    first, other = answers(1), answers(2)
    assert equal(first, answers(1))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])
    assert equal(weights, model.get_weights())
