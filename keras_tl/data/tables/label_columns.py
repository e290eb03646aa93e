"""Reads label columns: classes, numbers, cells with several labels, or columns of 0 and 1."""

import dataclasses
import math
import numbers
import re
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from keras_tl.base.guesses import LabelInterpretation
from keras_tl.data.tables.table import Table, is_empty
from keras_tl.errors import ConfigError, quoted
from keras_tl.tasks import get_task
from keras_tl.tasks.labels.multi_label_cells import parts_of, separated
from keras_tl.tasks.labels.numbers import mask_values
from keras_tl.tasks.labels.plain_labels import Labels, category_texts, is_several
from keras_tl.tasks.labels.task_choice import read_labels
from keras_tl.tasks.multilabel import Multilabel

# A text such as 007, with a leading zero, is an identifier, not a number.
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_MISSING = {"nan", "na", "n/a", "null", "none"}
_NOT_FINITE = _MISSING | {"inf", "+inf", "-inf"}
_NUMBERS = {"0": 0, "0.0": 0, "false": 0, "1": 1, "1.0": 1, "true": 1, "-1": -1, "-1.0": -1}

Column = Hashable | Sequence[Hashable]


@dataclasses.dataclass(frozen=True)
class LabelColumns:
    """Meaning of the label columns, see `keras_tl.ImageData.from_csv`."""

    label: Column
    separator: str | None = None
    task: str | None = None
    class_names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.task is not None:
            get_task(self.task)
        if self.are_several and not self.label:
            raise ConfigError("Expected at least one label column. Received: none.")
        if self.separator is not None and (
            not self.separator
            or self.are_several
            or not (self.task is None or get_task(self.task).has_several_labels)
        ):
            raise ConfigError(
                "separator= must be the text between the labels in a cell, such as ','. Pass "
                "separator= only for multi-label data in one column. Received: "
                f"separator={quoted(self.separator)}, label={quoted(self.label)}, "
                f"task={quoted(self.task)}."
            )

    @property
    def are_several(self) -> bool:
        """Whether there is one column of 0 and 1 for each label."""
        return isinstance(self.label, (list, tuple))

    @property
    def names(self) -> list[Hashable]:
        """The names of the label columns."""
        return list(self.label) if self.are_several else [self.label]

    def read(self, table: Table) -> tuple[Labels, LabelInterpretation]:
        """Read the labels of all rows, see `keras_tl.tasks.labels.task_choice.read_labels`.

        Raises:
            DataError: A cell is empty, or not all cells hold the same kind of label.
        """
        label, task, class_names = self.label, self.task, self.class_names
        if self.are_several:
            rows = _rows(table, label)
            task = Multilabel.kind if task is None and len(label) == 1 else task
            return read_labels(rows, class_names or [*map(str, label)], task)
        is_number = task is not None and get_task(task).is_number
        values = table.columns[label]
        if any(map(is_several, values)):
            lists = [parts_of(value, self.separator) for value in values]
            return read_labels(lists, class_names, task)
        lists, guesses = None, ()
        if label not in table.categories:
            lists, guesses = separated(values, class_names, task, self.separator)
        if lists is not None:
            labels, meaning = read_labels(lists, class_names, Multilabel.kind)
            return labels, dataclasses.replace(meaning, guesses=guesses)
        _check_given(table, label, is_empty)
        if label in table.categories and not is_number:
            texts, categories = category_texts(values, table.categories[label])
            if class_names is None or {*categories} <= {*class_names}:
                return read_labels(texts, class_names or categories, task)
        if is_number or not _are_names(table, values, class_names):
            numbers = _numbers(table, label, is_number)
            if numbers is not None:
                return read_labels(numbers, class_names, task)
        stripped = [value.strip() if isinstance(value, str) else value for value in values]
        return read_labels(stripped, class_names, task)


def _is_missing(value: object) -> bool:
    """Whether a cell is empty, or holds a text that means a missing number, such as `nan`."""
    is_nan = isinstance(value, numbers.Real) and math.isnan(value)
    return is_empty(value) or is_nan or (isinstance(value, str) and _text(value) in _MISSING)


def _check_given(
    table: Table, column: Hashable, is_missing: Callable[[object], bool] = _is_missing
) -> None:
    """Raise `DataError` if labels are missing. The message names the rows without labels."""
    hint = "Fill in the label or remove the row."
    table.check(column, lambda value: not is_missing(value), "a label", hint)


def _rows(table: Table, columns: Sequence[Hashable]) -> np.ndarray:
    """Return the columns as a float32 array (n, columns) of 0 and 1, or of -1 and 1."""
    values = [[_number_of(value) for value in table.columns[column]] for column in columns]
    allowed, hint = mask_values({value for column in values for value in column})
    for column in columns:
        _check_given(table, column)
        table.check(
            column,
            lambda value: _number_of(value) in allowed,
            "0 or 1 (with several label columns, each column is one label)",
            hint or "Correct the value, or pass only one label column.",
        )
    return np.array(values, np.float32).T


def _number_of(value: object) -> int | None:
    return _NUMBERS.get(_text(str(value)))


def _text(value: str) -> str:
    return value.strip().lower()


def _are_names(table: Table, values: Sequence, class_names: Sequence[str] | None) -> bool:
    """Whether all cells of a text column are class names, even cells that look like numbers."""
    return table.is_text and class_names is not None and {*values} <= {*map(str, class_names)}


def _numbers(table: Table, column: Hashable, is_number: bool) -> np.ndarray | None:
    """Return a column as numbers, or `None` if it holds other values.

    Raises:
        DataError: A number is missing or not finite, or `is_number` is true but a value is not a
            number.
    """
    values = table.columns[column]
    read = _number_in_text if table.is_text else _number
    found = [read(value) for value in values]
    are_numbers = None not in found and any(map(math.isfinite, found))
    if is_number or are_numbers:
        _check_given(table, column)
        table.check(
            column,
            lambda value: (number := read(value)) is not None and math.isfinite(number),
            "a finite number",
            "Correct the value or remove the row.",
        )
    return np.array(found) if are_numbers else None


def _number_in_text(text: str) -> float | None:
    text = _text(text)
    if _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.e]", text) else int(text)
    return math.nan if text in _NOT_FINITE else None


def _number(value: object) -> float | None:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return value if is_number else None
