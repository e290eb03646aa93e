"""The vocabulary: limits, order, its file, its identity, embeddings moved to another one."""

import hashlib

import numpy as np
import pytest

from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.errors import ConfigError
from keras_tl.ulmfit import Vocabulary, transfer_embeddings

COUNTS = {"the": 9, "cat": 4, "bat": 4, "rare": 1, "xxmaj": 50}


def test_the_most_frequent_words_follow_the_marks():
    assert Vocabulary.from_counts(COUNTS).tokens == (*MARKS, "the", "bat", "cat")
    assert Vocabulary.from_counts(COUNTS, min_frequency=1).tokens[-1] == "rare"
    assert Vocabulary.from_counts(COUNTS, max_size=11).tokens == (*MARKS, "the", "bat")


def test_what_is_not_known_has_the_number_of_xxunk():
    vocabulary = Vocabulary.from_counts(COUNTS)
    assert vocabulary.number("dog") == vocabulary.number("xxunk") == 0
    assert vocabulary.number("the") == len(MARKS)
    assert "the" in vocabulary
    assert "dog" not in vocabulary


def test_a_file_gives_the_same_vocabulary(tmp_path):
    # The last two are neither white space nor letters; the very last may be taken for a mark.
    vocabulary = Vocabulary([*MARKS, "été", "東京", "a\u200bb", "\ufeff"])
    path = tmp_path / "vocabulary.txt"
    vocabulary.save(path)
    loaded = Vocabulary.load(path)
    assert loaded == vocabulary
    assert hash(loaded) == hash(vocabulary)
    assert loaded.identity == vocabulary.identity == hashlib.sha256(path.read_bytes()).hexdigest()
    assert vocabulary.identity != Vocabulary(MARKS).identity


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["xxunk", "xxpad", "the"], "lacks xxbos"),
        ([*MARKS, "the", "the"], "holds 'the' 2 times"),
        ([*MARKS, ""], "without white space"),
        ([*MARKS, "new york"], "without white space"),
        ([*MARKS, "a\n"], "without white space"),
    ],
)
def test_wrong_tokens_are_refused(tokens, reason):
    with pytest.raises(ConfigError, match=reason):
        Vocabulary(tokens)


@pytest.mark.parametrize(
    "limits", [{"max_size": 9}, {"max_size": "all"}, {"min_frequency": 0}, {"min_frequency": 1.5}]
)
def test_wrong_limits_are_refused(limits):
    with pytest.raises(ConfigError, match=next(iter(limits))):
        Vocabulary.from_counts(COUNTS, **limits)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="Cannot read the vocabulary"):
        Vocabulary.load(tmp_path / "none.txt")
    (tmp_path / "latin.txt").write_bytes(b"\xe9\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        Vocabulary.load(tmp_path / "latin.txt")


@pytest.mark.parametrize("shape", [(), (3,)])
def test_known_words_keep_their_weights_and_new_ones_get_the_mean(shape):
    old = Vocabulary(["xxunk", "xxpad", "xxbos", "a", "b"])
    new = Vocabulary(["xxbos", "b", "new", "xxunk", "xxpad", "newer"])
    weights = np.random.default_rng(0).normal(size=(5, *shape)).astype(np.float32)
    moved = transfer_embeddings(old, new, weights=weights)
    assert moved.dtype == np.float32
    np.testing.assert_array_equal(moved[[0, 1, 3, 4]], weights[[2, 4, 0, 1]])
    np.testing.assert_array_equal(moved[2], moved[5])
    np.testing.assert_allclose(moved[2], weights.mean(0), rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(transfer_embeddings(old, old, weights=weights), weights)


def test_weights_of_another_vocabulary_are_refused():
    old = Vocabulary(MARKS)
    with pytest.raises(ConfigError, match="a row for each of the 9 tokens"):
        transfer_embeddings(old, old, weights=np.zeros((8, 2)))
