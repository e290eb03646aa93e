"""Fixed test split of a data set, and seeded draws of a few training items of each class."""

import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from data_set_readers import LabelledItems
from data_sets import DataSet

# This seed is fixed, so that tables of different days are comparable.
_TEST_SEED = 20_240_601

_NO_WORDS = re.compile(r"https?://\S+|@\w+|\brt\b")


@dataclasses.dataclass(frozen=True)
class Division:
    """Items of a data set, divided into a test split and a training pool.

    Attributes:
        values: Texts, paths of image files, or uint8 pixels (n, height, width).
        labels: Array of the class names of the n items.
        test: int array, indices of the items of the test split.
        pool: int array, indices of the items from which training items are drawn. No item of the
            pool is also in the test split.
        dropped: Number of items left out as duplicates.
    """

    values: Sequence[str] | np.ndarray
    labels: np.ndarray
    test: np.ndarray
    pool: np.ndarray
    dropped: int

    @property
    def class_names(self) -> tuple[str, ...]:
        """Sorted class names."""
        return tuple(sorted(set(self.labels.tolist())))

    def take(self, rows: np.ndarray) -> Any:
        """Return the values of some items, as an array or a list."""
        if isinstance(self.values, np.ndarray):
            return self.values[rows]
        return [self.values[row] for row in rows]

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """Return the class indices of some items, in the order of `class_names`."""
        return np.searchsorted(np.array(self.class_names), self.labels[rows])

    def draw(self, per_class: int, seed: int) -> np.ndarray:
        """Draw training items: `per_class` of each class, or all items of smaller classes.

        With the same seed, a larger draw contains all items of a smaller draw.

        Returns:
            Sorted int array of indices, all from the pool.
        """
        drawn = []
        for number, name in enumerate(self.class_names):
            rows = self.pool[self.labels[self.pool] == name]
            order = np.random.default_rng([seed, number]).permutation(rows)
            drawn.append(order[:per_class])
        return np.sort(np.concatenate(drawn))

    def short_classes(self, per_class: int) -> dict[str, int]:
        """Return the classes with fewer than `per_class` items in the pool, with their numbers."""
        counts = Counter(self.labels[self.pool].tolist())
        return {name: counts[name] for name in self.class_names if counts[name] < per_class}


def divide(items: LabelledItems, test_items: int | None = None) -> Division:
    """Choose the test split, and drop duplicates from the pool.

    The authors' test split stays complete. If there is no such split, a fixed seed draws a
    stratified test split. The function drops items of the pool that have a duplicate in the test
    split or earlier in the pool. Texts are duplicates if they differ only in case, punctuation,
    addresses and names after an `@`. Images are duplicates if their files or pixels are equal.

    Args:
        items: All items of the data set.
        test_items: Number of test items to draw, if the authors made no test split.

    Raises:
        ValueError: The data have no test split, and `test_items` is `None`.
    """
    labels = np.array(items.labels)
    key = _file_key if items.are_files else _key
    keys = [key(value) for value in items.values]
    rows = np.arange(len(labels))
    if items.is_test is None:
        if test_items is None:
            raise ValueError("Expected test_items=, because the data have no test split.")
        rows = _first_of_each(rows, keys)
        test = _stratified(rows, labels, test_items)
    else:
        test = rows[items.is_test]
    in_test = {keys[row] for row in test}
    rest = np.setdiff1d(rows, test)
    pool = _first_of_each(np.array([r for r in rest if keys[r] not in in_test], int), keys)
    return Division(items.values, labels, test, pool, len(labels) - len(test) - len(pool))


def data_of(data_set: DataSet, division: Division, rows: np.ndarray) -> Any:
    """Return some items as `ImageData` or `TextData`, all of them for training."""
    import keras_tl as ktl

    values, labels = division.take(rows), division.labels[rows].tolist()
    options = {"validation_split": 0.0, "test_split": 0.0, "verbose": False}
    if data_set.kind == "text":
        return ktl.TextData.from_arrays(values, labels, sequence_length=data_set.size, **options)
    options |= {"image_size": data_set.size, "augmentation": data_set.augmentation}
    if isinstance(values, np.ndarray):
        return ktl.ImageData.from_arrays(values, labels, **options)
    import pandas as pd

    frame = pd.DataFrame({"path": values, "label": labels})
    return ktl.ImageData.from_dataframe(frame, **options)


def divided(data_set: DataSet) -> Division:
    """Read a data set, and divide it into test split and pool."""
    return divide(data_set.load(), data_set.test_items)


def _file_key(path: str) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()


def _key(value: str | np.ndarray) -> str | bytes:
    """Return a value that is equal for two items if they are duplicates."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    return " ".join(re.findall(r"\w+", _NO_WORDS.sub(" ", value.casefold())))


def _first_of_each(rows: np.ndarray, keys: Sequence[Any]) -> np.ndarray:
    first = {}
    for row in rows:
        first.setdefault(keys[row], row)
    return np.array(sorted(first.values()), int)


def _stratified(rows: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Draw `count` items. Each class keeps its proportion."""
    chosen = []
    for number, name in enumerate(sorted(set(labels.tolist()))):
        own = rows[labels[rows] == name]
        share = round(count * len(own) / len(rows))
        chosen.append(np.random.default_rng([_TEST_SEED, number]).permutation(own)[:share])
    return np.sort(np.concatenate(chosen))
