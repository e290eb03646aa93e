"""What `predict` and `features` accept: paths, bytes, arrays, a folder.

Reading them needs no TensorFlow; checking and decoding them does.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from keras_tl.data.formats import FORMATS, image_files, passed_over
from keras_tl.data.headers import image_format, image_size
from keras_tl.data.pixels import check_pixels
from keras_tl.errors import DataError

if TYPE_CHECKING:
    from keras_tl.data.sources import ImageSplit
    from keras_tl.data.value_range import ValueRange

ImageInput = str | os.PathLike | bytes | np.ndarray | Sequence


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Images to be asked about: files, files' bytes, or pixels; the others are `None`.

    Attributes:
        sources: the paths of n files, which are read when their turn comes.
        contents: the bytes of n files.
        pixels: (n, height, width, 3) in [0, 255].
    """

    sources: tuple[str, ...] | None = None
    contents: list[bytes] | None = None
    pixels: np.ndarray | None = None

    def batches(self, size: int) -> Iterator[list[bytes] | np.ndarray]:
        """Lists of files' bytes, or arrays of pixels, of at most `size` images each.

        Raises:
            DataError: a file cannot be read.
        """
        items = self._items
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            yield [_read(path) for path in batch] if self.sources else batch

    def questions(self, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name of a signature and its arguments, for at most `size` of the images at a time.

        Files' bytes are for `serving_default`, arrays for `pixels`.

        Raises:
            DataError: a file cannot be read.
        """
        for batch in self.batches(size):
            if isinstance(batch, list):
                yield "serving_default", {"image_bytes": batch}
            else:
                yield "pixels", {"pixels": batch}

    def check_valid(self, valid: np.ndarray) -> None:
        """Raises `DataError` naming the first file that is no image to answer for, if there is one.

        Args:
            valid: bool (n,), what `keras_tl.data.tolerant.load_images` said of each file.
        """
        from keras_tl.data.decoding import MOST_PIXELS
        from keras_tl.data.pipeline import read_image

        for number in np.flatnonzero(~valid)[:1]:
            item, name = self._items[number], self._name(number)
            content = _read(item) if self.sources else item
            size = image_size(content, image_format(content)) or (0, 0)
            if size[0] * size[1] <= MOST_PIXELS:
                read_image(content, name, (1, 1), "stretch")
            raise DataError(
                f"{name} declares an image of {size[0]:,} x {size[1]:,} pixels. Expected at most "
                f"{MOST_PIXELS // 10**6} megapixels; of an animation, all of its frames count."
            )

    def as_split(
        self, image_size: tuple[int, int], how: str, value_range: "ValueRange" = None
    ) -> "ImageSplit":
        """The images as an unlabelled split, for extraction; bytes are decoded and resized.

        Raises:
            DataError: bytes that are not an image.
        """
        from keras_tl.data.pipeline import read_image
        from keras_tl.data.sources import ImageSplit

        if self.sources:
            images = self.sources
        elif self.contents:
            images = np.stack(
                [
                    read_image(content, self._name(number), image_size, how, value_range)
                    for number, content in enumerate(self.contents)
                ]
            )
        else:
            images = self.pixels
        return ImageSplit(images, np.zeros(len(images), np.int64))

    @property
    def _items(self) -> tuple[str, ...] | list[bytes] | np.ndarray:
        return next(i for i in (self.sources, self.contents, self.pixels) if i is not None)

    def _name(self, number: int) -> str:
        return self.sources[number] if self.sources else f"item {number} of the bytes"


def read_inputs(items: ImageInput) -> Inputs:
    """Reads what was given.

    Args:
        items: a path, a folder (all images below it), bytes, an image (height, width, 3), a
            batch (n, height, width, 3), or a list of paths, of bytes, or of arrays of one size.

    Raises:
        DataError: nothing was given, or something else, or a file does not exist.
    """
    if isinstance(items, (str, os.PathLike)) and items != "" and Path(items).is_dir():
        found = image_files(Path(items))
        if not found:
            raise DataError(
                f"No image ({', '.join(FORMATS)}) below the folder {str(items)!r}. "
                f"{passed_over(Path(items)).advice}"
            )
        return _from_paths(found)
    if isinstance(items, np.ndarray):
        single = items.ndim == 2 or (items.ndim == 3 and items.shape[-1] in (1, 3))
        return Inputs(pixels=check_pixels(items[None] if single else items, "given"))
    if isinstance(items, (str, os.PathLike, bytes)):
        items = [items]
    items = list(items) if isinstance(items, Iterable) else [items]
    if items and all(isinstance(item, (str, os.PathLike)) for item in items):
        return _from_paths([os.fspath(item) for item in items])
    if items and all(isinstance(item, bytes) for item in items):
        return Inputs(contents=items)
    if items and all(isinstance(item, np.ndarray) for item in items):
        if len({item.shape for item in items}) > 1:
            raise DataError(
                "Arrays in a list must have one size. Received sizes "
                f"{sorted({item.shape for item in items})}: ask about each size by itself."
            )
        return Inputs(pixels=check_pixels(np.stack(items), "given"))
    kinds = ", ".join(sorted({type(item).__name__ for item in items})) or "an empty list"
    raise DataError(
        f"Expected image paths, a folder, bytes, or arrays, at least one. Received: {kinds}."
    )


def _from_paths(paths: list[str]) -> Inputs:
    for path in paths:
        with _opened(path):
            pass
    return Inputs(sources=tuple(paths))


def _read(path: str) -> bytes:
    with _opened(path) as file:
        return file.read()


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"Cannot read the image {path!r}: {error.strerror}.") from error
