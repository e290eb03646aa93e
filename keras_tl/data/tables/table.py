"""Tables of items and labels, and their construction from pandas data frames."""

import dataclasses
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_tl.errors import ConfigError, DataError, listed, quoted

_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class ColumnSelection:
    """Columns to read from a table.

    Attributes:
        columns: Names of the columns to read.
        item: Word in messages for the item in a row, such as "image".
        hint: Advice on how to choose other columns, a sentence for messages.
    """

    columns: Sequence[Hashable]
    item: str
    hint: str


@dataclasses.dataclass(frozen=True)
class Table:
    """The columns that were read from a table.

    Attributes:
        name: Name of the table in messages.
        columns: Values of each column. The value `None` means an empty cell.
        rows: Name of each row in messages: the line number in a file, or the index in a data frame.
        unit: Word for a row in messages, `"line"` or `"row"`.
        is_text: Whether all values are text, even numbers, as in CSV files.
        parts: Row numbers of each split, if each split was a separate table. Otherwise `None`.
        categories: Ordered categories of each column that is a pandas Categorical.
    """

    name: str
    columns: dict[Hashable, list]
    rows: Sequence
    unit: str
    is_text: bool
    parts: dict[str, np.ndarray] | None = None
    categories: Mapping[Hashable, Sequence] = dataclasses.field(default_factory=dict)

    def check(
        self, column: Hashable, is_right: Callable[[Any], bool], expected: str, hint: str
    ) -> None:
        """Raise `DataError` unless `is_right` is true for all values of a column.

        The message names the rows with wrong values, describes the `expected` value, and ends with
        the advice `hint`.
        """
        values = self.columns[column]
        wrong = [row for row, value in enumerate(values) if not is_right(value)]
        if wrong:
            value = values[wrong[0]]
            received = "an empty cell" if is_empty(value) else quoted(value)
            shown = ", ".join(str(self.rows[row]) for row in wrong[:_SHOWN])
            more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
            raise DataError(
                f"{self.name}: expected {expected} in column {quoted(column)}, received {received} "
                f"in {self.unit} {shown}{more}. {hint}"
            )


def is_empty(value: Any) -> bool:
    """Whether a cell is `None`, or a text without any character except white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_path(value: Any) -> bool:
    """Whether a cell holds a path, as a text or as a path object."""
    return isinstance(value, (str, os.PathLike)) and not is_empty(value)


def read_frame(frame: Any, wanted: ColumnSelection) -> Table:
    """Read columns of a `pandas.DataFrame`, or raise `DataError` if this is not possible."""
    if not (hasattr(frame, "columns") and hasattr(frame, "index")):
        raise DataError(f"Expected a pandas.DataFrame. Received: {type(frame).__name__}.")
    name = "The data frame"
    check_columns(name, list(frame.columns), wanted)
    columns, categories = {}, {}
    for column in wanted.columns:
        cells = zip(frame[column].tolist(), frame[column].isna().tolist(), strict=True)
        columns[column] = [None if is_missing else value for value, is_missing in cells]
        if hasattr(frame[column].dtype, "categories"):
            categories[column] = frame[column].dtype.categories.tolist()
    rows = frame.index.tolist()
    table = Table(name, columns, rows, "row", is_text=False, categories=categories)
    return with_rows(table, wanted)


def check_columns(name: str, found: Sequence[Hashable], wanted: ColumnSelection) -> None:
    """Raise an error unless each wanted column occurs once in the table and once in `wanted`."""
    if not found:
        raise DataError(f"{name} is empty. Expected a first line that names the columns.")
    for column in wanted.columns:
        if wanted.columns.count(column) > 1:
            raise ConfigError(
                f"Two arguments name the column {quoted(column)}. Name each column once."
            )
        if found.count(column) != 1:
            amount = "more than one" if column in found else "no"
            raise DataError(
                f"{name} has {amount} column {quoted(column)}. It has: {listed(found)}. "
                f"{wanted.hint}"
            )


def with_rows(table: Table, wanted: ColumnSelection) -> Table:
    """Return a table unchanged, or raise `DataError` if it has no rows."""
    if not table.rows:
        raise DataError(f"{table.name} has no rows. Expected one row for each {wanted.item}.")
    return table


def join_tables(tables: Mapping[str, Table]) -> Table:
    """Join the tables of several splits into one table, to read all splits in the same way."""
    first = next(iter(tables.values()))
    if len(tables) == 1:
        return first
    names = ", ".join(dict.fromkeys(table.name for table in tables.values()))
    if any(table.is_text != first.is_text for table in tables.values()):
        raise DataError(
            f"Expected files of one form, all CSV or all JSON lines. Received: {names}."
        )
    ends = np.cumsum([len(table.rows) for table in tables.values()])
    parts = np.split(np.arange(ends[-1]), ends[:-1])
    return Table(
        names,
        {
            column: [value for table in tables.values() for value in table.columns[column]]
            for column in first.columns
        },
        [f"{row} of {split}" for split, table in tables.items() for row in table.rows],
        first.unit,
        first.is_text,
        dict(zip(tables, parts, strict=True)),
        _joined_categories([*tables.values()]),
    )


def _joined_categories(tables: Sequence[Table]) -> dict[Hashable, list]:
    """Join the categories of each column that is a pandas Categorical in all tables."""
    return {
        column: [*dict.fromkeys(name for table in tables for name in table.categories[column])]
        for column in tables[0].categories
        if all(column in table.categories for table in tables)
    }
