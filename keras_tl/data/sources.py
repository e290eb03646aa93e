"""Where images come from: folders of class folders, arrays, the digits of scikit-learn."""

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np

from keras_tl.data.decoding import FORMATS, SUFFIXES
from keras_tl.data.splits import SPLITS
from keras_tl.errors import DataError
from keras_tl.files import sha256

FOLDER_NAMES = {"train": "train", "test": "test"} | dict.fromkeys(
    ("validation", "valid", "val"), "validation"
)


@dataclasses.dataclass(frozen=True)
class ImageSplit:
    """The images of one split, in a fixed order.

    Attributes:
        images: a tuple of n file paths, or an array (n, height, width, 3) of pixels in
            [0, 255].
        labels: int64 array (n,), the class of each image; float32 (n, labels) of 0 and 1 where an
            image can have several; or float32 (n,), the target of a regression.
    """

    images: tuple[str, ...] | np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def in_files(self) -> bool:
        """Whether the images are files still to be decoded."""
        return isinstance(self.images, tuple)

    def take(self, rows: np.ndarray) -> "ImageSplit":
        """The same with only these rows, in this order."""
        images = tuple(self.images[i] for i in rows) if self.in_files else self.images[rows]
        return ImageSplit(images, self.labels[rows])

    def sample(self, count: int, seed: int) -> "ImageSplit":
        """At most `count` of the images, drawn at random."""
        rows = np.random.default_rng(seed).permutation(len(self))[:count]
        return self.take(np.sort(rows))

    def fingerprint(self, full_hash: bool = False) -> str:
        """Identifies the images and their order, as 64 hexadecimal digits.

        Args:
            full_hash: for files, hash their content; otherwise their path, size and
                modification time, as they are now. Arrays are always hashed.

        Raises:
            DataError: a file has gone.
        """
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
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            os.path.join(parent, name)
            for name in names
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found)


def scan_folder(root: Path) -> tuple[dict[str, ImageSplit], tuple[str, ...]]:
    """Reads `root/<class>/*`, or `root/train|validation|test/<class>/*` where they exist.

    Returns:
        The splits found (all under `"train"` if the folder has none) and the class names.

    Raises:
        DataError: there is no such folder, no class, only one, an empty one, an empty split, or
            a split that has a class which train has not.
    """
    tops = split_folders(root)
    class_names = tuple(folder.name for folder in _folders(tops["train"]))
    if len(class_names) < 2:
        found = f"one, {class_names[0]!r}" if class_names else "none"
        raise DataError(
            f"Expected at least two class folders in {str(tops['train'])!r}, found {found}. "
            "Put the images of each class into a folder named after the class."
        )
    for name in class_names:
        # Names of files are only ever opened; names of classes are written into runs and exports.
        if os.fsencode(name) != name.encode("utf-8", "replace"):
            raise DataError(f"The class folder {name!r} has a name that is not UTF-8. Rename it.")
    splits = {s: _scan_split(tops[s], class_names, s) for s in SPLITS if s in tops}
    return splits, class_names


def split_folders(root: Path) -> dict[str, Path]:
    """The folders of the splits, names matched ignoring case: only train's, the root itself,
    where the root has no train folder.

    Raises:
        DataError: there is no such folder, or a split has two.
    """
    if not root.is_dir():
        raise DataError(
            f"Expected a folder with one folder of images for each class. {str(root)!r} "
            f"{'is a file' if root.exists() else 'does not exist'}."
        )
    tops: dict[str, Path] = {}
    for folder in _folders(root):
        split = FOLDER_NAMES.get(folder.name.lower())
        if split in tops:
            raise DataError(
                f"{str(root)!r} has two {split} folders, {tops[split].name!r} and "
                f"{folder.name!r}. Keep one."
            )
        if split:
            tops[split] = folder
    return tops if "train" in tops else {"train": root}


def _folders(root: Path) -> list[Path]:
    return sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))


def _scan_split(top: Path, class_names: tuple[str, ...], split: str) -> ImageSplit:
    for folder in _folders(top):
        if folder.name not in class_names:
            raise DataError(
                f"The {split} folder has a class {folder.name!r} that the train folder has not. "
                f"Train has: {', '.join(class_names)}."
            )
    paths, labels = [], []
    for label, name in enumerate(class_names):
        found = image_files(top / name)
        if not found and split == "train":
            raise DataError(
                f"Class {name!r} is empty: no image ({', '.join(FORMATS)}) in "
                f"{str(top / name)!r}. Add images or remove the folder."
            )
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise DataError(
            f"The {split} folder {str(top)!r} has no image in folders named after the classes. "
            "Add images or remove the folder."
        )
    return ImageSplit(tuple(paths), np.array(labels, np.int64))


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
