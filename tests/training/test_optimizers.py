"""Schedules at every step, optimizers variable by variable."""

import keras
import numpy as np
import pytest

from keras_tl.config import Phase
from keras_tl.training.optimizers import make_optimizer, make_schedule

STEPS = 40


def phase(**options):
    return Phase(**({"name": "p", "epochs": 1, "learning_rate": 0.5} | options))


def expected_rate(schedule, warmup, step):
    """A linear warm-up, then the rate of Loshchilov and Hutter (2017), eq. 5, or a line to 0."""
    warmup_steps = round(warmup * STEPS)
    if step < warmup_steps:
        return 0.5 * (step / warmup_steps if schedule == "cosine" else (step + 1) / warmup_steps)
    if schedule == "constant":
        return 0.5
    done = (step - warmup_steps) / (STEPS - warmup_steps)
    if schedule == "linear":
        return 0.5 * (1 - done)
    return 0.25 * (1 + np.cos(np.pi * done))


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear"])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_rate_of_every_step(schedule, warmup):
    made = make_schedule(phase(schedule=schedule, warmup=warmup), STEPS)
    rates = [float(made(step)) if callable(made) else made for step in range(STEPS + 1)]
    expected = [expected_rate(schedule, warmup, step) for step in range(STEPS + 1)]
    if schedule == "constant" and warmup:
        # The polynomial reaches the peak one step later than (step + 1) / steps.
        first, steps = 0.5 / round(warmup * STEPS), round(warmup * STEPS)
        expected[:steps] = [first + (0.5 - first) * step / steps for step in range(steps)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)
    if schedule == "linear":
        again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(made))
        assert [float(again(step)) for step in range(STEPS + 1)] == rates


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("sgd", keras.optimizers.SGD),
    ],
)
def test_the_optimizer_asked_for(name, kind):
    made = make_optimizer(phase(optimizer=name), STEPS, [])
    assert type(made) is kind
    assert float(made.learning_rate) == 0.5


def test_weight_decay_spares_biases_and_normalisation():
    matrix, vector = keras.Variable(np.ones((2, 2))), keras.Variable(np.ones(2))
    # Attention's biases have an axis for the heads.
    bias = keras.Variable(np.ones((2, 2)), name="bias")
    variables = [matrix, vector, bias]
    optimizer = make_optimizer(phase(optimizer="adamw", weight_decay=0.1), STEPS, variables)
    optimizer.apply([keras.ops.zeros(x.shape) for x in variables], variables)
    np.testing.assert_allclose(matrix, 1 - 0.5 * 0.1)
    for spared in (vector, bias):
        np.testing.assert_array_equal(spared, 1)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_gradients_are_clipped_by_the_norm_of_all_of_them(name):
    made = make_optimizer(phase(optimizer=name, clip_norm=5.0), STEPS, [])
    clipped = made._clip_gradients([keras.ops.array([30.0, 0.0]), keras.ops.array([0.0, 40.0])])
    np.testing.assert_allclose(np.stack(clipped), [[3, 0], [0, 4]], rtol=1e-6)
