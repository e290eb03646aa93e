"""Find files in packages with pretrained weights and describe them, without importing keras_tl."""

import hashlib
import importlib.metadata
import sys
from pathlib import Path


def find_package(name: str, source: Path | None) -> importlib.metadata.Distribution:
    """Return an installed package, or a package whose wheel is unpacked in the folder `source`.

    Raises:
        SystemExit: There is no such package. The message says how to get the package.
    """
    path = sys.path if source is None else [str(source)]
    found = next(iter(importlib.metadata.distributions(name=name, path=path)), None)
    if found is None:
        where = "is not installed" if source is None else f"is not unpacked in {source}"
        raise SystemExit(f"The package {name} {where}: install it, or pass --source FOLDER.")
    return found


def weights_file(package: importlib.metadata.Distribution, suffix: str = ".pth") -> Path:
    """Return the path of the only file with this suffix in a package."""
    (file,) = (file for file in package.files if file.suffix == suffix)
    return Path(package.locate_file(file))


def describe(package: importlib.metadata.Distribution, file: Path) -> dict[str, str]:
    """Return facts about the origin of a file, for the record of converted weights."""
    return {
        "package": package.metadata["Name"],
        "version": package.version,
        "author": package.metadata["Author"] or package.metadata["Author-email"],
        "home_page": package.metadata["Home-page"],
        "file": file.name,
        "sha256": file_sha256(file),
    }


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
