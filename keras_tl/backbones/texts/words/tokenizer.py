r"""Split texts into words, with TensorFlow's string operations, which also run in an export.

The rules are fastai's (fastai/text/core.py), so fastai's vocabularies fit. Rule 3 replaces spaCy,
with which fastai splits texts into words:

1. `<br />` and the most common HTML entities are replaced by their meaning. `<unk>` becomes
   `xxunk`. WikiText's `@.@`, `@,@` and `@-@` become `.`, `,` and `-`. `...` becomes the one
   character U+2026.
2. If a character occurs three or more times in a row, `xxrep`, the count and the character replace
   the series.
3. The text is split into words. A word is a number with its points and commas, an abbreviation such
   as U.S., or a series of letters and digits. English contractions are split as in the Penn
   Treebank (do n't, it 's). Any other character except white space is a token.
4. If a word occurs three or more times in a row, `xxwrep`, the count and the word replace the
   series.
5. Words are lower-cased. The mark `xxup` precedes a word in capitals. The mark `xxmaj` precedes a
   word in which only the first letter is a capital. A word of one letter gets no mark.

Differences from fastai: white space is never a token. Capitals of all scripts are marked, also
beside punctuation. The exceptions in spaCy's rules (such as `Mr.`) do not apply. Texts in scripts
without spaces between words are not split. Unicode is not normalised: texts that look equal may
give different words. A word in a text that is equal to a mark, such as `xxup`, counts as this mark,
as in fastai.
"""

import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts.preprocessor import Texts, as_strings
from keras_tl.backbones.texts.words import marks
from keras_tl.backbones.texts.words.vocabulary import Vocabulary

_AT_ONCE = 512

# These are RE2 patterns, which cannot look ahead or back.
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
# U+2019 is the typographic apostrophe.
_CONTRACTION = r"(?i:n['\x{2019}]t|['\x{2019}](?:s|re|ve|d|m|ll))\b"
# `split_words` puts a space between the letter and the contraction. Otherwise `_WORD` would match
# "don" in "don't".
_BEFORE_CONTRACTION = rf"(\p{{L}})({_CONTRACTION})"
_NUMBER, _ABBREVIATION = r"\p{N}+(?:[.,]\p{N}+)+", r"(?:\p{Lu}\.){2,}"
_TOKEN = "|".join([_CONTRACTION, _NUMBER, _ABBREVIATION, _WORD, r"[^\s]"])
_IN_CAPITALS = r"\p{Lu}[^\p{Ll}]+"
_CAPITALISED = r"\p{Lu}[^\p{Lu}]+"


def split_words(texts: Texts) -> tf.RaggedTensor:
    """Split texts into words and marks, without `xxbos`, also in a TensorFlow graph.

    Args:
        texts: Texts in UTF-8, string (batch,). Invalid bytes become U+FFFD.

    Returns:
        Words and marks (tokens such as `xxmaj`), string (batch, None).

    Raises:
        ConfigError: The argument is not a list of texts.

    Example:
        >>> ktl.ulmfit.split_words(["A GOOD film."]).to_list()
        [[b'a', b'xxup', b'good', b'film', b'.']]
    """
    texts = as_strings(texts)
    for pattern, replacement in _CLEANING:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    texts = _mark_repeated_characters(texts)
    texts = tf.strings.regex_replace(texts, _BEFORE_CONTRACTION, r"\1 \2")
    # RE2 matches each token as a whole, from left to right.
    texts = tf.strings.regex_replace(texts, f"({_TOKEN})", r" \1 ")
    return _mark_words(tf.strings.split(texts))


def _mark_repeated_characters(texts: tf.Tensor) -> tf.Tensor:
    characters = tf.strings.unicode_split(texts, "UTF-8", errors="replace")
    one, counts, rows = _runs(characters, characters.values != " ")
    marked = tf.strings.join(["", marks.REPEATED_CHARACTER, tf.as_string(counts), one, ""], " ")
    twice = tf.strings.join([one, one])
    pieces = tf.where(counts > 2, marked, tf.where(counts == 2, twice, one))
    return _joined(pieces, rows, characters.nrows(), "")


def _mark_words(words: tf.RaggedTensor) -> tf.RaggedTensor:
    one, counts, rows = _runs(words, tf.strings.regex_full_match(words.values, _WORD))
    one = _mark_capitals(one)
    marked = tf.strings.join([marks.REPEATED_WORD, tf.as_string(counts), one], " ")
    twice = tf.strings.join([one, one], " ")
    pieces = tf.where(counts > 2, marked, tf.where(counts == 2, twice, one))
    return tf.strings.split(_joined(pieces, rows, words.nrows(), " "))


def _mark_capitals(words: tf.Tensor) -> tf.Tensor:
    lower = tf.strings.lower(words, encoding="utf-8")
    upper = tf.strings.regex_full_match(words, _IN_CAPITALS)
    capitalised = tf.strings.regex_full_match(words, _CAPITALISED)
    return tf.where(
        upper,
        tf.strings.join([marks.UPPER_CASE, lower], " "),
        tf.where(capitalised, tf.strings.join([marks.CAPITALISED, lower], " "), lower),
    )


def _runs(parts: tf.RaggedTensor, countable: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the value, the length and the row number of each series of equal neighbouring strings.

    `countable` holds a bool for each string. A string for which the bool is false is a series of
    its own, with the length 1.
    """
    values, rows = parts.values, parts.value_rowids()
    goes_on = (values[1:] == values[:-1]) & (rows[1:] == rows[:-1]) & countable[1:]
    # The first string starts a series. Without strings, `rows[:1]` is empty, as it should be.
    starts = tf.concat([tf.ones_like(rows[:1], tf.bool), ~goes_on], 0)
    places = tf.boolean_mask(tf.range(tf.size(values, tf.int64)), starts)
    ends = tf.concat([places[1:], tf.size(values, tf.int64)[None]], 0)[: tf.size(places)]
    return tf.gather(values, places), ends - places, tf.gather(rows, places)


def _joined(pieces: tf.Tensor, rows: tf.Tensor, count: tf.Tensor, separator: str) -> tf.Tensor:
    ragged = tf.RaggedTensor.from_value_rowids(pieces, rows, count, validate=False)
    return tf.strings.reduce_join(ragged, axis=1, separator=separator)


class WordTokenizer(tf.Module):
    """Tokenizer that converts texts to word numbers. Exported modules contain the tokenizer.

    Args:
        vocabulary: Vocabulary, which gives each known word a number. Unknown words become `xxunk`.

    Example:
        >>> tokenizer = ktl.ulmfit.WordTokenizer(lm.vocabulary)
        >>> tokenizer(["the film"]).to_list()
        [[2, 9, 12]]
    """

    def __init__(self, vocabulary: Vocabulary):
        super().__init__()
        self._vocabulary = vocabulary
        self._start = vocabulary.number(marks.START)
        # Create the table outside any graph, even if the caller is inside a graph.
        with tf.init_scope():
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    tf.constant(vocabulary.tokens), tf.range(len(vocabulary), dtype=tf.int32)
                ),
                default_value=vocabulary.number(marks.UNKNOWN),
            )

    @property
    def vocabulary(self) -> Vocabulary:
        """Vocabulary of the tokenizer, which gives each known word a number.

        Example:
            >>> lm.tokenizer.vocabulary == lm.vocabulary
            True
        """
        return self._vocabulary

    def __call__(self, texts: Texts) -> tf.RaggedTensor:
        """Return each text's word numbers, with `xxbos` first. Also works in a TensorFlow graph.

        Args:
            texts: Texts in UTF-8, string (batch,).

        Returns:
            Word numbers, int32 (batch, None). An empty text has only the number of `xxbos`.

        Raises:
            ConfigError: The argument is not a list of texts.
        """
        words = split_words(texts)
        numbers = words.with_values(self._table.lookup(words.values))
        starts = tf.fill([words.nrows(), 1], self._start)
        return tf.concat([starts, numbers], axis=1)

    def stream(self, texts: list[str]) -> np.ndarray:
        """Return the word numbers of all texts in one array, text after text, int32 (n,).

        Example:
            >>> lm.tokenizer.stream(["the film", "good"]).tolist()
            [2, 9, 12, 2, 10]
        """
        found = [self(texts[i : i + _AT_ONCE]).values for i in range(0, len(texts), _AT_ONCE)]
        return np.concatenate([np.zeros(0, np.int32), *(part.numpy() for part in found)])
