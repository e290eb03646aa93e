"""Reads folders that hold one folder for each class, for all kinds of files."""

import collections
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_tl.base.guesses import LabelInterpretation
from keras_tl.data.folders.file_kinds import FileKind
from keras_tl.data.folders.file_tree import folders_in, visible_files
from keras_tl.data.folders.folder_layout import find_layout
from keras_tl.data.folders.unused_files import unused_files
from keras_tl.data.labelled_data import LabelledItems
from keras_tl.data.splits import SPLITS
from keras_tl.errors import ConfigError, DataError, quoted, unknown

# Paths of the items in each class folder. The keys are (split, class).
ClassFiles = Mapping[tuple[str, str], list[str]]


def scan_folder(root: Path, kind: FileKind, classes: Sequence[str] | None = None) -> LabelledItems:
    """Read the items in `root/<class>/`, or in `root/<split>/<class>/` if splits have folders.

    Args:
        root: The folder that holds the class folders or the split folders.
        kind: Kind of the files to read.
        classes: Names of the classes to read, in the order of the class numbers. `None`: read all
            classes, sorted by name.

    Raises:
        ConfigError: A name in `classes` is not a class.
        DataError: `root` is not a folder, has fewer than two classes, has a class name that is not
            UTF-8, or has folders that could be either splits or classes. Each split must have
            items, and the train split must have items of each class. No split may have a class that
            the train split does not have. If `kind` demands a folder for each class, each split
            must have all class folders.
    """
    if not root.is_dir():
        raise DataError(
            f"Expected a folder with one folder of {kind.item}s for each class. "
            f"{quoted(str(root))} {'is a file' if root.exists() else 'does not exist'}."
        )
    tops, has_splits, guesses = find_layout(root, kind, classes)
    known = {s: [folder.name for folder in folders_in(top)] for s, top in tops.items()}
    for name in classes or ():
        if name not in known["train"]:
            raise ConfigError(unknown("class", name, known["train"]))
    class_names = tuple(known["train"] if classes is None else classes)
    _check_names(class_names, tops["train"], kind)
    for split, names in known.items():
        _check_known(split, names, known["train"], kind)
    items, others, outside = _sort_files(root, tops, class_names, kind)
    splits = {s: _labelled(items, tops[s], class_names, s, kind) for s in SPLITS if s in tops}
    if kind.has_folder_for_each_class:
        for split, top in tops.items():
            _check_all_there(top.name, known[split], class_names, kind)
    return LabelledItems(
        splits,
        LabelInterpretation(None, class_names, guesses),
        {"kind": "folder"} | ({} if classes is None else {"classes": [*classes]}),
        unused=unused_files(root, others, kind, outside),
        has_splits=has_splits,
    )


def _check_names(names: Sequence[str], top: Path, kind: FileKind) -> None:
    if len(names) < 2:
        found = f"one, {quoted(names[0])}" if names else "none"
        hint = ""
        if names and len(folders_in(top / names[0])) > 1:
            hint = (
                f" If the folders in {quoted(names[0])} are the classes, pass "
                f"{quoted(str(top / names[0]))}."
            )
        raise DataError(
            f"Expected at least two class folders in {quoted(str(top))}, found {found}. Put "
            f"the {kind.item}s of each class into a folder named after the class.{hint}"
        )
    for name in names:
        # Class names must be UTF-8, because runs and exports store them. File names need not.
        if os.fsencode(name) != name.encode("utf-8", "replace"):
            raise DataError(
                f"The name of the class folder {quoted(name)} is not UTF-8. Rename the folder."
            )


def _check_known(split: str, names: Sequence[str], of_train: Sequence[str], kind: FileKind) -> None:
    for name in names:
        if name not in of_train:
            raise DataError(
                f"The {split} folder has a class {quoted(name)} that the train folder does not "
                f"have. Train has: {', '.join(of_train)}. Rename or remove the class folder. Or, "
                f"if the {kind.item}s of the {split} folder have no labels, move the {split} "
                "folder out of the data folder."
            )


def _check_all_there(
    folder: str, names: Sequence[str], class_names: Sequence[str], kind: FileKind
) -> None:
    for absent in class_names:
        if absent not in names:
            others = [name for name in class_names if name in names]
            raise DataError(
                f"The {folder} folder has no folder {quoted(absent)}, which the train folder "
                f"has. If {quoted(absent)} is a class, make an empty folder of that name. If "
                f"{quoted(absent)} is not a class, such as a folder of unlabelled {kind.item}s, "
                f"move it out of the train folder, or pass classes={others} (--class)."
            )


def _sort_files(
    root: Path, tops: Mapping[str, Path], class_names: Sequence[str], kind: FileKind
) -> tuple[ClassFiles, list[str], list[str]]:
    """Return the paths of the items, of other files, and of items outside the class folders."""
    # Join the paths as strings, as `visible_files` does: a `Path` would drop the `./` of root `.`.
    starts = {s: os.path.join(root, *top.relative_to(root).parts, "") for s, top in tops.items()}
    wanted = {*class_names}
    items, others, outside = collections.defaultdict(list), [], []
    for path in visible_files(root):
        if not path.lower().endswith(kind.suffixes):
            others.append(path)
            continue
        split = next((s for s, start in starts.items() if path.startswith(start)), None)
        name, is_below, _ = path[len(starts[split]) :].partition(os.sep) if split else ("", "", "")
        if is_below and name in wanted:
            items[split, name].append(path)
        else:
            outside.append(path)
    return items, others, outside


def _labelled(
    items: ClassFiles, top: Path, class_names: Sequence[str], split: str, kind: FileKind
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the paths of the items in one split, and their class numbers."""
    paths, labels = [], []
    for label, name in enumerate(class_names):
        found = sorted(items.get((split, name), []))
        if not found and split == "train":
            raise DataError(_empty_class(top / name, kind))
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise DataError(
            f"The {split} folder {quoted(str(top))} has no {kind.item} in folders named after the "
            f"classes. Add {kind.item}s or remove the folder."
        )
    return tuple(paths), np.array(labels, np.int64)


def _empty_class(folder: Path, kind: FileKind) -> str:
    found = unused_files(folder, visible_files(folder), kind)
    cure = found.advice if found.convertible else f"Add {kind.item}s or remove the folder."
    return (
        f"Class {quoted(folder.name)} is empty: no {kind.item} ({kind.formats}) in "
        f"{quoted(str(folder))}. {cure}"
    )
