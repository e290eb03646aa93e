"""The images of a split: files, or pixels in memory."""

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np

from keras_tl.data.decoding import FORMATS, SUFFIXES
from keras_tl.data.folders import FileKind, files_below
from keras_tl.data.labelled import Split
from keras_tl.errors import DataError
from keras_tl.files import sha256

IMAGE_FILES = FileKind("image", ", ".join(FORMATS), SUFFIXES)


@dataclasses.dataclass(frozen=True)
class ImageSplit(Split):
    """The images of one split, in a fixed order.

    Attributes:
        images: a tuple of n file paths, or an array (n, height, width, 3) of pixels in
            [0, 255].
        labels: see `Split`.
    """

    images: tuple[str, ...] | np.ndarray
    labels: np.ndarray

    @property
    def in_files(self) -> bool:
        """Whether the images are files still to be decoded."""
        return isinstance(self.images, tuple)

    def take(self, rows: np.ndarray) -> "ImageSplit":
        """The same with only these rows, in this order."""
        images = tuple(self.images[i] for i in rows) if self.in_files else self.images[rows]
        return ImageSplit(images, self.labels[rows])

    def fingerprint(self, full_hash: bool = False) -> str:
        """Identifies the images and their order, see `Split.fingerprint`."""
        digest = hashlib.sha256()
        if self.in_files:
            for path in self.images:
                digest.update(_file_identity(path, full_hash).encode("utf-8", "surrogateescape"))
        else:
            digest.update(f"{self.images.shape} {self.images.dtype}".encode())
            digest.update(np.ascontiguousarray(self.images).data)
        return digest.hexdigest()


def _file_identity(path: str, full_hash: bool) -> str:
    try:
        if full_hash:
            return f"{sha256(Path(path))}\n"
        found = os.stat(path)
    except OSError as error:
        raise DataError(f"An image has gone since the data were made: {path} ({error}).") from error
    return f"{os.path.abspath(path)}\0{found.st_size}\0{found.st_mtime_ns}\n"


def image_files(folder: Path) -> list[str]:
    """All image files below a folder, sorted, hidden ones left out."""
    return files_below(folder, IMAGE_FILES.suffixes)


def check_pixels(x: np.ndarray, name: str) -> np.ndarray:
    """Checks an array of images.

    Args:
        x: (n, height, width), (n, height, width, 1) or (n, height, width, 3), values in
            [0, 255].
        name: what the images are, for messages.

    Returns:
        The same values as (n, height, width, 3).

    Raises:
        DataError: the shape or the values are not as described.
    """
    x = np.asarray(x)
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or x.shape[-1] not in (1, 3) or x.dtype.kind not in "iuf" or 0 in x.shape:
        raise DataError(
            f"Expected the {name} images as numbers of shape (n, height, width, 3), or "
            f"(n, height, width) for grey. Received: shape {x.shape}, dtype {x.dtype}."
        )
    low, high = float(x.min()), float(x.max())
    if not (low >= 0 and high <= 255):
        raise DataError(
            f"Expected {name} pixels in [0, 255]. Received values from {low:g} to {high:g}. "
            "Undo the normalisation: the preprocessing is part of the model."
        )
    if x.dtype.kind == "f" and 0 < high <= 1:
        raise DataError(
            f"Expected {name} pixels in [0, 255]. Received floats from {low:g} to {high:g}, "
            "which look scaled to [0, 1]. Multiply them by 255: the preprocessing is part of "
            "the model."
        )
    return np.repeat(x, 3, axis=-1) if x.shape[-1] == 1 else x
