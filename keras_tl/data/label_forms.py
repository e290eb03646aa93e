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
        An array (n,) or (n, k) of numbers or texts (bytes are decoded), or lists of names where
        an item has several; and the names of a Categorical in its own order, without those that
        no item has, or those of a DataFrame's columns. `None`: the type holds no names.

    Raises:
        DataError: no labels at all.
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
    """A class name as text; bytes are decoded as UTF-8."""
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def category_texts(values: Sequence, categories: Sequence) -> tuple[list, tuple[str, ...]]:
    """Return the values of a Categorical as stripped texts, and the categories that occur."""
    texts = [None if _is_missing(value) else label_text(value).strip() for value in values]
    found = {*texts}
    names = (label_text(category).strip() for category in categories)
    return texts, tuple(name for name in names if name in found)


def _names_of(labels: Any) -> list[str]:
    if not is_several(labels):
        raise DataError(
            "Expected one label an item, or a list of labels for each item. Received lists, and "
            f"{quoted(labels)} of type {type(labels).__name__}."
        )
    return [label_text(label) for label in labels]


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _as_array(y: Any) -> np.ndarray | None:
    """The labels as an array; `None`: lists of names, or lists of different lengths."""
    if isinstance(y, list) and any(map(is_several, y)):
        return None if any(isinstance(label, (set, frozenset)) for label in y) else _rows(y)
    values = np.asarray(y)
    if values.dtype == object and values.ndim == 1 and any(map(is_several, values)):
        return _as_array(list(values))
    if values.dtype.kind == "S" or values.dtype == object:
        values = _typed(values)
    return values


def _rows(y: list) -> np.ndarray | None:
    try:
        rows = np.asarray(y)
    except ValueError:  # Rows of different lengths.
        return None
    return rows if rows.ndim > 1 and rows.dtype.kind in "biuf" else None


def _typed(values: np.ndarray) -> np.ndarray:
    """Bytes as texts, and objects that are all numbers as numbers."""
    plain = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values.flat]
    if values.dtype == object and not any(isinstance(value, bytes) for value in values.flat):
        typed = np.array(plain) if plain else values
        return typed.reshape(values.shape) if typed.dtype.kind in "biuf" else values
    are_texts = all(isinstance(value, str) for value in plain)
    return np.array(plain, str if are_texts else object).reshape(values.shape)
