"""What is known about image files from earlier checks: one small file for each folder of images."""

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable

import tensorflow as tf

from keras_tl.base.files import cache_root, remove_leftovers, whole_file

_FORMAT = 2
_MOST_FOLDERS = 100


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a check found out about one file.

    Attributes:
        size: its size in bytes when it was looked at.
        modified: its modification time in nanoseconds.
        digest: 32 hexadecimal digits of the SHA-256 of its content; empty where it was not read.
        reason: why it cannot be used; empty where it can.
        has_16_bits: whether it is a PNG file of 16 bits a value.
        lasting: whether this is so until the file changes; not so of one that may not be read.
    """

    size: int
    modified: int
    digest: str = ""
    reason: str = ""
    has_16_bits: bool = False
    lasting: bool = True


class CheckCache:
    """Keeps findings for the files below one folder.

    Nothing here is an error: without a cache, files are checked again.

    Args:
        paths: absolute paths of files; the deepest folder that holds them all has the cache.
    """

    def __init__(self, paths: Iterable[str]):
        self._root = os.path.commonpath({os.path.dirname(path) for path in paths})
        name = hashlib.sha256(os.fsencode(self._root)).hexdigest()[:32]
        self._file = cache_root() / "checks" / f"{name}.json"
        self._rows = self._read()

    def get(self, path: str, found: os.stat_result) -> Finding | None:
        """The finding for a file that has not changed since, `found` being what it is now."""
        row = self._rows.get(path[len(self._root) :])
        if row is None or row[:2] != [found.st_size, found.st_mtime_ns]:
            return None
        return Finding(*row)

    def add(self, findings: dict[str, Finding]) -> None:
        """Keeps findings by absolute path, and drops those of files that have gone."""
        known = {name: row for name, row in self._rows.items() if os.path.exists(self._root + name)}
        known |= {
            path[len(self._root) :]: list(dataclasses.astuple(found)[:-1])
            for path, found in findings.items()
            if found.lasting
        }
        text = json.dumps({"made_by": _made_by(), "files": known}).encode()
        with contextlib.suppress(OSError):
            remove_leftovers(self._file.parent)
            with whole_file(self._file) as temporary:
                temporary.write_bytes(_checksum(text) + b"\n" + text)
            self._remove_oldest()

    def _read(self) -> dict[str, list]:
        try:
            checksum, text = self._file.read_bytes().split(b"\n", 1)
        except (OSError, ValueError):
            return {}
        if checksum != _checksum(text):
            return {}
        kept = json.loads(text)
        return kept["files"] if kept["made_by"] == _made_by() else {}

    def _remove_oldest(self) -> None:
        files = sorted(self._file.parent.glob("*.json"), key=lambda f: f.stat().st_mtime)
        for file in files[:-_MOST_FOLDERS]:
            file.unlink()


def _made_by() -> list:
    # Another decoder may read what this one cannot.
    return [_FORMAT, tf.__version__]


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
