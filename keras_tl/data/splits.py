"""Stratified, seeded splits."""

import numpy as np
from sklearn.model_selection import train_test_split

from keras_tl.config import check_range
from keras_tl.errors import DataError

SPLITS = ("train", "validation", "test")


def take_out(
    labels: np.ndarray, fraction: float, class_names: tuple[str, ...], seed: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Splits the rows in two, each class in proportion and at least once on either side.

    Args:
        labels: int array (n,), the class of each row.
        fraction: share of the rows to take out, in [0, 1).
        class_names: the classes' names.
        seed: the same seed gives the same split.
        name: the name of the part taken out, for messages.

    Returns:
        Two sorted int arrays of row numbers: those that stay and those taken out.

    Raises:
        DataError: a class has too few items for both sides.
    """
    check_range(f"{name}_split", fraction, 0, 0.99)
    rows = np.arange(len(labels))
    if fraction == 0:
        return rows, rows[:0]
    counts = np.bincount(labels, minlength=len(class_names))
    # A split smaller than the number of classes could not hold one of each.
    wanted = max(round(fraction * len(rows)), len(class_names))
    if counts.min() < 2 or len(rows) - wanted < len(class_names):
        rare = int(counts.argmin())
        raise DataError(
            f"A {name} split needs at least 2 items of every class, one for each side. Class "
            f"{class_names[rare]!r} has {counts[rare]}, and there are {len(rows)} items in all. "
            f"Add items, leave the class out, or set {name}_split=0."
        )
    stay, out = train_test_split(rows, test_size=wanted, stratify=labels, random_state=seed)
    return np.sort(stay), np.sort(out)
