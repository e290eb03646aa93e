"""Preprocessor that converts texts to word numbers of a language model."""

from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.texts.preprocessor import ABOUT, TextPreprocessor, Texts, as_strings
from keras_tl.backbones.texts.words.marks import PADDING, UNKNOWN
from keras_tl.backbones.texts.words.tokenizer import WordTokenizer
from keras_tl.backbones.texts.words.vocabulary import Vocabulary
from keras_tl.base.files import write_json
from keras_tl.errors import ConfigError

_VOCABULARY = "vocabulary.txt"


class WordPreprocessor(TextPreprocessor):
    """Preprocessor that converts texts to equally long series of word numbers.

    The preprocessor returns no `input_type_ids`.

    Args:
        vocabulary: Vocabulary, which gives each word a number.
        sequence_length: Length of a text in tokens, including `xxbos` and padding.
    """

    def __init__(self, vocabulary: Vocabulary, sequence_length: int = 128):
        super().__init__(sequence_length)
        self._tokenizer = WordTokenizer(vocabulary)
        self._padding = vocabulary.number(PADDING)
        self.unknown_token = vocabulary.number(UNKNOWN)

    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        tokens = self._tokens(texts, pairs)
        length = self.sequence_length
        return {
            "input_word_ids": tokens.to_tensor(self._padding, shape=(None, length)),
            self.mask_name: tf.ones_like(tokens).to_tensor(0, shape=(None, length)),
        }

    def token_counts(self, texts: Texts, pairs: Texts | None = None) -> tf.Tensor:
        return tf.cast(self._tokens(texts, pairs).row_lengths(), tf.int32)

    def _tokens(self, texts: Texts, pairs: Texts | None) -> tf.RaggedTensor:
        if pairs is not None:
            raise ConfigError(
                "A language model reads one text at a time. Received pairs. Join the two texts "
                "of each pair, or use an encoder, for example 'kerashub:bert_tiny_en_uncased'."
            )
        return self._tokenizer(as_strings(texts))

    def with_length(self, sequence_length: int) -> Self:
        return type(self)(self._tokenizer.vocabulary, sequence_length)

    @property
    def identity(self) -> str:
        return f"words {self._tokenizer.vocabulary.identity} length={self.sequence_length}"

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._tokenizer.vocabulary.save(folder / _VOCABULARY)
        write_json(folder / ABOUT, {"kind": "words", "sequence_length": self.sequence_length})

    @classmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        return cls(Vocabulary.load(folder / _VOCABULARY), about["sequence_length"])
