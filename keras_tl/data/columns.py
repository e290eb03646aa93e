"""What the columns of a table say: image paths, labels, splits."""

import dataclasses
import math
import numbers
import os
import re
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from keras_tl.config import check_choice
from keras_tl.data.coding import code_splits
from keras_tl.data.labels import TASKS, LabelCoder
from keras_tl.data.sources import FOLDER_NAMES, ImageSplit
from keras_tl.data.splits import SPLITS
from keras_tl.data.tables import Table, is_empty
from keras_tl.errors import ConfigError, DataError

# Digits after a leading zero are an identifier, not a number.
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NOT_FINITE = {"nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf"}
_ZERO_OR_ONE = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}

Column = Hashable | Sequence[Hashable]


@dataclasses.dataclass(frozen=True)
class Columns:
    """What the columns of a table are, as `keras_tl.ImageData.from_csv` describes them."""

    image: Hashable
    label: Column
    split: Hashable | None = None
    separator: str | None = None
    task: str | None = None
    class_names: Sequence[str] | None = None

    def __post_init__(self):
        if self.task is not None:
            check_choice("task", self.task, TASKS)
        if self.has_label_columns and not self.label:
            raise ConfigError("Expected at least one label column. Received: none.")
        if self.separator is not None and (
            not self.separator or self.task not in (None, "multilabel") or self.has_label_columns
        ):
            raise ConfigError(
                "separator= is what stands between several labels in a cell, such as ',', and is "
                f"for multi-label data in one column. Received: separator={self.separator!r}, "
                f"label={self.label!r}, task={self.task!r}."
            )

    @property
    def has_label_columns(self) -> bool:
        """Whether there is one column of 0 and 1 for each label."""
        return isinstance(self.label, (list, tuple))

    @property
    def names(self) -> list[Hashable]:
        """All the columns that are to be read, the images' first."""
        labels = self.label if self.has_label_columns else [self.label]
        return [self.image, *labels, *([] if self.split is None else [self.split])]

    def read(
        self, table: Table, root: str | os.PathLike | None
    ) -> tuple[dict[str, ImageSplit], LabelCoder]:
        """The splits that a table describes, and what says their task and class names.

        Args:
            table: the table, with the columns of `names`.
            root: the folder that paths start from; `None`: the working directory.

        Raises:
            DataError: a cell is empty or not as it should be, or none of the images exists.
        """
        labels, task, class_names = label_values(self, table)
        paths = image_paths(table, self.image, root)
        given = {
            name: (
                tuple(paths[row] for row in rows),
                labels[rows] if isinstance(labels, np.ndarray) else [labels[row] for row in rows],
            )
            for name, rows in rows_by_split(table, self.split).items()
        }
        return code_splits(given, class_names, task)

    def settings(self, root: str | os.PathLike | None) -> dict[str, Any]:
        """What `keras_tl.data.specs` needs to read such a table again."""
        names = self.class_names
        return {
            "kind": "csv",
            "image": self.image,
            "label": list(self.label) if self.has_label_columns else self.label,
            "root": None if root is None else os.fspath(root),
            "split": self.split,
            "separator": self.separator,
            "task": self.task,
            "class_names": None if names is None else [*map(str, names)],
        }


def image_paths(table: Table, column: Hashable, root: str | os.PathLike | None) -> list[str]:
    """The paths of the images, which are relative to `root` or absolute.

    Files that are missing are not looked for, but if none is there, the root is wrong.

    Raises:
        DataError: a path is missing or is not text, or no file exists.
    """
    table.check(
        column,
        lambda path: isinstance(path, (str, os.PathLike)) and not is_empty(path),
        "the path of an image",
        "Write it down or remove the row.",
    )
    folder = "" if root is None else os.fspath(root)
    paths = [os.path.join(folder, path) for path in table.columns[column]]
    if not any(map(os.path.exists, paths)):
        raise DataError(
            f"{table.name}: none of the {len(paths)} images exists. The first was looked for at "
            f"{os.path.abspath(paths[0])!r}. Give the folder that the paths start from: root=."
        )
    return paths


def rows_by_split(table: Table, column: Hashable | None) -> dict[str, np.ndarray]:
    """The numbers of the rows of each split; all are train's where there is no column.

    Raises:
        DataError: a value is not a split's name, or no row is train's.
    """
    if column is None:
        return {"train": np.arange(len(table.rows))}

    def split_of(value: object) -> str | None:
        return FOLDER_NAMES.get(str(value).strip().lower())

    table.check(
        column,
        split_of,
        "train, validation (valid, val) or test",
        "Put it right or leave split= out, and the images are split at random.",
    )
    splits = np.array([split_of(value) for value in table.columns[column]])
    rows = {name: np.flatnonzero(splits == name) for name in SPLITS if name in splits}
    if "train" not in rows:
        raise DataError(f"{table.name}: no row of column {column!r} says train.")
    return rows


def label_values(
    columns: Columns, table: Table
) -> tuple[Sequence, str | None, Sequence[str] | None]:
    """The labels of all rows, and the task and class names where the columns decide them.

    Returns:
        What `keras_tl.data.coding.code_splits` takes.

    Raises:
        DataError: a cell is empty, or not of the kind of the others.
    """
    label, task, class_names = columns.label, columns.task, columns.class_names
    if columns.has_label_columns:
        return _mask(table, label, task), task or "multilabel", class_names or [*map(str, label)]
    values = table.columns[label]
    several = _lists(values, columns.separator, task)
    if several is not None:
        return several, "multilabel", class_names
    table.check(
        label, lambda value: not is_empty(value), "a label", "Fill it in or remove the row."
    )
    if task == "regression" or not _are_names(table, values, class_names):
        found = _numbers(table, label, task)
        if found is not None:
            is_target = task is None and class_names is None
            return found, "regression" if is_target else task, class_names
    texts = [value.strip() if isinstance(value, str) else value for value in values]
    return texts, task, class_names


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
            f"each row. Received: task={task!r}."
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
