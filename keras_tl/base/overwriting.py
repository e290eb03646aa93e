"""Protect existing files: overwrite outputs only on request, and keep the user's own files."""

import os
import shutil
from pathlib import Path

from keras_tl.base.files import CHECKSUMS, manifest, sha256
from keras_tl.errors import ConfigError


def check_new(*paths: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raise `ConfigError` if an output path exists and `overwrite` is false.

    Call this function before a long computation, so that the error comes early.

    Example:
        >>> ktl.check_new("photos.csv")
        Traceback (most recent call last):
            ...
        keras_tl.errors.ConfigError: photos.csv exists. ...
    """
    for path in () if overwrite else paths:
        if os.path.lexists(path):
            raise ConfigError(
                f"{path} exists. Expected a path that does not exist. Choose another path, or "
                "replace the existing files with overwrite=True (--overwrite on the command line)."
            )


class OwnFiles:
    """Record of the runs and files that a learner wrote, and may overwrite if unchanged."""

    def __init__(self) -> None:
        self._states: dict[Path, str] = {}

    def note(self, path: Path) -> None:
        """Record the current content of a path: a file, or a folder with checksums."""
        if (state := _state(path)) is not None:
            self._states[path.resolve()] = state

    def hold(self, path: Path) -> bool:
        """Return whether the content of a path still equals the recorded content."""
        state = _state(path)
        return state is not None and self._states.get(path.resolve()) == state


def _state(path: Path) -> str | None:
    file = path / CHECKSUMS if path.is_dir() else path
    return sha256(file) if file.is_file() else None


def keep_other_files(old: Path, new: Path) -> None:
    """Link the files of the user from an old folder into the folder that will replace it.

    Args:
        old: Old folder, which may be missing. The checksums in the old folder list all files that
            do not belong to the user.
        new: New folder, completely written. The function links no file of `old` if `new` has a
            file of the same name.
    """
    ours = {CHECKSUMS, *manifest(old)}
    for found in old.rglob("*"):
        name = found.relative_to(old)
        is_folder = found.is_dir() and not found.is_symlink()
        if is_folder or name.as_posix() in ours or os.path.lexists(new / name):
            continue
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(found, new / name, follow_symlinks=False)
        except (OSError, NotImplementedError):  # Not every file system has hard links.
            shutil.copy2(found, new / name, follow_symlinks=False)
