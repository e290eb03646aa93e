"""Common base class of images and texts for prediction. It does not import TensorFlow."""

import abc
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.errors import DataError

_NAMED = 5


class PredictionItems(abc.ABC):
    """Items for prediction.

    Attributes:
        item: Word for one item in messages.
        sources: Name of each item in predictions. `None` if the items have no names.
        names: Name of each item in messages. `None` means that messages use its number.
        unused: Other files of each given folder.
    """

    item: ClassVar[str]
    sources: tuple[str, ...] | None
    names: tuple[str, ...] | None
    unused: tuple[UnusedFiles, ...]

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield a signature name and its arguments, for at most `size` items at a time."""

    @abc.abstractmethod
    def valid(self) -> np.ndarray:
        """Return which items the exported model can predict, by its own rule, as bool (n,)."""

    @abc.abstractmethod
    def why(self, number: int) -> str:
        """Return why an item has no prediction, as a phrase without its name."""

    @abc.abstractmethod
    def reason(self, number: int) -> str:
        """Return why an item has no prediction, as a sentence that names it."""

    @abc.abstractmethod
    def take(self, rows: Iterable[int]) -> Self:
        """Return only these rows, in this order."""

    def name(self, number: int) -> str:
        """Return the name of an item in messages."""
        return self.names[number] if self.names else f"item {number}"

    def reasons(self, valid: np.ndarray) -> tuple[str | None, ...]:
        """Return why each item has no prediction. `None` for items with a prediction.

        Args:
            valid: See `check_valid`.
        """
        return tuple(None if is_valid else self.why(n) for n, is_valid in enumerate(valid))

    def check_valid(self, valid: np.ndarray) -> None:
        """Raise `DataError` that names the items without a prediction, if there are any.

        Args:
            valid: bool (n,), the `valid` output of the model, or the result of `valid()`.
        """
        bad = np.flatnonzero(~valid)
        if not len(bad):
            return
        reason, them = self.reason(bad[0]), "it"
        if len(bad) > 1:
            others = self.listing(bad[1:])
            reason += (
                f" There is no prediction for {others} either ({len(self)} {self.item}s in all)."
            )
            them = "them"
        raise DataError(
            f"{reason} Pass on_invalid='skip' (--on-invalid skip) to leave {them} out, or "
            f"on_invalid='keep' to mark {them} in the results."
        )

    def listing(self, numbers: np.ndarray) -> str:
        """Return the names of the first items and the number of others."""
        more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        return ", ".join(map(self.name, numbers[:_NAMED])) + more
