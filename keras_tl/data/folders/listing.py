"""Files of one kind below a folder."""

import os
from pathlib import Path

from keras_tl.data.folders.file_kinds import FileKind
from keras_tl.data.folders.file_tree import visible_files
from keras_tl.data.folders.unused_files import UnusedFiles, unused_files
from keras_tl.errors import DataError, quoted


def sort_files(folder: Path, kind: FileKind) -> tuple[list[str], UnusedFiles]:
    """Sort the files below a folder, hidden ones left out, in one walk.

    Returns:
        The paths of the files of a kind, sorted; and the account of the others.
    """
    items, others = [], []
    for path in visible_files(folder):
        (items if path.lower().endswith(kind.suffixes) else others).append(path)
    return sorted(items), unused_files(folder, others, kind)


def items_below(
    given: os.PathLike | str, folder: Path, kind: FileKind
) -> tuple[list[str], UnusedFiles]:
    """The same of a folder that a user asks about.

    Args:
        given: the folder as the user named it.
        folder: its path.
        kind: the kind of files that are read.

    Raises:
        DataError: there is no file of the kind.
    """
    items, unused = sort_files(folder, kind)
    if items:
        return items, unused
    name = quoted(os.fspath(given))
    if not unused:
        raise DataError(f"The folder {name} holds no files. Expected {kind.formats} {kind.item}s.")
    raise DataError(f"No {kind.item} ({kind.formats}) below the folder {name}. {unused.advice}")
