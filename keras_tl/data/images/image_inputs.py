"""Reads the images that a user passes to `predict` or `features`.

Only decoding the images needs TensorFlow, not reading their files.
"""

import contextlib
import dataclasses
import errno
import glob
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.data.folders.unused_files import UnusedFiles, items_below
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_issues import cannot_decode, why_no_image
from keras_tl.data.pixels import as_image, as_images, check_values
from keras_tl.data.prediction_items import PredictionItems
from keras_tl.data.tables.item_columns import ItemColumns
from keras_tl.data.user_items import is_frame, kinds, plain, plain_list
from keras_tl.errors import DataError, quoted

ImageInput = str | os.PathLike[str] | bytes | bytearray | BinaryIO | np.ndarray | Sequence | Any
_COLUMNS = ItemColumns.of("image")
# First characters of images encoded in base64, and of data URLs.
_ENCODED = re.compile(r"data:|/9j/|iVBORw0KGgo|R0lGOD|UklGR|Qk[0-9A-Za-z+/]{30}")
_BATCH = 32
_READERS = 4
_LONGEST_PATH = 4096


@dataclasses.dataclass(frozen=True)
class ImageItems(PredictionItems):
    """Images for prediction, given as file paths, as file contents or as pixels.

    Only one of `sources`, `contents` and `pixels` is set, and the other two are `None`.

    Attributes:
        sources: Paths of n files, which are read batch by batch.
        contents: Bytes of n image files.
        pixels: Array (n, height, width, 3) in [0, 255], or a list of n arrays (height, width, 3) if
            the images differ in size.
        unused: See `PredictionItems`.
    """

    item = "image"

    sources: tuple[str, ...] | None = None
    contents: list[bytes] | None = None
    pixels: np.ndarray | list[np.ndarray] | None = None
    unused: tuple[UnusedFiles, ...] = ()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The file paths, as names of the images, or `None` if the images are not files."""
        return self.sources

    def batches(self, size: int) -> Iterator[list[bytes] | np.ndarray]:
        """Yield lists of file contents, or arrays of pixels, with at most `size` images each.

        For an unreadable file, the content is empty bytes, which count as an invalid image.
        """
        if self.sources:
            yield from _read_ahead(self.sources, size)
            return
        for items in self._of_one_size():
            for start in range(0, len(items), size):
                batch = items[start : start + size]
                yield batch if self.contents else np.asarray(batch)

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield file contents for signature `serving_default`, or arrays for signature `pixels`."""
        for batch in self.batches(size):
            if isinstance(batch, list):
                yield "serving_default", {"image_bytes": batch}
            else:
                yield "pixels", {"pixels": batch}

    def valid(self) -> np.ndarray:
        """Return whether the exported model can decode each image, bool array (n,)."""
        if self.pixels is not None:
            return np.ones(len(self), bool)
        from keras_tl.data.images.batch_decoding import are_images

        return np.concatenate([are_images(batch).numpy() for batch in self.batches(_BATCH)])

    def why(self, number: int) -> str:
        """See `PredictionItems.why`."""
        try:
            return self._problem(number)
        except DataError as error:
            return str(error).removesuffix(".")

    def reason(self, number: int) -> str:
        """See `PredictionItems.reason`."""
        try:
            return cannot_decode(self.name(number), self._problem(number))
        except DataError as error:
            return str(error)

    def _problem(self, number: int) -> str:
        """Return why an item is not an image. Raise `DataError` if the file cannot be read."""
        content = _read_file(self.sources[number]) if self.sources else self.contents[number]
        if self.contents and len(content) < _LONGEST_PATH and os.path.exists(content):
            return f"{quoted(content)} is the path of a file. Pass the path as str"
        return why_no_image(content)

    def take(self, rows: Iterable[int]) -> "ImageItems":
        """Return only the items with the row numbers `rows`, in the order of `rows`."""
        if isinstance(self.pixels, np.ndarray):
            return ImageItems(pixels=self.pixels[[*rows]])
        items = [self._items[row] for row in rows]
        if self.sources:
            return ImageItems(sources=tuple(items))
        return ImageItems(contents=items) if self.contents else ImageItems(pixels=items)

    @property
    def _items(self) -> tuple[str, ...] | list[bytes] | list[np.ndarray] | np.ndarray:
        return next(i for i in (self.sources, self.contents, self.pixels) if i is not None)

    def _of_one_size(self) -> Iterator[Any]:
        """Yield the images in parts. Images of a part have one size and fit into an array."""
        if not isinstance(self.pixels, list):
            yield self._items
            return
        for _, part in itertools.groupby(self.pixels, np.shape):
            yield list(part)


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
        on_invalid: `"raise"` raises an error if a file cannot be read. With any other `on_invalid`,
            an unreadable file counts as an invalid image.

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
            _check_readable(source)
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


def _read_file(path: str) -> bytes:
    """Read the bytes of an image file, or raise `DataError` if this fails."""
    with _explained(path), open(path, "rb") as file:
        return file.read()


def _check_readable(path: str) -> None:
    """Raise `DataError` if a path does not exist or is not readable.

    This function does not open the file, so that the file is read only once, by `batches`.
    """
    with _explained(path):
        os.stat(path)  # Raises an error that names a missing file as such.
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"Cannot read the image {quoted(path)}: {reason}.") from error


def _read_ahead(paths: Sequence[str], size: int) -> Iterator[list[bytes]]:
    """Yield batches of file contents, while threads read the next batch."""
    with futures.ThreadPoolExecutor(_READERS) as readers:
        coming = None
        for start in range(0, len(paths), size):
            # `map` does not wait for results: the threads start to read immediately.
            batch, coming = coming, readers.map(_bytes_of, paths[start : start + size])
            if batch is not None:
                yield list(batch)
        yield list(coming)


def _bytes_of(path: str) -> bytes:
    try:
        return _read_file(path)
    except DataError:
        return b""
