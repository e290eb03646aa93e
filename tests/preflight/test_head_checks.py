"""Loss and head: the right ones pass for every task and scale, wrong ones are found."""

import keras
import numpy as np
import pytest

from keras_tl.base.config import HeadConfig
from keras_tl.models import heads
from keras_tl.preflight import head as checks
from keras_tl.tasks import TASKS
from keras_tl.tasks.binary import Binary
from keras_tl.tasks.multiclass import Multiclass
from keras_tl.tasks.multilabel import Multilabel
from keras_tl.tasks.regression import Regression

ITEMS, WIDTH = 60, 24
LABELS = {
    "multiclass": np.arange(ITEMS) % 5,
    "binary": np.arange(ITEMS) % 2,
    "multilabel": (np.random.default_rng(0).uniform(size=(ITEMS, 3)) < 0.3).astype(np.float32),
    "regression": np.random.default_rng(0).normal(300, 50, ITEMS).astype(np.float32),
}
NAMES = {"multiclass": tuple("abcde"), "binary": tuple("ab"), "multilabel": tuple("abc")}


def make_task(kind, make=None):
    target = LABELS["regression"]
    numbers = (float(target.mean()), float(target.std())) if kind == "regression" else ()
    return (make or TASKS[kind])(NAMES.get(kind, ()), *numbers)


def make_features(scale, width=WIDTH):
    # All positive, as after a ReLU: most of what they are is the same for all.
    return (scale * np.random.default_rng(1).gamma(2.0, size=(ITEMS, width))).astype(np.float32)


def make_head(task, width=WIDTH, extra=(), hidden=()):
    """As `attach_head` makes it: the last layer is 0."""
    layers = [keras.layers.Dropout(0.2, seed=0)]
    for number, units in enumerate(hidden):
        kernel = keras.initializers.GlorotUniform(seed=number)
        layers.append(keras.layers.Dense(units, activation="relu", kernel_initializer=kernel))
    layers.append(keras.layers.Dense(task.outputs, kernel_initializer="zeros"))
    layers += [*extra, *task.output_layers]
    return keras.Sequential([keras.Input((width,)), *layers])


def found(kind, task, head, features, batch=16):
    """Which of the two checks would speak."""
    logits = np.asarray(head(features, training=False))
    labels = LABELS[kind]
    expected = task.loss_of_guessing(labels)
    first = not abs(checks.loss_of(task, labels, logits) - expected) <= 0.01 * (1 + expected)
    goal = 0.1 * expected
    end = checks.overfit(head, task, features[:batch], labels[:batch], goal)[1]
    return {name for name, is_wrong in (("initial", first), ("batch", not end <= goal)) if is_wrong}


@pytest.mark.parametrize(
    ("scale", "hidden"), [(0.01, ()), (100.0, ()), (1.0, (20,)), (1.0, (30, 20))]
)
@pytest.mark.parametrize("kind", TASKS)
def test_what_belongs_together_passes(kind, scale, hidden):
    task = make_task(kind)
    assert found(kind, task, make_head(task, hidden=hidden), make_features(scale)) == set()


def test_a_narrow_head_can_learn_as_many_items_as_it_has_inputs():
    task = make_task("regression")
    features = make_features(1.0, 3)
    assert found("regression", task, make_head(task, 3), features, batch=3) == set()


class FromProbabilities(Multiclass):
    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=False)


class Summed(Multiclass):
    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")


class BinaryFromProbabilities(Binary):
    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.BinaryCrossentropy(from_logits=False)


class SoftmaxOverLabels(Multilabel):
    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.CategoricalCrossentropy(from_logits=True)


class InUnits(Regression):
    loss_weight = 1.0


# The kind, a wrong task or layers after the logits; which checks find it.
WRONG = {
    # Keras takes zeros for equal probabilities.
    "probabilities-expected": ("multiclass", FromProbabilities, (), {"batch"}),
    "not-averaged": ("multiclass", Summed, (), {"initial"}),
    "binary-probabilities-expected": ("binary", BinaryFromProbabilities, (), {"initial"}),
    "softmax-over-labels": ("multilabel", SoftmaxOverLabels, (), {"initial", "batch"}),
    "not-standardised": ("regression", InUnits, (), {"initial"}),
    "softmax-twice": ("multiclass", None, ("softmax",), {"batch"}),
    "sigmoid-twice": ("binary", None, ("sigmoid",), {"batch"}),
    "relu-at-the-end": ("binary", None, ("relu",), {"batch"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_belong_together_is_found(name):
    kind, wrong, activations, expected = WRONG[name]
    task = make_task(kind, wrong)
    extra = [keras.layers.Activation(activation) for activation in activations]
    # Keras itself sees through an activation that is the very last operation.
    extra += [keras.layers.Rescaling(1.0)] if extra else []
    assert found(kind, task, make_head(task, extra=extra), make_features(1.0)) >= expected


# The head, and the scale of the features: the loss is that of guessing, to rounding.
HEADS = [((), False, 1.0), ((), False, 100.0), ((16,), False, 100.0), ((16, 8), True, 1.0)]


@pytest.mark.parametrize(("hidden", "batch_norm", "scale"), HEADS)
@pytest.mark.parametrize("kind", TASKS)
def test_an_untrained_head_has_the_loss_of_guessing(kind, hidden, batch_norm, scale):
    task, labels = make_task(kind), LABELS[kind]
    config = HeadConfig(hidden=hidden, batch_norm=batch_norm)
    layers = heads._dense_layers(config, task.outputs, seed=0)
    head = keras.Sequential([keras.Input((WIDTH,)), *layers, *task.output_layers])
    loss = checks.loss_of(task, labels, head(make_features(scale), training=False))
    expected = {"multiclass": np.log(5), "regression": 1.0}.get(kind, np.log(2))
    assert loss == pytest.approx(expected, rel=1e-4)
    assert task.loss_of_guessing(labels) == pytest.approx(expected, rel=1e-4)


def test_the_head_itself_is_not_touched():
    task = make_task("multiclass")
    head = make_head(task)
    before = head.get_weights()
    start, end = checks.overfit(head, task, make_features(1.0)[:16], LABELS["multiclass"][:16], 0.1)
    assert end < 0.1 < start
    for now, then in zip(head.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_batch_is_of_distinct_items_of_several_classes():
    features = np.repeat(make_features(1.0)[:12], 5, axis=0)
    labels = np.array([0] * 50 + [1] * 10)
    rows = checks._distinct(features, labels, 4)
    assert len(np.unique(features[rows], axis=0)) == 4
    assert sorted(labels[rows].tolist()) == [0, 0, 1, 1]
