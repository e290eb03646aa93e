"""The line between two states of a model."""

import keras
import numpy as np
import pytest

from keras_tl.training.weight_average import WeightAverage


@pytest.fixture
def model():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(3)(inputs)
    x = keras.layers.Dropout(0.5, seed=1)(x)
    return keras.Model(inputs, keras.layers.BatchNormalization()(x))


def test_the_ends_are_exact_and_the_middle_is_the_average(model):
    rng = np.random.default_rng(0)
    before = model.get_weights()
    model.set_weights(
        [rng.normal(size=w.shape).astype(w.dtype) if w.dtype.kind == "f" else w + 1 for w in before]
    )
    after = model.get_weights()
    line = WeightAverage.to_now(model, before)
    for share, expected in ((0, before), (1, after), (0, before)):
        line.move(model, share)
        for value, wanted in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(value, wanted)
    line.move(model, 0.25)
    for value, first, last in zip(model.get_weights(), before, after, strict=True):
        if first.dtype.kind == "f":
            np.testing.assert_allclose(value, 0.75 * first + 0.25 * last, rtol=1e-6)
        else:
            np.testing.assert_array_equal(value, last)
