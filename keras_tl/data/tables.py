"""Tables of items and labels: CSV files and pandas data frames."""

import csv
import dataclasses
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_tl.errors import ConfigError, DataError

_SEPARATORS = ",;\t"
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is to be read of a table.

    Attributes:
        columns: the columns.
        item: what messages call what a row holds.
        hint: how to name other columns, a sentence.
    """

    columns: Sequence[Hashable]
    item: str
    hint: str


@dataclasses.dataclass(frozen=True)
class Table:
    """Some columns of a table.

    Attributes:
        name: what messages call the table.
        columns: the values of each column; `None` where there is none.
        rows: what messages call each row: the line of a file, the index of a data frame.
        unit: `"line"` or `"row"`.
        is_text: whether all values are text, numbers among them.
    """

    name: str
    columns: dict[Hashable, list]
    rows: Sequence
    unit: str
    is_text: bool

    def check(
        self, column: Hashable, is_right: Callable[[Any], bool], expected: str, hint: str
    ) -> None:
        """Raises `DataError` naming the rows, unless every value of a column is right.

        Args:
            column: the column.
            is_right: tells whether a value is.
            expected: what every value should be.
            hint: what to do, a sentence.
        """
        values = self.columns[column]
        wrong = [row for row, value in enumerate(values) if not is_right(value)]
        if wrong:
            value = values[wrong[0]]
            received = "nothing" if is_empty(value) else repr(value)
            shown = ", ".join(str(self.rows[row]) for row in wrong[:_SHOWN])
            more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
            raise DataError(
                f"{self.name}: expected {expected} in column {column!r}, received {received} in "
                f"{self.unit} {shown}{more}. {hint}"
            )


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_csv(path: Path, wanted: Wanted) -> Table:
    """Reads columns of a CSV file as text.

    Neither pandas nor NumPy's reader is used: an identifier such as 007 stays one, a class may be
    called NA, and messages can name the lines of the file.

    Args:
        path: the file: UTF-8, separated by commas, semicolons or tabs. Its first line names the
            columns; empty lines do not count.
        wanted: what to read.

    Raises:
        DataError: there is no such file, it is not as described, or has no such column.
    """
    name = repr(str(path))
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            separator = _separator(file.readline(), wanted.columns[0])
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, skipinitialspace=True, strict=True)
            header = [field.strip() for field in next(reader, [])]
            _check_columns(name, header, wanted)
            places = [header.index(column) for column in wanted.columns]
            found = [(line, *map(row.__getitem__, places)) for line, row in _rows(reader, header)]
    except OSError as error:
        raise DataError(f"Cannot read the table {name}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"Expected {name} to be a CSV file in UTF-8, found other bytes. Save it as UTF-8."
        ) from error
    except (_RowError, csv.Error) as error:
        raise DataError(
            f"{name}, line {reader.line_num}: {error}. Put quotes around text that holds the "
            "separator, and double the quotes inside."
        ) from error
    lines, *columns = zip(*found, strict=True) if found else [()] * (len(wanted.columns) + 1)
    columns = dict(zip(wanted.columns, map(list, columns), strict=True))
    return _with_rows(Table(name, columns, lines, "line", is_text=True), wanted)


class _RowError(ValueError):
    """A row has another number of cells than the first line."""


def _separator(first_line: str, column: str) -> str:
    def has_column(separator: str) -> bool:
        fields = next(csv.reader([first_line], delimiter=separator, skipinitialspace=True), [])
        return column in map(str.strip, fields)

    return next(filter(has_column, _SEPARATORS), _SEPARATORS[0])


def _rows(reader: Any, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    for row in reader:
        if any(row):
            if len(row) != len(header):
                raise _RowError(
                    f"expected {len(header)} cells, as in the first line, found {len(row)}"
                )
            yield reader.line_num, row


def read_frame(frame: Any, wanted: Wanted) -> Table:
    """Reads columns of a `pandas.DataFrame`.

    Raises:
        DataError: it is not one, or has no such column, or no rows.
    """
    if not (hasattr(frame, "columns") and hasattr(frame, "index")):
        raise DataError(f"Expected a pandas.DataFrame. Received: {type(frame).__name__}.")
    name = "The data frame"
    _check_columns(name, list(frame.columns), wanted)
    columns = {}
    for column in wanted.columns:
        cells = zip(frame[column].tolist(), frame[column].isna().tolist(), strict=True)
        columns[column] = [None if is_missing else value for value, is_missing in cells]
    return _with_rows(Table(name, columns, frame.index.tolist(), "row", is_text=False), wanted)


def _check_columns(name: str, found: Sequence[Hashable], wanted: Wanted) -> None:
    if not found:
        raise DataError(f"{name} is empty. Expected a first line that names the columns.")
    for column in wanted.columns:
        if wanted.columns.count(column) > 1:
            raise ConfigError(f"The column {column!r} was asked for twice. Give each one once.")
        if found.count(column) != 1:
            amount = "more than one" if column in found else "no"
            raise DataError(
                f"{name} has {amount} column {column!r}. It has: {', '.join(map(repr, found))}. "
                f"{wanted.hint}"
            )


def _with_rows(table: Table, wanted: Wanted) -> Table:
    if not table.rows:
        raise DataError(f"{table.name} has no rows. Expected one for each {wanted.item}.")
    return table
