"""Blank texts and bytes that are not UTF-8 get no answer, from the learner as from its export."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.backbones.texts import WordPiecePreprocessor
from keras_tl.data.texts.text_values import is_blank
from keras_tl.errors import DataError
from keras_tl.models.text_modality import TextModality
from keras_tl.testing.cases import randomise_head
from tests import hub_modules
from tests.data.texts.test_text_inputs import BLANK, NO_UTF_8, NOT_BLANK

TOKENS = tuple((name, (None,), "int32") for name in hub_modules.TOKENS)
ASKED = [text.encode() for text in (*NOT_BLANK, *BLANK)] + NO_UTF_8
VALID = [True] * len(NOT_BLANK) + [False] * (len(ASKED) - len(NOT_BLANK))


@pytest.fixture(scope="module")
def preprocessor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabulary")
    return WordPiecePreprocessor(
        hub_modules.write_vocabulary(folder / "vocab.txt"), lower_case=True, sequence_length=8
    )


def test_the_graph_and_python_agree_on_every_character():
    modality = TextModality((("text", (), "string"),), None, are_pairs=False)
    characters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    texts, valid = modality.read_raw({"text": tf.constant(characters)})
    different = [x for x, y in zip(characters, valid.numpy(), strict=True) if is_blank(x) == y]
    # Format characters that are too young for TensorFlow's tables.
    assert len(different) < 30
    kept = tf.boolean_mask(tf.constant(characters), valid)
    np.testing.assert_array_equal(tf.boolean_mask(texts, valid), kept)


def test_what_is_no_text_is_read_as_an_empty_one(preprocessor):
    single = TextModality(TOKENS, preprocessor, are_pairs=False)
    tokens, valid = single.read_raw({"text": tf.constant(ASKED)})
    assert valid.numpy().tolist() == VALID
    empty, _ = single.read_raw({"text": tf.constant([""])})
    for name, values in tokens.items():
        found = values[~valid].numpy()[:, : empty[name].shape[1]]
        np.testing.assert_array_equal(found, np.repeat(empty[name], len(found), 0))


def test_of_a_pair_both_must_be_texts(preprocessor):
    pairs = TextModality(TOKENS, preprocessor, are_pairs=True)
    items = [*itertools.product([b"a", b" ", b"\xff"], repeat=2)]
    first, second = map(list, zip(*items, strict=True))
    _, valid = pairs.read_raw({"text": tf.constant(first), "text_pair": tf.constant(second)})
    assert [pair for pair, y in zip(items, valid.numpy(), strict=True) if y] == [(b"a", b"a")]


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """On an encoder of strings: nothing has to be traced but itself."""
    module = hub_modules.make_text_module(tmp_path_factory.mktemp("module") / "strings")
    texts = ["good film", "bad film"] * 4
    data = ktl.TextData.from_arrays(texts, ["good", "bad"] * 4, verbose=False)
    learner = ktl.Learner(f"tfhub:{module}", data, seed=0, verbose=False)
    randomise_head(learner)
    return learner


def test_the_learner_refuses_what_its_serving_model_marks(learner):
    answers = learner.serving_model.ask("serving_default", {"text": ASKED})
    assert answers["valid"].numpy().tolist() == VALID
    invalid = ~answers["valid"].numpy()
    assert not answers["probabilities"].numpy()[invalid].any()
    assert (answers["class_id"].numpy()[invalid] == -1).all()
    assert (answers["label"].numpy()[invalid] == b"").all()
    features = learner.serving_model.ask("embed", {"text": ASKED})
    assert not features["features"].numpy()[invalid].any()
    for ask in (learner.predict, learner.features):
        with pytest.raises(
            DataError, match=r"Item 1 of 3 is blank: .* invisible marks\. Remove this text"
        ):
            ask(["good", " \n", "bad"])
        with pytest.raises(DataError, match=r"Expected texts in UTF-8.* item 1, line 1"):
            ask(["good", b"caf\xe9"])
    assert learner.predict(["good", "bad"]).valid is None


def test_what_is_served_marks_the_same(learner, tmp_path):
    model = learner.serving_model
    tf.saved_model.save(model, str(tmp_path / "model"), model.signatures)
    found = hub_modules.ask_as_tf_serving_does(tmp_path / "model", {"text": ASKED})
    assert found["valid"].tolist() == VALID
    expected = learner.predict(NOT_BLANK).probabilities
    np.testing.assert_allclose(found["probabilities"][: len(expected)], expected, atol=1e-5)
