"""File of results in JSON lines that stays readable if a process is killed while it writes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


class ResultsFile:
    """File with one line for each finished run. Each line is a JSON object, called a row.

    Args:
        path: Path of the file. The first call of `add` makes the file and its folder.
        key: Names of the fields that identify a run. If a run has several rows, only the last row
            counts.
    """

    def __init__(self, path: Path, key: tuple[str, ...]):
        self.path = path
        self._key = key

    def rows(self) -> list[dict[str, Any]]:
        """Return the last row of each run. Skip lines that a kill cut off."""
        found = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[self.key_of(row)] = row
        return list(found.values())

    def key_of(self, row: dict[str, Any]) -> tuple:
        """Return the key of the run to which a row belongs."""
        return tuple(row[name] for name in self._key)

    def add(self, row: dict[str, Any]) -> None:
        """Append a row as a new line, in one write."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            # The new row must not continue a line that a kill cut off.
            is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" * is_cut + json.dumps(row).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def forget(self, is_old: Callable[[dict[str, Any]], bool]) -> int:
        """Remove rows, so that their runs are measured again. Return the number of removed rows."""
        rows = self.rows()
        kept = [row for row in rows if not is_old(row)]
        if len(kept) < len(rows):
            new = self.path.with_suffix(".new")
            new.write_text("".join(f"{json.dumps(row)}\n" for row in kept))
            os.replace(new, self.path)
        return len(rows) - len(kept)
