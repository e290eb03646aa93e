"""Pooling of tokens and of maps."""

import keras
import numpy as np
import pytest

from keras_tl.errors import ConfigError
from keras_tl.pooling import pool

TOKENS = np.array([[[1, -1], [3, -5], [9, 9]], [[2, 4], [7, 7], [7, 7]], [[5, 5], [5, 5], [5, 5]]])
MASK = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
EXPECTED = {
    "avg": [[2, -3], [2, 4], [0, 0]],
    "max": [[3, -1], [2, 4]],
    "first": [[1, -1], [2, 4], [5, 5]],
    "pooled": [[6, 6], [7, 7], [8, 8]],
}


def encoder_outputs(names=("sequence_output", "pooled_output", "mask")):
    shapes = {"sequence_output": (None, 2), "pooled_output": (2,), "mask": (None,)}
    return {name: keras.Input(shapes[name], name=name) for name in names}


@pytest.mark.parametrize("kind", EXPECTED)
def test_padding_does_not_count(kind):
    names = ["pooled_output"] if kind == "pooled" else ["sequence_output", "mask"]
    outputs = encoder_outputs(names)
    model = keras.Model(outputs, pool(kind, outputs))
    assert model.output_shape == (None, 2)
    given = {
        "sequence_output": TOKENS.astype(np.float32),
        "pooled_output": np.array(EXPECTED["pooled"], np.float32),
        "mask": MASK.astype(np.float32),
    }
    found = model({name: given[name] for name in names})
    rows = len(EXPECTED[kind])
    np.testing.assert_allclose(found[:rows], EXPECTED[kind])


def test_a_pooling_survives_keras_s_own_format():
    outputs = encoder_outputs(["sequence_output", "mask"])
    model = keras.Model(outputs, pool("max", outputs))
    again = keras.models.model_from_json(model.to_json())
    assert again.get_layer("pooling").kind == "max"


@pytest.mark.parametrize(
    ("kind", "outputs", "message"),
    [
        ("flatten", encoder_outputs(), "pooling='flatten' is for images"),
        (
            "pooled",
            encoder_outputs(("sequence_output", "mask")),
            "needs the encoder's pooled_output; this one gives sequence_output",
        ),
        ("avg", encoder_outputs(("pooled_output", "mask")), "needs the encoder's sequence_output"),
        ("first", keras.Input((4, 4, 2)), "pooling='first' is for texts"),
    ],
)
def test_what_cannot_be_pooled_is_explained(kind, outputs, message):
    with pytest.raises(ConfigError, match=message):
        pool(kind, outputs)
