"""`ImageData`: labelled images, split for training, validation and test."""

import dataclasses
import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np
import tensorflow as tf

from keras_tl.base.files import local_path
from keras_tl.data.folders.class_folders import scan_folder
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.data.images.file_check import FileCheck, check_splits
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_options import CheckedOptions, DataOptions, ImageSize
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.stored_images import store_by_content
from keras_tl.data.images.tf_datasets import read_dataset
from keras_tl.data.images.value_range import ValueRange
from keras_tl.data.item_checks import BadRows
from keras_tl.data.labelled_data import LabelledData, LabelledItems
from keras_tl.data.pixels import check_pixels
from keras_tl.data.tables.columns import Columns, image_paths
from keras_tl.data.tables.csv_files import read_csv
from keras_tl.data.tables.label_columns import Column, LabelColumns
from keras_tl.data.tables.table import read_frame
from keras_tl.data.tfds.image_builders import read_builder
from keras_tl.errors import ConfigError
from keras_tl.tasks.labels.task_choice import read_splits


@dataclasses.dataclass(frozen=True, repr=False)
class ImageData(LabelledData[ImageSplit]):
    """Labelled images in three splits, made by one of the `from_` methods or by `digits`.

    Attributes:
        image_size: (height, width) for training. `None` means the image size of the backbone.
        resize: Method to reach this size: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.images.decoder.resize`).
        augmentation: Augmentation that `augment=True` selects for these data.
        value_range: Values of black and white in 16-bit PNG files. `None` means (0, 65535).
    """

    item = "image"

    image_size: tuple[int, int] | None = None
    resize: str = "crop"
    augmentation: Augmentation = "standard"
    value_range: ValueRange = None

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike,
        image_size: ImageSize = None,
        validation_split: float = 0.15,
        test_split: float = 0.15,
        seed: int = 0,
        classes: Sequence[str] | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read a folder of class folders.

        Images in `root/<class>/*` are split here, stratified and with a seed. If
        `root/train/<class>/*` (also `training`) exists, the split folders are used as they are:
        train, `root/validation` (also `valid`, `val`, `dev`, `eval`) and `root/test` (also
        `testing`). A missing validation split is drawn from train. Names such as `seg_train` and
        `test_images` are splits if one of them contains the word train. A split folder without
        class folders has no labels and is not used.

        Args:
            root: The folder. Images are JPEG, PNG, BMP, GIF or WebP, at any depth in their class
                folder.
            image_size: See `DataOptions`, also for all arguments below.
            validation_split: Share of the images left after the test split.
            test_split: Share of all images. Ignored if `root/train` exists.
            seed: Seed of the splits.
            classes: Names of the class folders to read, in class order. They mark these folders as
                classes, not splits. `None` means all.
            options: The other `DataOptions`.

        Raises:
            DataError: Missing folder, fewer than two classes, an empty class, too few images, or
                folders that could be splits or classes.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedOptions(
            image_size=image_size,
            validation_split=validation_split,
            test_split=test_split,
            seed=seed,
            **options,
        )
        return cls._of(scan_folder(local_path(root), IMAGE_FILES, classes), checked)

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
        slices: Sequence[Hashable] = (),
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read a CSV file of image paths and labels.

        Each text label is a class. Whole numbers are classes if two of three hold: at most 20
        distinct values, most occur more than once, they count up from 0 or 1. They are also classes
        if the median number of occurrences is at least 10. Other numbers are regression targets.
        Text with leading zeros, such as 007, is not a number. Cells with several labels, separated
        by `;` or `|`, are multi-label data if at least half of these labels occur in other cells
        too. Several columns of 0 and 1, or of -1 and 1, are multi-label data too. If each row has a
        single 1, they are classes. `repr` of the data and the check `label-type` report each guess.
        `task` overrides it.

        Args:
            path: The file, in UTF-8, or in UTF-16 with a byte order mark. Its first line names the
                columns. Commas, semicolons or tabs separate the columns.
            image: Column of paths, absolute or relative to `root`.
            label: Column of labels, or a list of columns, one for each label.
            root: Folder that relative paths start from. `None` means the folder of the CSV file.
            split: Column with the values `train`, `validation` (also `valid`, `val`, `dev`, `eval`)
                or `test`. It defines the splits. A missing validation split is drawn from train.
            separator: Separator of several labels in a cell, such as `","`. Cells with one label or
                none are then multi-label data too. `None` means `;` or `|`, if at least half of the
                parts occur in other cells.
            task: A name in `keras_tl.tasks.TASKS`. `None` means the rules above.
            class_names: Names of the classes. `None` means the sorted distinct labels, or the
                column names.
            slices: Columns to keep, such as `["camera"]`, to group results with
                `learner.evaluate(by="camera")`.
            options: See `DataOptions`. `test_split` is ignored if `split` is given.

        Raises:
            DataError: The file or a column does not exist, a cell is empty (the message names the
                lines), or none of the images exists.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedOptions(**options)
        kept = checked.kept(slices)
        columns = _columns(image, LabelColumns(label, separator, task, class_names), split, kept)
        path = local_path(path)
        table = read_csv(path, columns.wanted)
        paths = image_paths(table, image, path.parent if root is None else root)
        return cls._of(columns.read(table, paths, root=_text(root)), checked)

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
        slices: Sequence[Hashable] = (),
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read a `pandas.DataFrame` of image paths and labels.

        Labels follow the rules of `from_csv`, but types count. Text is never a number, booleans are
        two classes, a Categorical gives the class order, and a cell may be a list of labels.

        Args:
            frame: The data frame.
            image: Column of paths, absolute or relative to `root`.
            label: Column of labels, or a list of columns, one for each label.
            root: Folder that relative paths start from. `None` means the working directory.
            split: See `from_csv`, also for all arguments below.
            separator: Separator of several labels in a cell.
            task: The task, if the labels are ambiguous.
            class_names: Names of the classes.
            slices: Columns to keep, such as `["camera"]`, to group results with
                `learner.evaluate(by="camera")`.
            options: See `DataOptions`.

        Raises:
            DataError: A column does not exist, a cell is empty (the message names the rows), or
                none of the images exists.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedOptions(**options)
        kept = checked.kept(slices)
        columns = _columns(image, LabelColumns(label, separator, task, class_names), split, kept)
        table = read_frame(frame, columns.wanted)
        paths = image_paths(table, image, root)
        return cls._of(columns.read(table, paths, root=_text(root)), checked)

    @classmethod
    def from_tfds(
        cls,
        name: str,
        data_dir: str | os.PathLike | None = None,
        download: bool = True,
        image: str | None = None,
        label: str | None = None,
        task: str | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read an image data set of TensorFlow Datasets (https://www.tensorflow.org/datasets).

        Uses only its splits `train`, `validation` and `test`, and skips splits with unpublished
        labels (all -1). A missing test or validation split is drawn from train. A single split is
        train, whatever its name. Writes the images once as files below `$KERAS_TL_CACHE/datasets`
        (`~/.cache/keras_tl/datasets`).

        Args:
            name: Name of the data set, such as `"tf_flowers"` or `"cifar10_corrupted/fog_1"`. Also
                a data set of your own, prepared in `data_dir`. Its code is not needed.
            data_dir: Folder of prepared data sets. `None` means `~/tensorflow_datasets`, the
                default of TensorFlow Datasets.
            download: Whether to download and prepare a data set that is not in `data_dir`.
            image: Image feature. `None` means the only one, or the usual one.
            label: Label feature: a class, a list of classes (multi-label data), a number (see
                `from_csv`) or a text. `None` means the only one, or the usual one.
            task: A name in `keras_tl.tasks.TASKS`. `None` means that the data set or its labels
                decide, see `from_csv`.
            options: See `DataOptions`.

        Raises:
            DataError: The data set does not exist, cannot be downloaded, or has no images with
                labels.
            CacheError: The images cannot be written.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedOptions(**options | {"check": False})
        return cls._of(read_builder(name, data_dir, download, image, label, task), checked)

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
        """Read a finite `tf.data.Dataset` of (image, label), batched or not.

        Reads the data set once and writes its images as files below `$KERAS_TL_CACHE/datasets`
        (`~/.cache/keras_tl/datasets`). A hash of the content names the folder, so the same images
        in the same order are reused. Do not shuffle the data set: training shuffles.

        Args:
            dataset: Pairs, or dictionaries with `"image"` and `"label"`. Images are
                (height, width, 3), or (height, width) or (height, width, 1) for grey, of any size.
                Values are in [0, 255] and are rounded. Images may also be the bytes of image files.
                Labels are integers, texts, or rows of 0 and 1 (multi-label data, or classes if each
                row has a single 1). Numbers follow the rules of `from_csv`.
            validation: Validation split. `None` means drawn from `dataset`.
            test: Test split. `None` means drawn from `dataset`.
            class_names: Names of the classes. `None` means `dataset.class_names`, which
                `image_dataset_from_directory` of Keras sets, or else the sorted distinct labels.
            task: A name in `keras_tl.tasks.TASKS`. `None` means the rules of `from_csv`.
            options: See `DataOptions`.

        Raises:
            DataError: Shapes, values or labels are invalid, or the data set is infinite or fails.
                No files are kept.
            CacheError: The images cannot be written.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedOptions(**options | {"check": False})
        given = {"train": dataset, "validation": validation, "test": test}
        stored = store_by_content(
            {name: read_dataset(part, name) for name, part in given.items() if part is not None}
        )
        if class_names is None:
            class_names = getattr(dataset, "class_names", None)
        return cls._of(LabelledItems(*read_splits(stored, cls.item, class_names, task)), checked)

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
        """Take images and labels from memory.

        Args:
            x: Images (n, height, width, 3), or (n, height, width) for grey, in [0, 255]. An alpha
                channel, second or fourth, is dropped.
            y: Labels (n,) or (n, 1): any values, or integers that index `class_names`. Numbers and
                texts follow the rules of `from_csv`. Multi-label data are rows of 0 and 1, or lists
                of names. A pandas Series, Categorical or DataFrame follows the rules of
                `from_dataframe`.
            validation: (x, y) of the validation split. `None` means drawn from `x`.
            test: (x, y) of the test split. `None` means drawn from `x`.
            class_names: Names of the classes. `None` means the sorted distinct labels.
            task: A name in `keras_tl.tasks.TASKS`. `None` means the rules of `from_csv`.
            options: See `DataOptions`.

        Raises:
            DataError: Shapes, values or labels are invalid.
            ConfigError: Another argument has an invalid value.
        """
        checked = CheckedOptions(**options)
        if checked.value_range is not None:
            raise ConfigError(
                f"value_range={checked.value_range} works only for 16-bit image files. These "
                "images are arrays. Scale the arrays to [0, 255] and leave value_range out."
            )
        given = {"train": (x, y), "validation": validation, "test": test}
        given = {
            name: (check_pixels(pair[0], name), pair[1])
            for name, pair in given.items()
            if pair is not None
        }
        return cls._of(LabelledItems(*read_splits(given, cls.item, class_names, task)), checked)

    @classmethod
    def digits(cls, image_size: ImageSize = None, **options: Unpack[DataOptions]) -> Self:
        """Load the 1,797 handwritten digits (8 x 8, grey) of scikit-learn.

        Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998.
        """
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels = (digits.images * (255 / digits.images.max())).astype(np.float32)
        options = {"augmentation": "no-flip"} | options
        names = [*map(str, digits.target_names)]
        data = cls.from_arrays(
            pixels, digits.target, class_names=names, image_size=image_size, **options
        )
        return dataclasses.replace(data, source_settings={"kind": "digits"})

    _split = ImageSplit

    @property
    def model_fields(self) -> dict[str, Any]:
        """Fields of `ModelConfig` that decide how files become pixels."""
        return {"resize": self.resize, "value_range": self.value_range}

    @staticmethod
    def _check(
        source: LabelledItems,
        splits: Mapping[str, ImageSplit],
        class_names: tuple[str, ...],
        options: CheckedOptions,
    ) -> tuple[BadRows, FileCheck | None]:
        if not options.check:
            return {}, None
        return check_splits(splits, class_names, options.max_bad, options.verbose)

    def _own_settings(self) -> dict[str, Any]:
        value_range = {} if self.value_range is None else {"value_range": [*self.value_range]}
        return {"resize": self.resize} | value_range


def _text(path: str | os.PathLike | None) -> str | None:
    return None if path is None else os.fspath(path)


def _columns(
    image: Hashable, labels: LabelColumns, split: Hashable | None, slices: Sequence[Hashable]
) -> Columns:
    return Columns(ImageData.item, "image paths", {"image": image}, labels, split, slices)
