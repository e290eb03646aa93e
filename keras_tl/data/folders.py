"""Folders of class folders, whatever kind of files they hold."""

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_tl.data.splits import SPLIT_NAMES, SPLITS
from keras_tl.errors import ConfigError, DataError, quoted, unknown


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
        absent: the classes that the folder of a split, by its own name, has no folder for.
    """

    splits: dict[str, tuple[tuple[str, ...], np.ndarray]]
    class_names: tuple[str, ...]
    has_splits: bool
    absent: dict[str, list[str]]


def files_below(folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    """All files below a folder with one of some endings, sorted, hidden ones left out."""
    return sorted(path for path in visible_files(folder) if path.lower().endswith(suffixes))


def visible_files(folder: Path) -> Iterator[str]:
    """The files below a folder, hidden ones left out."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(parent, name) for name in names if not name.startswith("."))


def scan_folder(root: Path, kind: FileKind, classes: Sequence[str] | None = None) -> Scanned:
    """Finds `root/<class>/*`, or `root/train|validation|test/<class>/*` where they exist.

    Args:
        root: the folder.
        kind: the files to look for.
        classes: the names of the classes to read, in their order; `None`: all there are.

    Raises:
        ConfigError: there is no such class.
        DataError: there is no such folder, no class, only one, an empty one, an empty split, or
            a split that has a class which train has not.
    """
    tops = split_folders(root, kind)
    known = {s: [folder.name for folder in class_folders(top)] for s, top in tops.items()}
    for name in classes or ():
        if name not in known["train"]:
            raise ConfigError(unknown("class", name, known["train"]))
    class_names = tuple(known["train"] if classes is None else classes)
    if len(class_names) < 2:
        found = f"one, {quoted(class_names[0])}" if class_names else "none"
        raise DataError(
            f"Expected at least two class folders in {quoted(str(tops['train']))}, found {found}. "
            f"Put the {kind.item}s of each class into a folder named after the class."
        )
    for name in class_names:
        # Names of files are only ever opened; names of classes are written into runs and exports.
        if os.fsencode(name) != name.encode("utf-8", "replace"):
            raise DataError(
                f"The class folder {quoted(name)} has a name that is not UTF-8. Rename it."
            )
    for split, names in known.items():
        _check_known(split, names, known["train"])
    splits = {s: _scan_split(tops[s], class_names, s, kind) for s in SPLITS if s in tops}
    absent = {
        top.name: [name for name in class_names if name not in known[s]] for s, top in tops.items()
    }
    return Scanned(splits, class_names, tops["train"] != root, absent)


def split_folders(root: Path, kind: FileKind) -> dict[str, Path]:
    """The folders of the splits, names matched ignoring case: only train's, the root itself,
    where the root has no train folder.

    Raises:
        DataError: there is no such folder, or a split has two.
    """
    if not root.is_dir():
        raise DataError(
            f"Expected a folder with one folder of {kind.item}s for each class. "
            f"{quoted(str(root))} {'is a file' if root.exists() else 'does not exist'}."
        )
    tops: dict[str, Path] = {}
    for folder in class_folders(root):
        split = SPLIT_NAMES.get(folder.name.lower())
        if split in tops:
            raise DataError(
                f"{quoted(str(root))} has two {split} folders, {quoted(tops[split].name)} and "
                f"{quoted(folder.name)}. Keep one."
            )
        if split:
            tops[split] = folder
    return tops if "train" in tops else {"train": root}


def class_folders(root: Path) -> list[Path]:
    """The folders in a folder, sorted, hidden ones left out."""
    return sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))


def _check_known(split: str, names: Sequence[str], of_train: Sequence[str]) -> None:
    for name in names:
        if name not in of_train:
            raise DataError(
                f"The {split} folder has a class {quoted(name)} that the train folder has not. "
                f"Train has: {', '.join(of_train)}."
            )


def _scan_split(
    top: Path, class_names: Sequence[str], split: str, kind: FileKind
) -> tuple[tuple[str, ...], np.ndarray]:
    paths, labels = [], []
    for label, name in enumerate(class_names):
        found = files_below(top / name, kind.suffixes)
        if not found and split == "train":
            raise DataError(
                f"Class {quoted(name)} is empty: no {kind.item} ({kind.formats}) in "
                f"{quoted(str(top / name))}. Add {kind.item}s or remove the folder."
            )
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise DataError(
            f"The {split} folder {quoted(str(top))} has no {kind.item} in folders named after the "
            f"classes. Add {kind.item}s or remove the folder."
        )
    return tuple(paths), np.array(labels, np.int64)
