"""Keras models of the user's own as backbones: copied, or refused at once."""

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.backbones.user_models import is_keras_file
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import BackboneError, ConfigError
from tests.conftest import make_small_learner, make_tiny_data, small_network
from tests.training.test_head_optimum import hard_data

SETTINGS = {"image_size": 32, "preprocess": "none", "seed": 0, "verbose": False}


def head_first(learner):
    with eagerly():
        learner.fit_head()
        learner.fine_tune(epochs=1, learning_rate=0.01, augment=False)


def state(model):
    flags = [layer.trainable for layer in model._flatten_layers()]
    return [np.array(weight) for weight in model.variables], flags


def equal(one, other):
    return all(map(np.array_equal, one[0], other[0])) and one[1] == other[1]


def test_a_learner_leaves_the_model_it_was_made_of_alone():
    network, data = small_network(), hard_data(count=42)
    network.layers[1].trainable = False
    before = state(network)
    first = ktl.Learner(network, data, **SETTINGS)
    head_first(first)
    answers = first.predict(data.split("test").images).probabilities
    assert equal(before, state(network))
    second = ktl.Learner(network, data, **SETTINGS)
    head_first(second)
    assert equal(before, state(network))
    np.testing.assert_array_equal(first.predict(data.split("test").images).probabilities, answers)
    # It began as the first one did, and not where that one had ended.
    for one, other in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_learner_of_a_learner_leaves_it_alone():
    data = hard_data(count=42)
    first = make_small_learner(data)
    head_first(first)
    before = state(first.model)
    head_first(ktl.Learner(first, data, seed=0, verbose=False))
    assert equal(before, state(first.model))


def test_a_keras_file_is_a_backbone(tmp_path):
    network, data = small_network(), make_tiny_data()
    path = tmp_path / "network.keras"
    network.save(path)
    images = data.split("test").images
    expected = ktl.Learner(network, data, **SETTINGS).features(images)
    for given in (path, str(path)):
        learner = ktl.Learner(given, data, **SETTINGS)
        np.testing.assert_array_equal(learner.features(images), expected)
    ktl.Learner.load(learner.save(tmp_path / "run"), verbose=False)


class Unregistered(keras.layers.Layer):
    def call(self, inputs):
        return inputs


@keras.saving.register_keras_serializable("tests")
class Forgetful(keras.layers.Layer):
    """Its configuration lacks what it was made with."""

    def __init__(self, factor=0.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs):
        return self.factor * inputs

    def get_config(self):
        return {"name": self.name}


@keras.saving.register_keras_serializable("tests")
class Demanding(Forgetful):
    """The same, and it cannot be made without."""

    def __init__(self, factor, **options):
        super().__init__(factor, **options)


@keras.saving.register_keras_serializable("tests")
class Whole(Forgetful):
    """Its configuration has all."""

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


@keras.saving.register_keras_serializable("tests")
def doubled(values):
    return 2 * values


@keras.saving.register_keras_serializable("tests")
class WithoutConfig(keras.layers.Layer):
    """Keras cannot write its argument."""

    def __init__(self, table, **options):
        super().__init__(**options)
        self.table = table

    def call(self, inputs):
        return inputs


@keras.saving.register_keras_serializable("tests")
class Failing(Unregistered):
    def get_config(self):
        return {"name": self.missing}


@keras.saving.register_keras_serializable("tests")
class Strange(Unregistered):
    def get_config(self):
        return super().get_config() | {"values": {1, 2}}


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Conv2D(2, 3)

    def call(self, inputs):
        return self.inner(inputs)


def with_layer(layer):
    inputs = keras.Input((32, 32, 3))
    return keras.Model(inputs, keras.layers.Conv2D(2, 3)(layer(inputs)), name="mine")


def with_two_outputs():
    inputs = keras.Input((32, 32, 3))
    return keras.Model(inputs, [keras.layers.Conv2D(2, 3)(inputs), inputs])


REFUSED = {
    "lambda": (
        lambda: with_layer(keras.layers.Lambda(lambda x: 2 * x, name="twice")),
        "The layer 'twice' of mine is a Lambda",
    ),
    "unregistered": (
        lambda: with_layer(Unregistered()),
        "class 'Unregistered' of .*, which is not",
    ),
    "a-function": (
        lambda: with_layer(keras.layers.Conv2D(2, 3, activation=lambda x: x)),
        "uses a lambda, for example as an activation",
    ),
    "other-outputs": (lambda: with_layer(Forgetful(3.0)), "mine returns different outputs after"),
    "missing-arguments": (lambda: with_layer(Demanding(3.0)), "cannot rebuild mine from"),
    "no-configuration": (
        lambda: with_layer(WithoutConfig(np.zeros(3))),
        "cannot rebuild mine from",
    ),
    "a-configuration-that-fails": (
        lambda: with_layer(Failing()),
        "cannot rebuild mine from .* has no attribute 'missing'",
    ),
    "a-configuration-that-is-no-json": (
        lambda: with_layer(Strange()),
        "cannot rebuild mine from",
    ),
    "subclassed": (Subclassed, "A subclassed model has no input shape. Wrap"),
    "wrapped-and-unregistered": (lambda: with_layer(Subclassed()), "class 'Subclassed'"),
    "two-outputs": (with_two_outputs, "has one output, but this model has 2 outputs. Choose"),
    "no-file": (lambda: "missing.keras", "There is no file 'missing.keras'"),
    "a-number": (lambda: 5, "backbone must be a name, .* Received: 5"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_a_run_could_not_hold_is_refused_at_once(name):
    make, message = REFUSED[name]
    with pytest.raises(BackboneError, match=message) as error:
        ktl.Learner(make(), make_tiny_data(), **SETTINGS)
    assert len(str(error.value)) < 700


ACCEPTED = {
    "operations": lambda: with_layer(keras.ops.sin),
    "registered": lambda: with_layer(Whole(3.0)),
    "registered-function": lambda: with_layer(keras.layers.Conv2D(2, 3, activation=doubled)),
    "half-precision": lambda: with_layer(keras.layers.Conv2D(2, 3, dtype="mixed_float16")),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_model_that_can_be_built_again_gives_the_same(name, tmp_path):
    model, data = ACCEPTED[name](), make_tiny_data()
    learner = ktl.Learner(model, data, **SETTINGS)
    images = data.split("test").images
    expected = np.asarray(model(images)).mean(axis=(1, 2))
    limit = 1e-2 if name == "half-precision" else 1e-4
    np.testing.assert_allclose(
        learner.features(images), expected, limit, limit * np.abs(expected).max()
    )
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), verbose=False)
    np.testing.assert_array_equal(loaded.features(images), learner.features(images))


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "text.keras"
    path.write_text("not a model")
    with pytest.raises(BackboneError, match=r"Cannot read .*text.keras' as a Keras model"):
        ktl.Learner(path, make_tiny_data(), **SETTINGS)


@pytest.mark.parametrize("head", ["big", keras.layers.Dense(3), {"hidden": (3,)}])
def test_a_head_of_another_kind(head):
    with pytest.raises(ConfigError, match=r"head must be a keras_tl.HeadConfig, such as"):
        ktl.Learner(small_network(), make_tiny_data(), head=head, **SETTINGS)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_what_a_network_was_adapted_to_goes_with_it(precision, tmp_path):
    """Of a copy, of a learner's backbone taken by another one, and of what is exported."""
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(100, 50, (8, 4, 4, 3)))
    network, data = with_layer(layer), make_tiny_data()
    images = data.split("test").images
    expected = np.asarray(network(images)).mean(axis=(1, 2))
    learner = ktl.Learner(network, data, precision=precision, **SETTINGS)
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), verbose=False)
    for each in (learner, ktl.Learner(learner, data, verbose=False), loaded):
        np.testing.assert_allclose(each.features(images), expected, atol=0.02)


@pytest.mark.parametrize("kind", ["name", "learner", "run"])
def test_preprocess_is_refused_where_a_backbone_has_its_own(kind, tmp_path):
    data = make_tiny_data()
    given = {"name": "efficientnet_lite0", "learner": make_small_learner(data)}
    given["run"] = f"run:{given['learner'].save(tmp_path / 'run')}"
    with pytest.raises(
        ConfigError, match=r"For images, preprocess= is only for .* Received: 'none'"
    ):
        ktl.Learner(given[kind], data, **SETTINGS)


def test_rankings_give_preprocess_to_keras_models_only(tmp_path):
    path = tmp_path / "network.keras"
    small_network().save(path)
    given = [str(path), small_network(), make_small_learner(make_tiny_data())]
    found = ktl.rank_backbones(make_tiny_data(), given, cache="memory", **SETTINGS)
    assert [row.error for row in found.rows] == [None] * 3


def test_only_paths_are_keras_files(tmp_path):
    for name, expected in {
        "net.keras": True,
        str(tmp_path / "net.keras"): True,
        tmp_path / "net.keras": True,
        r"C:\\nets\\net.keras": True,
        "run:runs/net.keras": False,
        "kerashub:net.keras": False,
        "efficientnet_lite0": False,
        5: False,
    }.items():
        assert is_keras_file(name) == expected
