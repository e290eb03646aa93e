r"""How BERT splits a text into words, by operations that a server has: it runs inside of an export.

The rules are those of the published tokenizer (google-research/bert, tokenization.py; the same in
the packages `transformers` and `tokenizers`):

1. Control, format and private-use characters, NUL and U+FFFD are left out; every space is a space.
2. Where asked, each Chinese character is a word of its own.
3. Where asked, accents are stripped: canonical decomposition, then no character of class Mn.
4. Where asked, every character is lower-cased by itself, wherever in a word it stands.
5. Words end at spaces; each punctuation mark and each ASCII symbol is a word of its own.

Characters that are younger than a library's Unicode tables may be treated otherwise there.
"""

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.extras import import_tensorflow_text
from keras_tl.base.config import JsonConfig

# Patterns are RE2's. Spaces come before what is left out: tabs and line ends are controls too.
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
        lower_case: whether texts are lower-cased.
        strip_accents: whether accents are stripped.
        split_cjk: whether each Chinese character is a word.
        longest_word: a word of more characters is unknown.
    """

    lower_case: bool
    strip_accents: bool
    split_cjk: bool = True
    longest_word: int = 100

    @classmethod
    def of_vocabulary(cls, tokens: Iterable[str], known: Mapping[str, Any]) -> Self:
        """The rules that a vocabulary was made by, as far as they are not known otherwise.

        Without a capital letter in it, texts were lower-cased. With an accent in it, none was
        stripped; without one, they were stripped where texts were lower-cased.

        Args:
            tokens: the vocabulary.
            known: values of the attributes; `None` is as good as nothing.
        """
        known = {name: value for name, value in known.items() if value is not None}
        plain = [token for token in tokens if not token.startswith("[")]
        lower_case = known.get("lower_case", all(token == token.lower() for token in plain))
        has_accents = any(token != _stripped(token) for token in plain)
        found = {"lower_case": lower_case, "strip_accents": lower_case and not has_accents}
        return cls(**found | known)

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits texts into words; in a graph too.

        Args:
            texts: string (batch,); bytes that are not UTF-8 are left out.

        Returns:
            string (batch, None).
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
            # TensorFlow makes another small sigma of one that ends a word.
            texts = tf.strings.regex_replace(texts, "\N{GREEK CAPITAL LETTER SIGMA}", _SIGMA)
            texts = tf.strings.lower(texts, encoding="utf-8")
        return tf.strings.split(tf.strings.regex_replace(texts, _PUNCTUATION, r" \0 "))


def _stripped(token: str) -> str:
    decomposed = unicodedata.normalize("NFD", token)
    return "".join(x for x in decomposed if unicodedata.category(x) != "Mn")
