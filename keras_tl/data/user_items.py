"""Converts the items that a user may pass to `predict`: paths, texts, bytes, arrays and others.

This module does not import TensorFlow, because the client of TF Serving uses this module.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np

from keras_tl.data.pixels import as_images
from keras_tl.errors import MOST_QUOTED, DataError, listed

_INFINITE = -1
# Values of `numpy.dtype.kind` for arrays of numbers.
_NUMBERS = "biufc"


class ItemSource:
    """Base class of the keras_tl objects that `predict` accepts as input, such as a split.

    Attributes:
        given: The items as paths, texts, pairs of texts, or an array of pixels.
    """

    given: Any


def plain(given: Any, columns: tuple = ()) -> Any:
    """Convert an input of the user to `str`, path, bytes, array or list, or return it unchanged.

    Args:
        given: Input of the user: a text, path, `bytes`, `bytearray`, open file, array or tensor of
            any library, `pandas.Series`, Pillow image, `tf.data.Dataset` or split.
        columns: Keys of the items in the dictionaries of a `tf.data.Dataset`.

    Raises:
        DataError: The input is a table, a mapping, a set or data with several splits, or it cannot
            be read.
    """
    if isinstance(given, (str, bytes, os.PathLike)):
        return given
    if isinstance(given, ItemSource):
        return given.given
    if callable(getattr(given, "as_numpy_iterator", None)):
        return list(_elements(given, columns))
    _refuse(given)
    return next((read(given) for is_kind, read in _READERS if is_kind(given)), given)


def plain_list(given: Any, columns: tuple = ()) -> list:
    """Convert an input of the user to a list of items, each converted by `plain`."""
    given = plain(given, columns)
    is_one = isinstance(given, (str, bytes, os.PathLike, np.ndarray))
    if is_one or not isinstance(given, Iterable):
        return [given]
    return [plain(item) for item in given]


def is_frame(given: Any) -> bool:
    """Whether a value is a table with columns, of pandas or another library."""
    return hasattr(given, "columns")


def kinds(items: Iterable[Any]) -> str:
    """Return the type names of the items, for messages."""
    return ", ".join(sorted({type(item).__name__ for item in items})) or "an empty list"


def _refuse(given: Any) -> None:
    """Raise `DataError` for tables, mappings, sets and data with several splits."""
    name = type(given).__name__
    if is_frame(given) or isinstance(given, (Mapping, Set)):
        raise DataError(
            f"Expected a list or an array of items. Received: {name}. Put the items into a list."
        )
    if hasattr(given, "splits"):
        raise DataError(
            f"Expected one split. Received: all splits, in {name}. Pass a split, such as "
            "data.split('test')."
        )


def _content(file: Any) -> bytes:
    """Return the content of an open file, from its beginning if the file is seekable."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        file.seek(0)
    try:
        content = file.read()
    except (OSError, ValueError) as error:
        raise DataError(f"Cannot read the open file: {error}.") from error
    if not isinstance(content, (str, bytes, bytearray)):
        raise DataError(
            "Expected an open file with bytes or text. Its read() returned "
            f"{type(content).__name__}."
        )
    return content.encode() if isinstance(content, str) else bytes(content)


def _is_pillow_image(given: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(given, pillow.Image)


def _pixels(image: Any) -> np.ndarray:
    """Return the pixels of a Pillow image, like the file decoder: upright, no alpha, 8 bits."""
    from PIL import ImageOps

    try:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):
            return (np.asarray(image) >> 8).astype(np.uint8)
        # Pixels of modes I and F can have any range. The caller checks the range, as for arrays.
        return np.asarray(image if image.mode in ("I", "F") else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"Cannot decode the Pillow image: {error}.") from error


def _array(given: Any) -> np.ndarray | list:
    """Convert an array or tensor to a NumPy array if it holds numbers, else to a list."""
    try:
        array = np.asarray(given)
    except Exception as error:  # Each library raises errors of its own type.
        raise DataError(
            f"Expected values that NumPy can convert to an array. Received: {type(given).__name__} "
            f"({type(error).__name__}: {str(error)[:MOST_QUOTED]})."
        ) from error
    return array if array.dtype.kind in _NUMBERS else array.tolist()


def _elements(dataset: Any, columns: tuple) -> Iterator[Any]:
    """Yield the items of a `tf.data.Dataset`, batched or not, without their labels."""
    if int(dataset.cardinality()) == _INFINITE:
        raise DataError(
            "The data set never ends. Remove .repeat(), or pass a part, such as dataset.take(1000)."
        )
    try:
        for element in dataset.as_numpy_iterator():
            yield from _items(element, columns)
    except DataError:
        raise
    except Exception as error:  # TensorFlow is not imported here, so its error class is unknown.
        reason = str(error).splitlines()[0][:MOST_QUOTED] if str(error) else type(error).__name__
        raise DataError(f"The data set failed: {reason}") from error


def _items(element: Any, columns: tuple) -> Iterable[Any]:
    """Return the items in one element of a `tf.data.Dataset`, without their labels.

    The element is an item or a batch of items, a tuple (items, labels, ...), or a dictionary.
    """
    count = None
    is_pair = len(columns) == 2 and isinstance(element, tuple) and len(element) == 2
    if isinstance(element, tuple) and not (is_pair and all(map(_is_text, element))):
        labels = element[1] if len(element) > 1 else None
        count = len(labels) if np.ndim(labels) else None
        element = element[0]
    if isinstance(element, Mapping):
        if not {*columns} <= {*element}:
            raise DataError(
                f"Expected data set elements with the keys {listed(columns)}. Received the keys "
                f"{listed(element)}."
            )
        element = tuple(element[column] for column in columns)
        element = element if len(columns) == 2 else element[0]
    if isinstance(element, tuple) and len(element) == 2:
        return zip(*map(np.atleast_1d, element), strict=True)
    is_pixels = isinstance(element, np.ndarray) and element.dtype.kind in _NUMBERS
    if is_pixels and "image" in columns:
        return as_images(element, "given", is_batch=count is not None and count == len(element))
    return element.tolist() if isinstance(element, np.ndarray) else [element]


def _is_text(value: Any) -> bool:
    return isinstance(value, bytes) or getattr(value, "dtype", np.dtype(bool)).kind == "O"


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    (lambda given: isinstance(given, (bytearray, memoryview)), bytes),
    (lambda given: callable(getattr(given, "read", None)), _content),
    (_is_pillow_image, _pixels),
    (lambda given: hasattr(given, "__array__"), _array),
)
