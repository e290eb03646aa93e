"""Common parts of the checks of image files and texts: bad items, limits, contradictory labels."""

import abc
import collections
import dataclasses
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.errors import DataError, quoted

_SHOWN = 5


class BadItem(abc.ABC):
    """An image file or a text with a problem.

    Attributes:
        reason: Phrase that describes the problem. In this phrase, the kind of problem stands before
            the first colon.
    """

    reason: str

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """Name of the item in messages."""

    @property
    def kind(self) -> str:
        """Kind of problem: the words before the first colon of `reason`."""
        return self.reason.split(": ")[0]

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


# Unusable items by split name and row number. A split without unusable items has no entry.
BadRows = Mapping[str, Mapping[int, BadItem]]


@dataclasses.dataclass(frozen=True)
class Check:
    """Result of the check of all items of a data source.

    Attributes:
        item: Word for one item in messages, such as `"file"`.
        checked: Number of all items that were checked.
        bad: Unusable items, in the order of the data source.
        unused: Unused files in the data folder, or `None` if the data do not come from a folder.
    """

    item: ClassVar[str]

    checked: int
    bad: tuple[BadItem, ...]
    unused: UnusedFiles | None = dataclasses.field(default=None, kw_only=True)

    def summary(self) -> str:
        """Return a text: the number of bad items for each kind of problem, and the unused files.

        Example:
            >>> print(ktl.ImageData.from_folder("photos/").checked.summary())
            All 20 files can be used ...
        """
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
        """Return the result of `summary`, followed by one line for each bad item.

        Example:
            >>> print(ktl.ImageData.from_folder("photos/").checked.describe())
            All 20 files can be used ...
        """
        return "\n".join([self.summary(), *map(str, self.bad)])

    def to_json(self) -> dict[str, Any]:
        """Return the fields of this check result as JSON types.

        Example:
            >>> texts.checked.to_json()["bad"]
            []
        """
        fields = dataclasses.asdict(self)
        return {name: list(v) if isinstance(v, tuple) else v for name, v in fields.items()}

    def is_above(self, max_bad: float) -> bool:
        """Whether the fraction of bad items exceeds `max_bad`, in [0, 1].

        Example:
            >>> texts.checked.is_above(0.05)
            False
        """
        # Divide instead of multiplying: in floating point, 0.29 * 100 is less than 29.
        return bool(self.bad) and len(self.bad) / self.checked > max_bad

    def stop_above(self, max_bad: float) -> None:
        """Raise `DataError` if the fraction of bad items exceeds `max_bad`, in [0, 1].

        Example:
            >>> texts.checked.stop_above(0.05)  # All texts can be used: there is no error.
        """
        if self.is_above(max_bad):
            first = "; ".join(map(str, self.bad[:_SHOWN]))
            more = len(self.bad) - _SHOWN
            raise DataError(
                f"Expected at most {max_bad:.1%} unusable {self.item}s (max_bad={max_bad:g}), "
                f"found {len(self.bad):,} of {self.checked:,} "
                f"({len(self.bad) / self.checked:.1%}): {first}"
                f"{f'; and {more:,} more' if more > 0 else ''}. Repair or remove these "
                f"{self.item}s, or raise max_bad to leave them out."
            )

    def _how(self) -> str:
        """Return a remark in parentheses on how the items were checked, or an empty text."""
        return ""


def label_conflicts(
    contents: Sequence[Hashable], labels: np.ndarray, names: Sequence[str] | None
) -> Iterator[tuple[int, int, str, str]]:
    """Yield (row, other row, label, other label) of items that also occur with another label.

    Args:
        contents: Contents of n items. Only labels of items with equal contents are compared.
        labels: Labels of shape (n,) or (n, k). Two labels of k numbers differ if any number
            differs.
        names: Names of the classes or labels. `None`: messages show the labels as numbers.
    """
    # Compare labels as bytes, which works for any shape. Adding 0 turns -0.0 into 0.0.
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
                other = second if values[row] == values[first] else first
                yield row, other, _shown(labels[row], names), _shown(labels[other], names)


def _shown(label: np.ndarray, names: Sequence[str] | None) -> str:
    """Return a quoted label for messages. If `names` is `None`, show the label as a number."""
    if names is not None and label.ndim:
        return quoted(", ".join(names[column] for column in np.flatnonzero(label)) or "none")
    if names is not None and label.dtype.kind in "iu":
        return quoted(names[int(label)])
    return quoted(str(label))


def check_left(
    name: str,
    before: Any,
    after: Any,
    class_names: tuple[str, ...],
    item: str,
    bad: Mapping[int, BadItem],
) -> None:
    """Raise `DataError` if a split, or a class of the train split, has no usable item left.

    `before` is the split with all items, and `after` is the split without the `bad` items.
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
