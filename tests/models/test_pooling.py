"""Pooling of tokens and of maps."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_tl.errors import ConfigError
from keras_tl.models.pooling import TokenPooling, pool

TOKENS = np.array([[[1, -1], [3, -5], [9, 9]], [[2, 4], [7, 7], [7, 7]], [[5, 5], [5, 5], [5, 5]]])
MASK = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
# Of the last text, which has no token, what is no number must not be given.
EXPECTED = {
    "avg": [[2, -3], [2, 4], [0, 0]],
    "max": [[3, -1], [2, 4], [0, 0]],
    "first": [[1, -1], [2, 4], [5, 5]],
    "pooled": [[6, 6], [7, 7], [8, 8]],
    "concat": [[3, -5, 3, -1, 2, -3], [2, 4, 2, 4, 2, 4], [5, 5, 0, 0, 0, 0]],
}


def encoder_outputs(names=("sequence_output", "pooled_output", "mask")):
    shapes = {"sequence_output": (None, 2), "pooled_output": (2,), "mask": (None,)}
    return {name: keras.Input(shapes[name], name=name) for name in names}


@pytest.mark.parametrize("kind", EXPECTED)
def test_padding_does_not_count(kind):
    names = ["pooled_output"] if kind == "pooled" else ["sequence_output", "mask"]
    outputs = encoder_outputs(names)
    model = keras.Model(outputs, pool(kind, outputs))
    assert model.output_shape == (None, 6 if kind == "concat" else 2)
    given = {
        "sequence_output": TOKENS.astype(np.float32),
        "pooled_output": np.array(EXPECTED["pooled"], np.float32),
        "mask": MASK.astype(np.float32),
    }
    found = model({name: given[name] for name in names})
    np.testing.assert_allclose(found, EXPECTED[kind])


# The lengths of a batch's texts; `None`: without a mask.
LENGTHS = {"no-mask": None, "whole": [5, 5, 5], "padded": [1, 3, 5], "empty": [0, 2, 0]}


@pytest.mark.parametrize("name", LENGTHS)
def test_concat_is_the_last_the_maximum_and_the_mean_of_each_text(name):
    tokens = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    lengths, masks = LENGTHS[name], ()
    if lengths is not None:
        masks = ((np.arange(5) < np.array(lengths)[:, None]).astype(np.int32),)
    given = tf.constant(tokens)
    with tf.GradientTape() as tape:
        tape.watch(given)
        found = TokenPooling("concat")(given, *masks)
    assert found.shape == (3, 12)
    for row, length in enumerate(lengths or [5, 5, 5]):
        text = tokens[row, :length]
        if length:
            expected = [text[-1], text.max(0), text.mean(0)]
            np.testing.assert_allclose(found[row], np.concatenate(expected), rtol=1e-5, atol=1e-6)
    gradient = tape.gradient(found, given).numpy()
    assert np.isfinite(found).all()
    assert np.isfinite(gradient).all()
    for mask in masks if name != "empty" else ():
        assert not gradient[mask == 0].any()


def test_a_sequence_without_a_mask_can_be_concatenated():
    sequence = keras.Input((3, 2))
    model = keras.Model(sequence, pool("concat", sequence))
    expected = np.concatenate([TOKENS[:, -1], TOKENS.max(1), TOKENS.mean(1)], axis=1)
    np.testing.assert_allclose(model(TOKENS.astype(np.float32)), expected, rtol=1e-6)


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
            "needs the output pooled_output, but this encoder returns sequence_output",
        ),
        ("avg", encoder_outputs(("pooled_output", "mask")), "needs the output sequence_output"),
        ("first", keras.Input((4, 4, 2)), "pooling='first' is for texts"),
        ("concat", keras.Input((4, 4, 2)), "pooling='concat' is for texts"),
        ("max", keras.Input((8,)), "pooling='max' has no effect, because this backbone returns"),
        ("pooled", keras.Input((8,)), "pooling='pooled' has no effect"),
        ("concat", encoder_outputs(("pooled_output", "mask")), "needs the output sequence_output"),
    ],
)
def test_what_cannot_be_pooled_is_explained(kind, outputs, message):
    with pytest.raises(ConfigError, match=message):
        pool(kind, outputs)
