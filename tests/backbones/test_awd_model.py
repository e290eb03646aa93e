"""The networks: sizes by name, tied weights, carried states, seeds, half precision."""

import json

import keras
import numpy as np
import pytest

from keras_tl.backbones.awd_lstm.model import SIZES, recurrent_layers, reset_states
from keras_tl.errors import ConfigError
from keras_tl.models.device import precision_policy
from keras_tl.ulmfit import AwdLstmConfig, build_encoder, build_language_model

SMALL = AwdLstmConfig(vocabulary_size=11, embedding_size=4, hidden_size=6)
TOKENS = np.random.default_rng(0).integers(0, 11, (2, 8)).astype(np.int32)


def encoder_of(model):
    """An encoder with a language model's weights, which has one more: the output's bias."""
    encoder = build_encoder(SMALL, seed=1)
    of_model = {weight.path: weight for weight in model.weights}
    encoder.set_weights([of_model[weight.path] for weight in encoder.weights])
    return encoder


@pytest.fixture(scope="module")
def model():
    return build_language_model(SMALL, seed=0)


def test_configurations_make_a_round_trip_through_json():
    config = AwdLstmConfig.named("paper", 100, drop_multiplier=0.5, layers=2)
    assert AwdLstmConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert config.widths == (1150, 400)
    assert config.dropout("weight_dropout") == 0.25


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        ("paper", (1150, 1150, 400)),
        ("fastai", (1152, 1152, 400)),
        ("small", (400, 400, 200)),
        ("tiny", (128, 128, 64)),
    ],
)
def test_sizes_have_names(size, widths):
    assert AwdLstmConfig.named(size, 100).widths == widths


def test_every_size_is_tested():
    assert set(SIZES) == {"paper", "fastai", "small", "tiny"}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: AwdLstmConfig.named("big", 10), "Unknown size of AWD-LSTM 'big'"),
        (lambda: AwdLstmConfig.named("tiny", 10, hiden_size=3), "Did you mean 'hidden_size'"),
        (lambda: AwdLstmConfig(0), "vocabulary_size"),
        (lambda: AwdLstmConfig(10, layers=0), "layers"),
        (lambda: AwdLstmConfig(10, input_dropout=1), "input_dropout"),
        (lambda: AwdLstmConfig.named("paper", 10, drop_multiplier=1.6), "drop_multiplier"),
    ],
)
def test_wrong_configurations_are_refused(make, reason):
    with pytest.raises(ConfigError, match=reason):
        make()


def test_tokens_become_logits_and_hidden_states(model):
    assert model(TOKENS).shape == (2, 8, 11)
    assert [layer.units for layer in recurrent_layers(model)] == [6, 6, 4]
    encoder = encoder_of(model)
    states = encoder({"input_word_ids": TOKENS, "input_mask": TOKENS})["sequence_output"]
    assert states.shape == (2, 8, 4)
    embeddings, bias = model.get_layer("embedding").get_weights()
    np.testing.assert_allclose(model(TOKENS), states @ embeddings.T + bias, atol=1e-5)


def test_input_and_output_have_one_matrix(model):
    of_words = [w for w in model.trainable_variables if 11 in w.shape]
    assert [w.path for w in of_words] == ["embedding/embeddings", "embedding/bias"]
    assert not model.non_trainable_weights


def test_initial_weights_are_those_of_the_paper(model):
    for layer in recurrent_layers(model):
        bound = 1 / np.sqrt(layer.units)
        for matrix in layer.get_weights()[:2]:
            assert 0.5 * bound < np.abs(matrix).max() <= bound
    assert np.abs(model.get_layer("embedding").get_weights()[0]).max() <= 0.1


def test_a_sequence_in_two_halves_gives_the_same_as_the_whole(model):
    carrying = build_language_model(SMALL, batch_size=2)
    carrying.set_weights(model.get_weights())
    whole = model(TOKENS)
    for _ in range(2):
        halves = [carrying(TOKENS[:, :3]), carrying(TOKENS[:, 3:])]
        np.testing.assert_allclose(np.concatenate(halves, 1), whole, atol=1e-6)
        assert np.abs(carrying(TOKENS) - whole).max() > 1e-5
        reset_states(carrying)
    # States are no weights: nothing of them is saved or copied.
    assert len(carrying.get_weights()) == len(model.get_weights())


def test_one_seed_gives_one_model_and_one_dropout(model):
    again, other = build_language_model(SMALL, seed=0), build_language_model(SMALL, seed=1)
    for one, two, three in zip(
        *(m.trainable_variables for m in (model, again, other)), strict=True
    ):
        np.testing.assert_array_equal(one, two)
        assert one.name == "bias" or (one.numpy() != three.numpy()).any()
    recurrent = [layer.get_weights()[1] for layer in recurrent_layers(model)[:2]]
    assert (recurrent[0] != recurrent[1]).any()
    fresh = [build_language_model(SMALL, seed=0)(TOKENS, training=True) for _ in range(2)]
    np.testing.assert_array_equal(*fresh)
    assert np.abs(fresh[0] - model(TOKENS)).max() > 1e-4


@pytest.mark.parametrize(
    "policy", ["mixed_bfloat16", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_logits_and_weights_are_float32_in_half_precision(model, policy):
    with precision_policy(policy):
        half = build_language_model(SMALL, seed=0, batch_size=2)
    half.set_weights(model.get_weights())
    logits = half(TOKENS)
    assert logits.dtype == "float32"
    np.testing.assert_allclose(logits, model(TOKENS), atol=5e-3)
    assert {w.dtype for w in half.weights} == {"float32"}
    half.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True), jit_compile=False)
    assert np.isfinite(half.train_on_batch(TOKENS, TOKENS))


def test_a_model_comes_back_from_its_file(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(TOKENS), model(TOKENS))
