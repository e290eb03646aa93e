"""Common base class of images and texts for prediction. This module needs no TensorFlow."""

import abc
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.errors import DataError

_NAMED = 5


class PredictionItems(abc.ABC):
    """Images or texts for prediction.

    Attributes:
        item: Word for one item in messages, `"image"` or `"text"`.
        sources: Name of each item in the predictions, or `None` if the items have no names.
        names: Name of each item in messages. `None`: messages use the number of the item.
        unused: For each folder passed to `predict`, the files that are not items.
    """

    item: ClassVar[str]
    sources: tuple[str, ...] | None
    names: tuple[str, ...] | None
    unused: tuple[UnusedFiles, ...]

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (signature name, arguments) for each model call. A call has up to `size` items."""

    @abc.abstractmethod
    def valid(self) -> np.ndarray:
        """Return whether the exported model gives a prediction for each item, as bool (n,)."""

    @abc.abstractmethod
    def why(self, number: int) -> str:
        """Return why an item has no prediction, as a phrase without the name of the item."""

    @abc.abstractmethod
    def reason(self, number: int) -> str:
        """Return a sentence that names an item and says why there is no prediction."""

    @abc.abstractmethod
    def take(self, rows: Iterable[int]) -> Self:
        """Return only the items with these row numbers, in this order."""

    def name(self, number: int) -> str:
        """Return the name of an item in messages."""
        return self.names[number] if self.names else f"item {number}"

    def reasons(self, valid: np.ndarray) -> tuple[str | None, ...]:
        """For each item, return why it has no prediction, or `None` if it has a prediction."""
        return tuple(None if is_valid else self.why(n) for n, is_valid in enumerate(valid))

    def check_valid(self, valid: np.ndarray) -> None:
        """Raise a `DataError` that names items without a prediction, if there are any.

        `valid` (bool, shape (n,)) tells which items have a prediction. Pass an output of the model,
        or the result of the method `valid`.
        """
        bad = np.flatnonzero(~valid)
        if not len(bad):
            return
        reason, them = self.reason(bad[0]), "it"
        if len(bad) > 1:
            others = self._listing(bad[1:])
            reason += (
                f" There is no prediction for {others} either ({len(self)} {self.item}s in all)."
            )
            them = "them"
        raise DataError(
            f"{reason} Pass on_invalid='skip' (--on-invalid skip) to leave {them} out, or "
            f"on_invalid='keep' to mark {them} in the results."
        )

    def _listing(self, numbers: np.ndarray) -> str:
        """Return the names of the first few items, and the number of the other items."""
        more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        return ", ".join(map(self.name, numbers[:_NAMED])) + more
