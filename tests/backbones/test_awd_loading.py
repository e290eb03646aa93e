"""Encoders of language models: the same hidden states, other dropouts, a block a layer."""

import keras
import numpy as np
import pytest

from keras_tl.backbones.awd_lstm.model import BPTT, CLASSIFIER_DROPOUTS, recurrent_layers
from keras_tl.backbones.loading import seeded
from keras_tl.errors import RunError
from keras_tl.models.source_kinds import of_ulmfit
from tests import language_models

LENGTHS = (1, 4, 9)
BLOCKS = ["embedding", "lstm_1", "lstm_2", "lstm_3"]


@pytest.fixture(scope="module")
def model():
    # Dropouts that are not those of classifiers, and a multiplier, which is not for these.
    return language_models.make_language_model(drop_multiplier=0.5, weight_dropout=0.9)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model"
    model.save(path)
    return path


def load_ulmfit(path):
    return of_ulmfit(str(path), weights="imagenet", output_block=None, preprocess=None)


def batch_of(model, padding, length):
    """Rows of several lengths, and the same tokens in every batch."""
    tokens = np.random.default_rng(0).integers(0, len(model.vocabulary), (3, max(LENGTHS)))
    mask = np.arange(length) < np.array(LENGTHS)[:, None]
    ids = np.full((3, length), padding)
    ids[:, : max(LENGTHS)] = tokens
    return {
        "input_word_ids": np.where(mask, ids, padding).astype(np.int32),
        "input_mask": mask.astype(np.int32),
    }


def test_what_stands_before_padding_does_not_depend_on_it(model):
    encoder = model.encoder()
    batches = [batch_of(model, *options) for options in ((1, 9), (1, 20), (5, 20))]
    states = [encoder(batch)["sequence_output"].numpy() for batch in batches]
    for row, length in enumerate(LENGTHS):
        alone = {name: values[row : row + 1, :length] for name, values in batches[0].items()}
        expected = encoder(alone)["sequence_output"][0]
        assert np.abs(expected).max() > 0.05
        for found in states:
            np.testing.assert_allclose(found[row, :length], expected, atol=1e-6)


def test_states_are_those_of_the_language_model(model):
    batch = batch_of(model, 1, 9)
    found = model.encoder()(batch)
    np.testing.assert_array_equal(found["mask"], batch["input_mask"])
    embeddings, bias = model.network.get_layer("embedding").get_weights()
    expected = model.network(batch["input_word_ids"])
    logits = found["sequence_output"] @ embeddings.T + bias
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert np.abs(expected).max() > 0.05


def test_dropouts_are_those_of_classifiers(folder):
    encoder = load_ulmfit(folder).network
    shares = CLASSIFIER_DROPOUTS
    assert {layer.name: layer.rate for layer in encoder.layers if hasattr(layer, "rate")} == {
        "input_dropout": shares["input_dropout"],
        "hidden_dropout_1": shares["hidden_dropout"],
        "hidden_dropout_2": shares["hidden_dropout"],
    }
    assert encoder.get_layer("embedding").dropout == shares["embedding_dropout"]
    lstms = recurrent_layers(encoder)
    assert [layer.weight_dropout for layer in lstms] == [shares["weight_dropout"]] * 3
    assert [layer.bptt for layer in lstms] == [BPTT] * 3
    assert BPTT == 70


def test_a_folder_gives_its_encoder_with_a_block_a_layer(model, folder):
    loaded = load_ulmfit(folder)
    assert list(loaded.blocks) == BLOCKS
    assert all([x.name for x in loaded.block_layers(name)] == [name] for name in BLOCKS)
    assert loaded.image_size is None
    assert loaded.preprocessor.identity.startswith(f"words {model.vocabulary.identity} ")
    ours, theirs = loaded.network.weights, model.encoder().weights
    # All but the output's bias: an embedding, and three of each LSTM layer.
    assert len(ours) == len(model.network.weights) - 1 == 10
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
    # Nothing in it is the language model's own.
    before = model.network.get_weights()
    loaded.network.set_weights([np.zeros(weight.shape) for weight in ours])
    for was, now in zip(before, model.network.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_the_graph_is_one_and_the_dropout_that_of_the_seed(model, folder):
    batch, found = batch_of(model, 1, 9), {}
    for seed in (0, 0, 1):
        with seeded(seed):
            loaded = load_ulmfit(folder)
        states = loaded.network(batch, training=True)["sequence_output"].numpy()
        found.setdefault(seed, []).append((loaded.identity, states))
    (graph, one), (again, two) = found[0]
    ((other, three),) = found[1]
    # Features are cached under what is the same whatever the seed.
    assert graph == again == other
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - three).max() > 1e-3


def test_an_encoder_comes_back_from_keras_s_own_format(model, tmp_path):
    encoder = model.encoder()
    encoder.save(tmp_path / "encoder.keras")
    again = keras.saving.load_model(tmp_path / "encoder.keras")
    batch = batch_of(model, 1, 9)
    np.testing.assert_array_equal(
        again(batch)["sequence_output"], encoder(batch)["sequence_output"]
    )
    assert [layer.bptt for layer in recurrent_layers(again)] == [BPTT] * 3


def test_what_is_no_language_model(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(
            RunError, match=r"^No language model at .*Expected a folder that .* wrote"
        ):
            load_ulmfit(path)
