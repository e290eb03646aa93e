"""Vocabulary of a language model, and transfer of embeddings to another vocabulary."""

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np

from keras_tl.backbones.texts.wordpiece_files import read_lines
from keras_tl.backbones.texts.words.marks import MARKS, PADDING, START, UNKNOWN
from keras_tl.base.config import check_range
from keras_tl.base.files import local_path, whole_file
from keras_tl.base.overwriting import check_new
from keras_tl.errors import ConfigError, quoted

# The tokenizer needs these tokens, so every vocabulary must contain them.
_NEEDED = (UNKNOWN, PADDING, START)


class Vocabulary:
    """Vocabulary of distinct tokens, in the order of the tokens' numbers.

    Args:
        tokens: All tokens in the order of their numbers, including `xxunk`, `xxpad` and `xxbos`. No
            token may be empty or contain white space.

    Raises:
        ConfigError: A required token is missing, or a token is repeated, empty or has white space.

    Example:
        >>> vocabulary = ktl.ulmfit.Vocabulary(["xxunk", "xxpad", "xxbos", "film"])
        >>> len(vocabulary), "film" in vocabulary
        (4, True)
    """

    def __init__(self, tokens: Sequence[str]):
        self.tokens = tuple(tokens)
        self._numbers = {token: number for number, token in enumerate(self.tokens)}
        missing = [token for token in _NEEDED if token not in self._numbers]
        if missing:
            raise ConfigError(
                f"The vocabulary lacks {', '.join(missing)}. Expected the vocabulary of a "
                f"language model, with the tokens {', '.join(_NEEDED)}."
            )
        if len(self._numbers) < len(self.tokens):
            token, count = Counter(self.tokens).most_common(1)[0]
            raise ConfigError(
                f"The vocabulary holds {quoted(token)} {count} times. Expected each token once."
            )
        for token in self.tokens:
            if token.split() != [token]:
                raise ConfigError(
                    f"Expected non-empty tokens without white space. Received: {quoted(token)}."
                )

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], *, max_size: int = 60_000, min_frequency: int = 3
    ) -> Self:
        """Return a vocabulary: first the marks (see `MARKS`), then the most frequent words.

        Equally frequent words are in alphabetical order. The default limits are fastai's
        (`make_vocab`).

        Args:
            counts: Number of occurrences of each word.
            max_size: Largest number of tokens, including marks.
            min_frequency: Minimum number of occurrences of a word in the vocabulary.

        Raises:
            ConfigError: `max_size` or `min_frequency` is out of range.

        Example:
            >>> counts = {"film": 5, "good": 3, "rare": 1}
            >>> ktl.ulmfit.Vocabulary.from_counts(counts, min_frequency=2).tokens[-2:]
            ('film', 'good')
        """
        check_range("max_size", max_size, len(MARKS) + 1, whole=True)
        check_range("min_frequency", min_frequency, 1, whole=True)
        words = sorted(
            (word for word, n in counts.items() if n >= min_frequency and word not in MARKS),
            key=lambda word: (-counts[word], word),
        )
        return cls([*MARKS, *words[: max_size - len(MARKS)]])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `save` wrote: UTF-8, one token per line.

        Raises:
            ConfigError: The file does not exist, or is not a vocabulary.

        Example:
            >>> lm.vocabulary.save("words.txt")
            >>> ktl.ulmfit.Vocabulary.load("words.txt") == lm.vocabulary
            True
        """
        return cls(read_lines(local_path(path)))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write a text file with one token per line, completely or not at all.

        Raises:
            ConfigError: The file exists, and `overwrite` is false.

        Example:
            >>> lm.vocabulary.save("tokens.txt")
            >>> len(ktl.ulmfit.Vocabulary.load("tokens.txt")) == len(lm.vocabulary)
            True
        """
        path = local_path(path)
        check_new(path, overwrite=overwrite)
        with whole_file(path) as temporary:
            temporary.write_bytes(self._file_bytes())

    def _file_bytes(self) -> bytes:
        return "".join(f"{token}\n" for token in self.tokens).encode("utf-8")

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the file that `save` writes, as 64 hexadecimal digits.

        Example:
            >>> len(lm.vocabulary.identity)
            64
        """
        return hashlib.sha256(self._file_bytes()).hexdigest()

    def number(self, token: str) -> int:
        """Return a token's number, or the number of `xxunk` if the vocabulary lacks the token.

        Example:
            >>> lm.vocabulary.number("film"), lm.vocabulary.number("never seen")
            (12, 0)
        """
        return self._numbers.get(token, self._numbers[UNKNOWN])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._numbers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.tokens)


def transfer_embeddings(old: Vocabulary, new: Vocabulary, *, weights: np.ndarray) -> np.ndarray:
    """Return the embeddings or output bias of an old vocabulary, rearranged for a new vocabulary.

    A token in `old` and `new` keeps its row. A token only in `new` gets the mean of all old rows.
    The paper (Howard and Ruder, 2018, arXiv:1801.06146) does not state the initial rows of new
    tokens. In the paper's released code (fastai, courses/dl2/imdb_scripts/finetune_lm.py), the
    embedding of a new token is the mean of the old embeddings. In fastai's later function
    `match_embeds` (fastai/text/learner.py), the output bias of a new token is the mean of the old
    output biases.

    Args:
        old: Vocabulary to which the rows of `weights` belong.
        new: Vocabulary to which the rows of the result belong.
        weights: Embeddings or output bias, with a row for each old token, (len(old), ...).

    Returns:
        Weights (len(new), ...), in the dtype of `weights`.

    Raises:
        ConfigError: `weights` does not have one row for each old token.

    Example:
        >>> old = ktl.ulmfit.Vocabulary(["xxunk", "xxpad", "xxbos", "film"])
        >>> new = ktl.ulmfit.Vocabulary(["xxunk", "xxpad", "xxbos", "actor"])
        >>> ktl.ulmfit.transfer_embeddings(old, new, weights=np.eye(4))[3].tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    weights = np.asarray(weights)
    if weights.shape[:1] != (len(old),):
        raise ConfigError(
            f"Expected a row for each of the {len(old):,} tokens of the old vocabulary. Received "
            f"shape {weights.shape}."
        )
    mean = weights.mean(axis=0, dtype=np.float64).astype(weights.dtype)
    moved = np.repeat(mean[None], len(new), axis=0)
    known = [n for n, token in enumerate(new.tokens) if token in old]
    moved[known] = weights[[old.number(new.tokens[n]) for n in known]]
    return moved
