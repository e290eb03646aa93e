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
    """The rate of Loshchilov and Hutter (2017), eq. 5, after a linear warm-up."""
    warmup_steps = round(warmup * STEPS)
    if step < warmup_steps:
        return 0.5 * (step / warmup_steps if schedule == "cosine" else (step + 1) / warmup_steps)
    if schedule == "constant":
        return 0.5
    done = (step - warmup_steps) / (STEPS - warmup_steps)
    return 0.25 * (1 + np.cos(np.pi * done))


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
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
    optimizer = make_optimizer(phase(optimizer="adamw", weight_decay=0.1), STEPS, [matrix, vector])
    optimizer.apply([keras.ops.zeros((2, 2)), keras.ops.zeros(2)], [matrix, vector])
    np.testing.assert_allclose(matrix, 1 - 0.5 * 0.1)
    np.testing.assert_array_equal(vector, 1)
