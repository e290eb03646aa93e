"""Labels of any type as NumPy arrays of numbers and texts, or as lists of names."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_tl.errors import DataError, quoted

Labels = np.ndarray | list[list[str]]


def plain_labels(
    y: Any, class_names: Sequence[str] | None = None
) -> tuple[Labels, tuple[str, ...] | None]:
    """Return labels as plain values, and the class names that their type holds.

    Args:
        y: a sequence, an array, a tensor, a pandas Series, Categorical or DataFrame.
        class_names: the classes' names; where the values of a Categorical are others, they count
            them.

    Returns:
        An array (n,) or (n, k) of numbers or texts (bytes are decoded, blanks at the ends left
        out), or lists of names where an item has several; a missing label is NaN among numbers
        and `None` among texts; and the names of a Categorical in its own order, without those that
        no item has, or those of a DataFrame's columns. `None`: the type holds no names.

    Raises:
        DataError: no labels at all, or bytes that are not UTF-8.
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
        return [_names_of(labels) for labels in values], names
    return values, names


def is_several(label: Any) -> bool:
    """Whether a label is a list of labels."""
    return isinstance(label, (list, tuple, set, frozenset, np.ndarray))


def label_text(label: Any) -> str:
    """A class name as text, without blanks at its ends; bytes are decoded as UTF-8.

    Raises:
        DataError: the bytes are not UTF-8.
    """
    if not isinstance(label, bytes):
        return str(label).strip()
    try:
        return label.decode().strip()
    except UnicodeDecodeError as error:
        raise DataError(
            f"Expected labels in UTF-8. Received: {quoted(bytes(label))}. Decode the labels "
            "before, for example by label.decode('latin-1')."
        ) from error


def is_missing(value: Any) -> bool:
    """Whether a label is `None`, NaN, or what pandas writes in their place."""
    is_nan = isinstance(value, (float, np.floating)) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")


def category_texts(values: Sequence, categories: Sequence) -> tuple[list, tuple[str, ...]]:
    """Return the values of a Categorical as stripped texts, and the categories that occur."""
    texts = [None if is_missing(value) else label_text(value) for value in values]
    found = {*texts}
    names = map(label_text, categories)
    return texts, tuple(name for name in names if name in found)


def _names_of(labels: Any) -> list[str]:
    if not is_several(labels):
        raise DataError(
            "Expected one label an item, or a list of labels for each item. Received lists, and "
            f"{quoted(labels)} of type {type(labels).__name__}."
        )
    if any(map(is_missing, labels)):
        raise DataError(
            f"A label is missing in the list {quoted(labels)}. Fill it in or leave it out."
        )
    return [label_text(label) for label in labels]


def _as_array(y: Any) -> np.ndarray | None:
    """The labels as an array; `None`: lists of names, or lists of different lengths."""
    if isinstance(y, list) and any(map(is_several, y)):
        return None if any(isinstance(label, (set, frozenset)) for label in y) else _rows(y)
    # NumPy would make the text "nan" of a missing label among texts.
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
    """Texts without blanks at their ends, and objects that are all numbers as numbers."""
    plain = [label_text(v) if isinstance(v, (str, bytes)) else v for v in values.flat]
    gaps = [*map(is_missing, plain)]
    if any(isinstance(value, str) for value in plain) or all(gaps):
        are_texts = all(isinstance(value, str) for value in plain)
        known = [None if gap else value for value, gap in zip(plain, gaps, strict=True)]
        return np.array(known, str if are_texts else object).reshape(values.shape)
    typed = np.array([math.nan if gap else v for v, gap in zip(plain, gaps, strict=True)])
    return typed.reshape(values.shape) if typed.dtype.kind in "biuf" else values
