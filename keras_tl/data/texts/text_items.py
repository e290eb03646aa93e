"""Texts for prediction. This module does not import TensorFlow."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.prediction_items import PredictionItems
from keras_tl.data.texts.text_values import as_text, text_problem
from keras_tl.errors import DataError, quoted


@dataclasses.dataclass(frozen=True)
class TextItems(PredictionItems):
    """Texts for prediction.

    Attributes:
        texts: The n texts. Texts that are not UTF-8 stay bytes.
        pairs: Second texts of n pairs, or `None`.
        names: Names of the items in results, for texts from files. `None`: the texts are the names.
        problems: For each item, the reason why the item is unreadable, or `None` for a readable
            item. An unreadable item is an empty text. `None` instead of a tuple means that all
            items are readable.
        unused: See `PredictionItems`.
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
        """Names of the items in results: the paths of the files, or the texts."""
        if self.names is not None:
            return self.names
        return tuple(" | ".join(map(shown, item)) for item in self._items)

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield texts for the signature `serving_default`, at most `size` at a time."""
        for start in range(0, len(self.texts), size):
            batch = {"text": list(self.texts[start : start + size])}
            if self.pairs is not None:
                batch["text_pair"] = list(self.pairs[start : start + size])
            yield "serving_default", batch

    def valid(self) -> np.ndarray:
        """Return whether each item has only readable texts (see `text_problem`), as bool (n,)."""
        return np.array([not any(map(text_problem, item)) for item in self._items])

    def why(self, number: int) -> str:
        """See `PredictionItems.why`."""
        if problem := self.problems and self.problems[number]:
            return problem.removesuffix(".")
        # A server may know fewer Unicode characters than this version of Python.
        return next(filter(None, map(text_problem, self._items[number])), "nothing to read")

    def reason(self, number: int) -> str:
        """See `PredictionItems.reason`."""
        if problem := self.problems and self.problems[number]:
            return problem
        try:
            for text in self._items[number]:
                as_text(text, self.name(number))
        except DataError as error:
            return str(error)
        name = self.name(number) if self.names else f"Item {number} of {len(self)}"
        return f"{name} is {self.why(number)}. Remove this text."

    def name(self, number: int) -> str:
        """Return the name of an item in messages."""
        return quoted(self.names[number]) if self.names else super().name(number)

    def take(self, rows: Iterable[int]) -> "TextItems":
        """Return only the items with these row numbers, in this order."""
        rows = [*rows]
        fields = (self.texts, self.pairs, self.names, self.problems)
        return TextItems(*(f and tuple(f[row] for row in rows) for f in fields))

    @property
    def _items(self) -> list[tuple[str | bytes, ...]]:
        """One or two texts for each item."""
        return list(zip(*(x for x in (self.texts, self.pairs) if x is not None), strict=True))


def shown(text: str | bytes) -> str:
    """Return the name of a text in results: the text, or `repr` of undecodable bytes."""
    return text if isinstance(text, str) else repr(text)
