"""Sources of texts: columns of tables, folders of class folders, sequences in memory."""

import dataclasses
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_tl.base.reporting import Reporter
from keras_tl.data.folders.class_folders import scan_folder
from keras_tl.data.labelled_data import LabelledItems
from keras_tl.data.tables.columns import Columns
from keras_tl.data.tables.label_columns import LabelColumns
from keras_tl.data.tables.table import Table, join_tables
from keras_tl.data.texts.text_files import TEXT_FILES
from keras_tl.data.texts.text_split import Texts
from keras_tl.data.texts.text_values import as_text, is_unicode, read_text_file, refuse_paths
from keras_tl.errors import ConfigError, DataError, quoted


def text_columns(
    items: Mapping[str, Hashable | None],
    labels: LabelColumns,
    split: Hashable | None,
    slices: Sequence[Hashable],
    *others: Any,
) -> Columns:
    """Return the columns of texts, labels and splits, see `keras_tl.TextData.from_csv`.

    `others` are the arguments `validation` and `test`. They must be `None` if `split` is given.
    """
    if split is not None and any(other is not None for other in others):
        raise ConfigError(
            f"split={quoted(split)} reads the splits from a column, and validation= and test= "
            "read them from other tables. Remove split=, or remove validation= and test=."
        )
    return Columns("text", "texts", items, labels, split, slices)


def read_text_table(columns: Columns, tables: Mapping[str, Table], **others: Any) -> LabelledItems:
    """Return the texts and labels of one table, or of one table per split."""
    table = join_tables(tables)
    names = [name for name in columns.items.values() if name is not None]
    for name in names:
        table.check(
            name,
            lambda value: value is None or isinstance(value, bytes) or is_unicode(value),
            "a text",
            "Correct the value or remove the row.",
        )
    texts, *pairs = [table.columns[name] for name in names]
    refuse_paths(texts, "Read the files, and put the texts into a column of a pandas.DataFrame.")
    places = [f"{table.unit} {row}" for row in table.rows]
    return columns.read(table, Texts.read(texts, pairs[0] if pairs else None, places), **others)


def read_folder(root: Path, classes: Sequence[str] | None, verbose: bool) -> LabelledItems:
    """Read the texts in a folder, see `keras_tl.TextData.from_folder`."""
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
    content = read_text_file(path)
    progress(done)
    return as_text(content, path)


def read_arrays(given: Iterable, name: str) -> Texts:
    """Return the texts, or pairs of texts, that a user passes to `from_arrays` for one split."""
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
