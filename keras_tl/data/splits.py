"""Stratified, seeded splits."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from keras_tl.errors import DataError, quoted

SPLITS = ("train", "validation", "test")

# What folders and columns call them, in small letters, and what it means.
SPLIT_NAMES = (
    dict.fromkeys(("train", "training"), "train")
    | dict.fromkeys(("test", "testing"), "test")
    | dict.fromkeys(
        ("validation", "validate", "valid", "val", "dev", "development", "eval", "evaluation"),
        "validation",
    )
)


def take_out(
    labels: np.ndarray,
    fraction: float,
    class_names: tuple[str, ...],
    seed: int,
    name: str,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Splits the rows in two, each class in proportion and at least once on either side.

    Rows without one class each (of several labels, or a number) are drawn at random.

    scikit-learn's `train_test_split` is not used: stratified or not, it leaves a rare class out
    of a small split.

    Args:
        labels: int array (n,), the class of each row; or a float array of any labels.
        fraction: share of the rows to take out, in [0, 0.99].
        class_names: the classes' names.
        seed: the same seed gives the same split.
        name: the name of the part taken out, for messages.
        groups: (n,) of values; rows of one value stay together, and the share of the rows taken
            out is near the fraction. `None`: each row is by itself.

    Returns:
        Two sorted int arrays of row numbers: those that stay and those taken out.

    Raises:
        DataError: a class has too few items for both sides.
    """
    rows = np.arange(len(labels))
    if fraction == 0:
        return rows, rows[:0]
    if groups is not None:
        return _take_groups_out(labels, fraction, seed, name, groups)
    if labels.dtype.kind == "f":
        if len(rows) < 2:
            raise DataError(
                f"A {name} split needs at least 2 items. Add some or set {name}_split=0."
            )
        labels, class_names = np.zeros(len(rows), np.int64), ("all",)
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < 2:
        rare = int(counts.argmin())
        left = "no item" if counts[rare] == 0 else "only 1 item"
        raise DataError(
            f"A {name} split and the train split each need an item of every class. Train has "
            f"{left} of class {quoted(class_names[rare])} left. Add items, leave the class out, or "
            f"set {name}_split=0."
        )
    shares = fraction * counts
    taken = np.clip(np.floor(shares).astype(int), 1, counts - 1)
    # The items that rounding down has left over go to the classes that lost most by it.
    left_over = max(round(fraction * len(rows)) - taken.sum(), 0)
    short = np.argsort(taken - shares, kind="stable")
    taken[[c for c in short if taken[c] < counts[c] - 1][:left_over]] += 1
    order = np.random.default_rng(seed).permutation(len(rows))
    by_class = order[np.argsort(labels[order], kind="stable")]
    place_in_class = rows - np.repeat(np.cumsum(counts) - counts, counts)
    is_out = place_in_class < np.repeat(taken, counts)
    return np.sort(by_class[~is_out]), np.sort(by_class[is_out])


def _take_groups_out(
    labels: np.ndarray, fraction: float, seed: int, name: str, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if len(np.unique(groups)) < 2:
        raise DataError(
            f"A {name} split by groups needs at least 2 groups, one for each side. Received one. "
            f"Add items of others, leave groups= out, or set {name}_split=0."
        )
    # Of so many folds each has about the fraction; of more than half, the rest of one does.
    share = min(fraction, 1 - fraction)
    classes = labels if labels.dtype.kind in "iu" else None
    number = folds(classes, groups, len(labels), max(2, round(1 / share)), seed)
    is_out = (number == 0) == (fraction <= 0.5)
    return np.flatnonzero(~is_out), np.flatnonzero(is_out)


def draw(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Row numbers of at most `count` items, drawn at random.

    Each class in proportion, and at least once if `count` allows; rows without one class each are
    drawn regardless of their labels.

    Args:
        labels: int array (n,), the class of each row; or a float array of any labels.
        count: at least 1.
        seed: the same seed draws the same rows.

    Returns:
        int array, sorted.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    if labels.dtype.kind != "f":
        # The first of every class, then the others in turn: a row's place among those of its
        # class, as a share of them.
        ordered = labels[order]
        by_class = np.argsort(ordered, kind="stable")
        counts = np.bincount(ordered)
        place = np.empty(len(order))
        place[by_class] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        order = order[np.argsort(place / counts[ordered], kind="stable")]
    return np.sort(order[:count])


def folds(
    classes: np.ndarray | None, groups: np.ndarray | None, items: int, count: int, seed: int
) -> np.ndarray:
    """The number of each item's fold, for cross-validation.

    Folds are of equal size, each class in proportion; a class with fewer items than folds is in
    as many folds as it has items (scikit-learn's `StratifiedKFold` warns of it). With groups, the
    items of a group share a fold.

    Args:
        classes: int array (n,), the class of each item; `None`: the items have not one class each.
        groups: (n,) of any hashable values; `None`: every item is a group of its own.
        items: n.
        count: of folds; at most as many as there are groups.
        seed: the same seed gives the same folds.

    Returns:
        int array (n,), from 0.
    """
    order = np.random.default_rng(seed).permutation(items)
    keys = np.zeros(items, np.int64) if classes is None else np.asarray(classes)
    if groups is None:
        order = order[np.argsort(keys[order], kind="stable")]
        numbers = np.empty(items, np.int64)
        numbers[order] = np.arange(items) % count
        return numbers
    _, members = np.unique(np.asarray(groups), return_inverse=True)
    count = min(count, members.max() + 1)
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    numbers = np.empty(items, np.int64)
    with warnings.catch_warnings():
        # A class that is in fewer groups than there are folds.
        warnings.simplefilter("ignore", UserWarning)
        parts = list(splitter.split(keys, keys, members))
    for number, (_, held_out) in enumerate(parts):
        numbers[held_out] = number
    return numbers
