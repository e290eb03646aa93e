"""Decide whether labels that are numbers are classes, or targets of a regression."""

from collections.abc import Collection, Sequence

import numpy as np

from keras_tl.base.guesses import Guess, LabelInterpretation
from keras_tl.errors import DataError
from keras_tl.tasks.labels.label_encoder import listing

# If whole numbers have at most 20 different values, they are probably classes.
FEW = 20
# Count how often each different number occurs: if the median of these counts is at least 10, the
# whole numbers are classes. Amounts to predict seldom repeat so often.
_MANY = 10
# Class numbers start at 0 or 1, and at least 90% of the numbers from the first to the last occur.
_PRESENT = 0.9
# Whole numbers above 2**53 are not exact as floating-point numbers.
_LARGEST = 2**53

_MAY_BE_UNKNOWN = (
    "Beside 0 (absent), -1 may mean unknown. Leave the items with -1 out, or write 0 or 1 instead."
)


def read_numbers(
    values: np.ndarray, class_names: Sequence[str] | None, task: str | None
) -> LabelInterpretation:
    """Choose the task for n numbers, see `keras_tl.tasks.labels.task_choice.read_labels`."""
    if task is not None or class_names is not None:
        return LabelInterpretation(task, class_names)
    if not _are_whole(values):
        return LabelInterpretation("regression")
    different, what = np.unique(values), "The labels are whole numbers. They were read as "
    if count_classes(values):
        what += f"{len(different)} classes: {listing(map(int, different))}."
        action = 'If the numbers are amounts to predict, pass task="regression" (--task).'
        return LabelInterpretation(None, None, (Guess("label-type", what, action),))
    what += (
        f"targets of a regression: {len(different):,} different values in {len(values):,} items."
    )
    action = 'If the numbers stand for classes, pass task="multiclass" (--task).'
    return LabelInterpretation("regression", None, (Guess("label-type", what, action),))


def count_classes(values: np.ndarray) -> bool:
    """Return whether whole numbers look like class numbers, see `read_labels`."""
    different, counts = np.unique(values, return_counts=True)
    first, last = int(different[0]), int(different[-1])
    are_few = len(different) <= FEW
    are_repeated = bool(np.median(counts) > 1)
    count_up = first in (0, 1) and len(different) >= _PRESENT * (last - first + 1)
    return bool(np.median(counts) >= _MANY or are_few + are_repeated + count_up >= 2)


def mask_values(found: Collection) -> tuple[tuple[int, ...], str]:
    """Return the numbers allowed in label columns, and advice about other numbers (may be empty).

    If the columns contain both -1 and 0 (see `found`), -1 is not allowed.
    """
    is_mixed = {-1, 0} <= {*found}
    return ((0, 1), _MAY_BE_UNKNOWN) if is_mixed else ((-1, 0, 1), "")


def as_mask(rows: np.ndarray) -> np.ndarray:
    """Convert label rows (n, k) of 0 and 1, or of -1 and 1, to a float32 array of 0 and 1.

    Raises:
        DataError: The rows contain a number other than -1, 0 and 1. The error also occurs if the
            rows contain both -1 and 0, because -1 may then mean unknown.
    """
    allowed, hint = mask_values(np.unique(rows).tolist())
    if not np.isin(rows, allowed).all():
        raise DataError(
            "Expected rows of 0 and 1, one column per label. Received values from "
            f"{rows.min():g} to {rows.max():g}. {hint}".rstrip()
        )
    return (rows > 0).astype(np.float32)


def _are_whole(values: np.ndarray) -> bool:
    if values.dtype.kind in "iu":
        return True
    is_exact = np.isfinite(values) & (np.abs(values) < _LARGEST)
    return bool(is_exact.all() and (values == np.rint(values)).all())
