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
from keras_tl.data.images.file_check import FileCheck, bad_files
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_options import CheckedOptions, DataOptions, ImageSize
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.stored_images import store_by_content
from keras_tl.data.images.tf_datasets import read_dataset
from keras_tl.data.images.value_range import ValueRange
from keras_tl.data.item_checks import BadRows
from keras_tl.data.labelled_data import LabelledData, Source
from keras_tl.data.pixels import check_pixels
from keras_tl.data.tables.columns import Columns, image_paths
from keras_tl.data.tables.csv_files import read_csv
from keras_tl.data.tables.label_columns import Column, LabelColumns
from keras_tl.data.tables.table import read_frame
from keras_tl.data.tfds.image_builders import read_builder
from keras_tl.errors import ConfigError
from keras_tl.tasks.labels.reading import read_splits


@dataclasses.dataclass(frozen=True, repr=False)
class ImageData(LabelledData[ImageSplit]):
    """Labelled images in three splits. Make one with one of the `from_` methods, or `digits`.

    Attributes:
        image_size: (height, width) to train at; `None` means the backbone's own.
        resize: how images get there: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.images.decoder.resize`).
        augmentation: what `augment=True` means for these data.
        value_range: the values of black and of white in PNG files of 16 bits a value; `None`:
            (0, 65535).
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
        """Reads a folder of class folders.

        `root/<class>/*` is split here, stratified and seeded. Where `root/train/<class>/*` (also
        `training`) exists, it and `root/validation` (also `valid`, `val`, `dev`, `eval`) and
        `root/test` (also `testing`) are taken as they are; a missing validation set is taken from
        train. Names such as `seg_train` and `test_images` are splits if one of them contains the
        word train. A split folder without class folders has no labels and is passed over.

        Args:
            root: the folder. Images are JPEG, PNG, BMP, GIF or WebP, at any depth below their
                class folder.
            image_size: see `DataOptions`, and so for all that follow.
            validation_split: share of the images that are not test images.
            test_split: share of all images; ignored where `root/train` exists.
            seed: seed of the splits.
            classes: the names of the class folders to read, in the order of the classes; they also
                say that these are classes, not splits. `None`: all.
            options: the others of `DataOptions`.

        Raises:
            DataError: no folder, no or only one class, an empty class, too few images, or folders
                that may be splits or classes.
            ConfigError: an argument is not as described.
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
        """Reads a CSV file of image paths and labels.

        Labels are text, a class each. A column of whole numbers is classes too where two of three
        hold: there are at most 20 different ones, most stand more than once, they count up from 0
        or 1; or where the median number occurs at least 10 times. Other numbers are the targets of
        a regression. Text with leading zeros, such as 007,
        is no number. Several labels in a cell, separated by `;` or `|`, are multi-label data where
        most of them stand in other cells too. So are several columns of 0 and 1, or of -1 and 1,
        unless each row has a single 1: then they are classes. `repr` of the data and the check
        `label-type` say what was guessed; `task` decides.

        Args:
            path: the file, in UTF-8, or in UTF-16 with a byte order mark. Its first line names the
                columns, which are separated by commas, semicolons or tabs.
            image: the column of paths, absolute or starting from `root`.
            label: the column of labels; or a list of columns, one for each label.
            root: the folder that paths start from; `None`: that of the CSV file.
            split: a column that says `train`, `validation` (also `valid`, `val`, `dev`, `eval`) or
                `test`. The splits are then taken as they are; a missing validation set is taken
                from train.
            separator: what separates several labels in a cell, such as `","`; cells with one or
                none are multi-label data too. `None`: `;` or `|`, if at least half of the parts
                occur in other cells.
            task: a name in `keras_tl.tasks.TASKS`; `None`: as above.
            class_names: the classes' names; `None`: the sorted distinct labels, or the columns.
            slices: columns to keep, such as `["camera"]`: `learner.evaluate(by="camera")` makes
                groups by them.
            options: see `DataOptions`; `test_split` is ignored where a column says the splits.

        Raises:
            DataError: no such file or column, an empty cell (the message names the lines), or none
                of the images exists.
            ConfigError: an argument is not as described.
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
        """Takes a `pandas.DataFrame` of image paths and labels.

        As `from_csv`, but for the types: text is never a number, booleans are two classes, the
        classes of a Categorical keep its order, and cells may also be lists of labels.

        Args:
            frame: the data frame.
            image: the column of paths, absolute or starting from `root`.
            label: the column of labels; or a list of columns, one for each label.
            root: the folder that paths start from; `None`: the working directory.
            split: see `from_csv`, and so for all that follow.
            separator: what separates several labels in a cell.
            task: the task, where the labels could be taken for something else.
            class_names: the classes' names.
            slices: columns to keep, such as `["camera"]`: `learner.evaluate(by="camera")` makes
                groups by them.
            options: see `DataOptions`.

        Raises:
            DataError: no such column, an empty cell (the message names the rows), or none of the
                images exists.
            ConfigError: an argument is not as described.
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
                number (see `from_csv`) or a text; `None`: the one there is.
            task: a name in `keras_tl.tasks.TASKS`; `None`: what the
                data set or its labels say, see `from_csv`.
            options: see `DataOptions`.

        Raises:
            DataError: there is no such data set, it cannot be fetched, or it is not of images
                with a label.
            CacheError: the images cannot be written.
            ConfigError: an argument is not as described.
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
        """Takes a `tf.data.Dataset` of (image, label), batched or not, which must end.

        It is read once, and its images are written as files below `$KERAS_TL_CACHE/datasets`
        (`~/.cache/keras_tl/datasets`), in a folder named after what they are: the same ones
        in the same order are found again. So leave out shuffling: it is done in training.

        Args:
            dataset: pairs, or dictionaries with `"image"` and `"label"`. Images are (height,
                width, 3), or (height, width) or (height, width, 1) for grey, of any sizes, with
                values in [0, 255], which are rounded; or the bytes of image files. Labels are
                integers, texts, or rows of 0 and 1 (multi-label data, but rows with a single 1
                each are classes); numbers are read as `from_csv` reads them.
            validation: a validation split; `None`: taken from `dataset`.
            test: a test split; `None`: taken from `dataset`.
            class_names: the classes' names; `None`: those that `dataset.class_names` says, as
                Keras's `image_dataset_from_directory` does, or the sorted distinct labels.
            task: a name in `keras_tl.tasks.TASKS`; `None`: as above.
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
        return cls._of(Source(*read_splits(stored, cls.item, class_names, task)), checked)

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
            x: (n, height, width, 3), or (n, height, width) for grey; values in [0, 255]. An alpha
                channel, the second or the fourth, is left out.
            y: n labels, also of shape (n, 1): any values, or integers that count `class_names`;
                numbers and texts are read as `from_csv` reads them. Rows of 0 and 1, or lists of
                names, where an image can have several labels. A pandas Series, Categorical or
                DataFrame of columns is taken as `from_dataframe` takes it.
            validation: (x, y) of a validation split; `None`: taken from `x`.
            test: (x, y) of a test split; `None`: taken from `x`.
            class_names: the classes' names; `None`: the sorted distinct labels.
            task: a name in `keras_tl.tasks.TASKS`; `None`: as above.
            options: see `DataOptions`.

        Raises:
            DataError: shapes, values or labels are not as described.
            ConfigError: another argument is not.
        """
        checked = CheckedOptions(**options)
        if checked.value_range is not None:
            raise ConfigError(
                f"value_range={checked.value_range} is for image files of 16 bits, and these "
                "images are arrays. Scale them to [0, 255] and leave value_range out."
            )
        given = {"train": (x, y), "validation": validation, "test": test}
        given = {
            name: (check_pixels(pair[0], name), pair[1])
            for name, pair in given.items()
            if pair is not None
        }
        return cls._of(Source(*read_splits(given, cls.item, class_names, task)), checked)

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
        names = [*map(str, digits.target_names)]
        data = cls.from_arrays(
            pixels, digits.target, class_names=names, image_size=image_size, **options
        )
        return dataclasses.replace(data, source_settings={"kind": "digits"})

    _split = ImageSplit

    @property
    def model_fields(self) -> dict[str, Any]:
        """How files become pixels."""
        return {"resize": self.resize, "value_range": self.value_range}

    @staticmethod
    def _check(
        source: Source,
        splits: Mapping[str, ImageSplit],
        class_names: tuple[str, ...],
        options: CheckedOptions,
    ) -> tuple[BadRows, FileCheck | None]:
        if not options.check:
            return {}, None
        return bad_files(splits, class_names, options.max_bad, options.verbose)

    def _own_settings(self) -> dict[str, Any]:
        value_range = {} if self.value_range is None else {"value_range": [*self.value_range]}
        return {"resize": self.resize} | value_range


def _text(path: str | os.PathLike | None) -> str | None:
    return None if path is None else os.fspath(path)


def _columns(
    image: Hashable, labels: LabelColumns, split: Hashable | None, slices: Sequence[Hashable]
) -> Columns:
    return Columns(ImageData.item, "image paths", {"image": image}, labels, split, slices)
