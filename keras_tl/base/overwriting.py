"""Nothing is overwritten unless asked for, and files that are not ours are kept."""

import os
import shutil
from pathlib import Path

from keras_tl.base.files import CHECKSUMS, manifest, sha256
from keras_tl.errors import ConfigError


def check_new(*paths: str | os.PathLike, overwrite: bool = False) -> None:
    """Raise `ConfigError` if a path that will be written exists; call it before long work.

    Args:
        paths: files and folders.
        overwrite: replace what is there; then nothing is checked.
    """
    for path in () if overwrite else paths:
        if os.path.lexists(path):
            raise ConfigError(
                f"{path} exists. Expected a path that does not exist. Choose another path, or "
                "replace what is there with overwrite=True (--overwrite on the command line)."
            )


class OwnFiles:
    """Runs and files that an object wrote or loaded, and may replace while they are unchanged."""

    def __init__(self) -> None:
        self._states: dict[Path, str] = {}

    def note(self, path: Path) -> None:
        """Note what is at a path now: a file, or a folder with checksums."""
        if (state := _state(path)) is not None:
            self._states[path.resolve()] = state

    def hold(self, path: Path) -> bool:
        """Whether the path still holds what was noted."""
        state = _state(path)
        return state is not None and self._states.get(path.resolve()) == state


def _state(path: Path) -> str | None:
    file = path / CHECKSUMS if path.is_dir() else path
    return sha256(file) if file.is_file() else None


def keep_other_files(old: Path, new: Path) -> None:
    """Link the user's own files in a folder into the new folder that will replace it.

    Args:
        old: the folder; its checksums list the files that are not the user's. It may be missing.
        new: the complete new folder. Its files win where names are equal.
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
        except (OSError, NotImplementedError):  # No hard links, or none of symbolic links.
            shutil.copy2(found, new / name, follow_symlinks=False)
