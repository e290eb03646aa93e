"""Columns of a table and their meaning: image paths or texts, labels, splits."""

import dataclasses
import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.data.labelled_data import LabelledItems, rows_of
from keras_tl.data.splits import SPLIT_NAMES, SPLITS
from keras_tl.data.tables.label_columns import LabelColumns
from keras_tl.data.tables.table import ColumnSelection, Table, is_empty, is_path
from keras_tl.errors import ConfigError, DataError, quoted

NO_VALUE = "no value"


@dataclasses.dataclass(frozen=True)
class Columns:
    """Meaning of the columns of a table, see `keras_tl.ImageData.from_csv`.

    Attributes:
        item: Noun for one item in messages: "image" or "text".
        contents: Name for the contents of the item columns in messages, such as "image paths".
        items: Mapping from arguments of `from_csv`, such as `text_pair`, to the names of the item
            columns, or to `None` if there is no such column.
        labels: The label columns and their meaning.
        split: The column with the split of each row. `None`: the table has no column of splits.
        slices: Columns whose values divide the items into groups (slices).
    """

    item: str
    contents: str
    items: Mapping[str, Hashable | None]
    labels: LabelColumns
    split: Hashable | None = None
    slices: Sequence[Hashable] = ()

    def __post_init__(self) -> None:
        if isinstance(self.slices, str):
            raise ConfigError(
                f"Expected slices= as a list of columns, such as [{quoted(self.slices)}]. "
                f"Received: {quoted(self.slices)}."
            )

    @property
    def wanted(self) -> ColumnSelection:
        """The columns to read from a table, the item columns first."""
        items = [column for column in self.items.values() if column is not None]
        split = [] if self.split is None else [self.split]
        used = [*items, *self.labels.names, *split]
        # The label column may also be in `slices`. Read each column only once.
        slices = [column for column in dict.fromkeys(self.slices) if column not in used]
        hint = (
            f"Name the columns of the {self.contents} and of the labels with "
            f"{next(iter(self.items))}= and label=."
        )
        return ColumnSelection((*used, *slices), self.item, hint)

    def read(self, table: Table, items: Any, **others: Any) -> LabelledItems:
        """Return the items with their labels, splits and slices.

        `table` has the columns in `wanted`. `items` holds the items of all rows, see `rows_of`.
        `others` are further settings to store for a later reading of the table.

        Raises:
            DataError: The label or the split of a row is missing or not valid.
        """
        labels, meaning = self.labels.read(table)
        slices = {column: slice_texts(table.columns[column]) for column in self.slices}
        rows = rows_by_split(table, self.split)
        return LabelledItems(
            {name: (rows_of(items, those), rows_of(labels, those)) for name, those in rows.items()},
            meaning,
            self._settings(others),
            {name: rows_of(slices, those) for name, those in rows.items()},
            has_splits=self.split is not None,
        )

    def _settings(self, others: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON settings with which `keras_tl.data.specs` can read the table again."""
        labels = self.labels
        names = labels.class_names
        return {
            "kind": "csv",
            **self.items,
            "label": labels.names if labels.are_several else labels.label,
            **others,
            "split": self.split,
            "separator": labels.separator,
            "task": labels.task,
            "class_names": None if names is None else [*map(str, names)],
            **({"slices": [*map(str, self.slices)]} if self.slices else {}),
        }


def slice_texts(values: Sequence) -> np.ndarray:
    """Return the cells of a column as an array of slice names. An empty cell becomes `NO_VALUE`."""
    texts = [NO_VALUE if is_empty(value) else str(value).strip() for value in values]
    return np.array(texts, str)


def image_paths(
    table: Table, column: Hashable, root: str | os.PathLike[str] | None
) -> tuple[str, ...]:
    """Return the paths of the images. Relative paths in the table start from `root`.

    Raises:
        DataError: A cell is not a path, or no image file exists (`root` is probably wrong).
    """
    hint = "Fill in the path or remove the row."
    table.check(column, is_path, "the path of an image", hint)
    folder = "" if root is None or not os.fspath(root) else local_path(root)
    paths = tuple(os.path.join(folder, path) for path in table.columns[column])
    if not any(map(os.path.exists, paths)):
        local_path(table.columns[column][0])
        raise DataError(
            f"{table.name}: none of the {len(paths)} image files exists. The first path is "
            f"{quoted(os.path.abspath(paths[0]))}. If the paths are relative to another folder, "
            "pass that folder as root=."
        )
    return paths


def rows_by_split(table: Table, column: Hashable | None) -> dict[str, np.ndarray]:
    """Return the row numbers of each split. Without a column of splits, all rows are in train.

    Raises:
        DataError: A value is not the name of a split, or no row belongs to the train split.
    """
    if table.parts is not None:
        return table.parts
    if column is None:
        return {"train": np.arange(len(table.rows))}

    def split_of(value: object) -> str | None:
        return SPLIT_NAMES.get(str(value).strip().lower())

    table.check(
        column,
        split_of,
        "train, validation (valid, val, dev) or test",
        "Correct the value, or leave split= out to split the items at random.",
    )
    splits = np.array([split_of(value) for value in table.columns[column]])
    rows = {name: np.flatnonzero(splits == name) for name in SPLITS if name in splits}
    if "train" not in rows:
        raise DataError(
            f"{table.name}: no row has the value train in column {quoted(column)}. Write train "
            "into the rows of the training split."
        )
    return rows
