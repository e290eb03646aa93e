"""`ImageData`: labelled images, split for training, validation and test."""

import dataclasses
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
import tensorflow as tf

from keras_tl.config import check_range
from keras_tl.data.augmentation import Augmentation
from keras_tl.data.builders import read_builder
from keras_tl.data.checking import FileCheck
from keras_tl.data.cleaning import without_bad_files
from keras_tl.data.coding import code_splits
from keras_tl.data.columns import Column, Columns
from keras_tl.data.datasets import read_dataset
from keras_tl.data.labels import LabelCoder, task_of_classes
from keras_tl.data.options import CheckedOptions, DataOptions, ImageSize
from keras_tl.data.sources import ImageSplit, check_pixels, scan_folder, split_folders
from keras_tl.data.splits import SPLITS, take_out
from keras_tl.data.stored import store_by_content
from keras_tl.data.tables import read_csv, read_frame
from keras_tl.errors import ConfigError, DataError, unknown


@dataclasses.dataclass(frozen=True)
class ImageData:
    """Labelled images in three splits. Make one with one of the `from_` methods, or `digits`.

    Attributes:
        splits: `"train"`, and `"validation"` and `"test"` where there are any.
        task: `"multiclass"`, `"binary"`, `"multilabel"` or `"regression"`.
        class_names: the classes' or labels' names; none for a regression.
        image_size: (height, width) to train at; `None` means the backbone's own.
        resize: how images get there: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.decoding.resize`).
        augmentation: what `augment=True` means for these data.
        split_settings: `validation_split`, `test_split`, `seed`, `check` and `max_bad` that the
            splits were made with; the same ones on the same files make the same splits.
        file_check: what the check of the files has found; `None` without files, or unchecked.
        source_settings: the kind of source that a command line can name, and what else is needed
            to read another one in the same way (see `keras_tl.data.specs`); JSON types.
    """

    splits: dict[str, ImageSplit]
    task: str
    class_names: tuple[str, ...]
    image_size: tuple[int, int] | None = None
    resize: str = "crop"
    augmentation: Augmentation = "standard"
    split_settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    source_settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    file_check: FileCheck | None = None

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike,
        image_size: ImageSize = None,
        validation_split: float = 0.15,
        test_split: float = 0.15,
        seed: int = 0,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Reads a folder of class folders.

        `root/<class>/*` is split here, stratified and seeded. Where `root/train/<class>/*`
        exists, it and `root/validation` (also `valid`, `val`) and `root/test` are taken as they
        are; a missing validation set is taken from train.

        Args:
            root: the folder. Images are JPEG, PNG, BMP, GIF or WebP, at any depth below their
                class folder.
            image_size: see `DataOptions`, and so for all that follow.
            validation_split: share of the images that are not test images.
            test_split: share of all images; ignored where `root/train` exists.
            seed: seed of the splits.
            options: the others of `DataOptions`.

        Raises:
            DataError: no folder, no or only one class, an empty class, too few images.
            ConfigError: an argument is not as described.
        """
        checked = CheckedOptions(image_size, validation_split, test_split, seed, **options)
        root = Path(root)
        splits, class_names = scan_folder(root)
        if split_folders(root)["train"] != root:
            checked = dataclasses.replace(checked, test_split=0.0)
        task = task_of_classes(class_names)
        return cls._make(splits, task, class_names, checked, {"kind": "folder"})

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike,
        image: str = "path",
        label: str | Sequence[str] = "label",
        root: str | os.PathLike | None = None,
        split: str | None = None,
        separator: str | None = None,
        task: str | None = None,
        class_names: Sequence[str] | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Reads a CSV file of image paths and labels.

        Labels are text, a class each. A column of numbers is the target of a regression, unless
        `task` or `class_names` make them numbers of classes; text with leading zeros, such as
        007, is no number. Several labels in a cell, separated by `;` or `|`, or several columns of
        0 and 1, are multi-label data.

        Args:
            path: the file: UTF-8, its first line names the columns, which are separated by
                commas, semicolons or tabs.
            image: the column of paths, absolute or starting from `root`.
            label: the column of labels; or a list of columns, one for each label.
            root: the folder that paths start from; `None`: that of the CSV file.
            split: a column that says `train`, `validation` (also `valid`, `val`) or `test`. The
                splits are then taken as they are; a missing validation set is taken from train.
            separator: what separates several labels in a cell, such as `","`; cells with one or
                none are multi-label data too. `None`: `;` and `|`, where a cell holds one.
            task: `"multiclass"`, `"binary"`, `"multilabel"` or `"regression"`; `None`: as above.
            class_names: the classes' names; `None`: the sorted distinct labels, or the columns.
            options: see `DataOptions`; `test_split` is ignored where a column says the splits.

        Raises:
            DataError: no such file or column, an empty cell (the message names the lines), or none
                of the images exists.
            ConfigError: an argument is not as described.
        """
        checked = CheckedOptions(**options)
        columns = Columns(image, label, split, separator, task, class_names)
        table = read_csv(Path(path), columns.names)
        splits, coder = columns.read(table, Path(path).parent if root is None else root)
        return cls._from_table(splits, coder, columns, root, checked)

    @classmethod
    def from_dataframe(
        cls,
        frame: Any,
        image: Hashable = "path",
        label: Column = "label",
        root: str | os.PathLike | None = None,
        split: Hashable | None = None,
        separator: str | None = None,
        task: str | None = None,
        class_names: Sequence[str] | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Takes a `pandas.DataFrame` of image paths and labels.

        As `from_csv`, but for the types: a column of numbers is the target of a regression (unless
        `task` or `class_names` make them numbers of classes), booleans are two classes, and
        cells may also be lists of labels.

        Args:
            frame: the data frame.
            image: the column of paths, absolute or starting from `root`.
            label: the column of labels; or a list of columns, one for each label.
            root: the folder that paths start from; `None`: the working directory.
            split: see `from_csv`, and so for all that follow.
            separator: what separates several labels in a cell.
            task: the task, where the labels could be taken for something else.
            class_names: the classes' names.
            options: see `DataOptions`.

        Raises:
            DataError: no such column, an empty cell (the message names the rows), or none of the
                images exists.
            ConfigError: an argument is not as described.
        """
        checked = CheckedOptions(**options)
        columns = Columns(image, label, split, separator, task, class_names)
        splits, coder = columns.read(read_frame(frame, columns.names), root)
        return cls._from_table(splits, coder, columns, root, checked)

    @classmethod
    def _from_table(
        cls,
        splits: dict[str, ImageSplit],
        coder: LabelCoder,
        columns: Columns,
        root: str | os.PathLike | None,
        options: CheckedOptions,
    ) -> Self:
        if columns.split is not None:
            options = dataclasses.replace(options, test_split=0.0)
        settings = columns.settings(root)
        return cls._make(splits, coder.task, coder.class_names, options, settings)

    @classmethod
    def from_tfds(
        cls,
        name: str,
        data_dir: str | os.PathLike | None = None,
        download: bool = True,
        image: str | None = None,
        label: str | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Reads an image data set of TensorFlow Datasets (https://www.tensorflow.org/datasets).

        Of its splits, `train`, `validation` and `test` are taken as they are, others are left out,
        and so is one whose labels are not published (all -1). A missing test or validation set is
        taken from train, and a single split is train, whatever its name. The images are written
        once as files below `$KERAS_TL_CACHE/datasets` (`~/.cache/keras_tl/datasets`).

        Args:
            name: the data set's name, such as `"tf_flowers"` or `"cifar10_corrupted/fog_1"`; also
                one of your own that was prepared in `data_dir`, whose code is not needed.
            data_dir: the folder of prepared data sets; `None`: tfds's, `~/tensorflow_datasets`.
            download: download and prepare a data set that is not there.
            image: the feature that is the image; `None`: the one there is.
            label: the feature that is the label: a class, a list of classes (multi-label data), a
                number (a regression) or a text; `None`: the one there is.
            options: see `DataOptions`.

        Raises:
            DataError: there is no such data set, it cannot be fetched, or it is not of images
                with a label.
            CacheError: the images cannot be written.
            ConfigError: an argument is not as described.
        """
        checked = CheckedOptions(**options | {"check": False})
        found = read_builder(name, data_dir, download, image, label)
        splits, coder = code_splits(found.splits, found.class_names, found.task)
        settings = {
            "kind": "tfds",
            "data_dir": None if data_dir is None else os.fspath(data_dir),
            "image": image,
            "label": label,
        }
        return cls._make(splits, coder.task, coder.class_names, checked, settings)

    @classmethod
    def from_tfdata(
        cls,
        dataset: tf.data.Dataset,
        validation: tf.data.Dataset | None = None,
        test: tf.data.Dataset | None = None,
        class_names: Sequence[str] | None = None,
        task: str | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Takes a `tf.data.Dataset` of (image, label), batched or not, which must end.

        It is read once, and its images are written as files below `$KERAS_TL_CACHE/datasets`
        (`~/.cache/keras_tl/datasets`), in a folder named after what they are: the same ones
        in the same order are found again. So leave out shuffling: it is done in training.

        Args:
            dataset: pairs, or dictionaries with `"image"` and `"label"`. Images are (height,
                width, 3), or (height, width) or (height, width, 1) for grey, of any sizes, with
                values in [0, 255], which are rounded; or the bytes of image files. Labels are
                integers, texts, or rows of 0 and 1 (multi-label data, but rows with a single 1
                each are classes); floating-point numbers for a regression.
            validation: a validation split; `None`: taken from `dataset`.
            test: a test split; `None`: taken from `dataset`.
            class_names: the classes' names; `None`: those that `dataset.class_names` says, as
                Keras's `image_dataset_from_directory` does, or the sorted distinct labels.
            task: `"multiclass"`, `"binary"`, `"multilabel"` or `"regression"`; `None`: as above.
            options: see `DataOptions`.

        Raises:
            DataError: shapes, values or labels are not as described, or the data set never ends
                or fails; nothing is kept.
            CacheError: the images cannot be written.
            ConfigError: an argument is not as described.
        """
        checked = CheckedOptions(**options | {"check": False})
        given = {"train": dataset, "validation": validation, "test": test}
        stored = store_by_content(
            {name: read_dataset(part, name) for name, part in given.items() if part is not None}
        )
        if class_names is None:
            class_names = getattr(dataset, "class_names", None)
        splits, coder = code_splits(stored, class_names, task)
        return cls._make(splits, coder.task, coder.class_names, checked)

    @classmethod
    def from_arrays(
        cls,
        x: np.ndarray,
        y: Sequence,
        validation: tuple[np.ndarray, Sequence] | None = None,
        test: tuple[np.ndarray, Sequence] | None = None,
        class_names: Sequence[str] | None = None,
        task: str | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Takes images that are in memory.

        Args:
            x: (n, height, width, 3), or (n, height, width) for grey; values in [0, 255].
            y: n labels: any values, or integers that count `class_names`; rows of 0 and 1, or lists
                of names, where an image can have several labels; floating-point numbers for a
                regression.
            validation: (x, y) of a validation split; `None`: taken from `x`.
            test: (x, y) of a test split; `None`: taken from `x`.
            class_names: the classes' names; `None`: the sorted distinct labels.
            task: `"multiclass"`, `"binary"`, `"multilabel"` or `"regression"`; `None`: as above.
            options: see `DataOptions`.

        Raises:
            DataError: shapes, values or labels are not as described.
            ConfigError: another argument is not.
        """
        checked = CheckedOptions(**options)
        given = {"train": (x, y), "validation": validation, "test": test}
        given = {
            name: (check_pixels(pair[0], name), pair[1])
            for name, pair in given.items()
            if pair is not None
        }
        splits, coder = code_splits(given, class_names, task)
        return cls._make(splits, coder.task, coder.class_names, checked)

    @classmethod
    def digits(cls, image_size: ImageSize = None, **options: Unpack[DataOptions]) -> Self:
        """The 1,797 handwritten digits (8 x 8, grey) that ship with scikit-learn.

        Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998.
        """
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels = (digits.images * (255 / digits.images.max())).astype(np.float32)
        options = {"augmentation": "no-flip"} | options
        data = cls.from_arrays(pixels, digits.target, image_size=image_size, **options)
        return dataclasses.replace(data, source_settings={"kind": "digits"})

    @classmethod
    def _make(
        cls,
        splits: dict[str, ImageSplit],
        task: str,
        class_names: tuple[str, ...],
        options: CheckedOptions,
        source_settings: dict[str, Any] | None = None,
    ) -> Self:
        file_check = None
        if options.check:
            splits, file_check = without_bad_files(
                splits, class_names, options.max_bad, options.verbose
            )
        settings = options.split_settings()
        splits = dict(splits)
        for name in ("test", "validation"):
            if name not in splits:
                train, fraction = splits["train"], settings[f"{name}_split"]
                stay, out = take_out(train.labels, fraction, class_names, options.seed, name)
                if len(out):
                    splits |= {"train": train.take(stay), name: train.take(out)}
        return cls(
            {s: splits[s] for s in SPLITS if s in splits},
            task,
            class_names,
            options.image_size,
            options.resize,
            options.augmentation,
            settings,
            source_settings or {},
            file_check,
        )

    def subset(
        self,
        classes: Sequence[str] | None = None,
        per_class: int | None = None,
        seed: int = 0,
    ) -> Self:
        """The same splits with fewer classes, or with fewer training images.

        Args:
            classes: the names of the classes to keep, in the order they are to have; `None`: all.
            per_class: at most so many training images of each class, drawn at random; the
                other splits stay as they are. `None`: all.
            seed: seed of the draw.

        Raises:
            ConfigError: a class is unknown, or there are fewer than two, or the images do not
                have one class each.
        """
        if self.task not in ("multiclass", "binary"):
            raise ConfigError(f"A subset needs images of one class each; these are {self.task}.")
        names = self.class_names if classes is None else tuple(classes)
        for name in names:
            if name not in self.class_names:
                raise ConfigError(unknown("class", name, self.class_names))
        if len(set(names)) < max(len(names), 2):
            raise ConfigError(f"Expected at least two different classes. Received: {names}.")
        numbers = np.full(len(self.class_names), -1, np.int64)
        numbers[[self.class_names.index(name) for name in names]] = range(len(names))
        splits = {name: _relabelled(split, numbers) for name, split in self.splits.items()}
        if per_class is not None:
            check_range("per_class", per_class, 1, whole=True)
            train = splits["train"]
            order = np.random.default_rng(seed).permutation(len(train))
            drawn = [order[train.labels[order] == c][:per_class] for c in range(len(names))]
            splits["train"] = train.take(np.sort(np.concatenate(drawn)))
        task = self.task if classes is None else task_of_classes(names)
        return dataclasses.replace(self, splits=splits, task=task, class_names=names)

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
            "source_settings": self.source_settings,
            "splits": {
                name: {"items": len(split), "fingerprint": _fingerprint(split)}
                for name, split in self.splits.items()
            },
        }

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split)} {name}" for name, split in self.splits.items())
        counted = "labels" if self.task == "multilabel" else "classes"
        kind = f"{len(self.class_names)} {counted}" if self.class_names else self.task
        return f"ImageData({kind}: {sizes})"


def _relabelled(split: ImageSplit, numbers: np.ndarray) -> ImageSplit:
    """The rows whose class has a new number, -1 standing for none."""
    labels = numbers[split.labels]
    kept = split.take(np.flatnonzero(labels >= 0))
    return dataclasses.replace(kept, labels=labels[labels >= 0])


def _fingerprint(split: ImageSplit) -> str | None:
    # A file that has gone since must not keep a trained run from being saved.
    try:
        return split.fingerprint()
    except DataError:
        return None
