r"""Split a text into words as BERT does, with operations that also run in an export.

The rules are those of BERT's published tokenizer (google-research/bert, tokenization.py), and of
the packages `transformers` and `tokenizers`:

1. Control, format and private-use characters, NUL and U+FFFD are removed. Tabs, line ends and all
   Unicode spaces become spaces.
2. `split_cjk`: each Chinese character is a word.
3. `strip_accents`: characters are decomposed (NFD), then characters of class Mn are removed.
4. `lower_case`: each character is lower-cased without regard to its neighbours in the word.
5. Words end at spaces. Each punctuation mark and each ASCII symbol is a word.

Libraries have Unicode tables of different versions, so they may split new characters differently.
"""

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.extras import import_tensorflow_text
from keras_tl.base.config import JsonConfig

# These are RE2 patterns. `split` replaces spaces before it removes the characters in `_LEFT_OUT`,
# because `_LEFT_OUT` also matches tabs and line ends.
_SPACES = r"[\t\n\r\p{Z}]"
_LEFT_OUT = r"[\x{FFFD}\p{C}]"
_CJK = (
    r"[\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}"
    r"\x{2B820}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}]"
)
_SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
_ACCENTS = r"\p{Mn}"
_PUNCTUATION = r"[[:punct:]\p{P}]"


@dataclasses.dataclass(frozen=True)
class WordPieceRules(JsonConfig):
    """Rules that split a text into words.

    Attributes:
        lower_case: Whether texts are lower-cased.
        strip_accents: Whether accents are removed.
        split_cjk: Whether each Chinese character is a word.
        longest_word: Largest number of characters in a word. A longer word becomes the unknown
            token.
    """

    lower_case: bool
    strip_accents: bool
    split_cjk: bool = True
    longest_word: int = 100

    @classmethod
    def of_vocabulary(cls, tokens: Iterable[str], known: Mapping[str, Any]) -> Self:
        """Return rules with the given values, and infer missing values from the vocabulary.

        `lower_case` is true if no token has capital letters. `strip_accents` is true if texts are
        lower-cased and no token has an accent. Special tokens are ignored. `known` maps attribute
        names to the given values. A value `None` counts as missing.
        """
        known = {name: value for name, value in known.items() if value is not None}
        plain = [token for token in tokens if not token.startswith("[")]
        lower_case = known.get("lower_case", all(token == token.lower() for token in plain))
        has_accents = any(token != _stripped(token) for token in plain)
        found = {"lower_case": lower_case, "strip_accents": lower_case and not has_accents}
        return cls(**found | known)

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split texts into words, also in a TensorFlow graph.

        Args:
            texts: Texts, string (batch,). Bytes that are not UTF-8 are removed.

        Returns:
            Words, string (batch, None).
        """
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        texts = tf.strings.regex_replace(texts, _SPACES, " ")
        texts = tf.strings.regex_replace(texts, _LEFT_OUT, "")
        if self.split_cjk:
            texts = tf.strings.regex_replace(texts, _CJK, r" \0 ")
        if self.strip_accents:
            texts = import_tensorflow_text().normalize_utf8(texts, "NFD")
            texts = tf.strings.regex_replace(texts, _ACCENTS, "")
        if self.lower_case:
            # At a word's end, TensorFlow lower-cases sigma to final sigma. BERT does not.
            texts = tf.strings.regex_replace(texts, "\N{GREEK CAPITAL LETTER SIGMA}", _SIGMA)
            texts = tf.strings.lower(texts, encoding="utf-8")
        return tf.strings.split(tf.strings.regex_replace(texts, _PUNCTUATION, r" \0 "))


def _stripped(token: str) -> str:
    decomposed = unicodedata.normalize("NFD", token)
    return "".join(x for x in decomposed if unicodedata.category(x) != "Mn")
