"""The learning rate that follows from the size of a network's weights."""

import keras
import numpy as np
import pytest

from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError
from keras_tl.training.auto_learning_rate import HIGHEST, LOWEST, auto_learning_rate
from keras_tl.training.optimizers import make_schedule


def network(*sizes):
    """Dense layers whose kernels have these root mean squares; large biases."""
    inputs = x = keras.Input((4,))
    layers = [keras.layers.Dense(4) for _ in sizes]
    for layer in layers:
        x = layer(x)
    for layer, size in zip(layers, sizes, strict=True):
        kernel = size * np.where(np.arange(16).reshape(4, 4) % 2, 1, -1)
        layer.set_weights([kernel, 100 * np.ones(4)])
    # Keras 3.12 makes no model whose output is its input.
    return keras.Model(inputs, keras.layers.Identity()(x))


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((0.05,), 5e-4),
        ((0.01, 0.02, 9.0), 2e-4),
        ((0.0123456,), 1.2e-4),
        ((50.0,), HIGHEST),
        ((1e-9,), LOWEST),
        ((), LOWEST),
    ],
)
def test_a_hundredth_of_the_median_size_of_the_kernels(sizes, expected):
    assert auto_learning_rate(network(*sizes)) == pytest.approx(expected)


def test_the_record_has_the_number(small_learner):
    phase = Phase("tune", epochs=1, learning_rate="auto", unfreeze="all", patience=None)
    expected = auto_learning_rate(small_learner.backbone.network)
    with eagerly():
        (record,) = small_learner.fine_tune(policy=phase, augment=False)
    assert record.phase.learning_rate == expected
    assert LOWEST < expected <= HIGHEST
    assert Phase.from_json(phase.to_json()) == phase


def test_wrong_rates():
    with pytest.raises(ConfigError, match="learning_rate must be"):
        Phase("tune", epochs=1, learning_rate=-1.0)
    with pytest.raises(ConfigError, match="learning_rate must be a number"):
        Phase("tune", epochs=1, learning_rate="best")
    with pytest.raises(ConfigError, match="becomes a number only in training"):
        make_schedule(Phase("tune", epochs=1, learning_rate="auto"), 10)
