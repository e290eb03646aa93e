"""Writes the configuration for a server beside the versions of an export: `serving/`."""

import os
import shutil
from pathlib import Path

from keras_tl.base.files import CHECKSUMS, manifest, sha256, whole_folder, write_checksums
from keras_tl.errors import ExportError
from keras_tl.export.exported import read_export
from keras_tl.export.server_files import server_files, server_name

SERVING = "serving"


def check_serving(base: Path) -> Path:
    """The folder that `write_serving` would write for the versions below `base`.

    Raises:
        ConfigError: the name of `base` cannot be a model's name on a server.
        ExportError: there is a file in the place of the folder.
    """
    server_name(base)
    folder = base / SERVING
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"{folder} is a file. Expected a folder, or nothing, to write into.")
    return folder


def write_serving(path: Path, cores: int | None = None) -> tuple[Path, tuple[str, ...]]:
    """Writes the folder `serving/` for an export that is there, in the place of an earlier one.

    It stands beside the versions, where TF Serving passes over what has no number for a name. Of
    an earlier one, files that were changed or added are kept as they are; the others, also those
    that were deleted, are written anew.

    Args:
        path: a version's folder, or the folder of the versions (the latest is taken).
        cores: how many the server has; `None` for as many as this machine.

    Returns:
        The folder, and the names of the files in it that were kept.

    Raises:
        ExportError: there is no export of ours at the path, or it is damaged.
        ConfigError: the name of the model's folder cannot be a model's name on a server.
    """
    export = read_export(path)
    folder = check_serving(export.base)
    files = server_files(export, cores or os.cpu_count() or 1)
    kept = _changed_or_added(folder)
    with whole_folder(folder, replace=True) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        # Of what is written here, so that the next time too it is seen which of them were changed.
        write_checksums(temporary)
        for name in kept:
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, temporary / name)
    return folder, kept


def _changed_or_added(folder: Path) -> tuple[str, ...]:
    """The files of a folder that are not as they were written here."""
    written = manifest(folder)
    files = (f for f in sorted(folder.rglob("*")) if f.is_file() and f != folder / CHECKSUMS)
    names = {file.relative_to(folder).as_posix(): file for file in files}
    return tuple(name for name, file in names.items() if written.get(name) != sha256(file))
