"""Random splits and cross-validation folds, stratified by class."""

import warnings
from typing import get_args

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from keras_tl.base.choices import SplitName
from keras_tl.errors import DataError, quoted

SPLITS: tuple[SplitName, ...] = get_args(SplitName)

# Split name for each folder name or table cell (in lower case) that means a split.
SPLIT_NAMES = (
    dict.fromkeys(("train", "training"), "train")
    | dict.fromkeys(("test", "testing"), "test")
    | dict.fromkeys(
        ("validation", "validate", "valid", "val", "dev", "development", "eval", "evaluation"),
        "validation",
    )
)


def stratified_split(
    labels: np.ndarray,
    fraction: float,
    class_names: tuple[str, ...],
    seed: int,
    name: str,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows at random into two parts, stratified by class.

    Without groups, both parts have items of every class. Multi-label data and regression data are
    split at random, without stratification. `stratified_split` replaces `train_test_split` of
    scikit-learn, which leaves rare classes out of small splits.

    Args:
        labels: Class of each row, int array (n,), or the float labels of multi-label or regression
            data.
        fraction: Fraction of the rows for the second part, in [0, 0.99].
        class_names: Names of the classes.
        seed: The same seed gives the same split.
        name: Name of the second part in messages, such as `"test"`.
        groups: Group of each row, array (n,). All rows of a group stay in one part, so the sizes of
            the two parts are only approximate. `None` means no groups.

    Returns:
        Two sorted int arrays of row numbers: the first part and the second part.

    Raises:
        DataError: A class has too few items for both parts, or there are fewer than two groups.
    """
    rows = np.arange(len(labels))
    if fraction == 0:
        return rows, rows[:0]
    if groups is not None:
        return _take_groups_out(labels, fraction, seed, name, groups)
    if labels.dtype.kind == "f":
        if len(rows) < 2:
            raise DataError(
                f"A {name} split needs at least 2 items. Add items or set {name}_split=0."
            )
        labels, class_names = np.zeros(len(rows), np.int64), ("all",)
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() < 2:
        rare = int(counts.argmin())
        left = "no item" if counts[rare] == 0 else "only 1 item"
        raise DataError(
            f"A {name} split and the train split each need an item of every class. Train has "
            f"{left} of class {quoted(class_names[rare])} left. Add items of this class, "
            f"leave the class out, or set {name}_split=0."
        )
    exact = fraction * counts
    taken = np.clip(np.floor(exact).astype(int), 1, counts - 1)
    # Rounding down makes the second part too small. Add one row each for the classes that lost the
    # most by rounding.
    left_over = max(round(fraction * len(rows)) - taken.sum(), 0)
    short = np.argsort(taken - exact, kind="stable")
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
            f"A {name} split by groups needs at least 2 groups, one for each split. Received: 1 "
            f"group. Add items of other groups, leave groups= out, or set {name}_split=0."
        )
    # Use one fold as the smaller part. If `fraction` > 0.5, the second part is all other folds.
    count = max(2, round(1 / min(fraction, 1 - fraction)))
    classes = labels if labels.dtype.kind in "iu" else None
    number = folds(classes, groups, len(labels), count, seed)
    is_out = (number == 0) == (fraction <= 0.5)
    return np.flatnonzero(~is_out), np.flatnonzero(is_out)


def draw(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the row numbers of at most `count` items, drawn at random.

    The choice is stratified by class. If `count` is at least the number of classes, at least one
    item of every class is drawn. For multi-label and regression data, the choice ignores the
    labels.

    Args:
        labels: Class of each row, int array (n,), or the float labels of multi-label or regression
            data.
        count: Maximum number of items, at least 1.
        seed: The same seed draws the same rows.

    Returns:
        Sorted int array of row numbers.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    if labels.dtype.kind != "f":
        # Sort the rows by their relative position within their class. Then the order begins with
        # one row of every class.
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
    """Return the fold number of each item, for cross-validation.

    Folds are stratified by class. Without groups, the sizes of the folds differ by at most 1. If a
    class has fewer items than there are folds, its items are in different folds (scikit-learn's
    `StratifiedKFold` warns in this case). With groups, all items of a group are in the same fold,
    and the sizes are only approximately equal.

    Args:
        classes: Class of each item, int array (n,), or `None` if items do not have exactly one
            class.
        groups: Group of each item, n values of any hashable type. `None` means that every item is
            its own group.
        items: Number of items n.
        count: Number of folds. With fewer groups than `count`, the number of folds is the number of
            groups.
        seed: The same seed gives the same folds.

    Returns:
        Fold number of each item, int array (n,), counted from 0.
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
        # scikit-learn warns if a class occurs in fewer groups than there are folds.
        warnings.simplefilter("ignore", UserWarning)
        parts = list(splitter.split(keys, keys, members))
    for number, (_, held_out) in enumerate(parts):
        numbers[held_out] = number
    return numbers
