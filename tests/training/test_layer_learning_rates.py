"""Optimizers with a rate for each variable, against Keras's own."""

import keras
import numpy as np
import pytest

from keras_tl.base.config import Phase
from keras_tl.training.layer_learning_rates import PerVariableLearningRates
from keras_tl.training.optimizers import make_optimizer

NAMES = ["adam", "adamw", "sgd"]
SHAPES = [(3, 2), (4,), (2, 2)]
SETTINGS = {"weight_decay": 0.1, "schedule": "linear", "warmup": 0.2, "clip_norm": 0.5}


def phase(name, **options):
    settings = {"learning_rate": 0.1} | SETTINGS | options
    return Phase("p", epochs=1, optimizer=name, **settings)


def make_variables(seed=0):
    rng = np.random.default_rng(seed)
    return [keras.Variable(rng.normal(size=shape), name=f"v{len(shape)}") for shape in SHAPES]


def gradients(steps, seed=1):
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=shape).astype(np.float32) for shape in SHAPES] for _ in range(steps)]


def train(optimizer, variables, steps):
    for step in steps:
        optimizer.apply([keras.ops.array(x) for x in step], variables)
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("name", NAMES)
def test_rates_that_are_all_one_give_keras_bit_for_bit(name):
    results = []
    for factors in (None, [1.0] * len(SHAPES)):
        variables = make_variables()
        optimizer = make_optimizer(phase(name), 10, variables, factors)
        assert isinstance(optimizer, PerVariableLearningRates) == (factors is not None)
        results.append(train(optimizer, variables, gradients(10)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_each_variable_is_trained_as_by_an_optimizer_of_its_own(name):
    factors = [1.0, 0.4, 0.01]
    variables = make_variables()
    optimizer = make_optimizer(phase(name, clip_norm=None), 10, variables, factors)
    together = train(optimizer, variables, gradients(10))
    for place, factor in enumerate(factors):
        variable = make_variables()[place : place + 1]
        alone = make_optimizer(
            phase(name, clip_norm=None, learning_rate=0.1 * factor), 10, variable
        )
        (expected,) = train(alone, variable, [x[place : place + 1] for x in gradients(10)])
        np.testing.assert_allclose(together[place], expected, rtol=1e-5, atol=1e-7)


def test_the_decay_follows_each_variable_s_rate():
    variables = [keras.Variable(np.ones((2, 2))) for _ in range(3)]
    constant = {"schedule": "constant", "warmup": 0.0}
    optimizer = make_optimizer(phase("adamw", **constant), 10, variables, [1.0, 0.5, 0.0])
    train(optimizer, variables, [[np.zeros((2, 2), np.float32)] * 3])
    for variable, factor in zip(variables, [1.0, 0.5, 0.0], strict=True):
        np.testing.assert_allclose(variable, 1 - 0.1 * 0.1 * factor, rtol=1e-6)


def test_clipping_is_by_the_norm_of_all_of_them():
    variables = [keras.Variable(np.zeros(2)) for _ in range(2)]
    options = {"schedule": "constant", "warmup": 0.0, "clip_norm": 5.0, "learning_rate": 1.0}
    optimizer = make_optimizer(phase("sgd", **options), 1, variables, [1.0, 0.1])
    train(optimizer, variables, [np.array([[30, 0], [0, 40]], np.float32)])
    np.testing.assert_allclose(np.stack(variables), [[-3, 0], [0, -0.4]], rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_that_joins_later_is_trained_as_by_a_new_optimizer(name):
    """With the moments of the others kept, and with its own corrected by its own steps."""
    options = {"schedule": "constant", "warmup": 0.0, "clip_norm": None}
    steps = gradients(30)
    variables = make_variables()
    optimizer = make_optimizer(phase(name, **options), 30, variables, [1.0] * 3)
    optimizer.build(variables)
    train(optimizer, variables[1:], [step[1:] for step in steps[:20]])
    np.testing.assert_array_equal(variables[0], make_variables()[0])
    together = train(optimizer, variables, steps[20:])
    assert int(optimizer.iterations) == 30
    for place, own_steps in enumerate([steps[20:], steps, steps]):
        variable = make_variables()[place : place + 1]
        alone = make_optimizer(phase(name, **options), 30, variable)
        (expected,) = train(alone, variable, [x[place : place + 1] for x in own_steps])
        np.testing.assert_allclose(together[place], expected, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_back_from_its_configuration_with_its_state(name):
    factors = [1.0, 0.5, 0.25]
    variables = make_variables()
    optimizer = make_optimizer(phase(name, weight_decay=0.0), 10, variables, factors)
    train(optimizer, variables, gradients(3))
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.learning_rate_factors == tuple(factors)
    copies = [keras.Variable(variable) for variable in variables]
    again.build(copies)
    again.set_weights([variable.numpy() for variable in optimizer.variables])
    one = train(optimizer, variables, gradients(3, seed=2))
    for a, b in zip(one, train(again, copies, gradients(3, seed=2)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_variables_than_it_has_rates_for_are_refused():
    optimizer = make_optimizer(phase("adam"), 10, [], [1.0])
    with pytest.raises(ValueError, match=r"rates for 1 variables but received 3\. Compile"):
        optimizer.build(make_variables())
