"""Convert labels of any type to NumPy arrays of numbers or texts, or to lists of names."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_tl.errors import DataError, quoted

Labels = np.ndarray | list[list[str]]


def plain_labels(
    y: Any, class_names: Sequence[str] | None = None
) -> tuple[Labels, tuple[str, ...] | None]:
    """Return labels as an array or as lists, and the class names that pandas data contain.

    Args:
        y: Labels as a sequence, array, tensor, or pandas Series, Categorical or DataFrame.
        class_names: Names of the classes. If `y` is a Categorical with values that are not in
            `class_names`, each value is the index of a class name.

    Returns:
        Labels: an array (n,) or (n, k) of numbers or of stripped texts (also from bytes). Several
        names per item: a list of names for each item. A missing label is NaN among numbers and
        `None` among texts.
        Class names of a Categorical: the categories that occur among its values, in the order of
        the categories. Class names of a DataFrame with several columns of numbers: the names of
        the columns. Class names of any other `y`: `None`.

    Raises:
        DataError: `y` is not iterable, a label in a list is missing, or bytes are not UTF-8.
    """
    if not hasattr(y, "__iter__"):
        raise DataError(f"Expected one label for each item. Received: {type(y).__name__}.")
    categories = getattr(getattr(y, "dtype", None), "categories", None)
    if categories is not None:
        texts, names = category_texts(np.asarray(y, object), list(categories))
        if class_names is None or {*names} <= {*class_names}:
            return np.array(texts, object if None in texts else str), names
        y = np.asarray(y, object)
    names = None
    if hasattr(y, "columns"):
        names = tuple(map(str, y.columns)) if len(y.columns) > 1 else None
        y = y.to_numpy()
    y = y if hasattr(y, "__array__") else list(y)
    values = _as_array(y)
    if values is None:
        return [_names_of(labels) for labels in y], names
    if values.ndim == 2 and values.dtype.kind not in "biuf" and values.shape[1] != 1:
        return [_names_of(labels) for labels in values], None  # Cells, not columns, name classes.
    return values, names


def is_several(label: Any) -> bool:
    """Return whether `label` is a list (or another collection) of several labels."""
    return isinstance(label, (list, tuple, set, frozenset, np.ndarray))


def label_text(label: Any) -> str:
    """Return a label as text without outer blanks. Raise `DataError` for bytes not in UTF-8."""
    if not isinstance(label, bytes):
        return str(label).strip()
    try:
        return label.decode().strip()
    except UnicodeDecodeError as error:
        raise DataError(
            f"Expected labels in UTF-8. Received: {quoted(bytes(label))}. Decode the labels "
            "first, for example with label.decode('latin-1')."
        ) from error


def is_missing(value: Any) -> bool:
    """Return whether a label is `None`, NaN, or a missing value of pandas."""
    is_nan = isinstance(value, (float, np.floating)) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def category_texts(values: Sequence, categories: Sequence) -> tuple[list, tuple[str, ...]]:
    """Return the values of a Categorical as stripped texts, and the categories that occur."""
    texts = [None if is_missing(value) else label_text(value) for value in values]
    found = {*texts}
    return texts, tuple(name for name in map(label_text, categories) if name in found)


def _names_of(labels: Any) -> list[str]:
    if not is_several(labels):
        raise DataError(
            "Expected one label for each item, or a list of labels for each item. Received lists, "
            f"but also {quoted(labels)} of type {type(labels).__name__}."
        )
    if any(map(is_missing, labels)):
        raise DataError(
            f"A label is missing in the list {quoted(labels)}. Fill the label in or leave it out."
        )
    return [label_text(label) for label in labels]


def _as_array(y: Any) -> np.ndarray | None:
    """Convert labels to an array, or return `None` for lists of names or of unequal lengths."""
    if isinstance(y, list) and any(map(is_several, y)):
        return None if any(isinstance(label, (set, frozenset)) for label in y) else _rows(y)
    # NumPy would turn a missing label among texts into the text "nan".
    has_gaps = isinstance(y, list) and any(map(is_missing, y))
    values = np.array(y, object) if has_gaps else np.asarray(y)
    if values.dtype == object and values.ndim == 1 and any(map(is_several, values)):
        return _as_array(list(values))
    return _typed(values) if values.dtype.kind in "SUO" else values


def _rows(y: list) -> np.ndarray | None:
    try:
        rows = np.asarray(y)
    except ValueError:  # Rows of different lengths.
        return None
    return rows if rows.ndim > 1 and rows.dtype.kind in "biuf" else None


def _typed(values: np.ndarray) -> np.ndarray:
    """Strip labels that are texts, and convert numbers in an object array to a numeric dtype."""
    plain = [label_text(v) if isinstance(v, (str, bytes)) else v for v in values.flat]
    gaps = [*map(is_missing, plain)]
    if any(isinstance(value, str) for value in plain) or all(gaps):
        are_texts = all(isinstance(value, str) for value in plain)
        known = [None if gap else value for value, gap in zip(plain, gaps, strict=True)]
        return np.array(known, str if are_texts else object).reshape(values.shape)
    typed = np.array([math.nan if gap else v for v, gap in zip(plain, gaps, strict=True)])
    return typed.reshape(values.shape) if typed.dtype.kind in "biuf" else values
