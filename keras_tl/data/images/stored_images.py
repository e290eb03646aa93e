"""Stores the images of data sets as files, which later processes read."""

import contextlib
import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_tl.base.files import cache_root, remove_leftovers, whole_folder
from keras_tl.data.folders.unused_files import sort_files
from keras_tl.data.images.formats import FORMATS, IMAGE_FILES
from keras_tl.data.images.headers import image_format
from keras_tl.data.pixels import CHANNELS, check_pixels
from keras_tl.errors import CacheError, DataError, quoted

# Number of images after which a data set counts as scaled if all values so far are in [0, 1].
_TELLING = 100

Stored = dict[str, tuple[tuple[str, ...], np.ndarray]]
# Each example has the bytes of an image file and a label: a number, a row of numbers or a text.
Examples = Iterable[tuple[bytes, Any]]


def find_stored(key: str) -> Stored | None:
    """Return the stored image files and labels of each split, `None` if files are missing."""
    splits = {}
    folder = _folder() / key
    for file in sorted(folder.glob("*.npy")):
        labels = np.load(file, allow_pickle=False)
        paths = tuple(sort_files(folder / file.stem, IMAGE_FILES)[0])
        if len(paths) != len(labels):
            return None
        splits[file.stem] = (paths, labels)
    return splits or None


def store(key: str, splits: Mapping[str, Examples]) -> Stored:
    """Store a data set completely or not at all, in a folder with the name `key`.

    Raises:
        CacheError: The files cannot be written.
        DataError: A split is empty, or its labels are not of one kind.
    """
    with _explained(), whole_folder(_folder() / key, replace=True) as new:
        _write(new, splits)
    return find_stored(key)


def store_by_content(splits: Mapping[str, Examples]) -> Stored:
    """Store a data set under a hash of its content, so that equal data sets are stored once.

    Raises the same errors as `store`.
    """
    with _explained():
        _folder().mkdir(parents=True, exist_ok=True)
        remove_leftovers(_folder())
        # If this process is killed, a later `remove_leftovers` finds the folder by its prefix.
        prefix = f".new-{os.getpid()}-{uuid.uuid4().hex[:8]}-"
        with tempfile.TemporaryDirectory(prefix=prefix, dir=_folder()) as scratch:
            key = _write(Path(scratch), splits)
            if find_stored(key) is None:
                with whole_folder(_folder() / key, replace=True) as new:
                    for part in Path(scratch).iterdir():
                        part.rename(new / part.name)
    return find_stored(key)


def _folder() -> Path:
    return cache_root() / "datasets"


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CacheError(
            f"Cannot store the images of the data set in {quoted(str(_folder()))}: {error}. Free "
            "disk space, or set the environment variable KERAS_TL_CACHE to another folder."
        ) from error


def _write(folder: Path, splits: Mapping[str, Examples]) -> str:
    """Write `<split>/00000000.jpg`, ... and `<split>.npy`. Return a hash of images and labels."""
    digest = hashlib.sha256()
    for name, examples in splits.items():
        labels = []
        (folder / name).mkdir()
        for number, (content, label) in enumerate(examples):
            (folder / name / f"{number:08}{suffix_of(content)}").write_bytes(content)
            digest.update(hashlib.sha256(content).digest())
            labels.append(label)
        labels = _as_array(labels, name)
        digest.update(f"{name} {labels.dtype.str} {labels.shape}".encode() + labels.tobytes())
        np.save(folder / f"{name}.npy", labels, allow_pickle=False)
    return digest.hexdigest()[:32]


def _as_array(labels: list, name: str) -> np.ndarray:
    if not labels:
        raise DataError(f"The {name} data set is empty. Expected at least one image.")
    try:
        array = np.array(labels)
    except ValueError:  # Rows of different lengths.
        array = np.array(None)
    if array.ndim not in (1, 2) or array.dtype.kind not in "biufU":
        raise DataError(
            f"Expected {name} labels of one kind: numbers, texts, or rows of 0 and 1 of one "
            f"length. The first label is {quoted(labels[0])}."
        )
    return array


def suffix_of(content: bytes) -> str | None:
    """Return the file suffix for the bytes of an image, `None` for a format not in `FORMATS`."""
    kind = image_format(content)
    return kind and {"JPEG": ".jpg"}.get(kind, f".{kind.lower()}")


class Encoder:
    """Encoder of the images of one split to the bytes of image files.

    Args:
        name: Name of the split, for messages.
    """

    def __init__(self, name: str):
        self._name = name
        self._count = 0
        # The brightest image so far. `None` after an image with values other than floats in [0, 1].
        self._brightest: np.ndarray | None = np.zeros((1, 1))

    def encode(self, image: np.ndarray | bytes) -> bytes:
        """Return an image as the bytes of a (lossless) PNG file. Return bytes unchanged.

        Args:
            image: Bytes of an image file, or an array (height, width), (height, width, 1) or
                (height, width, 3) with values in [0, 255].

        Raises:
            DataError: The array has an unsupported shape or unsupported values, or the file has an
                unsupported format.
        """
        self._count += 1
        if isinstance(image, bytes):
            if suffix_of(image) is None:
                raise DataError(
                    f"Image {self._count - 1} of the {self._name} data set has no supported "
                    f"format ({', '.join(FORMATS)}). Pass pixels, or files of these formats."
                )
            return image
        image = np.asarray(image)
        self._check(image)
        if image.ndim == 2:
            image = image[..., None]
        return tf.io.encode_png(np.rint(image).astype(np.uint8)).numpy()

    def _check(self, image: np.ndarray) -> None:
        # A single image with all values in [0, 1] may just be dark. If all values of all images are
        # in [0, 1], the pixels were scaled.
        is_float = image.dtype.kind == "f" and (image.ndim == 2 or image.shape[-1] in CHANNELS)
        is_dark = is_float and image.size and 0 <= image.min() <= image.max() <= 1
        if not is_dark:
            check_pixels(image[None], self._name)
            self._brightest = None
        elif self._brightest is not None and image.max() > self._brightest.max():
            self._brightest = image
        if self._count == _TELLING:
            self.finish()

    def finish(self) -> None:
        """Raise `DataError` if the pixels of all images so far were scaled to [0, 1]."""
        if self._brightest is not None:
            check_pixels(self._brightest[None], self._name)
