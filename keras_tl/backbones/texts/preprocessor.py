"""Base class of all text preprocessors."""

import abc
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts.unknown_token import find_unknown_token
from keras_tl.base.config import SHORTEST_SEQUENCE, check_range
from keras_tl.errors import ConfigError

# Name of the file that says how to rebuild a saved preprocessor.
ABOUT = "preprocessor.json"

Texts: TypeAlias = tf.Tensor | np.ndarray | Sequence[str]


class TextPreprocessor(abc.ABC, tf.Module):
    """Preprocessor that converts texts to the tokens of an encoder.

    A preprocessor also works in a TensorFlow graph: in `tf.data.Dataset.map` and inside an export.
    An exported module has the preprocessor as an attribute, so that the export includes the
    preprocessor's tables and files. For training with a distribution strategy, create the
    preprocessor outside the strategy's scope.

    Args:
        sequence_length: Length of a text in tokens, including special tokens and padding.

    Raises:
        ConfigError: `sequence_length` is not a whole number of at least 5.

    Example:
        >>> tokens = ktl.WordPiecePreprocessor("vocab.txt", lower_case=True, sequence_length=16)
        >>> sorted(tokens(["a good film"]))
        ['input_mask', 'input_type_ids', 'input_word_ids']
    """

    # Name of the output tensor that is 1 for tokens and 0 for padding.
    mask_name = "input_mask"
    # Path of the tokenizer.json of the encoder's publisher, or `None`. The preflight compares the
    # tokens of the publisher's tokenizer with the tokens of this preprocessor.
    reference: Path | None = None
    # Reason why the preflight cannot compare tokens with `reference`, as a phrase, or `None`.
    not_compared: str | None = None
    # The only sequence length that this preprocessor can make, or `None` if any length is possible.
    fixed_length: int | None = None
    # Whether `token_counts` counts only the tokens that remain after truncation.
    counts_are_capped = False

    def __init__(self, sequence_length: int):
        super().__init__()
        check_range("sequence_length", sequence_length, SHORTEST_SEQUENCE, whole=True)
        self.sequence_length = sequence_length

    @abc.abstractmethod
    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        """Convert texts to tokens.

        Args:
            texts: Texts in UTF-8, string (batch,).
            pairs: Second text of each pair, string (batch,), or `None` if there are no pairs.

        Returns:
            `input_word_ids`, `input_mask` and, for encoders with this input, `input_type_ids` (0
            for the first text and padding, 1 for the second text), int32 (batch, sequence_length).

        Raises:
            ConfigError: `pairs` is given, but this preprocessor takes single texts only.
        """

    @abc.abstractmethod
    def token_counts(self, texts: Texts, pairs: Texts | None = None) -> tf.Tensor:
        """Return each item's number of tokens before truncation, int32 (batch,).

        The number includes special tokens.

        Example:
            >>> tokens = ktl.WordPiecePreprocessor("vocab.txt", lower_case=True)
            >>> tokens.token_counts(["a good film", "film"]).numpy().tolist()
            [5, 3]
        """

    @cached_property
    def unknown_token(self) -> int | None:
        """Number of the token for unknown words, see `find_unknown_token`.

        Example:
            >>> ktl.WordPiecePreprocessor("vocab.txt", lower_case=True).unknown_token
            1
        """
        return find_unknown_token(self.token_lists)

    def token_lists(self, texts: Texts) -> list[list[int]]:
        """Return the tokens of each text, with special tokens and without padding.

        Example:
            >>> tokens = ktl.WordPiecePreprocessor("vocab.txt", lower_case=True)
            >>> tokens.token_lists(["a good film"])
            [[2, 4, 5, 7, 3]]
        """
        made = self(texts)
        mask = tf.cast(made[self.mask_name], tf.bool)
        return tf.ragged.boolean_mask(made["input_word_ids"], mask).to_list()

    @abc.abstractmethod
    def with_length(self, sequence_length: int) -> Self:
        """Return a copy of the preprocessor with another sequence length.

        Raises:
            ConfigError: The preprocessor cannot make sequences of `sequence_length` tokens.

        Example:
            >>> tokens = ktl.WordPiecePreprocessor("vocab.txt", lower_case=True)
            >>> tokens.with_length(16).sequence_length
            16
        """

    @property
    @abc.abstractmethod
    def identity(self) -> str:
        """Identifier for cache keys, which differs between preprocessors whose tokens can differ.

        Example:
            >>> tokens = ktl.WordPiecePreprocessor("vocab.txt", lower_case=True)
            >>> tokens.identity != tokens.with_length(16).identity
            True
        """

    @abc.abstractmethod
    def save(self, folder: Path) -> None:
        """Write all files that `load_preprocessor` needs into a folder, which need not exist.

        If the write is interrupted, the folder stays incomplete.

        Example:
            >>> from pathlib import Path
            >>> tokens = ktl.WordPiecePreprocessor("vocab.txt", lower_case=True)
            >>> tokens.save(Path("tokenizer"))
            >>> sorted(path.name for path in Path("tokenizer").iterdir())
            ['preprocessor.json', 'vocab.txt']
        """

    @classmethod
    @abc.abstractmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        """Rebuild a preprocessor that `save` wrote.

        Example:
            >>> import json
            >>> from pathlib import Path
            >>> folder = Path("saved_tokenizer")
            >>> ktl.WordPiecePreprocessor("vocab.txt", lower_case=True).save(folder)
            >>> about = json.loads((folder / "preprocessor.json").read_text())
            >>> ktl.WordPiecePreprocessor.from_folder(folder, about).sequence_length
            128
        """


def as_strings(texts: Texts) -> tf.Tensor:
    """Return texts as a string tensor (batch,).

    Raises:
        ConfigError: The argument is not a list of texts.
    """
    try:
        texts = tf.convert_to_tensor(texts, tf.string)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"Expected texts, a list of str. Received: {type(texts)}.") from error
    if texts.shape.rank != 1:
        raise ConfigError(f"Expected texts of shape (batch,). Received shape {texts.shape}.")
    return texts


def segments_of(texts: Texts, pairs: Texts | None) -> list[tf.Tensor]:
    """Return the texts and, if given, the second texts of pairs, as string tensors (batch,)."""
    return [as_strings(texts)] + ([] if pairs is None else [as_strings(pairs)])


def count_tokens(tokens: Sequence[tf.RaggedTensor]) -> tf.Tensor:
    """Return each item's number of tokens, with [CLS] and one [SEP] per segment, int32 (batch,)."""
    lengths = [segment.row_lengths() + 1 for segment in tokens]
    return tf.cast(tf.add_n(lengths) + 1, tf.int32)
