"""Reads items without labels from tables with the same column names as the training data."""

import dataclasses
import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Self

from keras_tl.data.tables.table import ColumnSelection, Table, is_path, read_frame
from keras_tl.data.tables.table_files import read_table
from keras_tl.data.user_items import ItemSource


@dataclasses.dataclass(frozen=True)
class Rows(ItemSource):
    """The items in the rows of a table: paths, texts, or pairs of texts."""

    given: list


@dataclasses.dataclass(frozen=True)
class ItemColumns:
    """The columns of a table that hold the items for prediction.

    Attributes:
        item: Noun for one item in messages: `"image"` or `"text"`.
        names: Name of the column of paths or of texts, or two names for pairs of texts.
        root: Folder from which relative paths start. `None`: relative paths start from the folder
            of the table file, or from the working directory for a data frame.
    """

    item: str
    names: tuple[Hashable, ...]
    root: str | None = None

    @classmethod
    def of(
        cls, item: str, are_pairs: bool = False, settings: Mapping[str, Any] | None = None
    ) -> Self:
        """Return the item columns that `settings` name, or else the columns with the usual names.

        `settings` are the `source_settings` of the training data of a model. The usual names are
        `path` for images, `text` for texts, and `text_pair` for the second texts of pairs.
        """
        usual = {"path": "image"} if item == "image" else {"text": "text"}
        usual |= {"text_pair": "text_pair"} if are_pairs else {}
        named = settings if settings and settings.get("kind") == "csv" else {}
        names = tuple(
            column if named.get(key) is None else named[key] for column, key in usual.items()
        )
        return cls(item, names, named.get("root"))

    def of_frame(self, frame: Any) -> Rows:
        """Return the paths, texts or pairs in the rows of a `pandas.DataFrame`."""
        return self._items(read_frame(frame, self._wanted), self.root)

    def of_file(self, path: Path) -> Rows:
        """Return the items in the rows of a table file, see `keras_tl.data.tables.table_files`."""
        root = path.parent if self.root is None else self.root
        return self._items(read_table(path, self._wanted), root)

    @property
    def _wanted(self) -> ColumnSelection:
        hint = f"Use the column names of the training data, or pass a list of {self.item}s."
        return ColumnSelection(self.names, self.item, hint)

    def _items(self, table: Table, root: str | os.PathLike[str] | None) -> Rows:
        hint = "Correct the value or remove the row."
        if self.item == "image":
            (column,) = self.names
            table.check(column, is_path, "the path of an image", hint)
            return Rows([os.path.join(root or "", path) for path in table.columns[column]])
        for column in self.names:
            table.check(column, _is_text, "a text", hint)
        columns = [table.columns[column] for column in self.names]
        texts = [["" if text is None else text for text in column] for column in columns]
        return Rows(list(zip(*texts, strict=True)) if len(texts) > 1 else texts[0])


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, (str, bytes))
