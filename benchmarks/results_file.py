"""Measurements in a file of JSON lines that a killed process cannot damage."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


class ResultsFile:
    """JSON file with one object a line and one line a finished run.

    Args:
        path: The file. The first `add` makes it and its folder.
        key: Fields that identify a run. Of several rows of a run, the last one counts.
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
        """Return the key of a row's run."""
        return tuple(row[name] for name in self._key)

    def add(self, row: dict[str, Any]) -> None:
        """Append a row in one write, on its own line."""
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
