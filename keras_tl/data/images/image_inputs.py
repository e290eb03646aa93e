"""Reads the images that a user passes to `predict` or `features`, without TensorFlow."""

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.data.folders.unused_files import UnusedFiles, items_below
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_items import ImageItems, check_readable
from keras_tl.data.pixels import as_image, as_images, check_values
from keras_tl.data.tables.item_columns import ItemColumns
from keras_tl.data.user_items import is_frame, kinds, plain, plain_list
from keras_tl.errors import DataError, quoted

ImageInput = str | os.PathLike[str] | bytes | bytearray | BinaryIO | np.ndarray | Sequence | Any
_COLUMNS = ItemColumns.of("image")
# First characters of images encoded in base64, and of data URLs.
_ENCODED = re.compile(r"data:|/9j/|iVBORw0KGgo|R0lGOD|UklGR|Qk[0-9A-Za-z+/]{30}")


def read_inputs(
    items: ImageInput, columns: ItemColumns = _COLUMNS, on_invalid: str = "raise"
) -> ImageItems:
    """Read the images that a user passes to `predict` or `features`.

    Args:
        items: The path of an image, the bytes of an image file, an open file or a Pillow image. The
            path of a folder means all images below the folder. A pattern such as `"photos/*.jpg"`
            means the matching files in sorted order. An array or tensor of any library is one image
            (height, width, 3) or (height, width), or a batch (n, height, width, 3), with values in
            [0, 255]. An alpha channel is dropped. A list may hold paths, bytes or images. `items`
            may also be a split, such as `data.split("test")`, or a `tf.data.Dataset` of images,
            batched or not, with or without labels. A `pandas.DataFrame` must have a column of
            paths.
        columns: The column of paths in a data frame.
        on_invalid: `"raise"` raises an error if a file cannot be read. With any other value, an
            unreadable file counts as an invalid image.

    Raises:
        DataError: `items` is empty or of an unsupported type, or a file does not exist.
        ConfigError: The file system of a path is not supported.
    """
    items = plain(columns.of_frame(items) if is_frame(items) else items, ("image",))
    if isinstance(items, (str, os.PathLike)):
        return _from_paths([items], on_invalid)
    if isinstance(items, np.ndarray):
        return _from_images(as_images(items, "given"))
    items = plain_list(items)
    if items and all(isinstance(item, (str, os.PathLike)) for item in items):
        return _from_paths(items, on_invalid)
    if items and all(isinstance(item, bytes) for item in items):
        return ImageItems(contents=items)
    if items and all(isinstance(item, np.ndarray) for item in items):
        return _from_images([as_image(item, "given") for item in items])
    raise DataError(
        f"Expected at least one image: paths, a folder, bytes or arrays. Received: {kinds(items)}."
    )


def _files(
    given: str | os.PathLike[str],
) -> tuple[Sequence[str | os.PathLike[str]], UnusedFiles | None]:
    """Return the image files of a path, folder or pattern, and the unused files of a folder."""
    path = _checked(given)
    text = str(path)
    if os.path.isdir(text) and os.fspath(given):
        return items_below(given, path, IMAGE_FILES)
    if isinstance(given, str) and glob.has_magic(text) and not os.path.lexists(text):
        found = sorted(f for f in glob.glob(text, recursive=True) if os.path.isfile(f))
        if not found:
            raise DataError(f"No file matches the pattern {quoted(given)}.")
        return found, None
    return [given], None


def _from_paths(given: Sequence[str | os.PathLike[str]], on_invalid: str) -> ImageItems:
    read = [*map(_files, given)]
    # Results name each image by the path that the user passed, with `~` expanded.
    sources = tuple(os.path.expanduser(os.fspath(path)) for paths, _ in read for path in paths)
    if on_invalid == "raise":
        for source in sources:
            check_readable(source)
    return ImageItems(sources=sources, unused=tuple(unused for _, unused in read if unused))


def _checked(path: str | os.PathLike[str]) -> Path:
    """Return a path on this machine, or raise `DataError` for an image encoded in base64."""
    text = os.fspath(path)
    if _ENCODED.match(text) and not os.path.lexists(text):
        raise DataError(
            f"Expected the path of an image. Received: {quoted(path)}, which looks like base64. "
            "Pass the bytes: base64.b64decode(text.split(',')[-1])."
        )
    return local_path(path)


def _from_images(images: np.ndarray | list[np.ndarray]) -> ImageItems:
    check_values([images] if isinstance(images, np.ndarray) else images, "given")
    if isinstance(images, list) and len({image.shape for image in images}) == 1:
        images = np.stack(images)
    return ImageItems(pixels=images)
