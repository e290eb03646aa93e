"""The files and folders below a folder, without those that systems put there."""

import os
from collections.abc import Iterator
from pathlib import Path

from keras_tl.errors import DataError, quoted

# What unzipping, file managers and network drives leave behind, in small letters.
_LEFT_BEHIND = {
    *("__macosx", "@eadir", "$recycle.bin", "system volume information"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
}


def is_visible(name: str) -> bool:
    """Whether a file or folder is neither hidden nor left behind by a system."""
    return not name.startswith(".") and name.lower() not in _LEFT_BEHIND


def visible_files(folder: Path) -> Iterator[str]:
    """The files below a folder, hidden ones left out. Links to folders are followed.

    Raises:
        DataError: a folder cannot be read.
    """
    yield from _files_below(os.fspath(folder), ())


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, hidden ones left out."""
    return sorted(folder / name for name, is_folder in _entries(os.fspath(folder)) if is_folder)


def files_in(folder: Path) -> list[str]:
    """The names of the files in a folder, hidden ones left out."""
    return [name for name, is_folder in _entries(os.fspath(folder)) if not is_folder]


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Names, sorted, and whether they are folders."""
    try:
        with os.scandir(folder) as entries:
            return sorted((x.name, _is_folder(x)) for x in entries if is_visible(x.name))
    except OSError as error:
        raise DataError(f"Cannot read the folder {quoted(folder)}: {error.strerror}.") from error


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that leads back to itself.
        return False


def _files_below(folder: str, above: tuple[str, ...]) -> Iterator[str]:
    here = os.path.realpath(folder)
    if here in above:  # A link to a folder that holds it.
        return
    for name, is_folder in _entries(folder):
        path = os.path.join(folder, name)
        if is_folder:
            yield from _files_below(path, (*above, here))
        else:
            yield path
