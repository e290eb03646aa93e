"""The words that a language model knows, and embeddings moved from one vocabulary to another."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from keras_tl.backbones.texts.words.marks import MARKS, PADDING, START, UNKNOWN
from keras_tl.base.config import check_range
from keras_tl.base.files import local_path, whole_file
from keras_tl.base.overwriting import check_new
from keras_tl.errors import ConfigError, quoted

# Those that the tokenizer cannot do without.
_NEEDED = (UNKNOWN, PADDING, START)


class Vocabulary:
    """Distinct tokens in the order of their numbers.

    Args:
        tokens: with `xxunk`, `xxpad` and `xxbos` among them, none empty or with white space in it.

    Raises:
        ConfigError: they are not as described.
    """

    def __init__(self, tokens: Sequence[str]):
        self.tokens = tuple(tokens)
        self._numbers = {token: number for number, token in enumerate(self.tokens)}
        missing = [token for token in _NEEDED if token not in self._numbers]
        if missing:
            raise ConfigError(
                f"The vocabulary lacks {', '.join(missing)}. Expected the tokens of a language "
                f"model, {', '.join(_NEEDED)} among them."
            )
        if len(self._numbers) < len(self.tokens):
            token, count = Counter(self.tokens).most_common(1)[0]
            raise ConfigError(
                f"The vocabulary holds {quoted(token)} {count} times. Expected each token once."
            )
        for token in self.tokens:
            if token.split() != [token]:
                raise ConfigError(
                    "Expected tokens without white space, none of them empty. "
                    f"Received: {quoted(token)}."
                )

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], max_size: int = 60_000, min_frequency: int = 3
    ) -> Self:
        """The marks, then the most frequent words; among equally frequent ones by the alphabet.

        The defaults are fastai's (`make_vocab`).

        Args:
            counts: how often each word occurs.
            max_size: the most tokens, marks included.
            min_frequency: what occurs less often is left out.

        Raises:
            ConfigError: a limit is out of range.
        """
        check_range("max_size", max_size, len(MARKS) + 1, whole=True)
        check_range("min_frequency", min_frequency, 1, whole=True)
        words = sorted(
            (word for word, n in counts.items() if n >= min_frequency and word not in MARKS),
            key=lambda word: (-counts[word], word),
        )
        return cls([*MARKS, *words[: max_size - len(MARKS)]])

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote: UTF-8, a token a line.

        Raises:
            ConfigError: there is no such file, or it is no vocabulary.
        """
        try:
            # Not splitlines(): a token may be a separator of lines of its own.
            lines = local_path(path).read_bytes().decode("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"Cannot read the vocabulary {quoted(str(path))} ({error}). Expected a UTF-8 text "
                "file with a token a line."
            ) from error
        return cls(lines[:-1] if lines[-1] == "" else lines)

    def save(self, path: str | os.PathLike, overwrite: bool = False) -> None:
        """Write a text file, a token a line, whole or not at all.

        Raises:
            ConfigError: the file exists, and `overwrite` is false.
        """
        path = local_path(path)
        check_new(path, overwrite=overwrite)
        with whole_file(path) as temporary:
            temporary.write_bytes(self._file_bytes())

    def _file_bytes(self) -> bytes:
        return "".join(f"{token}\n" for token in self.tokens).encode("utf-8")

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the file that `save` writes, as 64 hexadecimal digits."""
        return hashlib.sha256(self._file_bytes()).hexdigest()

    def number(self, token: str) -> int:
        """A token's number; that of `xxunk` for what is not in the vocabulary."""
        return self._numbers.get(token, self._numbers[UNKNOWN])

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._numbers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.tokens)


def count_words(texts: Iterable[Iterable[str]]) -> Counter[str]:
    """How often each word occurs in tokenised texts."""
    counts = Counter()
    for words in texts:
        counts.update(words)
    return counts


def transfer_embeddings(old: Vocabulary, new: Vocabulary, weights: np.ndarray) -> np.ndarray:
    """Weights of one vocabulary's tokens for another vocabulary.

    What both know keeps its row; what is new gets the mean of all old rows. The paper (Howard and
    Ruder, 2018, arXiv:1801.06146) does not say so; its released code does for the embeddings
    (fastai, courses/dl2/imdb_scripts/finetune_lm.py), and fastai's later `match_embeds`
    (fastai/text/learner.py) for the output's bias too.

    Args:
        old: the vocabulary of `weights`.
        new: the vocabulary wanted.
        weights: (len(old), ...), a row a token: embeddings, or the output's bias.

    Returns:
        (len(new), ...), of the same type.

    Raises:
        ConfigError: there is not a row for each old token.
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
