"""What images and texts to be asked about have in common. It needs no TensorFlow."""

import abc
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.errors import DataError

_NAMED = 5


class Items(abc.ABC):
    """Items that a user asks about.

    Attributes:
        item: what messages call one item.
        sources: what answers call each item, `None` where nothing does.
        names: what messages call each item, `None` where its number has to do.
        unused: the other files of each folder that was given.
    """

    item: ClassVar[str]
    sources: tuple[str, ...] | None
    names: tuple[str, ...] | None
    unused: tuple[UnusedFiles, ...]

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name of a signature and its arguments, for at most `size` of the items at a time."""

    @abc.abstractmethod
    def valid(self) -> np.ndarray:
        """The items that can be answered for, by the rule of the exported model; bool (n,)."""

    @abc.abstractmethod
    def why(self, number: int) -> str:
        """Why there is no answer for an item, a phrase without its name."""

    @abc.abstractmethod
    def reason(self, number: int) -> str:
        """Why there is no answer for an item, a sentence that names it."""

    @abc.abstractmethod
    def take(self, rows: Iterable[int]) -> Self:
        """The same with only these rows, in this order."""

    def name(self, number: int) -> str:
        """What messages call an item."""
        return self.names[number] if self.names else f"item {number}"

    def reasons(self, valid: np.ndarray) -> tuple[str | None, ...]:
        """Why there is no answer for each item; `None` for those that have one.

        Args:
            valid: as for `check_valid`.
        """
        return tuple(None if is_valid else self.why(n) for n, is_valid in enumerate(valid))

    def check_valid(self, valid: np.ndarray) -> None:
        """Raises `DataError` naming the items that have no answer, if there are any.

        Args:
            valid: bool (n,), what the model said of each item, or `valid()`.
        """
        bad = np.flatnonzero(~valid)
        if not len(bad):
            return
        reason, them = self.reason(bad[0]), "it"
        if len(bad) > 1:
            others = self.listing(bad[1:])
            reason += f" There is no answer for {others} either ({len(self)} {self.item}s in all)."
            them = "them"
        raise DataError(
            f"{reason} on_invalid='skip' (--on-invalid skip) leaves {them} out, and 'keep' marks "
            f"{them} in the results."
        )

    def listing(self, numbers: np.ndarray) -> str:
        """The names of the first few of some items, and how many more there are."""
        more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        return ", ".join(map(self.name, numbers[:_NAMED])) + more
