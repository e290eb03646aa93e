"""What `predict` and `features` accept of texts: one, several, pairs.

Reading them needs no TensorFlow.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_tl.data.text_values import as_text
from keras_tl.errors import DataError

if TYPE_CHECKING:
    from keras_tl.data.text_split import TextSplit

TextInput = str | Sequence[str] | Sequence[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class TextItems:
    """Texts to be asked about.

    Attributes:
        texts: n texts.
        pairs: the second texts of n pairs, or `None`.
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The texts."""
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

    def check_valid(self, valid: np.ndarray) -> None:
        """Every text is valid."""

    def as_split(self) -> "TextSplit":
        """The texts as an unlabelled split."""
        from keras_tl.data.text_split import TextSplit

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
        return TextItems(tuple(as_text(text, f"item {i}") for i, text in enumerate(items)))
    columns = (
        tuple(as_text(pair[side], f"item {i}") for i, pair in enumerate(items)) for side in (0, 1)
    )
    return TextItems(*columns)


def _is_text(item: object) -> bool:
    return isinstance(item, (str, bytes))


def _are_texts(items: Sequence) -> bool:
    return all(map(_is_text, items))


def _is_pair(item: object) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2 and _are_texts(item)
