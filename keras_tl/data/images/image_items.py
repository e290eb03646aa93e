"""Images for prediction. Only decoding the images needs TensorFlow, not reading their files."""

import contextlib
import dataclasses
import errno
import itertools
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent import futures
from typing import Any

import numpy as np

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_issues import why_no_image
from keras_tl.data.prediction_items import PredictionItems
from keras_tl.errors import DataError, quoted

_BATCH = 32
_READERS = 4
_LONGEST_PATH = 4096


@dataclasses.dataclass(frozen=True)
class ImageItems(PredictionItems):
    """Images for prediction, given as file paths, as file contents or as pixels.

    Only one of `sources`, `contents` and `pixels` is set. The other two are `None`.

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
        """The file paths, as names of the images. `None` if the images are not files."""
        return self.sources

    def batches(self, size: int) -> Iterator[list[bytes] | np.ndarray]:
        """Yield lists of file contents, or arrays of pixels, with at most `size` images each.

        The content of an unreadable file is empty bytes, which count as an invalid image.
        """
        if self.sources:
            yield from _read_ahead(self.sources, size)
            return
        for items in self._of_one_size():
            for start in range(0, len(items), size):
                batch = items[start : start + size]
                yield batch if self.contents else np.asarray(batch)

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield file contents for `serving_default`, or arrays for the signature `pixels`."""
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
        content = read_file(self.sources[number]) if self.sources else self.contents[number]
        if self.contents and len(content) < _LONGEST_PATH and os.path.exists(content):
            return f"{quoted(content)} is the path of a file. Pass the path as str"
        return why_no_image(content)

    def take(self, rows: Iterable[int]) -> "ImageItems":
        """Return only the items with these row numbers, in this order."""
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
        """Yield the items in parts. The images of one part have one size, and fit into an array."""
        if not isinstance(self.pixels, list):
            yield self._items
            return
        for _, part in itertools.groupby(self.pixels, np.shape):
            yield list(part)


def cannot_decode(name: str, problem: str) -> str:
    """Return the error message for a file or bytes that are not an image."""
    return f"Cannot decode {name}: {problem}. Expected a {IMAGE_FILES.formats} image."


def read_file(path: str) -> bytes:
    """Read the bytes of an image file, or raise `DataError` if this fails."""
    with _explained(path), open(path, "rb") as file:
        return file.read()


def check_readable(path: str) -> None:
    """Raise `DataError` if a path does not exist, is a folder, or is not readable.

    The file is not opened here, so that `batches` reads the file only once.
    """
    with _explained(path):
        if stat.S_ISDIR(os.stat(path).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
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
    """Yield batches of file contents. While the caller uses a batch, threads read the next."""
    with futures.ThreadPoolExecutor(_READERS) as readers:
        coming = None
        for start in range(0, len(paths), size):
            # `map` starts to read immediately, in the threads.
            batch, coming = coming, readers.map(_bytes_of, paths[start : start + size])
            if batch is not None:
                yield list(batch)
        yield list(coming)


def _bytes_of(path: str) -> bytes:
    try:
        return read_file(path)
    except DataError:
        return b""
