"""What every text preprocessor does."""

import abc
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts.unknown_token import find_unknown_token
from keras_tl.base.config import SHORTEST_SEQUENCE, check_range
from keras_tl.errors import ConfigError

# What stands in the file that says how to build a preprocessor again.
ABOUT = "preprocessor.json"

Texts = tf.Tensor | np.ndarray | Sequence[str]


class TextPreprocessor(abc.ABC, tf.Module):
    """Turns texts into the tokens of an encoder.

    It can be called in a graph: in `tf.data.Dataset.map`, and inside what is exported. A module
    that is exported holds it as an attribute, so that its tables and files are exported too. Where
    a distribution strategy trains on what it gives, make it outside of the strategy's scope.

    Args:
        sequence_length: tokens a text, special ones and padding included.

    Raises:
        ConfigError: the length is not a whole number of at least 5.
    """

    # The key of the tensor that is 1 where there is a token and 0 where there is padding.
    mask_name = "input_mask"
    # The tokenizer.json of the encoder's publisher, where other code makes the tokens.
    reference: Path | None = None
    # Why no such file could be looked for, as a phrase; `None`: nothing kept anybody from it.
    not_compared: str | None = None
    # The only length that can be had; `None`: any can.
    fixed_length: int | None = None
    # Whether `token_counts` cannot see what is cut off: no count is above the length.
    counts_are_capped = False

    def __init__(self, sequence_length: int):
        super().__init__()
        check_range("sequence_length", sequence_length, SHORTEST_SEQUENCE, whole=True)
        self.sequence_length = sequence_length

    @abc.abstractmethod
    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        """Makes tokens.

        Args:
            texts: string (batch,), UTF-8.
            pairs: string (batch,), the second text of each pair; `None`: there are no pairs.

        Returns:
            `input_word_ids`, `input_mask` and `input_type_ids` (0 for the first text and padding,
            1 for the second), int32 (batch, sequence_length).

        Raises:
            ConfigError: there are pairs, and this preprocessor takes none.
        """

    @abc.abstractmethod
    def token_counts(self, texts: Texts, pairs: Texts | None = None) -> tf.Tensor:
        """int32 (batch,): how many tokens each text would have if none were cut off."""

    @cached_property
    def unknown_token(self) -> int | None:
        """The token of what is not in the vocabulary; see `find_unknown_token`."""
        return find_unknown_token(self.token_lists)

    def token_lists(self, texts: Texts) -> list[list[int]]:
        """Return the tokens of each text, special ones included, without padding."""
        made = self(texts)
        mask = tf.cast(made[self.mask_name], tf.bool)
        return tf.ragged.boolean_mask(made["input_word_ids"], mask).to_list()

    @abc.abstractmethod
    def with_length(self, sequence_length: int) -> Self:
        """The same preprocessor with another length.

        Raises:
            ConfigError: the length cannot be had.
        """

    @property
    @abc.abstractmethod
    def identity(self) -> str:
        """What its tokens depend on, for the keys of caches."""

    @abc.abstractmethod
    def save(self, folder: Path) -> None:
        """Writes all that `load_preprocessor` needs into a folder; it is made if need be.

        Not atomic by itself.
        """

    @classmethod
    @abc.abstractmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        """Builds it again from what `save` wrote."""


def as_strings(texts: Texts) -> tf.Tensor:
    """Texts as a string tensor (batch,).

    Raises:
        ConfigError: they are something else.
    """
    try:
        texts = tf.convert_to_tensor(texts, tf.string)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"Expected texts, a list of str. Received: {type(texts)}.") from error
    if texts.shape.rank != 1:
        raise ConfigError(f"Expected texts of shape (batch,). Received shape {texts.shape}.")
    return texts


def segments_of(texts: Texts, pairs: Texts | None) -> list[tf.Tensor]:
    """The one or two texts of each item, string (batch,) each."""
    return [as_strings(texts)] + ([] if pairs is None else [as_strings(pairs)])


def count_tokens(tokens: Sequence[tf.RaggedTensor]) -> tf.Tensor:
    """int32 (batch,): the tokens of all segments, a [CLS] before, a [SEP] after each of them."""
    lengths = [segment.row_lengths() + 1 for segment in tokens]
    return tf.cast(tf.add_n(lengths) + 1, tf.int32)
