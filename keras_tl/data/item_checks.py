"""What checks of files and of texts have in common: findings, limits, one item under two labels."""

import abc
import collections
import dataclasses
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.errors import DataError, quoted

_SHOWN = 5

LabelNames = Callable[[Any], str] | Sequence[str] | None


class BadItem(abc.ABC):
    """An item that something is wrong with.

    Attributes:
        reason: a phrase. What stands before a colon is the kind of reason.
    """

    reason: str

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """What messages call the item."""

    @property
    def kind(self) -> str:
        """The kind of reason, the same for all items that have the same thing wrong."""
        return self.reason.split(": ")[0]

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


# Of each split that has any, the items that cannot be used, by their rows.
BadRows = dict[str, dict[int, BadItem]]


@dataclasses.dataclass(frozen=True)
class Check:
    """What a check of a set of items has found.

    Attributes:
        item: what messages call one item.
        checked: number of items.
        bad: those that cannot be used, in the order in which they were given.
        unused: the other files of the folder that was read; `None`: the source is no folder.
    """

    item: ClassVar[str]

    checked: int
    bad: tuple[BadItem, ...]
    unused: UnusedFiles | None = dataclasses.field(default=None, kw_only=True)

    def summary(self) -> str:
        """A text for people: how many, how many of each kind of reason, what was passed over."""
        return "\n".join([*self._counts(), *([self.unused.advice] if self.unused else [])])

    def _counts(self) -> list[str]:
        if not self.bad:
            return [f"All {self.checked:,} {self.item}s can be used{self._how()}."]
        kinds = collections.Counter(item.kind for item in self.bad)
        return [
            f"{len(self.bad):,} of {self.checked:,} {self.item}s are left out{self._how()}.",
            *(f"{count:6,}  {kind}" for kind, count in kinds.most_common()),
        ]

    def describe(self) -> str:
        """The same, and each bad item with its reason."""
        return "\n".join([self.summary(), *map(str, self.bad)])

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON types."""
        fields = dataclasses.asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in fields.items()}

    def is_above(self, max_bad: float) -> bool:
        """Whether more than a share of the items, in [0, 1], is bad."""
        # A quotient, because 0.29 * 100 is less than 29.
        return bool(self.bad) and len(self.bad) / self.checked > max_bad

    def stop_above(self, max_bad: float) -> None:
        """Raises `DataError` if more than a share of the items, in [0, 1], is bad."""
        if self.is_above(max_bad):
            first = "; ".join(map(str, self.bad[:_SHOWN]))
            more = len(self.bad) - _SHOWN
            raise DataError(
                f"Expected at most {max_bad:.1%} of the {self.item}s to be unusable "
                f"(max_bad={max_bad:g}), found {len(self.bad):,} of {self.checked:,} "
                f"({len(self.bad) / self.checked:.1%}): {first}"
                f"{f'; and {more:,} more' if more > 0 else ''}. Repair or remove them, or raise "
                "max_bad to go on without them."
            )

    def _how(self) -> str:
        """How the items were checked, in parentheses, or nothing."""
        return ""


def contradictions(contents: Sequence[Hashable], labels: np.ndarray) -> Iterator[tuple[int, int]]:
    """Each row whose content has another label elsewhere, and the first such row.

    Args:
        contents: n of them.
        labels: (n,) or (n, k); two rows are two labels where they differ in any number.
    """
    # As bytes, to be compared whatever their shape; 0 + -0.0 is 0.0.
    values = [(0 + label).tobytes() for label in labels]
    rows_of: dict[Hashable, list[int]] = collections.defaultdict(list)
    for row, content in enumerate(contents):
        rows_of[content].append(row)
    for rows in rows_of.values():
        first_of: dict[bytes, int] = {}
        for row in rows:
            first_of.setdefault(values[row], row)
        if len(first_of) > 1:
            first, second = list(first_of.values())[:2]
            for row in rows:
                yield row, second if values[row] == values[first] else first


def shown_label(label: np.ndarray, names: LabelNames) -> str:
    """A label as people read it.

    Args:
        label: one row of labels.
        names: a function of it, or names that integers and the columns of (n, k) count; `None`:
            numbers are shown as they are.
    """
    if callable(names):
        return names(label)
    if names is not None and label.ndim:
        return ", ".join(names[column] for column in np.flatnonzero(label)) or "none"
    if names is not None and label.dtype.kind in "iu":
        return names[int(label)]
    return str(label)


def check_left(
    name: str,
    before: Any,
    after: Any,
    class_names: tuple[str, ...],
    item: str,
    bad: Mapping[int, BadItem],
) -> None:
    """Raises `DataError` if nothing is left of a split, or of a class of train.

    Args:
        name: the split's name.
        before: the split with all its items.
        after: the split with those that are left.
        class_names: names of the classes.
        item: what messages call one item.
        bad: the items that were left out, by their rows.
    """
    rows = np.arange(len(before))
    lost = f"the {name} split" if not len(after) else ""
    if name == "train" and before.labels.dtype.kind == "i":
        gone = np.setdiff1d(before.labels, after.labels)
        if len(gone):
            lost = f"the class {quoted(class_names[gone[0]])}"
            rows = np.flatnonzero(before.labels == gone[0])
    if lost:
        raise DataError(
            f"No {item} of {lost} can be used. For example: {bad[int(rows[0])]}. Repair the "
            f"{item}s or leave {lost} out."
        )
