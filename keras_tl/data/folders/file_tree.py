"""Finds files and folders below a folder, but no hidden files and no system files."""

import os
from collections.abc import Iterator
from pathlib import Path

from keras_tl.errors import DataError, quoted

# Names, in lower case, of files that archives, file managers and network drives leave behind.
_LEFT_BEHIND = {
    *("__macosx", "@eadir", "$recycle.bin", "system volume information"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
}


def _is_visible(name: str) -> bool:
    """Whether a file or folder is neither hidden nor left behind by an operating system."""
    return not name.startswith(".") and name.lower() not in _LEFT_BEHIND


def visible_files(folder: Path | str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of the files below a folder, except hidden files. Follow links to folders.

    `above` holds the real paths of the outer folders. Only the recursive call passes `above`.
    """
    here = os.path.realpath(folder)
    if here in above:  # Do not follow a link to a folder that contains the link.
        return
    for name, is_folder in _entries(folder):
        path = os.path.join(folder, name)
        if is_folder:
            yield from visible_files(path, (*above, here))
        else:
            yield path


def folders_in(folder: Path) -> list[Path]:
    """Return the sorted paths of the folders directly in a folder, except hidden folders."""
    return sorted(folder / name for name, is_folder in _entries(folder) if is_folder)


def files_in(folder: Path) -> list[str]:
    """Return the names of the files directly in a folder, except hidden files."""
    return [name for name, is_folder in _entries(folder) if not is_folder]


def _entries(folder: Path | str) -> list[tuple[str, bool]]:
    """Return the sorted names of the visible entries of a folder, and whether each is a folder.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted((x.name, _is_folder(x)) for x in entries if _is_visible(x.name))
    except OSError as error:
        name = quoted(os.fspath(folder))
        raise DataError(f"Cannot read the folder {name}: {error.strerror}.") from error


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # The entry is a link to itself.
        return False
