"""Sources of texts: columns of tables, folders of class folders, sequences in memory."""

import dataclasses
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from keras_tl.base.reporting import Reporter
from keras_tl.data.folders.class_folders import scan_folder
from keras_tl.data.labelled_data import LabelledItems
from keras_tl.data.tables.columns import Columns
from keras_tl.data.tables.label_columns import Column, LabelColumns
from keras_tl.data.tables.table import Table
from keras_tl.data.tables.table_files import join_tables
from keras_tl.data.texts.text_files import TEXT_FILES
from keras_tl.data.texts.text_split import Texts
from keras_tl.data.texts.text_values import as_text, is_unicode, refuse_paths
from keras_tl.errors import ConfigError, DataError, quoted


class TextColumns(Columns):
    """Names of the columns with texts, labels and splits, see `keras_tl.TextData.from_csv`."""

    @classmethod
    def of(
        cls,
        text: Hashable,
        text_pair: Hashable | None,
        label: Column,
        split: Hashable | None,
        separator: str | None,
        task: str | None,
        class_names: Sequence[str] | None,
        slices: Sequence[Hashable],
        *others: Any,
    ) -> Self:
        """Make the columns from the arguments of `from_csv`.

        Args:
            text: Column of texts. See `from_csv` for all arguments except `others`.
            text_pair: Column of second texts.
            label: Column or columns of labels.
            split: Column with the split of each row.
            separator: Text between several labels in a cell.
            task: Name of the task.
            class_names: Names of the classes.
            slices: Further columns to store with the items.
            others: Values of the arguments `validation` and `test`.

        Raises:
            ConfigError: The arguments contradict each other.
        """
        if split is not None and any(other is not None for other in others):
            raise ConfigError(
                f"split={quoted(split)} reads the splits from a column, and validation= and test= "
                "read them from other tables. Remove split=, or remove validation= and test=."
            )
        labels = LabelColumns(label, separator, task, class_names)
        return cls("text", "texts", {"text": text, "text_pair": text_pair}, labels, split, slices)

    def read_texts(self, tables: Mapping[str, Table], **others: Any) -> LabelledItems:
        """Return the texts and labels of one table, or of one table per split.

        Raises:
            DataError: A value in a text column is not a text, or a label or split is invalid.
        """
        table = join_tables(tables)
        columns = [column for column in self.items.values() if column is not None]
        for column in columns:
            table.check(
                column,
                lambda value: value is None or isinstance(value, bytes) or is_unicode(value),
                "a text",
                "Correct the value or remove the row.",
            )
        values = [table.columns[column] for column in columns]
        refuse_paths(
            values[0], "Read the files, and put the texts into a column of a pandas.DataFrame."
        )
        places = [f"{table.unit} {row}" for row in table.rows]
        texts = Texts.read(values[0], values[1] if len(values) > 1 else None, places)
        return self.read(table, texts, **others)


def read_folder(root: Path, classes: Sequence[str] | None, verbose: bool) -> LabelledItems:
    """Read the texts in a folder that holds one folder for each class.

    Raises:
        DataError: See `keras_tl.TextData.from_folder`.
        ConfigError: A class does not exist.
    """
    found = scan_folder(root, TEXT_FILES, classes)
    count = sum(len(paths) for paths, _ in found.splits.values())
    splits = {}
    with Reporter(verbose).bar("Reading files", count) as progress:
        done = 0
        for name, (paths, labels) in found.splits.items():
            texts = tuple(_read(path, progress, done + n) for n, path in enumerate(paths, 1))
            splits[name] = (Texts(texts, None, paths), labels)
            done += len(paths)
    return dataclasses.replace(found, splits=splits)


def _read(path: str, progress: Any, done: int) -> str:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read the text {quoted(path)}: {error.strerror}.") from error
    progress(done)
    return as_text(content, path)


def read_arrays(given: Iterable, name: str) -> Texts:
    """Convert a sequence of texts, or of pairs of texts, to `Texts`.

    Args:
        given: See `keras_tl.TextData.from_arrays`.
        name: Name of the split in messages.

    Raises:
        DataError: The input is empty, or is not a sequence of texts or of pairs.
    """
    expected = f"Expected the {name} texts as a sequence of texts, or of pairs (text, second text)."
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise DataError(f"{expected} Received: {type(given).__name__}.")
    items = list(given)
    if not items:
        raise DataError(f"{expected} Received: none.")
    places = [f"{name} row {row}" for row in range(len(items))]
    is_pair = [isinstance(item, tuple | list | np.ndarray) for item in items]
    if not any(is_pair):
        refuse_paths(
            items,
            "If the contents are meant, pass pathlib.Path(path).read_text(). If the paths are "
            "meant, pass text.encode().",
        )
        return Texts.read(items, None, places)
    for row, item in enumerate(items):
        if not is_pair[row] or len(item) != 2:
            raise DataError(f"{expected} Received in row {row}: {quoted(item)}.")
    texts, pairs = zip(*items, strict=True)
    return Texts.read(texts, pairs, places)
