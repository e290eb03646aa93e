"""Rows of measurements in a file of JSON lines that a killed process cannot damage."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


class ResultsFile:
    """One JSON object a line, one line a finished run.

    Args:
        path: the file; it and its folder are made when the first row is added.
        key: the fields that name a run. Of several rows of a run the last counts.
    """

    def __init__(self, path: Path, key: tuple[str, ...]):
        self.path = path
        self._key = key

    def rows(self) -> list[dict[str, Any]]:
        """Return the last row of each run; a line that a kill cut off is no row."""
        found = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[self.key_of(row)] = row
        return list(found.values())

    def key_of(self, row: dict[str, Any]) -> tuple:
        """Return the key of the run of a row."""
        return tuple(row[name] for name in self._key)

    def add(self, row: dict[str, Any]) -> None:
        """Append a row in one write, on a line of its own."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            # A line that a kill has cut off must not go on in the new one.
            is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" * is_cut + json.dumps(row).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def forget(self, is_old: Callable[[dict[str, Any]], bool]) -> int:
        """Remove rows, so that their runs are measured again; return how many."""
        rows = self.rows()
        kept = [row for row in rows if not is_old(row)]
        if len(kept) < len(rows):
            new = self.path.with_suffix(".new")
            new.write_text("".join(f"{json.dumps(row)}\n" for row in kept))
            os.replace(new, self.path)
        return len(rows) - len(kept)
