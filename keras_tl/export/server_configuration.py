"""Write the server configuration of an export: the folder `serving/` in the model folder."""

import os
import shutil
from pathlib import Path

from keras_tl.base.files import CHECKSUMS, manifest, sha256, whole_folder, write_checksums
from keras_tl.errors import ExportError
from keras_tl.export.export_facts import read_export
from keras_tl.export.server_files import server_files, server_name

SERVING = "serving"


def check_serving(base: Path) -> Path:
    """Return the folder that `write_serving` writes for the model folder `base`.

    Raises:
        ConfigError: The name of `base` is not a valid model name for a server.
        ExportError: `base/serving` is a file.
    """
    server_name(base)
    folder = base / SERVING
    if folder.exists() and not folder.is_dir():
        raise ExportError(
            f"{folder} is a file. Expected a folder or an unused name. Rename the file."
        )
    return folder


def write_serving(path: Path, cores: int | None = None) -> tuple[Path, tuple[str, ...]]:
    """Write the folder `serving/` for an existing export. Replace an earlier `serving/`.

    The folder `serving/` is in the model folder, beside the versions. TF Serving ignores folders
    whose names are not numbers. The function keeps files in `serving/` that the user changed or
    added, and writes all other files again.

    Args:
        path: Folder of a version, or model folder, of which the function uses the latest version.
        cores: Number of CPU cores of the server, or `None` for the number of cores of this machine.

    Returns:
        The path of `serving/`, and the names of the user's files that the function kept.

    Raises:
        ExportError: There is no export of keras_tl at the path, or the export is damaged.
        ConfigError: The name of the model folder is not a valid model name for a server.
    """
    export = read_export(path)
    folder = check_serving(export.base)
    files = server_files(export, cores or os.cpu_count() or 1)
    kept = _changed_or_added(folder)
    with whole_folder(folder, replace=True) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        # Write no checksums of the user's files: the next call then keeps these files again.
        write_checksums(temporary)
        for name in kept:
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, temporary / name)
    return folder, kept


def _changed_or_added(folder: Path) -> tuple[str, ...]:
    """Return the files that the user has changed or added since the last `write_serving`."""
    written = manifest(folder)
    files = (f for f in sorted(folder.rglob("*")) if f.is_file() and f != folder / CHECKSUMS)
    names = {file.relative_to(folder).as_posix(): file for file in files}
    return tuple(name for name, file in names.items() if written.get(name) != sha256(file))
