"""`ImageData`: labelled images, split for training, validation and test."""

import dataclasses
import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_tl.base.choices import Resize
from keras_tl.base.files import local_path
from keras_tl.data.folders.class_folders import scan_folder
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.data.images.file_check import FileCheck, check_splits
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_options import CheckedOptions, DataOptions
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.stored_images import store_by_content
from keras_tl.data.images.tf_datasets import read_dataset
from keras_tl.data.images.value_range import ValueRange
from keras_tl.data.item_checks import BadRows
from keras_tl.data.labelled_data import LabelledData, LabelledItems, given_splits
from keras_tl.data.pixels import check_pixels
from keras_tl.data.tables.columns import Columns, image_paths
from keras_tl.data.tables.label_columns import Column, LabelColumns
from keras_tl.data.tables.table import read_frame
from keras_tl.data.tables.table_files import read_csv
from keras_tl.data.tfds.image_builders import read_builder
from keras_tl.errors import ConfigError
from keras_tl.tasks.labels.task_choice import read_splits


@dataclasses.dataclass(frozen=True, repr=False)
class ImageData(LabelledData[ImageSplit]):
    """Labelled images in three splits. Make the object with a `from_` method or with `digits`.

    Attributes:
        image_size: (height, width) of the model inputs in pixels. `None` means the default image
            size of the backbone.
        resize: Method to resize images to `image_size`: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.images.decoder.resize`).
        augmentation: Augmentation that training with `augment=True` applies to these images.
        value_range: Pixel values of black and of white in 16-bit PNG files. `None`: 0 is black and
            65535 is white.

    Example:
        >>> data.class_names, data.task, data.image_size
        (('blue', 'red'), 'binary', (16, 16))
        >>> {name: len(split) for name, split in data.splits.items()}
        {'train': 24, 'validation': 8, 'test': 8}
    """

    item = "image"

    image_size: tuple[int, int] | None = None
    resize: Resize = "crop"
    augmentation: Augmentation = "standard"  # type: ignore[assignment]  # `False` for texts.
    value_range: ValueRange = None

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike[str],
        *,
        classes: Sequence[str] | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read a folder that holds one folder of images for each class.

        Without split folders, the images in `root/<class>/*` are split at random, stratified by
        class. If `root/train/<class>/*` exists, the folders define the splits: `root/train` (also
        `training`), `root/validation` (also `validate`, `valid`, `val`, `dev`, `development`,
        `eval`, `evaluation`) and `root/test` (also `testing`). Without a validation folder,
        validation images are drawn from the training images at random. Folders with names such as
        `seg_train` and `test_images` also define splits if one of the names contains the word
        train. A split folder without class folders has no labels and is not used.

        Args:
            root: Path of the folder with the class folders or split folders. Images are JPEG, PNG,
                BMP, GIF or WebP files, at any depth in a class folder.
            classes: Names of the class folders to read, in the order of the classes. A folder named
                in `classes` is a class, never a split. `None`: read all class folders.
            options: Options such as `image_size`, `validation_split`, `test_split` and `seed`, see
                `DataOptions`. `test_split` is ignored if folders define the splits.

        Raises:
            DataError: The folder does not exist, has fewer than two classes, has an empty class,
                has too few images, or has folders that could be either splits or classes.
            ConfigError: An argument has an invalid value.

        Example:
            >>> ktl.ImageData.from_folder("photos/", seed=0).class_names
            ('blue', 'red')
        """
        checked = CheckedOptions(**options)
        return cls._of(scan_folder(local_path(root), IMAGE_FILES, classes), checked)

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        *,
        image: str = "path",
        label: str | Sequence[str] = "label",
        root: str | os.PathLike[str] | None = None,
        split: str | None = None,
        separator: str | None = None,
        task: str | None = None,
        class_names: Sequence[str] | None = None,
        slices: Sequence[Hashable] = (),
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read a CSV file of image paths and labels.

        Each distinct text label is a class. Whole numbers are classes if at least two of three
        conditions hold: there are at most 20 distinct numbers, most numbers occur more than once,
        the numbers count up from 0 or 1. Whole numbers are also classes if at least half of the
        distinct numbers occur 10 times or more. Numbers that are not classes are regression
        targets. A label with leading zeros, such as 007, is a text. Cells with several labels,
        separated by `;` or `|`, are multi-label data if at least half of these labels occur in
        other cells too. Several label columns of 0 and 1, or of -1 and 1, are multi-label data too.
        If each row of several label columns has a single 1, each column is a class. `repr` of the
        data and the preflight check `label-type` report each guess about the labels. The
        argument `task` overrides the rules that choose the task from the labels.

        Args:
            path: Path of the CSV file, in UTF-8, or in UTF-16 with a byte order mark. The first
                line of the file names the columns. Commas, semicolons or tabs separate the columns.
            image: Column of image paths, absolute or relative to `root`.
            label: Column of labels, or a list of columns, one for each label.
            root: Folder from which relative image paths start. `None`: the paths start from the
                folder of the CSV file.
            split: Column with the split of each row: `train` (also `training`), `validation` (also
                `validate`, `valid`, `val`, `dev`, `development`, `eval`, `evaluation`) or `test`
                (also `testing`). If no row is a validation row, validation rows are drawn from the
                training rows. `None` means that the splits are random.
            separator: Text between several labels in a cell, such as `","`. With a separator, the
                data are multi-label data, even if no cell has several labels. `None`: `;` and `|`
                separate labels if at least half of the separated labels occur in other cells too.
            task: Name of the task, see `keras_tl.tasks.TASKS`. `None`: the rules in the
                description of `from_csv` choose the task from the labels.
            class_names: Names of the classes. `None`: the names are the sorted distinct labels, or
                the names of the label columns.
            slices: Further columns to store with the images, such as `["camera"]`. With the column
                `camera`, `learner.evaluate(by="camera")` reports results per camera.
            options: Further options, see `DataOptions`. The option `test_split` is ignored if
                `split` is given.

        Raises:
            DataError: The file or a column does not exist, a cell is empty (the message names the
                lines), or no image file exists.
            ConfigError: An argument has an invalid value.

        Example:
            >>> photos = ktl.ImageData.from_csv("photos.csv", image="path", label="label")
            >>> photos.class_names
            ('blue', 'red')
        """
        checked = CheckedOptions(**options)
        kept = checked.kept(slices)
        labels = LabelColumns(label, separator, task, class_names)
        columns = Columns(cls.item, "image paths", {"image": image}, labels, split, kept)
        path = local_path(path)
        table = read_csv(path, columns.wanted)
        paths = image_paths(table, image, path.parent if root is None else root)
        root = None if root is None else os.fspath(root)
        return cls._of(columns.read(table, paths, root=root), checked)

    @classmethod
    def from_dataframe(
        cls,
        frame: Any,
        *,
        image: Hashable = "path",
        label: Column = "label",
        root: str | os.PathLike[str] | None = None,
        split: Hashable | None = None,
        separator: str | None = None,
        task: str | None = None,
        class_names: Sequence[str] | None = None,
        slices: Sequence[Hashable] = (),
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read a `pandas.DataFrame` of image paths and labels.

        The rules of `from_csv` apply to the labels, but the Python types of the labels matter too.
        A text is never read as a number, booleans are two classes, and a cell may hold a list of
        labels. A pandas Categorical sets the order of the classes.

        Args:
            frame: Data frame with one row for each image.
            image: Column of image paths, absolute or relative to `root`.
            label: Column of labels, or a list of columns, one for each label.
            root: Folder from which relative image paths start. `None`: the paths start from the
                working directory.
            split: Column with the split of each row, see `from_csv`.
            separator: Text between several labels in a cell, see `from_csv`.
            task: Name of the task, see `from_csv`.
            class_names: Names of the classes, see `from_csv`.
            slices: Further columns to store with the images, see `from_csv`.
            options: Further options, see `DataOptions`.

        Raises:
            DataError: A column does not exist, a cell is empty (the message names the rows), or no
                image file exists.
            ConfigError: An argument has an invalid value.

        Example:
            >>> import pandas
            >>> frame = pandas.read_csv("photos.csv")
            >>> ktl.ImageData.from_dataframe(frame, image="path", label="label").class_names
            ('blue', 'red')
        """
        checked = CheckedOptions(**options)
        kept = checked.kept(slices)
        labels = LabelColumns(label, separator, task, class_names)
        columns = Columns(cls.item, "image paths", {"image": image}, labels, split, kept)
        table = read_frame(frame, columns.wanted)
        paths = image_paths(table, image, root)
        root = None if root is None else os.fspath(root)
        return cls._of(columns.read(table, paths, root=root), checked)

    @classmethod
    def from_tfds(
        cls,
        name: str,
        *,
        image: str | None = None,
        label: str | None = None,
        task: str | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        download: bool = True,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read an image data set of TensorFlow Datasets (https://www.tensorflow.org/datasets).

        Reads only the splits `train`, `validation` and `test`, and skips splits with unpublished
        labels (all labels are -1). A missing test or validation split is drawn from the training
        images at random. If the data set has only one split, this split is the training split,
        whatever its name. The first call writes the images as files below
        `$KERAS_TL_CACHE/datasets` (`~/.cache/keras_tl/datasets`). Later calls for the same data set
        reuse the image files.

        Args:
            name: Name of the data set, such as `"tf_flowers"` or `"cifar10_corrupted/fog_1"`. Your
                own data sets work too, even without their Python code, if they are prepared in
                `data_dir`.
            image: Name of the image feature. `None`: use the declared input of the data set, else
                the feature `"image"`, else the only image feature.
            label: Name of the label feature. A label is a class, a list of classes (multi-label
                data), a number (see `from_csv`) or a text. `None`: use the declared label of the
                data set, else the feature `"label"`, else the only feature that can be a label.
            task: Name of the task, see `keras_tl.tasks.TASKS`. `None`: the type of the label
                feature decides. If the type of the feature is not enough, the rules of `from_csv`
                choose the task from the labels.
            data_dir: Folder of prepared data sets. `None` means `~/tensorflow_datasets`, the
                default of TensorFlow Datasets.
            download: Whether to download and prepare a data set that is not in `data_dir`.
            options: Further options, see `DataOptions`.

        Raises:
            DataError: The data set does not exist, cannot be downloaded, or has no images with
                labels.
            CacheError: The image files cannot be written to the cache folder.
            ConfigError: An argument has an invalid value.

        Example:
            >>> animals = ktl.ImageData.from_tfds("tiny", data_dir="tfds/images", download=False)
            >>> animals.class_names
            ('cat', 'dog', 'emu')
        """
        given_options: DataOptions = {**options, "check_files": False}
        checked = CheckedOptions(**given_options)
        return cls._of(read_builder(name, data_dir, download, image, label, task), checked)

    @classmethod
    def from_tfdata(
        cls,
        dataset: tf.data.Dataset,
        *,
        validation: tf.data.Dataset | None = None,
        test: tf.data.Dataset | None = None,
        class_names: Sequence[str] | None = None,
        task: str | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Read a finite `tf.data.Dataset` of pairs (image, label), batched or not.

        Reads the data set once and writes the images as files below `$KERAS_TL_CACHE/datasets`
        (`~/.cache/keras_tl/datasets`). The folder name is a hash of the images and labels, so a
        second call with the same data set reuses the files. Do not shuffle the data set, because
        training shuffles the images.

        Args:
            dataset: Data set of pairs (image, label), or of dictionaries with the keys `"image"`
                and `"label"`. Images of any size have the shape (height, width, 3), or (height,
                width) or (height, width, 1) for grey. Pixel values in [0, 255] are rounded to whole
                numbers. Images may also be the bytes of image files. Labels are integers, texts, or
                rows of 0 and 1 (multi-label data, or classes if each row has a single 1). The rules
                of `from_csv` decide whether numbers are classes.
            validation: Data set of the validation split. `None`: draw validation images from
                `dataset` at random.
            test: Data set of the test split. `None`: draw test images from `dataset` at random.
            class_names: Names of the classes. `None`: use `dataset.class_names`, which
                `image_dataset_from_directory` of Keras sets, else the sorted distinct labels.
            task: Name of the task, see `keras_tl.tasks.TASKS`. `None`: the rules of `from_csv`
                choose the task from the labels.
            options: Further options, see `DataOptions`.

        Raises:
            DataError: An image has an invalid shape or invalid values, the labels are invalid,
                `dataset` is infinite, or reading `dataset` fails. After a `DataError`, no image
                files stay on disk.
            CacheError: The image files cannot be written to the cache folder.
            ConfigError: An argument has an invalid value.

        Example:
            >>> import tensorflow as tf
            >>> train = data.split("train")
            >>> pairs = tf.data.Dataset.from_tensor_slices((train.images, train.labels))
            >>> ktl.ImageData.from_tfdata(pairs, class_names=["blue", "red"]).class_names
            ('blue', 'red')
        """
        given_options: DataOptions = {**options, "check_files": False}
        checked = CheckedOptions(**given_options)
        _check_no_limit(checked)
        given = given_splits(dataset, validation, test)
        stored = store_by_content({name: read_dataset(part, name) for name, part in given.items()})
        if class_names is None:
            class_names = getattr(dataset, "class_names", None)
        return cls._of(LabelledItems(*read_splits(stored, cls.item, class_names, task)), checked)

    @classmethod
    def from_arrays(
        cls,
        x: np.ndarray,
        y: Sequence[Any] | ArrayLike,
        *,
        validation: tuple[np.ndarray, Sequence[Any] | ArrayLike] | None = None,
        test: tuple[np.ndarray, Sequence[Any] | ArrayLike] | None = None,
        class_names: Sequence[str] | None = None,
        task: str | None = None,
        **options: Unpack[DataOptions],
    ) -> Self:
        """Make `ImageData` from arrays of images and labels.

        Args:
            x: Array of n images (n, height, width, 3), or (n, height, width) for grey, with values
                in [0, 255]. An alpha channel (the second or fourth channel) is dropped.
            y: Labels of shape (n,) or (n, 1): any values, or integers that index `class_names`. The
                rules of `from_csv` apply to numbers and texts. For multi-label data, pass rows of 0
                and 1, or lists of label names. For a pandas Series, Categorical or DataFrame of
                labels, the rules of `from_dataframe` apply.
            validation: Arrays (x, y) of the validation split. `None`: draw validation images from
                `x` at random.
            test: Arrays (x, y) of the test split. `None`: draw test images from `x` at random.
            class_names: Names of the classes. `None`: the names are the sorted distinct labels.
            task: Name of the task, see `keras_tl.tasks.TASKS`. `None`: the rules of `from_csv`
                choose the task from the labels.
            options: Further options, see `DataOptions`.

        Raises:
            DataError: The images have an invalid shape or invalid values, or the labels are
                invalid.
            ConfigError: An argument other than the data has an invalid value.

        Example:
            >>> images = np.zeros((20, 16, 16, 3), "float32")
            >>> labels = ["blue", "red"] * 10
            >>> made = ktl.ImageData.from_arrays(images, labels, validation_split=0, test_split=0.2)
            >>> len(made.split("train")), len(made.split("test"))
            (16, 4)
        """
        checked = CheckedOptions(**options)
        if checked.value_range is not None:
            raise ConfigError(
                f"value_range={checked.value_range} works only for 16-bit image files. These "
                "images are arrays. Scale the arrays to [0, 255] and leave value_range out."
            )
        _check_no_limit(checked)
        given = given_splits((x, y), validation, test)
        splits = {name: (check_pixels(pair[0], name), pair[1]) for name, pair in given.items()}
        return cls._of(LabelledItems(*read_splits(splits, cls.item, class_names, task)), checked)

    @classmethod
    def digits(cls, **options: Unpack[DataOptions]) -> Self:
        """Load the 1,797 handwritten digits (8 x 8, grey) of scikit-learn.

        Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
        Machine Learning Repository, 1998.

        Args:
            options: Options such as `image_size`, see `DataOptions`. The default of `augmentation`
                is `"no-flip"`.

        Example:
            >>> digits = ktl.ImageData.digits()
            >>> digits.class_names[:3], sum(map(len, digits.splits.values()))
            (('0', '1', '2'), 1797)
        """
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels = (digits.images * (255 / digits.images.max())).astype(np.float32)
        CheckedOptions(**options)
        given: DataOptions = {"augmentation": "no-flip", **options}
        # The command line passes `max_bad` for every source, but `from_arrays` refuses `max_bad`.
        # The digits do not need `max_bad`, because all digits can be used.
        given.pop("max_bad", None)
        names = [*map(str, digits.target_names)]
        data = cls.from_arrays(pixels, digits.target, class_names=names, **given)
        return dataclasses.replace(data, source_settings={"kind": "digits"})

    @staticmethod
    def _split(items: Any, labels: np.ndarray, slices: Mapping[Hashable, np.ndarray]) -> ImageSplit:
        return ImageSplit(items, labels, slices)

    @property
    def model_fields(self) -> dict[str, Any]:
        """Values of the `ModelConfig` fields that decide how image files are decoded.

        Example:
            >>> data.model_fields
            {'resize': 'crop', 'value_range': None}
        """
        return {"resize": self.resize, "value_range": self.value_range}

    @staticmethod
    def _check(
        source: LabelledItems,
        splits: Mapping[str, ImageSplit],
        class_names: tuple[str, ...],
        options: CheckedOptions,
    ) -> tuple[BadRows, FileCheck | None]:
        if not options.check_files:
            return {}, None
        return check_splits(splits, class_names, options.max_bad, options.verbose)

    def _own_settings(self) -> dict[str, Any]:
        value_range = {} if self.value_range is None else {"value_range": [*self.value_range]}
        return {"resize": self.resize} | value_range


def _check_no_limit(options: CheckedOptions) -> None:
    """Raise `ConfigError` if `max_bad` is given for images that are not files."""
    if options.max_bad != CheckedOptions.max_bad:
        raise ConfigError(
            f"max_bad={options.max_bad:g} works only for image files, which keras_tl checks. In "
            "arrays and in a tf.data.Dataset, an unusable image is an error. Leave max_bad= out."
        )
