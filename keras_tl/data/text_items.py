"""Texts to be asked about. They need no TensorFlow."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from keras_tl.data.text_split import TextSplit


@dataclasses.dataclass(frozen=True)
class TextItems:
    """Texts to be asked about.

    Attributes:
        texts: n texts.
        pairs: the second texts of n pairs, or `None`.
        names: what results call each item, where texts come from files; `None`: the texts.
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def sources(self) -> tuple[str, ...]:
        """The files' names, or the texts."""
        if self.names is not None:
            return self.names
        if self.pairs is None:
            return self.texts
        return tuple(" | ".join(pair) for pair in zip(self.texts, self.pairs, strict=True))

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Texts for the signature `serving_default`, at most `size` at a time."""
        for start in range(0, len(self.texts), size):
            asked = {"text": self.texts[start : start + size]}
            if self.pairs is not None:
                asked["text_pair"] = self.pairs[start : start + size]
            yield "serving_default", {name: list(texts) for name, texts in asked.items()}

    def valid(self) -> np.ndarray:
        """Every text can be answered for; bool (n,)."""
        return np.ones(len(self), bool)

    def check_valid(self, valid: np.ndarray) -> None:
        """Every text is valid."""

    def reason(self, number: int) -> str:
        """There is none: every text is valid."""
        raise IndexError(number)

    def take(self, rows: Iterable[int]) -> "TextItems":
        """The same with only these rows, in this order."""
        fields = (self.texts, self.pairs, self.names)
        return TextItems(*(f and tuple(f[row] for row in rows) for f in fields))

    def as_split(self) -> "TextSplit":
        """The texts as an unlabelled split."""
        from keras_tl.data.text_split import TextSplit

        return TextSplit(self.texts, self.pairs, np.zeros(len(self.texts), np.int64))
