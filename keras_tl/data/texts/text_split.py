"""Splits of text data, which hold decoded texts in memory."""

import dataclasses
import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_tl.data.labelled_data import Split
from keras_tl.data.texts.text_values import as_text


@dataclasses.dataclass(frozen=True)
class TextSplit(Split):
    """Texts of one split, in a fixed order.

    Attributes:
        texts: Text (or first text) of each of the n items.
        pairs: Second texts of n pairs, such as hypotheses to premises, or `None` for single texts.
        labels: See `Split`.
        slices: See `Split`.

    Example:
        >>> texts.split("test").texts[:2], texts.split("test").pairs
        (('a good film', 'a bad film'), None)
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] | None
    labels: np.ndarray
    slices: Mapping[Hashable, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...] | tuple[tuple[str, str], ...]:
        """The texts, or both texts of each pair.

        Example:
            >>> texts.split("test").sources[:2]
            ('a good film', 'a bad film')
        """
        return self.texts if self.pairs is None else tuple(zip(self.texts, self.pairs, strict=True))

    @property
    def given(self) -> list[str] | list[tuple[str, str]]:
        """The texts, or both texts of each pair.

        Example:
            >>> texts.split("test").given[:2]
            ['a good film', 'a bad film']
        """
        if self.pairs is None:
            return list(self.texts)
        return list(zip(self.texts, self.pairs, strict=True))

    def fingerprint(self, full_hash: bool = False) -> str:
        """Return 64 hexadecimal digits that identify the content and order of the texts.

        Example:
            >>> len(texts.split("test").fingerprint())
            64
        """
        digest = hashlib.sha256(b"texts" if self.pairs is None else b"pairs")
        for text in (*self.texts, *(self.pairs or ())):
            content = text.encode()
            # Hash the length of each text too, because nothing else marks where a text ends.
            digest.update(b"%d:" % len(content) + content)
        return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class Texts:
    """Texts of one split as read from the data source, without labels.

    Attributes:
        texts: Text (or first text) of each of the n items.
        pairs: Second texts of n pairs, or `None` for single texts.
        places: Place of each item, for messages: a line, a row or a path.
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] | None
    places: tuple[str, ...]

    @classmethod
    def read(
        cls, texts: Iterable[Any], pairs: Iterable[Any] | None, places: Sequence[str]
    ) -> "Texts":
        """Convert the values of a data source to texts, see `as_text`."""
        places = tuple(places)
        return cls(
            tuple(map(as_text, texts, places)),
            None if pairs is None else tuple(map(as_text, pairs, places)),
            places,
        )

    def __len__(self) -> int:
        return len(self.texts)
