"""The texts of a split, as they come from any source: checked, decoded, in memory."""

import dataclasses
import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from keras_tl.data.labelled_data import Split
from keras_tl.data.texts.text_values import as_text


@dataclasses.dataclass(frozen=True)
class TextSplit(Split):
    """The texts of one split, in a fixed order.

    Attributes:
        texts: n texts.
        pairs: the second texts of n pairs, as of a premise and a hypothesis; `None` where the
            items are single texts.
        labels: see `Split`.
        slices: see `Split`.
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] | None
    labels: np.ndarray
    slices: Mapping[Hashable, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...] | tuple[tuple[str, str], ...]:
        """The texts, or both texts of each pair."""
        return self.texts if self.pairs is None else tuple(zip(self.texts, self.pairs, strict=True))

    @property
    def given(self) -> list[str] | list[tuple[str, str]]:
        """The texts, or both texts of each pair."""
        return list(self.sources)

    def fingerprint(self, full_hash: bool = False) -> str:
        """Identifies the texts and their order, as 64 hexadecimal digits; always by content."""
        digest = hashlib.sha256(b"texts" if self.pairs is None else b"pairs")
        for text in (*self.texts, *(self.pairs or ())):
            content = text.encode()
            # With the length, as nothing else says where one text ends and another one begins.
            digest.update(b"%d:" % len(content) + content)
        return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class Texts:
    """The texts of one split before anything is known of their labels.

    Attributes:
        texts: n texts.
        pairs: the second texts of n pairs, or `None`.
        places: what messages call each: a line, a row, a path.
    """

    texts: tuple[str, ...]
    pairs: tuple[str, ...] | None
    places: tuple[str, ...]

    @classmethod
    def read(cls, texts: Iterable, pairs: Iterable | None, places: Sequence[str]) -> "Texts":
        """Takes texts as a source gives them, see `as_text`."""
        places = tuple(places)
        return cls(
            tuple(map(as_text, texts, places)),
            None if pairs is None else tuple(map(as_text, pairs, places)),
            places,
        )

    def __len__(self) -> int:
        return len(self.texts)
