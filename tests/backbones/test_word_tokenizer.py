"""The tokenizer: a table of cases, eagerly and in a graph, and inside of an export."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.errors import ConfigError
from keras_tl.ulmfit import Vocabulary, WordTokenizer, split_words

# A text, and its words and marks.
CASES = {
    "empty": ("", ""),
    "white-space": (" \t\n\xa0 ", ""),
    "words": ("a cat  sat", "a cat sat"),
    "capitalised": ("Hello World", "xxmaj hello xxmaj world"),
    "capitals": ("HELLO B2B", "xxup hello xxup b2b"),
    "one-capital": ("I saw A", "i saw a"),
    "mixed": ("iPhone McDonald", "iphone mcdonald"),
    "abbreviation": ("the U.S. of A.", "the xxup u.s. of a ."),
    "punctuation": ("(Well, yes!)", "( xxmaj well , yes ! )"),
    "hyphen": ("red-tipped", "red - tipped"),
    "slash": ("and/or #1", "and / or # 1"),
    "numbers": ("1,234.5 and 3.14, 7.", "1,234.5 and 3.14 , 7 ."),
    "contractions": ("don't it's we'll", "do n't it 's we 'll"),
    "curly-contractions": ("can\u2019t I\u2019m", "ca n\u2019t i \u2019m"),
    "capital-contraction": ("DON'T", "xxup do xxup n't"),
    "quotation": ("'so he said'", "' so he said '"),
    "ellipsis": ("so...", "so \u2026"),
    "repeated-character": ("Noooo!!!", "n xxrep 4 o xxrep 3 !"),
    "two-characters": ("aa !!", "aa ! !"),
    "repeated-digits": ("10000", "1 xxrep 4 0"),
    "repeated-word": ("yes yes yes Yes", "xxwrep 3 yes xxmaj yes"),
    "repeated-capitalised": ("Ah Ah Ah.", "xxwrep 3 xxmaj ah ."),
    "two-words": ("no no", "no no"),
    "repeated-sign": (". . . .", ". . . ."),
    "unicode": ("ÉCOLE Ünder naïve", "xxup école xxmaj ünder naïve"),
    "greek": ("Αθήνα", "xxmaj αθήνα"),
    "combining": ("cafe\u0301 x", "cafe\u0301 x"),
    "no-spaces": ("東京", "東京"),
    "emoji": ("ok\U0001f600\U0001f600", "ok \U0001f600 \U0001f600"),
    "html": ("a<br /><br/>b &amp; &quot;c&#39;", "a b & \" c '"),
    "wikitext": ("5 @-@ 6 of 0 @.@ 7 @,@ 1 <unk>", "5 - 6 of 0.7,1 xxunk"),
    "marks": ("xxmaj xxunk", "xxmaj xxunk"),
}
TEXTS = [text for text, _ in CASES.values()]


def as_lists(words):
    return [[word.decode() for word in row] for row in words.to_list()]


@pytest.mark.parametrize("name", CASES)
def test_words_are_those_written_down_by_hand(name):
    text, expected = CASES[name]
    assert as_lists(split_words([text])) == [expected.split(" ") if expected else []]


def test_a_batch_gives_what_each_text_gives_alone_also_in_a_graph():
    alone = [row for text in TEXTS for row in as_lists(split_words([text]))]
    assert as_lists(split_words(TEXTS)) == alone
    graph = tf.function(split_words, input_signature=[tf.TensorSpec([None], tf.string)])
    assert as_lists(graph(tf.constant(TEXTS))) == alone
    assert as_lists(graph(tf.zeros([0], tf.string))) == []


def test_a_run_does_not_cross_from_one_text_into_the_next():
    assert as_lists(split_words(["go go", "go", "aa", "a"])) == [
        ["go", "go"],
        ["go"],
        ["aa"],
        ["a"],
    ]


def test_bytes_that_are_no_text_become_a_word():
    assert as_lists(split_words([b"a \xff b"])) == [["a", "\ufffd", "b"]]


@pytest.mark.parametrize("texts", ["a text", [1, 2], [["a"]]])
def test_what_is_no_list_of_texts_is_refused(texts):
    with pytest.raises(ConfigError, match="Expected texts"):
        split_words(texts)


@pytest.fixture(scope="module")
def tokenizer():
    return WordTokenizer(Vocabulary([*MARKS, "the", "cat", "été"]))


def test_numbers_follow_the_start_and_unknown_words_have_that_of_xxunk(tokenizer):
    the, cat = tokenizer.vocabulary.number("the"), tokenizer.vocabulary.number("cat")
    start, capital = MARKS.index("xxbos"), MARKS.index("xxmaj")
    found = tokenizer(["The cat", "", "a the"])
    assert found.dtype == tf.int32
    assert found.to_list() == [[start, capital, the, cat], [start], [start, 0, the]]
    stream = tokenizer.stream(["The cat", "", "a the"])
    assert stream.dtype == np.int32
    np.testing.assert_array_equal(stream, found.values)
    assert tokenizer.stream([]).shape == (0,)


def test_it_goes_through_a_dataset(tokenizer):
    batches = tf.data.Dataset.from_tensor_slices(TEXTS).batch(7).map(tokenizer)
    found = [row for batch in batches for row in batch.to_list()]
    assert found == tokenizer(TEXTS).to_list()


PLAIN = """
import sys
import tensorflow as tf
loaded = tf.saved_model.load(sys.argv[1])
print(loaded.numbers(tf.constant(["The cat, the \u00c9T\u00c9", ""])).numpy().tolist())
assert "keras_tl" not in sys.modules
"""


@pytest.mark.slow
def test_an_export_takes_strings_in_a_process_without_this_package(tokenizer, tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer
    module.numbers = tf.function(
        lambda texts: module.tokenizer(texts).to_tensor(1),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, tmp_path / "module")
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, tmp_path / "module"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=tmp_path,
    )
    expected = tokenizer(["The cat, the ÉTÉ", ""]).to_tensor(1).numpy().tolist()
    assert done.stdout.strip() == str(expected), done.stderr
