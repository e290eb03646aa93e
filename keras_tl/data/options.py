"""What all constructors of data take, checked before anything is read."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, TypedDict

from keras_tl.base.config import check_range


class SplitOptions(TypedDict, total=False):
    """What all constructors of `ImageData` and of `TextData` take.

    Attributes:
        validation_split: share of the items that are not test items, in [0, 0.99]; ignored
            where there is a validation split.
        test_split: share of all items, in [0, 0.99]; ignored where there is a test split.
        seed: seed of the splits.
        groups: a column of a table, such as `"patient"`: items with one value in it stay in one
            split and in one fold of a cross-validation; the shares of the splits are then nearly
            those asked for. `None`: items do not belong together.
        max_bad: share of the items that may be left out, because they cannot be used; above it is
            an error.
        verbose: report progress on standard error, on a terminal.
    """

    validation_split: float
    test_split: float
    seed: int
    groups: Hashable | None
    max_bad: float
    verbose: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedSplitOptions:
    """`SplitOptions` with their defaults, checked when made.

    Attributes:
        recorded: the names of those that decide which item is in which split.
        attributes: the names of those that the data keep.

    Raises:
        ConfigError: one of them is not as described.
    """

    recorded: ClassVar[tuple[str, ...]] = ("validation_split", "test_split", "seed", "max_bad")
    attributes: ClassVar[tuple[str, ...]] = ()

    validation_split: float = 0.15
    test_split: float = 0.15
    seed: int = 0
    groups: Hashable | None = None
    max_bad: float = 0.05
    verbose: bool = True

    def __post_init__(self):
        check_range("validation_split", self.validation_split, 0, 0.99)
        check_range("test_split", self.test_split, 0, 0.99)
        check_range("seed", self.seed, 0, whole=True)
        check_range("max_bad", self.max_bad, 0, 1)

    def split_settings(self) -> dict[str, Any]:
        """Those that decide which item is in which split, as JSON types."""
        groups = {} if self.groups is None else {"groups": str(self.groups)}
        return {name: getattr(self, name) for name in self.recorded} | groups

    def of_data(self) -> dict[str, Any]:
        """Those that the data keep as attributes."""
        return {name: getattr(self, name) for name in self.attributes}

    def kept(self, slices: Sequence[Hashable]) -> Sequence[Hashable]:
        """The columns of a table to keep: those asked for, and the one of the groups."""
        if self.groups is None or isinstance(slices, str) or self.groups in slices:
            return slices
        return [*slices, self.groups]
