"""Groups of dependent items, such as all photos of one patient, and their effect on intervals."""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from keras_tl.base.config import JsonConfig

# With fewer groups than `FEW`, intervals are too narrow: few groups hardly show how groups differ.
FEW = 10


@dataclasses.dataclass(frozen=True)
class Grouping(JsonConfig):
    """Column and number of the groups of dependent items that intervals take into account.

    Attributes:
        by: Name of the column with the groups. `None`: the user passed the group of each item.
        count: Number of groups.

    Example:
        >>> Grouping("patient", 12).describe()
        'Intervals treat the 12 groups (patient) as independent, not the single items.'
    """

    by: str | None
    count: int

    @classmethod
    def of(cls, groups: Sequence[Any] | np.ndarray | None, by: Hashable | None) -> Self | None:
        """Count the different groups. If `groups` is `None`, return `None`.

        Args:
            groups: Group of each item, (n,), or `None`.
            by: Name of the column with the groups.

        Example:
            >>> Grouping.of(["a", "b", "a"], "patient").count
            2
        """
        if groups is None:
            return None
        return cls(None if by is None else str(by), len(np.unique(np.asarray(groups))))

    @classmethod
    def among(cls, metrics: Mapping[str, Any]) -> Self | None:
        """Return the `Grouping` in metrics of `keras_tl.evaluation.metrics.measure`, or `None`.

        Example:
            >>> Grouping.among({"groups": {"by": "patient", "count": 12}}).by
            'patient'
        """
        return cls.from_json(metrics["groups"]) if metrics.get("groups") else None

    @property
    def name(self) -> str:
        """Number of groups and name of the column, such as `12 groups (patient)`.

        Example:
            >>> Grouping("patient", 12).name
            '12 groups (patient)'
        """
        said = "1 group" if self.count == 1 else f"{self.count:,} groups"
        return said if self.by is None else f"{said} ({self.by})"

    def describe(self, what: str = "Intervals", warn_if_few: bool = True) -> str:
        """Return sentences that say how intervals take the groups into account.

        Args:
            what: Plural for the intervals in the text, such as `"Intervals and p-values"`.
            warn_if_few: Whether to warn of too narrow intervals if there are fewer than 10 groups.

        Example:
            >>> Grouping("patient", 1).describe().split(".")[0]
            'All items belong to 1 group (patient)'
        """
        if self.count < 2:
            return (
                f"All items belong to {self.name}. {what} hold for further items of this group, "
                "not for other groups."
            )
        said = f"{what} treat the {self.name} as independent, not the single items."
        if warn_if_few and self.count < FEW:
            said += f" With fewer than {FEW} groups, intervals are too narrow."
        return said


def group_numbers(groups: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Return the number of each item's group, int32 (n,). The group of the first item has number 0.

    The numbers follow the order of first appearance, so that results do not depend on the names of
    the groups. If each item is a group of its own, the numbers are 0 to n - 1.
    """
    _, first, numbers = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[numbers]


def if_several(groups: np.ndarray | None) -> np.ndarray | None:
    """Return the groups, or `None` if there are fewer than two different groups."""
    return None if groups is None or len(np.unique(groups)) < 2 else groups
