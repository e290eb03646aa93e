"""Write files completely or not at all: under a temporary name, then fsync, then rename."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_tl.errors import ConfigError, quoted

_LEFTOVER = re.compile(r"^\.(?P<kind>new|old)-(?P<pid>\d+)-[0-9a-f]{8}-(?P<name>.+)$")

# The scheme of a URL has at least two letters, because a single letter is a Windows drive. The
# pattern needs only one `/` after the colon, because `pathlib` turns `//` into `/`.
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):/", re.IGNORECASE)

CHECKSUMS = "checksums.json"


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return a path on this machine, with `~` expanded.

    All path arguments of the package pass through this function.

    Raises:
        ConfigError: The value is not a path, is too long, or is a path of another file system, such
            as `gs://bucket/photos`.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ConfigError(
            f"Expected a path. Received: {quoted(path)}, of type {type(path).__name__}."
        )
    text = os.fsdecode(path)
    if remote := _SCHEME.match(text):
        raise ConfigError(
            f"Expected a path on this machine. Received: {quoted(text)}. keras_tl does not "
            f"support {remote['scheme']}:// paths. Copy the files to a local disk and pass "
            "their local path."
        )
    path = os.path.expanduser(text)
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG:
            raise ConfigError(
                f"Expected a path. Received: {quoted(text)}, of {len(text):,} characters. "
                "A path must be shorter and have no null characters."
            ) from error
    return Path(path)


def cache_root() -> Path:
    """Return the folder of all caches: `$KERAS_TL_CACHE` if set, else `~/.cache/keras_tl`."""
    return local_path(os.environ.get("KERAS_TL_CACHE") or "~/.cache/keras_tl")


def sha256(path: Path) -> str:
    """Return the SHA-256 of the content of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_folder(path: Path) -> str:
    """Return a SHA-256 of the relative paths and the contents of all files below a folder."""
    digest = hashlib.sha256()
    for file in sorted(f for f in path.rglob("*") if f.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{sha256(file)}\n".encode())
    return digest.hexdigest()


def write_checksums(folder: Path, name: str = CHECKSUMS) -> None:
    """Write the file `name` in a folder: the SHA-256 of every other file below the folder."""
    sums = {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file != folder / name
    }
    write_json(folder / name, sums)


def manifest(folder: Path) -> dict[str, str]:
    """Return the checksums that `write_checksums` saved, by file name, or `{}` if none exist."""
    try:
        return dict(json.loads((folder / CHECKSUMS).read_text("utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}


def changed_files(folder: Path, name: str = CHECKSUMS) -> Iterator[str]:
    """Yield the files that changed or vanished since `write_checksums` ran, but not new files.

    Raises:
        ValueError: The file of checksums is not valid JSON.
    """
    for file, expected in json.loads((folder / name).read_text("utf-8")).items():
        if not (folder / file).is_file() or sha256(folder / file) != expected:
            yield file


def first_changed(folder: Path) -> str | None:
    """Return the first file that `changed_files` yields, or `None` if no file has changed."""
    return next(changed_files(folder), None)


def json_text(value: Any) -> str:
    """Return a value as JSON text, with all digits of numbers and a final newline."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write a value to a file as JSON, see `json_text`. An interruption can leave half a file."""
    path.write_text(json_text(value), encoding="utf-8")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path. If the `with` block raises no error, rename the file to `path`."""
    temporary = _temporary(path)
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder. If the `with` block raises no error, rename the folder to `path`.

    Args:
        path: Final path of the folder.
        replace: Whether to replace an existing folder. The function renames the old folder, renames
            the new folder to `path`, then deletes the old folder. After a crash between the two
            renames, `remove_leftovers` restores the old folder.

    Raises:
        FileExistsError: The folder exists and `replace` is false. Nothing was changed.
    """
    path = path.resolve()  # If `path` is a link, replace the link's target.
    remove_leftovers(path.parent)
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
        for found in [*temporary.rglob("*"), temporary]:
            if found.is_file() or found.is_dir():  # Skip the user's broken links.
                _sync(found)
        if replace and path.exists():
            old = _temporary(path, "old")
            os.rename(path, old)
            try:
                os.rename(temporary, path)
            except BaseException:
                os.rename(old, path)
                raise
            shutil.rmtree(old)
        else:
            if path.exists():
                raise FileExistsError(path)
            os.rename(temporary, path)
        _sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Clean up the temporary files in `folder` that a dead process left behind.

    The function deletes half-written files. If the replacement of a folder was interrupted, the
    function gives the old folder its name back, unless a folder with this name exists.
    """
    for found in folder.glob(".*"):
        match = _LEFTOVER.match(found.name)
        if not match or _alive(int(match["pid"])):
            continue
        final = folder / match["name"]
        if match["kind"] == "old" and not final.exists():
            os.rename(found, final)
        elif found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
        else:
            found.unlink(missing_ok=True)


def _temporary(path: Path, kind: str = "new") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent / f".{kind}-{os.getpid()}-{uuid.uuid4().hex[:8]}-{path.name}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
