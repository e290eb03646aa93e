"""Folder layout: which folders below a root are splits, and which are classes."""

import collections
import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from keras_tl.base.guesses import Guess
from keras_tl.data.folders.file_tree import files_in, folders_in
from keras_tl.data.splits import SPLIT_NAMES, SPLITS
from keras_tl.errors import DataError, quoted

_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Layout:
    """The folders of the splits, which hold the class folders.

    Attributes:
        tops: folder of each split. Without split folders, the root is the folder of train.
        has_splits: whether there are split folders.
        guesses: one guess if split folders have names other than train, validation and test, or
            if folders beside the split folders were not used. Otherwise empty.
    """

    tops: dict[str, Path]
    has_splits: bool
    guesses: tuple[Guess, ...] = ()


def find_layout(
    root: Path, item: str, suffixes: tuple[str, ...], classes: Sequence[str] | None = None
) -> Layout:
    """Find the split folders, by their names and their content.

    If a folder is called train or training, and does not hold only items, the folders with names
    in `SPLIT_NAMES` are the splits (in upper or lower case). If a split has no such folder, a
    folder with one of these words in its name is used, such as `test_images`. There must be only
    one folder with such a word.

    If no folder is called train, the folders with such words in their names are the splits. They
    must be at least two splits, one of them train. If a split other than train holds only items,
    the split is left out, because the items have no labels.

    Args:
        root: existing folder.
        item: name of one item in messages.
        suffixes: file suffixes of the items.
        classes: names of class folders, or `None`. If the root has all of these folders, the
            function looks for no splits.

    Raises:
        DataError: a split has two folders. Or all folders in the root hold only folders, mostly of
            the same names: the outer folders could be splits or classes. Or a folder called train
            holds folders, but the folders beside it hold items: train could be a split or a class.
    """
    root = _unwrapped(root, suffixes)
    folders = folders_in(root)
    if classes is not None and {*classes} <= {folder.name for folder in folders}:
        return Layout({"train": root}, has_splits=False)
    named = _by_names(folders, suffixes)
    if not named:
        if classes is None:
            _refuse_same_names(root, item, suffixes)
        return Layout({"train": root}, has_splits=False)
    tops: dict[str, Path] = {}
    for folder, split in named.items():
        if split in tops:
            raise DataError(
                f"{quoted(str(root))} has two {split} folders, {quoted(tops[split].name)} and "
                f"{quoted(folder.name)}. Remove or rename one of the two."
            )
        top = _unwrapped(folder, suffixes)
        if split == "train" or not _holds_items_only(top, suffixes):
            tops[split] = top
    if classes is None:
        _refuse_same_names(tops["train"], item, suffixes)
        _refuse_train_among_classes(named, tops["train"], folders, item, suffixes)
    guess = _reading(named, folders, suffixes)
    return Layout(tops, True, (guess,) if guess else ())


def _by_names(folders: Sequence[Path], suffixes: tuple[str, ...]) -> dict[Path, str]:
    """Return the split folders and their splits by name. Empty if there is no train folder."""
    exact = {folder: split for folder in folders if (split := SPLIT_NAMES.get(folder.name.lower()))}
    if not _are_splits(exact, suffixes):
        exact = {}
    within = {
        folder: split
        for folder in folders
        if (split := _split_within(folder.name)) and split not in exact.values()
    }
    if exact:
        counts = collections.Counter(within.values())
        return exact | {folder: split for folder, split in within.items() if counts[split] == 1}
    return within if len({*within.values()}) > 1 and _are_splits(within, suffixes) else {}


def _are_splits(named: dict[Path, str], suffixes: tuple[str, ...]) -> bool:
    """Whether train is among the splits, and is not a class, that is, a folder with items only."""
    train = [folder for folder, split in named.items() if split == "train"]
    return bool(train) and not _holds_items_only(train[0], suffixes)


def _split_within(name: str) -> str | None:
    """Return the split that a folder name such as `seg_train` contains, `None` if not just one."""
    words = re.split(r"[^a-z]+", name.lower())
    found = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def _reading(
    named: dict[Path, str], folders: Sequence[Path], suffixes: tuple[str, ...]
) -> Guess | None:
    """Return the guess, `None` if all splits are called as in `SPLITS` and all folders are used."""
    others = [x.name for x in folders if x not in named and _holds_folders_of_items(x, suffixes)]
    if {*named.values()} == {"train"}:
        # Train is the only split, and only because of its name: the other folders may be classes.
        others += [x.name for x in folders if x not in named and _holds_items_only(x, suffixes)]
    if not others and all(folder.name.lower() in SPLITS for folder in named):
        return None
    read = ", ".join(f"{quoted(folder.name)} as {split}" for folder, split in named.items())
    passed_over = f" Not used as splits: {_listing(others)}." if others else ""
    return Guess(
        "folder-layout",
        f"These folders were read as splits because of their names: {read}.{passed_over}",
        f"If all folders are classes, pass {_all_of(folders)} (--class).",
    )


def _all_of(folders: Sequence[Path]) -> str:
    """Return the text of the argument `classes=` that makes every folder a class."""
    return f"classes={[folder.name for folder in folders]}"


def _refuse_train_among_classes(
    named: dict[Path, str],
    top: Path,
    folders: Sequence[Path],
    item: str,
    suffixes: tuple[str, ...],
) -> None:
    """Raise `DataError` if train is the only split, and at least two other folders hold items."""
    flat = [x.name for x in folders if x not in named and _holds_items_only(x, suffixes)]
    if {*named.values()} != {"train"} or len(flat) < 2:
        return
    inner = [folder.name for folder in folders_in(top)]
    raise DataError(
        f"{quoted(str(top))} may be the training split or one more class: the folder holds folders "
        f"({_listing(inner)}), and the folders beside it hold {item}s ({_listing(flat)}). If "
        f"{quoted(top.name)} is the split, pass classes={inner} (--class). If "
        f"{quoted(top.name)} is a class, pass {_all_of(folders)} (--class)."
    )


def _holds_folders_of_items(folder: Path, suffixes: tuple[str, ...]) -> bool:
    return any(_holds_items(x, suffixes) for x in folders_in(_unwrapped(folder, suffixes)))


def _holds_items(folder: Path, suffixes: tuple[str, ...]) -> bool:
    return any(name.lower().endswith(suffixes) for name in files_in(folder))


def _holds_items_only(folder: Path, suffixes: tuple[str, ...]) -> bool:
    return not folders_in(folder) and _holds_items(folder, suffixes)


def _unwrapped(folder: Path, suffixes: tuple[str, ...]) -> Path:
    """Return the inner folder if a folder holds only a folder of its own name, as in archives."""
    inner = folders_in(folder)
    is_wrapped = len(inner) == 1 and inner[0].name.lower() == folder.resolve().name.lower()
    return inner[0] if is_wrapped and not _holds_items(folder, suffixes) else folder


def _refuse_same_names(top: Path, item: str, suffixes: tuple[str, ...]) -> None:
    names = [folder.name for folder in folders_in(top)]
    outer = [name for name in names if not _holds_items(top / name, suffixes)]
    counts = collections.Counter(x.name for name in outer for x in folders_in(top / name))
    shared = sorted(name for name, count in counts.items() if count > 1)
    # Not all names need to be equal, because a split may lack a class. If the folders share only
    # one name, it is a folder such as `images`.
    if len(shared) < 2 or 2 * len(shared) <= len(counts):
        return
    raise DataError(
        f"The folders in {quoted(str(top))} ({_listing(outer)}) hold no {item}s, only folders of "
        f"the same names ({_listing(shared)}). The outer folders may be splits or classes. If they "
        "are splits, name them train, validation and test. If they are classes, pass "
        f"classes={names if len(names) <= _SHOWN else 'a list of their names'} (--class)."
    )


def _listing(names: Sequence[str]) -> str:
    more = ["..."] if len(names) > _SHOWN else []
    return ", ".join([*map(quoted, names[:_SHOWN]), *more])
