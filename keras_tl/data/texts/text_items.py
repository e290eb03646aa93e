"""Texts to be asked about. They need no TensorFlow."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.items import Items
from keras_tl.data.texts.text_values import as_text, text_problem
from keras_tl.errors import DataError, quoted

if TYPE_CHECKING:
    from keras_tl.data.texts.text_split import TextSplit


@dataclasses.dataclass(frozen=True)
class TextItems(Items):
    """Texts to be asked about.

    Attributes:
        texts: n texts; what is not UTF-8 stays bytes.
        pairs: the second texts of n pairs, or `None`.
        names: what results call each item, where texts come from files; `None`: the texts.
        problems: why an item could not be read, `None` for those that were; it is an empty text.
            `None`: all were.
        unused: see `Items`.
    """

    item = "text"

    texts: tuple[str | bytes, ...]
    pairs: tuple[str | bytes, ...] | None = None
    names: tuple[str, ...] | None = None
    problems: tuple[str | None, ...] | None = None
    unused: tuple[UnusedFiles, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def sources(self) -> tuple[str, ...]:
        """The files' names, or the texts."""
        if self.names is not None:
            return self.names
        return tuple(" | ".join(map(shown, item)) for item in self._items)

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Texts for the signature `serving_default`, at most `size` at a time."""
        for start in range(0, len(self.texts), size):
            asked = {"text": self.texts[start : start + size]}
            if self.pairs is not None:
                asked["text_pair"] = self.pairs[start : start + size]
            yield "serving_default", {name: list(texts) for name, texts in asked.items()}

    def valid(self) -> np.ndarray:
        """The items of which every text can be read, see `text_problem`; bool (n,)."""
        return np.array([not any(map(text_problem, item)) for item in self._items])

    def why(self, number: int) -> str:
        """See `Items.why`."""
        if self.problems is not None and self.problems[number] is not None:
            return self.problems[number].removesuffix(".")
        # A server may know fewer characters than this Python.
        return next(filter(None, map(text_problem, self._items[number])), "nothing to read")

    def reason(self, number: int) -> str:
        """See `Items.reason`."""
        if self.problems is not None and self.problems[number] is not None:
            return self.problems[number]
        texts = self._items[number]
        try:
            for text in texts:
                as_text(text, self.name(number))
        except DataError as error:
            return str(error)
        name = self.name(number) if self.names else f"Item {number} of {len(self)}"
        return f"{name} is {self.why(number)}. Remove it."

    def name(self, number: int) -> str:
        """What messages call an item."""
        return quoted(self.names[number]) if self.names else super().name(number)

    def take(self, rows: Iterable[int]) -> "TextItems":
        """The same with only these rows, in this order."""
        rows = [*rows]
        fields = (self.texts, self.pairs, self.names, self.problems)
        return TextItems(*(f and tuple(f[row] for row in rows) for f in fields))

    def as_split(self) -> "TextSplit":
        """The texts as an unlabelled split.

        Raises:
            DataError: there is no answer for one of them.
        """
        from keras_tl.data.texts.text_split import TextSplit

        self.check_valid(self.valid())
        return TextSplit(self.texts, self.pairs, np.zeros(len(self.texts), np.int64))

    @property
    def _items(self) -> list[tuple[str | bytes, ...]]:
        """The one or two texts of each item."""
        return list(zip(*(x for x in (self.texts, self.pairs) if x is not None), strict=True))


def shown(text: str | bytes) -> str:
    """A text as results name it."""
    return text if isinstance(text, str) else repr(text)
