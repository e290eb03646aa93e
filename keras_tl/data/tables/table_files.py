"""Reads tables from CSV and JSON lines files, and joins the tables of several splits."""

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_tl.data.tables.csv_files import open_table, read_csv
from keras_tl.data.tables.table import ColumnSelection, Table, check_columns, with_rows
from keras_tl.errors import DataError, quoted

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
TABLE_SUFFIXES = (".csv", ".tsv", *JSON_SUFFIXES)


def read_table(path: Path, wanted: ColumnSelection) -> Table:
    """Read a table with `read_json_lines` (for suffixes in `JSON_SUFFIXES`) or `read_csv`."""
    is_json = path.suffix.lower() in JSON_SUFFIXES
    return read_json_lines(path, wanted) if is_json else read_csv(path, wanted)


def read_json_lines(path: Path, wanted: ColumnSelection) -> Table:
    """Read a file of one JSON object per line (https://jsonlines.org), with keys as columns.

    If an object does not have a key, the cell is empty.

    Raises:
        DataError: The file does not exist, a line is not a JSON object, or no object has a wanted
            key.
    """
    name = quoted(str(path))
    with open_table(path, "JSON lines") as file:
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
