"""Options that all constructors of data accept, checked before any file is read."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, TypedDict

from keras_tl.base.config import check_range


class SplitOptions(TypedDict, total=False):
    """Options that all constructors of `ImageData` and `TextData` accept.

    Attributes:
        validation_split: Fraction of the items outside the test split to use for validation, in [0,
            0.99]. `validation_split` is ignored if the data source has a validation split.
        test_split: Fraction of all items for the test split, in [0, 0.99]. `test_split` is ignored
            if the data source has a test split, split folders or a column of splits.
        seed: Seed of the random splits, a whole number of at least 0.
        groups: Table column that groups the items, such as `"patient"`. Items with the same value
            in this column stay in one split and in one cross-validation fold, and confidence
            intervals count whole groups. With groups, the sizes of the splits are only approximate.
            `None` means no groups.
        max_bad: Maximum fraction of unusable image files or texts, in [0, 1]. The constructor
            leaves out unusable items, and raises an error if their fraction exceeds `max_bad`.
        verbose: Whether to show progress bars on a terminal (standard error).
    """

    validation_split: float
    test_split: float
    seed: int
    groups: Hashable | None
    max_bad: float
    verbose: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedSplitOptions:
    """`SplitOptions` as a dataclass with default values. The constructor checks the values.

    Attributes:
        recorded: Names of the options that decide which split an item belongs to.
        attributes: Names of the options that become attributes of `ImageData` or `TextData`.

    Raises:
        ConfigError: An option has an invalid value.
    """

    recorded: ClassVar[tuple[str, ...]] = ("validation_split", "test_split", "seed", "max_bad")
    attributes: ClassVar[tuple[str, ...]] = ()

    validation_split: float = 0.15
    test_split: float = 0.15
    seed: int = 0
    groups: Hashable | None = None
    max_bad: float = 0.05
    verbose: bool = True

    def __post_init__(self) -> None:
        check_range("validation_split", self.validation_split, 0, 0.99)
        check_range("test_split", self.test_split, 0, 0.99)
        check_range("seed", self.seed, 0, whole=True)
        check_range("max_bad", self.max_bad, 0, 1)

    def split_settings(self) -> dict[str, Any]:
        """Return the options that decide which split an item belongs to, as JSON types."""
        groups = {} if self.groups is None else {"groups": str(self.groups)}
        return {name: getattr(self, name) for name in self.recorded} | groups

    def of_data(self) -> dict[str, Any]:
        """Return the options that become attributes of `ImageData` or `TextData`, by name."""
        return {name: getattr(self, name) for name in self.attributes}

    def kept(self, slices: Sequence[Hashable]) -> Sequence[Hashable]:
        """Return the table columns to store with the items: `slices` and the column `groups`."""
        if self.groups is None or isinstance(slices, str) or self.groups in slices:
            return slices
        return [*slices, self.groups]
