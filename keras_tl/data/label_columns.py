"""Columns of labels: classes, numbers, several labels in a cell, several columns of 0 and 1."""

import dataclasses
import math
import numbers
import re
from collections.abc import Hashable, Sequence

import numpy as np

from keras_tl.config import check_choice
from keras_tl.data.labels import TASKS
from keras_tl.data.tables import Table, is_empty
from keras_tl.errors import ConfigError, quoted

# Digits after a leading zero are an identifier, not a number.
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NOT_FINITE = {"nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf"}
_ZERO_OR_ONE = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}

# So many different whole numbers are few.
_FEW = 20

Column = Hashable | Sequence[Hashable]


@dataclasses.dataclass(frozen=True)
class LabelColumns:
    """What the columns of labels are, as `keras_tl.ImageData.from_csv` describes them.

    Attributes:
        whole_numbers: what whole numbers are where nothing else says it: `"targets"` of a
            regression, or `"classes"` where they are few or count up from 0 or 1 without a gap.
    """

    label: Column
    separator: str | None = None
    task: str | None = None
    class_names: Sequence[str] | None = None
    whole_numbers: str = "targets"

    def __post_init__(self):
        if self.task is not None:
            check_choice("task", self.task, TASKS)
        if self.are_several and not self.label:
            raise ConfigError("Expected at least one label column. Received: none.")
        if self.separator is not None and (
            not self.separator or self.task not in (None, "multilabel") or self.are_several
        ):
            raise ConfigError(
                "separator= is what stands between several labels in a cell, such as ',', and is "
                "for multi-label data in one column. Received: "
                f"separator={quoted(self.separator)}, label={quoted(self.label)}, "
                f"task={quoted(self.task)}."
            )

    @property
    def are_several(self) -> bool:
        """Whether there is one column of 0 and 1 for each label."""
        return isinstance(self.label, (list, tuple))

    @property
    def names(self) -> list[Hashable]:
        """The names of the columns."""
        return list(self.label) if self.are_several else [self.label]

    def read(self, table: Table) -> tuple[Sequence, str | None, Sequence[str] | None]:
        """The labels of all rows, and the task and class names where the columns decide them.

        Returns:
            What `keras_tl.data.labels.label_coder` takes.

        Raises:
            DataError: a cell is empty, or not of the kind of the others.
        """
        label, task, class_names = self.label, self.task, self.class_names
        if self.are_several:
            mask = _mask(table, label, task)
            return mask, task or "multilabel", class_names or [*map(str, label)]
        values = table.columns[label]
        several = _lists(values, self.separator, task)
        if several is not None:
            return several, "multilabel", class_names
        table.check(
            label, lambda value: not is_empty(value), "a label", "Fill it in or remove the row."
        )
        if task == "regression" or not _are_names(table, values, class_names):
            found = _numbers(table, label, task)
            if found is not None:
                may_be_classes = self.whole_numbers == "classes" and look_like_classes(found)
                is_target = task is None and class_names is None and not may_be_classes
                return found, "regression" if is_target else task, class_names
        texts = [value.strip() if isinstance(value, str) else value for value in values]
        return texts, task, class_names


def look_like_classes(values: np.ndarray) -> bool:
    """Whether numbers are whole, and few or counted up from 0 or 1 without a gap."""
    if values.dtype.kind not in "iu":
        return False
    different = np.unique(values)
    has_gaps = different[-1] - different[0] != len(different) - 1
    return len(different) <= _FEW or (different[0] in (0, 1) and not has_gaps)


def _mask(table: Table, columns: Sequence[Hashable], task: str | None) -> np.ndarray:
    for column in columns:
        table.check(
            column,
            lambda value: _zero_or_one(value) is not None,
            "0 or 1 (several label columns are one for each label)",
            "Put it right, or give one label column.",
        )
    values = [[_zero_or_one(value) for value in table.columns[column]] for column in columns]
    mask = np.array(values, np.float32).T
    if task not in (None, "multilabel") and not (mask.sum(axis=1) == 1).all():
        raise ConfigError(
            f"Several label columns are for multi-label data, or for classes with a single 1 in "
            f"each row. Received: task={quoted(task)}."
        )
    return mask


def _zero_or_one(value: object) -> int | None:
    return _ZERO_OR_ONE.get(str(value).strip().lower())


def _lists(values: Sequence, separator: str | None, task: str | None) -> list[list] | None:
    """Each row's labels, or `None` if the column holds one a row."""
    if task not in (None, "multilabel"):
        return None
    between = re.compile(re.escape(separator) if separator else "[;|]")
    if separator is None and task is None:
        holds_several = any(
            between.search(value) if isinstance(value, str) else _is_list(value) for value in values
        )
        if not holds_several:
            return None

    def labels_of(value: object) -> list:
        if is_empty(value):
            return []
        parts = value if _is_list(value) else between.split(str(value))
        return [label for part in parts if (label := str(part).strip())]

    return [labels_of(value) for value in values]


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple, set, frozenset, np.ndarray))


def _are_names(table: Table, values: Sequence, class_names: Sequence[str] | None) -> bool:
    """Whether text that looks like numbers is the given class names."""
    return table.is_text and class_names is not None and {*values} <= {*map(str, class_names)}


def _numbers(table: Table, column: Hashable, task: str | None) -> np.ndarray | None:
    """A column of numbers, or `None` if it holds something else.

    Raises:
        DataError: a number is missing or not finite; or it should be numbers.
    """
    values = table.columns[column]
    read = _number_in_text if table.is_text else _number
    found = [read(value) for value in values]
    are_numbers = None not in found and any(map(math.isfinite, found))
    if task == "regression" or are_numbers:
        table.check(
            column,
            lambda value: (number := read(value)) is not None and math.isfinite(number),
            "a finite number",
            "Fill it in or remove the row.",
        )
    return np.array(found) if are_numbers else None


def _number_in_text(text: str) -> float | None:
    text = text.strip().lower()
    if _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.e]", text) else int(text)
    return math.nan if text in _NOT_FINITE else None


def _number(value: object) -> float | None:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return value if is_number else None
