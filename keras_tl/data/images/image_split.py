"""The images of a split: files, or pixels in memory."""

import dataclasses
import hashlib
import os
from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np

from keras_tl.base.files import sha256
from keras_tl.data.labelled_data import Split
from keras_tl.errors import DataError


@dataclasses.dataclass(frozen=True)
class ImageSplit(Split):
    """Images of one split, in a fixed order.

    Attributes:
        images: Tuple of n file paths, or array (n, height, width, 3) of pixels in [0, 255].
        labels: See `Split`.
        slices: See `Split`.

    Example:
        >>> data.split("test").images.shape
        (8, 16, 16, 3)
    """

    images: tuple[str, ...] | np.ndarray
    labels: np.ndarray
    slices: Mapping[Hashable, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...] | None:
        """The paths of the files, `None` for pixels in memory.

        Example:
            >>> data.split("test").sources is None
            True
        """
        return self.images if isinstance(self.images, tuple) else None

    @property
    def given(self) -> list[str] | np.ndarray:
        """The paths of the files, or the pixels in memory.

        Example:
            >>> data.split("test").given.shape
            (8, 16, 16, 3)
        """
        return list(self.images) if isinstance(self.images, tuple) else self.images

    @property
    def in_files(self) -> bool:
        """Whether the images are files, not pixels in memory.

        Example:
            >>> data.split("test").in_files
            False
        """
        return isinstance(self.images, tuple)

    def joined(self, other: "ImageSplit") -> "ImageSplit":
        """Return the images of this split followed by those of `other`, see `Split.joined`.

        Example:
            >>> len(data.split("train").joined(data.split("test")))
            32
        """
        own, others = self.images, other.images
        if (
            isinstance(own, np.ndarray)
            and isinstance(others, np.ndarray)
            and own.shape[1:] != others.shape[1:]
        ):
            raise DataError(
                "Expected images of one shape (height, width, 3) in all splits. Received: "
                f"{own.shape[1:]} and {others.shape[1:]}. Resize the images to one shape."
            )
        return super().joined(other)

    def fingerprint(self, full_hash: bool = False) -> str:
        """Return a hash of the images and their order, see `Split.fingerprint`.

        Example:
            >>> len(data.split("test").fingerprint())
            64
        """
        digest = hashlib.sha256()
        if isinstance(self.images, tuple):
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
        raise DataError(
            f"Cannot read an image of the data: {path} ({error}). Restore the file, or make the "
            "data again."
        ) from error
    return f"{os.path.abspath(path)}\0{found.st_size}\0{found.st_mtime_ns}\n"
