r"""Words from raw strings, by TensorFlow's own string operations: it runs inside of an export.

It follows the rules of fastai (fastai/text/core.py), whose vocabularies therefore fit, as far as
they can be followed without spaCy, which splits words there:

1. `<br />` and the commonest HTML entities are resolved, `<unk>` is `xxunk`, the `@.@`, `@,@` and
   `@-@` of WikiText lose their marks, `...` is one character.
2. A character three times or more in a row is `xxrep`, how often, and the character.
3. Words are split: numbers with their points and commas, abbreviations such as U.S., letters and
   digits in a row, English contractions as in the Penn Treebank (do n't, it 's); everything else
   that is not white space is a token by itself.
4. A word three times or more in a row is `xxwrep`, how often, and the word.
5. Everything is lower case: after `xxup` if it was in capitals, after `xxmaj` if only its first
   letter was one; a single letter gets no mark.

Otherwise than in fastai: white space is never a token; capitals are those of all scripts, and are
marked also beside punctuation; spaCy's lists of exceptions (such as `Mr.`) are not followed.
Scripts that have no spaces between words are not split. Texts are not normalised: what looks the
same may be composed otherwise. A mark that is written in a text is that mark, as in fastai.
"""

import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts.preprocessor import Texts, as_strings
from keras_tl.backbones.texts.words.marks import (
    CAPITALISED,
    REPEATED_CHARACTER,
    REPEATED_WORD,
    START,
    UNKNOWN,
    UPPER_CASE,
)
from keras_tl.backbones.texts.words.vocabulary import Vocabulary

_AT_ONCE = 512

# Patterns are RE2's, which looks neither ahead nor back.
_CLEANING = (
    (r"<br\s*/?>|&nbsp;", " "),
    ("<unk>", " xxunk "),
    ("&quot;", '"'),
    ("&#39;|&apos;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
    (r" @([.,-])@ ", r"\1"),
    (r"\.\.\.", " … "),
    (r"[\s\p{Z}\p{Cc}]+", " "),
)
_WORD = r"[\p{L}\p{M}\p{N}_]+"
# U+2019 is the typographer's apostrophe.
_CONTRACTION = r"(?i:n['\x{2019}]t|['\x{2019}](?:s|re|ve|d|m|ll))\b"
# Before what is split, so that the word before it ends there.
_BEFORE_CONTRACTION = rf"(\p{{L}})({_CONTRACTION})"
_TOKEN = "|".join(
    [
        _CONTRACTION,
        r"\p{N}+(?:[.,]\p{N}+)+",
        r"(?:\p{Lu}\.){2,}",
        _WORD,
        r"[^\s]",
    ]
)
_IN_CAPITALS = r"\p{Lu}[^\p{Ll}]+"
_CAPITALISED = r"\p{Lu}[^\p{Lu}]+"


def split_words(texts: Texts) -> tf.RaggedTensor:
    """Splits texts into words and marks, without `xxbos`; in a graph too.

    Args:
        texts: string (batch,), UTF-8; what is not is replaced by U+FFFD.

    Returns:
        string (batch, None).

    Raises:
        ConfigError: they are not texts.
    """
    texts = as_strings(texts)
    for pattern, replacement in _CLEANING:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    texts = _mark_repeated_characters(texts)
    texts = tf.strings.regex_replace(texts, _BEFORE_CONTRACTION, r"\1 \2")
    # Every token in turn is matched as a whole.
    texts = tf.strings.regex_replace(texts, f"({_TOKEN})", r" \1 ")
    return _mark_words(tf.strings.split(texts))


def _mark_repeated_characters(texts: tf.Tensor) -> tf.Tensor:
    characters = tf.strings.unicode_split(texts, "UTF-8", errors="replace")
    one, counts, rows = _runs(characters, characters.values != " ")
    marked = tf.strings.join([" ", REPEATED_CHARACTER, " ", tf.as_string(counts), " ", one, " "])
    twice = tf.strings.join([one, one])
    pieces = tf.where(counts > 2, marked, tf.where(counts == 2, twice, one))
    return _joined(pieces, rows, characters.nrows(), "")


def _mark_words(words: tf.RaggedTensor) -> tf.RaggedTensor:
    one, counts, rows = _runs(words, tf.strings.regex_full_match(words.values, _WORD))
    one = _mark_capitals(one)
    marked = tf.strings.join([REPEATED_WORD, tf.as_string(counts), one], " ")
    twice = tf.strings.join([one, one], " ")
    pieces = tf.where(counts > 2, marked, tf.where(counts == 2, twice, one))
    return tf.strings.split(_joined(pieces, rows, words.nrows(), " "))


def _mark_capitals(words: tf.Tensor) -> tf.Tensor:
    lower = tf.strings.lower(words, encoding="utf-8")
    upper = tf.strings.regex_full_match(words, _IN_CAPITALS)
    capitalised = tf.strings.regex_full_match(words, _CAPITALISED)
    return tf.where(
        upper,
        tf.strings.join([UPPER_CASE, lower], " "),
        tf.where(capitalised, tf.strings.join([CAPITALISED, lower], " "), lower),
    )


def _runs(parts: tf.RaggedTensor, countable: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Equal neighbours as one.

    Args:
        parts: string (batch, None).
        countable: bool, for each of its values; the others stay alone.

    Returns:
        For each run its value, its length (int64) and the row it is in (int64).
    """
    values, rows = parts.values, parts.value_rowids()
    goes_on = (values[1:] == values[:-1]) & (rows[1:] == rows[:-1]) & countable[1:]
    # Of no values there is no first one.
    starts = tf.concat([tf.ones_like(rows[:1], tf.bool), ~goes_on], 0)
    places = tf.boolean_mask(tf.range(tf.size(values, tf.int64)), starts)
    ends = tf.concat([places[1:], tf.size(values, tf.int64)[None]], 0)[: tf.size(places)]
    return tf.gather(values, places), ends - places, tf.gather(rows, places)


def _joined(pieces: tf.Tensor, rows: tf.Tensor, count: tf.Tensor, separator: str) -> tf.Tensor:
    ragged = tf.RaggedTensor.from_value_rowids(pieces, rows, count, validate=False)
    return tf.strings.reduce_join(ragged, axis=1, separator=separator)


class WordTokenizer(tf.Module):
    """Numbers of words. A module that is exported holds it as an attribute.

    Args:
        vocabulary: the words that have numbers; the others are `xxunk`.
    """

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self._vocabulary = vocabulary
        self._start = vocabulary.number(START)
        # Made outside of any graph, wherever the tokenizer is made.
        with tf.init_scope():
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    tf.constant(vocabulary.tokens), tf.range(len(vocabulary), dtype=tf.int32)
                ),
                default_value=vocabulary.number(UNKNOWN),
            )

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that have numbers."""
        return self._vocabulary

    def __call__(self, texts: Texts) -> tf.RaggedTensor:
        """Numbers of the words of each text, after `xxbos`; in a graph too.

        Args:
            texts: string (batch,), UTF-8.

        Returns:
            int32 (batch, None), at least one in each row.

        Raises:
            ConfigError: they are not texts.
        """
        words = split_words(texts)
        numbers = words.with_values(self._table.lookup(words.values))
        starts = tf.fill([words.nrows(), 1], self._start)
        return tf.concat([starts, numbers], axis=1)

    def stream(self, texts: list[str]) -> np.ndarray:
        """int32 (n,): the numbers of all texts, one text after the other."""
        found = [self(texts[i : i + _AT_ONCE]).values for i in range(0, len(texts), _AT_ONCE)]
        return np.concatenate([np.zeros(0, np.int32), *(part.numpy() for part in found)])
