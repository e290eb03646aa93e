"""The preprocessor of language models, against the tokenizer that it is made of."""

import numpy as np
import pytest
import tensorflow as tf

from keras_tl.backbones.texts import load_preprocessor
from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor
from keras_tl.errors import ConfigError
from keras_tl.ulmfit import Vocabulary, WordTokenizer
from tests import hub_modules

# No mark has the number that it has in other vocabularies.
WORDS = ("the", "film", *reversed(MARKS), "good", "été")
VOCABULARY = Vocabulary(WORDS)
LENGTH = 6
TEXTS = ["good film", "The GOOD film, the film!", "", "   ", "ÉTÉ", "yes yes yes", "the " * 30]


@pytest.fixture(scope="module")
def preprocessor():
    return WordPreprocessor(VOCABULARY, LENGTH)


def numpy_of(tokens):
    return {name: value.numpy() for name, value in tokens.items()}


def assert_same(one, other):
    assert set(one) == set(other) == {"input_word_ids", "input_mask"}
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])


def test_tokens_of_texts_are_those_written_down_by_hand(preprocessor):
    found = numpy_of(preprocessor(["The good films", "", "été the film été film the"]))
    expected = [
        ["xxbos", "xxmaj", "the", "good", "xxunk", "xxpad"],
        ["xxbos", *["xxpad"] * 5],
        ["xxbos", "été", "the", "film", "été", "film"],
    ]
    assert [[WORDS[number] for number in row] for row in found["input_word_ids"]] == expected
    assert found["input_mask"].sum(1).tolist() == [5, 1, 6]
    assert WORDS[preprocessor.unknown_token] == "xxunk"


@pytest.mark.parametrize("length", [5, LENGTH, 200])
def test_tokens_are_those_of_the_tokenizer_cut_and_padded(preprocessor, length):
    rows = WordTokenizer(VOCABULARY)(TEXTS).to_list()
    other = preprocessor.with_length(length)
    assert other.sequence_length == length
    found = numpy_of(other(TEXTS))
    padding = VOCABULARY.number("xxpad")
    for row, ids, mask in zip(rows, found["input_word_ids"], found["input_mask"], strict=True):
        count = min(len(row), length)
        assert ids.tolist() == row[:count] + [padding] * (length - count)
        assert mask.tolist() == [1] * count + [0] * (length - count)
    assert {value.dtype for value in found.values()} == {np.dtype("int32")}
    # Counts do not know of the length.
    counts = other.token_counts(TEXTS)
    assert counts.dtype == tf.int32
    assert counts.numpy().tolist() == [len(row) for row in rows]
    assert preprocessor.sequence_length == LENGTH


def test_a_graph_gives_the_same_with_the_length_known(preprocessor):
    datasets = tf.data.Dataset.from_tensor_slices(TEXTS).batch(3).map(preprocessor)
    assert {x.shape.as_list()[1] for x in datasets.element_spec.values()} == {LENGTH}
    batches = [numpy_of(batch) for batch in datasets]
    joined = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
    assert_same(joined, numpy_of(preprocessor(TEXTS)))


def test_it_is_built_again_from_what_it_saved(preprocessor, tmp_path):
    preprocessor.save(tmp_path / "saved")
    again = load_preprocessor((tmp_path / "saved").rename(tmp_path / "moved"))
    assert type(again) is WordPreprocessor
    assert again.sequence_length == LENGTH
    assert again.identity == preprocessor.identity
    assert_same(numpy_of(again(TEXTS)), numpy_of(preprocessor(TEXTS)))


def test_the_identity_is_that_of_what_decides_the_tokens(preprocessor):
    assert WordPreprocessor(Vocabulary(WORDS), LENGTH).identity == preprocessor.identity
    others = {
        WordPreprocessor(VOCABULARY, LENGTH + 1).identity,
        WordPreprocessor(Vocabulary(WORDS[:-1]), LENGTH).identity,
        WordPreprocessor(Vocabulary(WORDS[::-1]), LENGTH).identity,
    }
    assert len(others | {preprocessor.identity}) == 4


def test_an_export_holds_the_words_and_answers_alike(preprocessor, tmp_path):
    module = tf.Module()
    module.preprocessor = preprocessor
    strings = tf.TensorSpec((None,), tf.string, "text")
    module.tokens = tf.function(preprocessor, input_signature=[strings], autograph=False)
    tf.saved_model.save(module, tmp_path / "module", module.tokens)
    expected = numpy_of(preprocessor(TEXTS))
    loaded = tf.saved_model.load(tmp_path / "module").signatures["serving_default"]
    assert_same(numpy_of(loaded(text=tf.constant(TEXTS))), expected)
    answers = hub_modules.ask_as_tf_serving_does(tmp_path / "module", {"text": TEXTS})
    assert_same(answers, expected)


@pytest.mark.parametrize("ask", ["__call__", "token_counts"])
def test_pairs_are_refused(preprocessor, ask):
    with pytest.raises(ConfigError, match=r"^A language model reads one text .*Join the two texts"):
        getattr(preprocessor, ask)(["a"], ["b"])


@pytest.mark.parametrize("given", [[1, 2], "one text", [["a", "b"]]])
def test_what_is_not_a_list_of_texts(preprocessor, given):
    with pytest.raises(ConfigError, match="Expected texts"):
        preprocessor(given)


@pytest.mark.parametrize("length", [4, 0, 8.5, "8", True])
def test_lengths_that_are_none(preprocessor, length):
    for make in (preprocessor.with_length, lambda n: WordPreprocessor(VOCABULARY, n)):
        with pytest.raises(ConfigError, match=r"sequence_length must be a whole number of at leas"):
            make(length)
