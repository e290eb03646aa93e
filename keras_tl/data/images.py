"""`ImageData`: labelled images, split for training, validation and test."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from keras_tl.config import check_choice, check_range
from keras_tl.data.augmentation import AUGMENTATIONS
from keras_tl.data.decoding import RESIZES
from keras_tl.data.sources import ImageSplit, LabelIndex, scan_folder, split_folders
from keras_tl.data.splits import SPLITS, take_out
from keras_tl.errors import ConfigError, DataError, unknown

ImageSize = int | tuple[int, int] | None


def check_image_size(image_size: ImageSize) -> tuple[int, int] | None:
    """Gives an image size as (height, width), `None` for the backbone's own.

    Raises:
        ConfigError: it is neither a positive whole number nor two of them.
    """
    if image_size is None:
        return None
    pair = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
    if len(pair) != 2:
        raise ConfigError(f"image_size must be one number or two. Received: {image_size!r}.")
    for side in pair:
        check_range("image_size", side, 1, whole=True)
    return pair


@dataclasses.dataclass(frozen=True)
class ImageData:
    """Labelled images in three splits. Make one with `from_folder`, `from_arrays` or `digits`.

    Attributes:
        splits: `"train"`, and `"validation"` and `"test"` where there are any.
        class_names: the classes' names; labels count them.
        image_size: (height, width) to train at; `None` means the backbone's own.
        resize: how images get there: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.decoding.resize`).
        augmentation: what `augment=True` means for these data.
        split_settings: `validation_split`, `test_split` and `seed` that the splits were made
            with; the same ones on the same files make the same splits.
    """

    splits: dict[str, ImageSplit]
    class_names: tuple[str, ...]
    image_size: tuple[int, int] | None = None
    resize: str = "crop"
    augmentation: str | Callable = "standard"
    split_settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    task = "multiclass"

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike,
        image_size: ImageSize = None,
        validation_split: float = 0.15,
        test_split: float = 0.15,
        seed: int = 0,
        resize: str = "crop",
        augmentation: str | Callable = "standard",
    ) -> Self:
        """Reads a folder of class folders.

        `root/<class>/*` is split here, stratified and seeded. Where `root/train/<class>/*`
        exists, it and `root/validation` (also `valid`, `val`) and `root/test` are taken as they
        are; a missing validation set is taken from train.

        Args:
            root: the folder. Images are JPEG, PNG, BMP, GIF or WebP, at any depth below their
                class folder.
            image_size: side in pixels, or (height, width); `None` means the backbone's own.
            validation_split: share of the images that are not test images, in [0, 1).
            test_split: share of all images, in [0, 1); ignored where `root/train` exists.
            seed: seed of the split.
            resize: `"crop"`, `"pad"` or `"stretch"`.
            augmentation: see the class.

        Raises:
            DataError: no folder, no or only one class, an empty class, too few images.
            ConfigError: an argument is not as described.
        """
        root = Path(root)
        splits, class_names = scan_folder(root)
        if split_folders(root)["train"] != root:
            test_split = 0.0
        return cls._split(
            splits,
            class_names,
            {"validation_split": validation_split, "test_split": test_split, "seed": seed},
            image_size=check_image_size(image_size),
            resize=resize,
            augmentation=augmentation,
        )

    @classmethod
    def from_arrays(
        cls,
        x: np.ndarray,
        y: Sequence,
        validation: tuple[np.ndarray, Sequence] | None = None,
        test: tuple[np.ndarray, Sequence] | None = None,
        class_names: Sequence[str] | None = None,
        image_size: ImageSize = None,
        validation_split: float = 0.15,
        test_split: float = 0.15,
        seed: int = 0,
        resize: str = "crop",
        augmentation: str | Callable = "standard",
    ) -> Self:
        """Takes images that are in memory.

        Args:
            x: (n, height, width, 3), or (n, height, width) for grey; values in [0, 255].
            y: n labels: any values, or integers that count `class_names`.
            validation: (x, y) of a validation split; `None`: taken from `x`.
            test: (x, y) of a test split; `None`: taken from `x`.
            class_names: the classes' names; `None`: the sorted distinct labels.
            image_size: as in `from_folder`, and so for all that follow.
            validation_split: ignored where `validation` is given.
            test_split: ignored where `test` is given.
            seed: seed of the split.
            resize: how images get to the size.
            augmentation: see the class.

        Raises:
            DataError: shapes, values or labels are not as described.
            ConfigError: another argument is not.
        """
        index = LabelIndex(y, class_names)
        given = {"train": (x, y), "validation": validation, "test": test}
        splits = {s: index.split(*given[s], s) for s in SPLITS if given[s] is not None}
        return cls._split(
            splits,
            index.class_names,
            {"validation_split": validation_split, "test_split": test_split, "seed": seed},
            image_size=check_image_size(image_size),
            resize=resize,
            augmentation=augmentation,
        )

    @classmethod
    def digits(
        cls,
        image_size: ImageSize = None,
        seed: int = 0,
        validation_split: float = 0.15,
        test_split: float = 0.15,
        resize: str = "crop",
    ) -> Self:
        """The 1,797 handwritten digits (8 x 8, grey) that ship with scikit-learn.

        Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998.
        """
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels = (digits.images * (255 / digits.images.max())).astype(np.float32)
        return cls.from_arrays(
            pixels,
            digits.target,
            image_size=image_size,
            validation_split=validation_split,
            test_split=test_split,
            seed=seed,
            resize=resize,
            augmentation="no-flip",
        )

    @classmethod
    def _split(cls, splits, class_names, settings, **options) -> Self:
        check_choice("resize", options["resize"], RESIZES)
        if not callable(options["augmentation"]):
            check_choice("augmentation", options["augmentation"], AUGMENTATIONS)
        seed = settings["seed"]
        check_range("seed", seed, 0, whole=True)
        splits = dict(splits)
        for name in ("test", "validation"):
            if name not in splits:
                train, fraction = splits["train"], settings[f"{name}_split"]
                stay, out = take_out(train.labels, fraction, class_names, seed, name)
                if len(out):
                    splits |= {"train": train.take(stay), name: train.take(out)}
        ordered = {s: splits[s] for s in SPLITS if s in splits}
        return cls(ordered, class_names, split_settings=settings, **options)

    def split(self, name: str) -> ImageSplit:
        """One split.

        Raises:
            DataError: there is no such split.
        """
        if name not in SPLITS:
            raise ConfigError(unknown("split", name, SPLITS))
        if name not in self.splits or len(self.splits[name]) == 0:
            raise DataError(
                f"There is no {name} split: the data have {', '.join(self.splits)}. Make the "
                f"data with one (a folder or arrays of its own, or {name}_split above 0), or ask "
                "for another split."
            )
        return self.splits[name]

    def describe(self) -> dict[str, Any]:
        """What the data are, for a saved run: classes, and how they were split."""
        return {
            "task": self.task,
            "class_names": list(self.class_names),
            "resize": self.resize,
            "split_settings": self.split_settings,
            "splits": {
                name: {"items": len(split), "fingerprint": _fingerprint(split)}
                for name, split in self.splits.items()
            },
        }

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split)} {name}" for name, split in self.splits.items())
        return f"ImageData({len(self.class_names)} classes: {sizes})"


def _fingerprint(split: ImageSplit) -> str | None:
    # A file that has gone since must not keep a trained run from being saved.
    try:
        return split.fingerprint()
    except DataError:
        return None
