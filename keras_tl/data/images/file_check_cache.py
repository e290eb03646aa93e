"""Cache of file check results: one small JSON file for each folder of images."""

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
class FileResult:
    """Result of the file check for one file.

    Attributes:
        size: Size of the file in bytes at the time of the check.
        modified: Modification time of the file in nanoseconds.
        digest: First 32 hexadecimal digits of the SHA-256 of the content, or an empty text if not
            computed.
        reason: The file issue that prevents training with the file, or an empty text if there is
            none.
        has_16_bits: Whether the file is a PNG file with 16 bits per value.
        lasting: Whether the result stays valid until the file changes, unlike a read error.
    """

    size: int
    modified: int
    digest: str = ""
    reason: str = ""
    has_16_bits: bool = False
    lasting: bool = True


class FileCheckCache:
    """Cache of file check results for the files below one folder.

    If the cache cannot be read or written, the class raises no error, and the files are checked
    again.

    Args:
        paths: Absolute paths of files. The cache is for the deepest folder that holds all `paths`.
    """

    def __init__(self, paths: Iterable[str]):
        self._root = os.path.commonpath({os.path.dirname(path) for path in paths})
        name = hashlib.sha256(os.fsencode(self._root)).hexdigest()[:32]
        self._file = cache_root() / "checks" / f"{name}.json"
        self._rows = self._read()

    def get(self, path: str, found: os.stat_result) -> FileResult | None:
        """Return the stored result of a file. `None`: no stored result, or the file has changed."""
        row = self._rows.get(path[len(self._root) :])
        if row is None or row[:2] != [found.st_size, found.st_mtime_ns]:
            return None
        return FileResult(*row)

    def add(self, findings: dict[str, FileResult]) -> None:
        """Store results by absolute path, and drop the results of deleted files."""
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
    # Store the version of TensorFlow, because versions differ in the files that they can decode.
    return [_FORMAT, tf.__version__]


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
