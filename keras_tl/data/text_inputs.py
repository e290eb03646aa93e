"""What `predict` and `features` accept of texts: one, several, pairs.

Reading them needs no TensorFlow.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_tl.data.text_values import as_text, is_blank
from keras_tl.errors import DataError

if TYPE_CHECKING:
    from keras_tl.data.text_split import TextSplit

TextInput = str | Sequence[str] | Sequence[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class TextItems:
    """Texts to be asked about.

    Attributes:
        texts: n texts; what is no UTF-8 stays bytes.
        pairs: the second texts of n pairs, or `None`.
    """

    texts: tuple[str | bytes, ...]
    pairs: tuple[str | bytes, ...] | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The texts."""
        return tuple(" | ".join(map(_shown, item)) for item in self._items)

    @property
    def _items(self) -> Iterator[tuple[str | bytes, ...]]:
        """The one or two texts of each item."""
        return zip(*(x for x in (self.texts, self.pairs) if x is not None), strict=True)

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Texts for the signature `serving_default`, at most `size` at a time."""
        for start in range(0, len(self.texts), size):
            asked = {"text": self.texts[start : start + size]}
            if self.pairs is not None:
                asked["text_pair"] = self.pairs[start : start + size]
            yield "serving_default", {name: list(texts) for name, texts in asked.items()}

    def check_valid(self, valid: np.ndarray) -> None:
        """Raises `DataError` about the first item that is empty or no UTF-8, if there is one.

        Args:
            valid: bool (n,).
        """
        for place, (item, is_valid) in enumerate(zip(self._items, valid, strict=True)):
            if not is_valid:
                for text in item:
                    as_text(text, f"item {place}")
                raise DataError(
                    f"Expected texts. Item {place} of {len(valid)} is empty: nothing but white "
                    "space. Leave it out."
                )

    def as_split(self) -> "TextSplit":
        """The texts as an unlabelled split.

        Raises:
            DataError: one is empty, or no UTF-8.
        """
        from keras_tl.data.text_split import TextSplit

        self.check_valid(np.array([all(map(_can_be_read, item)) for item in self._items]))
        return TextSplit(self.texts, self.pairs, np.zeros(len(self.texts), np.int64))


def read_texts(items: TextInput, are_pairs: bool) -> TextItems:
    """Reads what was given.

    Args:
        items: a text or a list of texts; or a pair (text, text_pair) or a list of pairs.
        are_pairs: whether the model takes pairs.

    Raises:
        DataError: nothing was given, or something else.
    """
    single = isinstance(items, (str, bytes)) or (
        are_pairs and isinstance(items, tuple) and len(items) == 2 and _are_texts(items)
    )
    items = [items] if single else list(items) if isinstance(items, Iterable) else [items]
    fits = _is_pair if are_pairs else _is_text
    if not items or not all(map(fits, items)):
        strange = next((item for item in items if not fits(item)), None)
        received = "nothing" if not items else f"{strange!r}, of type {type(strange).__name__}"
        wanted = "pairs (text, text_pair)" if are_pairs else "texts"
        raise DataError(f"Expected {wanted}, at least one. Received: {received}.")
    if not are_pairs:
        return TextItems(tuple(_decoded(text, i) for i, text in enumerate(items)))
    columns = (tuple(_decoded(pair[side], i) for i, pair in enumerate(items)) for side in (0, 1))
    return TextItems(*columns)


def _decoded(text: str | bytes, place: int) -> str | bytes:
    """A text, or bytes that are none, which get no answer."""
    if isinstance(text, bytes):
        try:
            text.decode()
        except UnicodeDecodeError:
            return text
    return as_text(text, f"item {place}")


def _can_be_read(text: str | bytes) -> bool:
    return isinstance(text, str) and not is_blank(text)


def _shown(text: str | bytes) -> str:
    return text if isinstance(text, str) else repr(text)


def _is_text(item: object) -> bool:
    return isinstance(item, (str, bytes))


def _are_texts(items: Sequence) -> bool:
    return all(map(_is_text, items))


def _is_pair(item: object) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2 and _are_texts(item)
