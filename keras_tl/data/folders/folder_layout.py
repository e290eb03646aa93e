"""Finds the folder layout: which folders below a root are splits, and which are classes."""

import collections
import re
from collections.abc import Sequence
from pathlib import Path

from keras_tl.base.guesses import Guess
from keras_tl.data.folders.file_kinds import FileKind
from keras_tl.data.folders.file_tree import files_in, folders_in
from keras_tl.data.splits import SPLIT_NAMES, SPLITS
from keras_tl.errors import DataError, quoted

_SHOWN = 5


# Result of `find_layout`: folder of each split, whether split folders exist, guesses about folders.
Layout = tuple[dict[str, Path], bool, tuple[Guess, ...]]


def find_layout(root: Path, kind: FileKind, classes: Sequence[str] | None = None) -> Layout:
    """Find the split folders, by their names and their content.

    A folder called train or training is the train split, unless the folder holds items only (a
    class folder). If there is a train split, every folder with a name in `SPLIT_NAMES` is a split.
    Upper and lower case do not matter. A folder with a longer name can be a split too:
    `test_images` is the test split if no other folder has a name of the test split.

    If no folder called train or training is the train split, folders with a word of `SPLIT_NAMES`
    in their names are splits. Names such as `seg_train` and `seg_test` define splits only if they
    give a train split and at least one more split.

    A folder of the validation or test split that holds only items is left out, because items
    outside class folders have no labels.

    Args:
        root: Path of an existing folder.
        kind: Kind of the files that are items.
        classes: Names of class folders, or `None`. If `root` holds a folder for each name in
            `classes`, the function does not look for splits.

    Returns:
        The folder of each split (with the class folders in it), whether there are split folders,
        and a tuple of guesses. Without split folders, `root` is the folder of the train split. One
        guess reports how folder names were read, if split folders have names other than train,
        validation and test, or if folders were not used.

    Raises:
        DataError: A split has two folders, or folders could be either splits or classes. If all
            folders in the root hold only folders, mostly of the same names, the outer folders could
            be splits or classes. If a folder called train holds folders, but the folders beside it
            hold items, train could be a split or a class.
    """
    root = _unwrapped(root, kind)
    folders = folders_in(root)
    if classes is not None and {*classes} <= {folder.name for folder in folders}:
        return {"train": root}, False, ()
    named = _by_names(folders, kind)
    if not named:
        if classes is None:
            _refuse_same_names(root, kind)
        return {"train": root}, False, ()
    tops: dict[str, Path] = {}
    for folder, split in named.items():
        if split in tops:
            raise DataError(
                f"{quoted(str(root))} has two {split} folders, {quoted(tops[split].name)} and "
                f"{quoted(folder.name)}. Remove or rename one of the two."
            )
        top = _unwrapped(folder, kind)
        if split == "train" or not _holds_items_only(top, kind):
            tops[split] = top
    if classes is None:
        _refuse_same_names(tops["train"], kind)
        _refuse_train_among_classes(named, tops["train"], folders, kind)
    return tops, True, _guesses(named, folders, kind)


def _by_names(folders: Sequence[Path], kind: FileKind) -> dict[Path, str]:
    """Map each split folder to its split. Without a train split, the result is empty."""
    exact = {folder: split for folder in folders if (split := SPLIT_NAMES.get(folder.name.lower()))}
    if not _are_splits(exact, kind):
        exact = {}
    within = {
        folder: split
        for folder in folders
        if (split := _split_within(folder.name)) and split not in exact.values()
    }
    if exact:
        counts = collections.Counter(within.values())
        return exact | {folder: split for folder, split in within.items() if counts[split] == 1}
    return within if len({*within.values()}) > 1 and _are_splits(within, kind) else {}


def _are_splits(named: dict[Path, str], kind: FileKind) -> bool:
    """Whether a folder is the train split, and is not a class folder (a folder with items only)."""
    train = [folder for folder, split in named.items() if split == "train"]
    return bool(train) and not _holds_items_only(train[0], kind)


def _split_within(name: str) -> str | None:
    """Return the split in a folder name such as `seg_train`, `None` for no or several splits."""
    words = re.split(r"[^a-z]+", name.lower())
    found = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def _guesses(named: dict[Path, str], folders: Sequence[Path], kind: FileKind) -> tuple[Guess, ...]:
    """Report how folders were read, unless all folders are used and named as in `SPLITS`."""
    others = [x.name for x in folders if x not in named and _holds_folders_of_items(x, kind)]
    if {*named.values()} == {"train"}:
        # No other folder has the name of a split, so `train` may be a class like the other folders.
        others += [x.name for x in folders if x not in named and _holds_items_only(x, kind)]
    if not others and all(folder.name.lower() in SPLITS for folder in named):
        return ()
    read = ", ".join(f"{quoted(folder.name)} as {split}" for folder, split in named.items())
    passed_over = f" Not used as splits: {_listing(others)}." if others else ""
    what = f"These folders were read as splits because of their names: {read}.{passed_over}"
    action = f"If all folders are classes, pass {_all_of(folders)} (--class)."
    return (Guess("folder-layout", what, action),)


def _all_of(folders: Sequence[Path]) -> str:
    """Return the text of the argument `classes=` that makes every folder a class."""
    return f"classes={[folder.name for folder in folders]}"


def _refuse_train_among_classes(
    named: dict[Path, str], top: Path, folders: Sequence[Path], kind: FileKind
) -> None:
    """Raise `DataError` if train is the only split, and at least two other folders hold items."""
    flat = [x.name for x in folders if x not in named and _holds_items_only(x, kind)]
    if {*named.values()} != {"train"} or len(flat) < 2:
        return
    inner = [folder.name for folder in folders_in(top)]
    raise DataError(
        f"{quoted(str(top))} may be the training split or one more class: the folder holds folders "
        f"({_listing(inner)}), and the folders beside it hold {kind.item}s ({_listing(flat)}). If "
        f"{quoted(top.name)} is the split, pass classes={inner} (--class). If "
        f"{quoted(top.name)} is a class, pass {_all_of(folders)} (--class)."
    )


def _holds_folders_of_items(folder: Path, kind: FileKind) -> bool:
    return any(_holds_items(x, kind) for x in folders_in(_unwrapped(folder, kind)))


def _holds_items(folder: Path, kind: FileKind) -> bool:
    return any(name.lower().endswith(kind.suffixes) for name in files_in(folder))


def _holds_items_only(folder: Path, kind: FileKind) -> bool:
    return not folders_in(folder) and _holds_items(folder, kind)


def _unwrapped(folder: Path, kind: FileKind) -> Path:
    """Return `x/x` if the folder `x` holds only a folder `x`, as in unpacked archives, else `x`."""
    inner = folders_in(folder)
    is_wrapped = len(inner) == 1 and inner[0].name.lower() == folder.resolve().name.lower()
    return inner[0] if is_wrapped and not _holds_items(folder, kind) else folder


def _refuse_same_names(top: Path, kind: FileKind) -> None:
    """Raise `DataError` if the folders in `top` hold only folders, mostly of the same names."""
    names = [folder.name for folder in folders_in(top)]
    outer = [name for name in names if not _holds_items(top / name, kind)]
    counts = collections.Counter(x.name for name in outer for x in folders_in(top / name))
    shared = sorted(name for name, count in counts.items() if count > 1)
    # A name is shared if two or more outer folders hold a folder of this name. An error needs only
    # more than half of the names to be shared, because a split may lack a class. A single shared
    # name causes no error: it is the name of a folder such as `images`, not of a class.
    if len(shared) < 2 or 2 * len(shared) <= len(counts):
        return
    raise DataError(
        f"The folders in {quoted(str(top))} ({_listing(outer)}) hold no {kind.item}s, only folders "
        f"of the same names ({_listing(shared)}). The outer folders may be splits or classes. If "
        "they are splits, name them train, validation and test. If they are classes, pass "
        f"classes={names if len(names) <= _SHOWN else 'a list of their names'} (--class)."
    )


def _listing(names: Sequence[str]) -> str:
    more = ["..."] if len(names) > _SHOWN else []
    return ", ".join([*map(quoted, names[:_SHOWN]), *more])
