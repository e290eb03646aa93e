"""Folders of class folders, whatever kind of files they hold."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_tl.data.splits import SPLIT_NAMES, SPLITS
from keras_tl.errors import DataError


@dataclasses.dataclass(frozen=True)
class FileKind:
    """A kind of files, each of them an item.

    Attributes:
        item: what messages call one of them.
        formats: what messages call what is looked for.
        suffixes: the endings of the files' names, in small letters.
    """

    item: str
    formats: str
    suffixes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Scanned:
    """What a folder holds.

    Attributes:
        splits: the paths and the int64 class numbers of each split; train's alone where there are
            no folders of splits.
        class_names: the names of the class folders.
        has_splits: whether there are folders of splits.
    """

    splits: dict[str, tuple[tuple[str, ...], np.ndarray]]
    class_names: tuple[str, ...]
    has_splits: bool


def files_below(folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    """All files below a folder with one of some endings, sorted, hidden ones left out."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            os.path.join(parent, name)
            for name in names
            if name.lower().endswith(suffixes) and not name.startswith(".")
        ]
    return sorted(found)


def scan_folder(root: Path, kind: FileKind) -> Scanned:
    """Finds `root/<class>/*`, or `root/train|validation|test/<class>/*` where they exist.

    Args:
        root: the folder.
        kind: the files to look for.

    Raises:
        DataError: there is no such folder, no class, only one, an empty one, an empty split, or
            a split that has a class which train has not.
    """
    tops = split_folders(root, kind)
    class_names = tuple(folder.name for folder in class_folders(tops["train"]))
    if len(class_names) < 2:
        found = f"one, {class_names[0]!r}" if class_names else "none"
        raise DataError(
            f"Expected at least two class folders in {str(tops['train'])!r}, found {found}. "
            f"Put the {kind.item}s of each class into a folder named after the class."
        )
    for name in class_names:
        # Names of files are only ever opened; names of classes are written into runs and exports.
        if os.fsencode(name) != name.encode("utf-8", "replace"):
            raise DataError(f"The class folder {name!r} has a name that is not UTF-8. Rename it.")
    splits = {s: _scan_split(tops[s], class_names, s, kind) for s in SPLITS if s in tops}
    return Scanned(splits, class_names, tops["train"] != root)


def split_folders(root: Path, kind: FileKind) -> dict[str, Path]:
    """The folders of the splits, names matched ignoring case: only train's, the root itself,
    where the root has no train folder.

    Raises:
        DataError: there is no such folder, or a split has two.
    """
    if not root.is_dir():
        raise DataError(
            f"Expected a folder with one folder of {kind.item}s for each class. {str(root)!r} "
            f"{'is a file' if root.exists() else 'does not exist'}."
        )
    tops: dict[str, Path] = {}
    for folder in class_folders(root):
        split = SPLIT_NAMES.get(folder.name.lower())
        if split in tops:
            raise DataError(
                f"{str(root)!r} has two {split} folders, {tops[split].name!r} and "
                f"{folder.name!r}. Keep one."
            )
        if split:
            tops[split] = folder
    return tops if "train" in tops else {"train": root}


def class_folders(root: Path) -> list[Path]:
    """The folders in a folder, sorted, hidden ones left out."""
    return sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))


def _scan_split(
    top: Path, class_names: Sequence[str], split: str, kind: FileKind
) -> tuple[tuple[str, ...], np.ndarray]:
    for folder in class_folders(top):
        if folder.name not in class_names:
            raise DataError(
                f"The {split} folder has a class {folder.name!r} that the train folder has not. "
                f"Train has: {', '.join(class_names)}."
            )
    paths, labels = [], []
    for label, name in enumerate(class_names):
        found = files_below(top / name, kind.suffixes)
        if not found and split == "train":
            raise DataError(
                f"Class {name!r} is empty: no {kind.item} ({kind.formats}) in "
                f"{str(top / name)!r}. Add {kind.item}s or remove the folder."
            )
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise DataError(
            f"The {split} folder {str(top)!r} has no {kind.item} in folders named after the "
            f"classes. Add {kind.item}s or remove the folder."
        )
    return tuple(paths), np.array(labels, np.int64)
