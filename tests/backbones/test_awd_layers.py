"""The layers: what is dropped, for how long, and that nothing is in inference."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_tl.backbones.awd_lstm.layers import (
    ActivationRegularization,
    TiedEmbedding,
    WeightDropLSTM,
    WordDropEmbedding,
)
from keras_tl.models.device import choose_strategy, precision_policy

RNG = np.random.default_rng(0)
BATCH, STEPS, WIDTH, UNITS = 3, 6, 4, 5
VALUES = RNG.normal(size=(BATCH, STEPS, WIDTH)).astype(np.float32)


def lstm(rate, **options):
    layer = WeightDropLSTM(UNITS, rate, seed=7, return_sequences=True, **options)
    layer.build(VALUES.shape)
    return layer


def plain_lstm(weights):
    layer = keras.layers.LSTM(UNITS, return_sequences=True)
    layer.build(VALUES.shape)
    layer.set_weights(weights)
    return layer


def test_in_inference_it_is_the_lstm_of_keras():
    layer = lstm(0.5)
    expected = plain_lstm(layer.get_weights())(VALUES)
    np.testing.assert_array_equal(layer(VALUES), expected)
    np.testing.assert_array_equal(layer(VALUES, training=False), expected)
    np.testing.assert_array_equal(lstm(0.0)(VALUES, training=True).shape, expected.shape)


def test_the_same_recurrent_weights_are_dropped_in_every_step_of_a_pass():
    layer = lstm(0.5)
    kernel, recurrent, bias = layer.get_weights()
    found = layer(VALUES, training=True)
    # The masks as the layer's own generator draws them; a plain LSTM has one kernel for all steps.
    masks = keras.random.SeedGenerator(7)
    dropped = ops.convert_to_numpy(keras.random.dropout(recurrent, 0.5, seed=masks))
    share = (dropped == 0).mean()
    assert 0.3 < share < 0.7
    np.testing.assert_allclose(dropped[dropped != 0], 2 * recurrent[dropped != 0], rtol=1e-6)
    np.testing.assert_allclose(found, plain_lstm([kernel, dropped, bias])(VALUES), atol=1e-6)
    # The next pass has a mask of its own, and the weights are as they were.
    assert np.abs(layer(VALUES, training=True) - found).max() > 1e-3
    assert layer.cell.recurrent_kernel is layer.trainable_variables[1]
    np.testing.assert_array_equal(layer.get_weights()[1], recurrent)


def test_the_fused_kernel_is_given_the_dropped_weights(monkeypatch):
    given = []

    def fused(*_, recurrent_kernel, **options):
        given.append(ops.convert_to_numpy(recurrent_kernel))
        raise NotImplementedError  # As on a machine without a GPU.

    monkeypatch.setattr("keras.src.backend.lstm", fused)
    layer = lstm(0.5)
    layer(VALUES, training=True)
    layer(VALUES)
    assert [bool((kernel == 0).any()) for kernel in given] == [True, False]


def test_dropped_recurrent_weights_get_no_gradient():
    layer = lstm(0.5)
    model = keras.Sequential([keras.Input((STEPS, WIDTH)), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    before = layer.get_weights()[1]
    model.train_on_batch(VALUES, np.ones((BATCH, STEPS, UNITS), np.float32))
    masks = keras.random.SeedGenerator(7)
    dropped = ops.convert_to_numpy(keras.random.dropout(np.ones_like(before), 0.5, seed=masks))
    np.testing.assert_array_equal((layer.get_weights()[1] == before), dropped == 0)


def test_after_an_error_the_weights_are_as_they_were():
    layer = lstm(0.5)
    kernel = layer.cell.recurrent_kernel
    with pytest.raises(Exception, match=r"shape|dimension|Matrix"):
        layer.call(ops.ones((1, 2, WIDTH + 1)), training=True)
    assert layer.cell.recurrent_kernel is kernel


BPTT = 4


def inputs_of(length):
    return np.random.default_rng(length).normal(size=(BATCH, length, WIDTH)).astype(np.float32)


@pytest.mark.parametrize("rate", [0.0, 0.5])
@pytest.mark.parametrize("length", [1, BPTT, BPTT + 1, 3 * BPTT])
def test_in_stretches_it_gives_what_it_gives_at_once(length, rate):
    at_once, cut = lstm(rate), lstm(rate, bptt=BPTT)
    cut.set_weights(at_once.get_weights())
    values = inputs_of(length)
    # Two calls: the mask of the second one is another.
    for training in (True, True, False):
        found, expected = (layer(values, training=training) for layer in (cut, at_once))
        np.testing.assert_allclose(found, expected, atol=1e-6)


def gradients_of_the_last(layer, values, **options):
    """Of the last step's output, by the inputs and by each weight."""
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        last = tf.reduce_sum(layer(values, **options)[:, -1] ** 2)
    return tape.gradient(last, [values, *(x.value for x in layer.trainable_variables)])


@pytest.mark.parametrize("length", [BPTT - 1, BPTT, BPTT + 1, 3 * BPTT])
def test_gradients_do_not_leave_their_stretch_in_training(length):
    layer, values = lstm(0.0, bptt=BPTT), inputs_of(length)
    plain = plain_lstm(layer.get_weights())
    found, *of_weights = gradients_of_the_last(layer, values, training=True)
    start = (length - 1) // BPTT * BPTT
    assert not found[:, :start].numpy().any()
    states = None
    if start:
        cell = keras.layers.RNN(plain.cell, return_state=True)
        states = cell(values[:, :start])[1:]
    alone = gradients_of_the_last(plain, values[:, start:], initial_state=states)
    np.testing.assert_allclose(found[:, start:], alone[0], atol=1e-6)
    for one, other in zip(of_weights, alone[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    found, expected = (gradients_of_the_last(x, values, training=False) for x in (layer, plain))
    assert found[0].numpy()[:, 0].any()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "where",
    [
        "single",
        pytest.param("mirrored", marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", marks=pytest.mark.slow),
    ],
)
def test_a_traced_step_in_stretches_is_the_eager_one(where):
    policy = where if where.startswith("mixed") else "float32"
    strategy = choose_strategy("single" if where.startswith("mixed") else where)
    values = RNG.normal(size=(4, 2 * BPTT + 1, WIDTH)).astype(np.float32)
    targets = np.ones((4, 2 * BPTT + 1, UNITS), np.float32)
    layer = lstm(0.0, bptt=BPTT)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((layer(values, training=True) - targets) ** 2)
    expected = tape.gradient(loss, [x.value for x in layer.trainable_variables])
    with strategy.scope(), precision_policy(policy):
        traced = WeightDropLSTM(UNITS, return_sequences=True, bptt=BPTT)
        model = keras.Sequential([keras.Input((None, WIDTH)), traced])
        model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    traced.set_weights(layer.get_weights())
    model.fit(values, targets, batch_size=4, verbose=0)
    assert {weight.dtype for weight in traced.weights} == {"float32"}
    for old, new, moved in zip(layer.get_weights(), traced.get_weights(), expected, strict=True):
        scale = np.abs(moved).max()
        atol = scale * (0.03 if policy != "float32" else 1e-4)
        np.testing.assert_allclose(old - new, moved, atol=atol)


def test_locked_dropout_has_one_mask_a_sequence_for_all_its_steps():
    layer = keras.layers.SpatialDropout1D(0.5, seed=1)
    mask = ops.convert_to_numpy(layer(np.ones((4, STEPS, 50), np.float32), training=True))
    assert (mask == mask[:, :1]).all()
    assert all((mask[0, 0] != mask[n, 0]).any() for n in range(1, 4))


@pytest.mark.parametrize("kind", [WordDropEmbedding, TiedEmbedding])
def test_embedding_dropout_drops_whole_words_in_a_whole_batch(kind):
    layer = kind(40, WIDTH, 0.5, seed=3)
    tokens = RNG.integers(0, 40, (8, 30))
    full = ops.convert_to_numpy(layer(tokens))
    np.testing.assert_array_equal(full, layer.get_weights()[0][tokens])
    found = ops.convert_to_numpy(layer(tokens, training=True))
    scale = np.round(found / full, 4)
    for token in np.unique(tokens):
        assert np.unique(scale[tokens == token]).tolist() in ([0.0], [2.0])
    gone = {int(t) for t in np.unique(tokens) if (found[tokens == t] == 0).all()}
    assert 8 < len(gone) < 32


def test_the_embedding_of_an_encoder_has_no_bias():
    layer = WordDropEmbedding(40, WIDTH, 0.5)
    layer.build((None, None))
    assert [weight.name for weight in layer.weights] == ["embeddings"]
    np.testing.assert_array_equal(layer(np.array([[3, 3]]))[0], layer.get_weights()[0][[3, 3]])


def test_the_output_has_the_weights_of_the_embedding():
    layer = TiedEmbedding(40, WIDTH, 0.5, seed=3)
    layer.build((None, None))
    layer.bias.assign(RNG.normal(size=40))
    embeddings, bias = layer.get_weights()
    logits = layer(VALUES, reverse=True, training=True)
    np.testing.assert_allclose(logits, VALUES @ embeddings.T + bias, atol=1e-5)
    assert len(layer.trainable_variables) == 2


@pytest.mark.parametrize("steps", [1, STEPS])
def test_ar_and_tar_are_the_formula(steps):
    layer = ActivationRegularization(2.0, 1.0)
    raw, dropped = VALUES[:, :steps], RNG.normal(size=(BATCH, steps, WIDTH)).astype(np.float32)
    np.testing.assert_array_equal(layer(raw, dropped, training=True), dropped)
    change = np.diff(raw, axis=1) ** 2
    expected = 2 * (dropped**2).mean() + (change.mean() if change.size else 0.0)
    assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-5)
    layer(raw, dropped, training=False)
    assert layer.losses == []


def test_layers_come_back_from_their_configuration():
    for layer in (
        TiedEmbedding(40, WIDTH, 0.5, seed=3, name="e"),
        WordDropEmbedding(40, WIDTH, 0.5, seed=3),
        WeightDropLSTM(UNITS, 0.25, seed=4, return_sequences=True, stateful=True),
        WeightDropLSTM(UNITS, 0.25, return_sequences=True, bptt=7),
        ActivationRegularization(3.0, 0.5),
    ):
        config = keras.saving.serialize_keras_object(layer)
        again = keras.saving.deserialize_keras_object(config)
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()
        assert getattr(again, "bptt", None) == getattr(layer, "bptt", None)
    assert config["registered_name"] == "keras_tl>ActivationRegularization"


@pytest.mark.parametrize("options", [{"stateful": True}, {"return_sequences": False}])
def test_stretches_are_of_whole_sequences_only(options):
    with pytest.raises(ValueError, match="return_sequences=True and stateful=False"):
        WeightDropLSTM(UNITS, bptt=2, **({"return_sequences": True} | options))


@pytest.mark.parametrize("given", ["initial_state", "mask"])
def test_stretches_begin_with_zeros_and_have_no_mask(given):
    layer = WeightDropLSTM(UNITS, bptt=2, return_sequences=True)
    values = {
        "initial_state": [np.zeros((BATCH, UNITS), np.float32)] * 2,
        "mask": np.ones((BATCH, STEPS), bool),
    }
    with pytest.raises(ValueError, match="no initial_state= and no mask="):
        layer(VALUES, training=True, **{given: values[given]})
