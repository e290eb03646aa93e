"""What `predict` and `features` accept: paths, bytes, arrays, a folder."""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_tl.data.decoding import FORMATS
from keras_tl.data.pipeline import read_image
from keras_tl.data.sources import ImageSplit, check_pixels, image_files
from keras_tl.errors import DataError

ImageInput = str | os.PathLike | bytes | np.ndarray | Sequence


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Images to be asked about: files' bytes, or pixels.

    Attributes:
        contents: the bytes of n files; `None` where pixels were given.
        pixels: (n, height, width, 3) in [0, 255]; `None` where files were given.
        sources: the paths of the files, `None` for bytes and pixels.
    """

    contents: list[bytes] | None = None
    pixels: np.ndarray | None = None
    sources: tuple[str, ...] | None = None

    def check_readable(self) -> None:
        """Raises `DataError` naming the first file that is not an image, if there is one."""
        for number, content in enumerate(self.contents or []):
            read_image(content, self._name(number), (1, 1), "stretch")

    def as_split(self, image_size: tuple[int, int], how: str) -> ImageSplit:
        """The images as an unlabelled split, for extraction; bytes are decoded and resized.

        Raises:
            DataError: bytes that are not an image.
        """
        if self.sources:
            images = self.sources
        elif self.contents:
            images = np.stack(
                [read_image(c, self._name(i), image_size, how) for i, c in enumerate(self.contents)]
            )
        else:
            images = self.pixels
        return ImageSplit(images, np.zeros(len(images), np.int64))

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
            raise DataError(f"No image ({', '.join(FORMATS)}) below the folder {str(items)!r}.")
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
    contents = []
    for path in paths:
        try:
            contents.append(Path(path).read_bytes())
        except OSError as error:
            raise DataError(f"Cannot read the image {path!r}: {error.strerror}.") from error
    return Inputs(contents=contents, sources=tuple(paths))
