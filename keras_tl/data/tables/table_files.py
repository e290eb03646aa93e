"""Reads tables from CSV files and JSON lines files."""

import codecs
import contextlib
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from keras_tl.data.tables.table import ColumnSelection, Table, check_columns, with_rows
from keras_tl.errors import DataError, quoted

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
TABLE_SUFFIXES = (".csv", ".tsv", *JSON_SUFFIXES)
_SEPARATORS = ",;\t"
_UTF_16 = "utf-16"
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CURE = "Save the file as UTF-8 (in Excel: CSV UTF-8)."


def read_table(path: Path, wanted: ColumnSelection) -> Table:
    """Read a table from a JSON lines file (for suffixes in `JSON_SUFFIXES`) or a CSV file."""
    is_json = path.suffix.lower() in JSON_SUFFIXES
    return _read_json_lines(path, wanted) if is_json else read_csv(path, wanted)


def read_csv(path: Path, wanted: ColumnSelection) -> Table:
    """Read columns of a CSV file as text.

    This function uses neither pandas nor the CSV reader of NumPy, so that 007 stays text, a class
    may be called NA, and messages can name the lines of the file.

    Args:
        path: Path of the CSV file, see `_open_table`. Commas, semicolons or tabs separate the
            cells. The first line of the file names the columns. Empty lines are skipped. In a
            `.tsv` file, quotes may be ordinary characters.
        wanted: Names of the columns to read.

    Raises:
        DataError: The file does not exist, is not a valid CSV file, or lacks a column.
    """
    if path.suffix.lower() == ".tsv":
        # In .tsv files such as those of GLUE, quotes are often ordinary characters. If every line
        # has the same number of tabs, no quoted cell spans several lines.
        with contextlib.suppress(_MalformedError):
            return _read_csv(path, wanted, csv.QUOTE_NONE)
    return _read_csv(path, wanted, csv.QUOTE_MINIMAL)


def _read_csv(path: Path, wanted: ColumnSelection, quoting: int) -> Table:
    name = quoted(str(path))
    try:
        with _open_table(path, "a CSV file") as file, _long_cells():
            separator = _separator(file.readline(), wanted.columns[0])
            file.seek(0)
            reader = csv.reader(
                file, delimiter=separator, quoting=quoting, skipinitialspace=True, strict=True
            )
            # Remove quotes around column names in both quoting modes, because R writes such quotes.
            header = [_unquoted(field.strip()) for field in next(reader, [])]
            check_columns(name, header, wanted)
            places = [header.index(column) for column in wanted.columns]
            found = [(line, *map(row.__getitem__, places)) for line, row in _rows(reader, header)]
    except csv.Error as error:
        raise _MalformedError(
            f"{name}, line {reader.line_num}: {error}. Put quotes around a cell that contains "
            "the separator. Inside the cell, write each quote twice."
        ) from error
    lines, *columns = zip(*found, strict=True) if found else [()] * (len(wanted.columns) + 1)
    if quoting == csv.QUOTE_NONE:
        columns = [map(_unquoted, column) for column in columns]
    columns = dict(zip(wanted.columns, map(list, columns), strict=True))
    return with_rows(Table(name, columns, lines, "line", is_text=True), wanted)


def _read_json_lines(path: Path, wanted: ColumnSelection) -> Table:
    """Read a file of one JSON object per line (https://jsonlines.org), with keys as columns.

    If an object does not have a key, the cell is empty.

    Raises:
        DataError: The file does not exist, a line is not a JSON object, or a wanted key is in no
            object.
    """
    name = quoted(str(path))
    with _open_table(path, "JSON lines") as file:
        found = list(_objects(file, name))
    if found:
        check_columns(name, list(dict.fromkeys(key for _, row in found for key in row)), wanted)
    columns = {column: [row.get(column) for _, row in found] for column in wanted.columns}
    lines = [line for line, _ in found]
    return with_rows(Table(name, columns, lines, "line", is_text=False), wanted)


def _objects(lines: Iterable[str], name: str) -> Iterator[tuple[int, dict]]:
    """Yield the line number and the JSON object of each line that is not empty."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise DataError(
                f"{name}, line {number}: expected a JSON object, such as "
                f'{{"text": "...", "label": "..."}}, received {quoted(line.strip())}. '
                "Write one object per line."
            )
        yield number, value


def header_of(path: Path) -> list[str]:
    """Return the column names of a CSV file, or an empty list for an unreadable file."""
    try:
        encoding = _encoding(path)
        if encoding is None:
            return []
        with open(path, encoding=encoding, errors="replace", newline="") as file:
            line = file.readline()
    except OSError:
        return []
    return max((_fields(line, separator) for separator in _SEPARATORS), key=len)


@contextlib.contextmanager
def _open_table(path: Path, form: str) -> Iterator[TextIO]:
    """Open a text file, and skip its byte order mark.

    Args:
        path: Path of a text file in UTF-8, or in UTF-16 with a byte order mark ("Unicode Text" in
            Excel).
        form: Expected form of the file in messages, such as "a CSV file".

    Raises:
        DataError: The file does not exist, or has an unsupported encoding.
    """
    try:
        encoding = _encoding(path)
        if encoding is None:
            raise DataError(
                f"Expected {quoted(str(path))} to be {form} in UTF-8. Its first bytes "
                f"look like UTF-32, or like UTF-16 without a byte order mark. {_CURE}"
            )
        with open(path, encoding=encoding, newline="") as file:
            yield file
    except OSError as error:
        raise DataError(f"Cannot read the table {quoted(str(path))}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        name = "UTF-16" if encoding == _UTF_16 else "UTF-8"
        raise DataError(
            f"Expected {quoted(str(path))} to be {form} in {name}, found invalid bytes in line "
            f"{_undecodable_line(path, encoding)}. {_CURE}"
        ) from error


def _encoding(path: Path) -> str | None:
    """Infer the encoding from a file's first bytes: UTF-8 by default, `None` if unsupported."""
    with open(path, "rb") as file:
        start = file.read(4)
    if start.startswith(_UTF_16_MARKS) and start != codecs.BOM_UTF32_LE:
        return _UTF_16
    return None if b"\x00" in start else "utf-8-sig"


def _undecodable_line(path: Path, encoding: str) -> int:
    """Return the number, from 1, of the first line that an encoding cannot decode."""
    content = path.read_bytes()
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "ignore")
        return len(f"{before}?".splitlines())
    return 1  # The file was corrected in the meantime.


class _MalformedError(DataError):
    """Error: the cells of a CSV file cannot be separated."""


@contextlib.contextmanager
def _long_cells() -> Iterator[None]:
    """Allow cells of any length: the default limit of `csv` is shorter than a long document."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _unquoted(cell: str) -> str:
    """Return a cell without the quotes around it, if there are any."""
    inside = cell[1:-1]
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return inside.replace('""', '"') if is_quoted and '"' not in inside.replace('""', "") else cell


def _separator(first_line: str, column: str) -> str:
    found = (separator for separator in _SEPARATORS if column in _fields(first_line, separator))
    return next(found, _SEPARATORS[0])


def _fields(first_line: str, separator: str) -> list[str]:
    fields = next(csv.reader([first_line], delimiter=separator, skipinitialspace=True), [])
    return [field.strip() for field in fields]


def _rows(reader: Any, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    line = reader.line_num + 1  # Line where the row starts: a quoted cell may span lines.
    for row in reader:
        if any(row):
            if len(row) != len(header):
                raise csv.Error(
                    f"expected {len(header)} cells, as in the first line, found {len(row)}"
                )
            yield line, row
        line = reader.line_num + 1
