"""`TextData`: labelled texts, split for training, validation and test."""

import dataclasses
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import ArrayLike

from keras_tl.base.files import local_path
from keras_tl.data.item_checks import BadRows
from keras_tl.data.labelled_data import LabelledData, LabelledItems, given_splits
from keras_tl.data.options import CheckedSplitOptions
from keras_tl.data.splits import SPLITS
from keras_tl.data.tables.label_columns import Column, LabelColumns
from keras_tl.data.tables.table import read_frame
from keras_tl.data.tables.table_files import read_table
from keras_tl.data.texts.lengths import Lengths, lengths_table, word_lengths
from keras_tl.data.texts.text_check import TextCheck, bad_texts
from keras_tl.data.texts.text_options import CheckedTextOptions, TextOptions
from keras_tl.data.texts.text_sources import (
    read_arrays,
    read_folder,
    read_text_table,
    text_columns,
)
from keras_tl.data.texts.text_split import Texts, TextSplit
from keras_tl.data.tfds.text_builders import read_text_builder
from keras_tl.errors import DataError
from keras_tl.tasks.labels.task_choice import read_splits


@dataclasses.dataclass(frozen=True, repr=False)
class TextData(LabelledData[TextSplit]):
    """Labelled texts or pairs of texts in three splits, made by methods such as `from_csv`.

    Attributes:
        sequence_length: Maximum number of tokens that the model reads of a text. `None`: the
            learner chooses the maximum from the lengths of the texts.

    Example:
        >>> texts.class_names, texts.task, texts.split("train").texts[0]
        (('bad', 'good'), 'binary', 'a good film')
    """

    item = "text"

    sequence_length: int | None = None

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike[str],
        *,
        text: str = "text",
        label: str | Sequence[str] = "label",
        text_pair: str | None = None,
        split: str | None = None,
        separator: str | None = None,
        task: str | None = None,
        class_names: Sequence[str] | None = None,
        validation: str | os.PathLike[str] | None = None,
        test: str | os.PathLike[str] | None = None,
        slices: Sequence[Hashable] = (),
        **options: Unpack[TextOptions],
    ) -> Self:
        """Read a CSV, TSV or JSON lines file of texts and labels.

        The rules of `ImageData.from_csv` apply to the labels. In JSON, several labels of an item
        form a list. `repr` of the data and the preflight check `label-type` report each guess about
        the labels. The argument `task` overrides the rules that choose the task from the labels.

        Args:
            path: Path of the table file, in UTF-8, or in UTF-16 with a byte order mark. The first
                line of the file names the columns. Commas, semicolons or tabs separate the columns.
                A text in quotes may have several lines. Files ending in `.jsonl`, `.ndjson` or
                `.json` have a JSON object in each line.
            text: Column of texts.
            label: Column of labels, or a list of columns, one for each label.
            text_pair: Column of second texts, such as hypotheses or answers, if items are pairs of
                texts.
            split: Column with the split of each row: `train` (also `training`), `validation` (also
                `validate`, `valid`, `val`, `dev`, `development`, `eval`, `evaluation`) or `test`
                (also `testing`). If no row is a validation row, validation rows are drawn from the
                training rows. `None` means that the splits are random.
            separator: Text between several labels in a cell, see `ImageData.from_csv`.
            task: Name of the task, see `keras_tl.tasks.TASKS`. `None`: the rules above choose the
                task from the labels.
            class_names: Names of the classes. `None`: the names are the sorted distinct labels, or
                the names of the label columns.
            validation: File of the validation split. `None`: draw validation texts from `path` at
                random.
            test: File of the test split. `None`: draw test texts from `path` at random.
            slices: Further columns to store with the texts, such as `["source"]`. With the column
                `source`, `learner.evaluate(by="source")` reports results per source.
            options: Further options, see `TextOptions`. The option `test_split` is ignored if
                `split` is given.

        Raises:
            DataError: The file or a column does not exist, the encoding is wrong, or a label is
                missing (the message names the lines). The fraction of empty texts must not
                exceed `max_bad`. There must be at least two classes, and each label must occur in
                the train split.
            ConfigError: An argument has an invalid value.

        Example:
            >>> ktl.TextData.from_csv("reviews.csv", text="text", label="label").class_names
            ('bad', 'good')
        """
        checked = CheckedTextOptions(**options)
        items = {"text": text, "text_pair": text_pair}
        labels = LabelColumns(label, separator, task, class_names)
        columns = text_columns(items, labels, split, checked.kept(slices), validation, test)
        given = given_splits(path, validation, test)
        paths = {name: local_path(one) for name, one in given.items()}
        tables = {name: read_table(one, columns.wanted) for name, one in paths.items()}
        others = {name: os.fspath(given[name]) if name in given else None for name in SPLITS[1:]}
        return cls._of(read_text_table(columns, tables, **others), checked)

    @classmethod
    def from_dataframe(
        cls,
        frame: Any,
        *,
        text: Hashable = "text",
        label: Column = "label",
        text_pair: Hashable | None = None,
        split: Hashable | None = None,
        separator: str | None = None,
        task: str | None = None,
        class_names: Sequence[str] | None = None,
        validation: Any = None,
        test: Any = None,
        slices: Sequence[Hashable] = (),
        **options: Unpack[TextOptions],
    ) -> Self:
        """Read a `pandas.DataFrame` of texts and labels.

        The rules of `from_csv` apply to the labels, but the Python types of the labels matter too.
        A text is never read as a number, booleans are two classes, and a cell may hold a list of
        labels. A pandas Categorical sets the order of the classes.

        Args:
            frame: Data frame with one row for each text or pair of texts.
            text: Column of texts. Missing values are read as empty texts.
            label: Column of labels, or a list of columns, one for each label.
            text_pair: Column of second texts, see `from_csv`.
            split: Column with the split of each row, see `from_csv`.
            separator: Text between several labels in a cell, see `from_csv`.
            task: Name of the task, see `from_csv`.
            class_names: Names of the classes, see `from_csv`.
            validation: Data frame of the validation split. `None`: draw validation texts from
                `frame` at random.
            test: Data frame of the test split. `None`: draw test texts from `frame` at random.
            slices: Further columns to store with the texts, see `from_csv`.
            options: Further options, see `TextOptions`.

        Raises:
            DataError: See `from_csv`. Messages name a row by its index in the data frame.
            ConfigError: An argument has an invalid value.

        Example:
            >>> import pandas
            >>> frame = pandas.read_csv("reviews.csv")
            >>> ktl.TextData.from_dataframe(frame, text="text", label="label").class_names
            ('bad', 'good')
        """
        checked = CheckedTextOptions(**options)
        items = {"text": text, "text_pair": text_pair}
        labels = LabelColumns(label, separator, task, class_names)
        columns = text_columns(items, labels, split, checked.kept(slices), validation, test)
        given = given_splits(frame, validation, test)
        tables = {name: read_frame(one, columns.wanted) for name, one in given.items()}
        return cls._of(read_text_table(columns, tables), checked)

    @classmethod
    def from_tfds(
        cls,
        name: str,
        *,
        text: str | None = None,
        label: str | None = None,
        text_pair: str | None = None,
        task: str | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        download: bool = True,
        **options: Unpack[TextOptions],
    ) -> Self:
        """Read a text data set of TensorFlow Datasets (https://www.tensorflow.org/datasets).

        Reads only the splits `train`, `validation` and `test`, and skips splits with unpublished
        labels (all labels are -1), such as the test sets of GLUE. A missing test or validation
        split is drawn from the training texts at random. If the data set has only one split, this
        split is the training split, whatever its name. All texts stay in memory.

        Args:
            name: Name of the data set, such as `"imdb_reviews"` or `"glue/sst2"`. Your own data
                sets work too, even without their Python code, if they are prepared in `data_dir`.
            text: Name of the text feature. `None`: use the input that the data set declares, if the
                input is a text or a pair of texts. Else use two features with names such as
                `sentence1` and `sentence2`, else the feature `text` or `sentence`, else the only
                text feature.
            label: Name of the label feature. A label is a class, a list of classes (multi-label
                data), a number (see `from_csv`) or a text. `None`: use the label that the
                data set declares, else the feature `label`, else the only feature with labels.
            text_pair: Name of the feature of second texts. If only `text` is given, items are
                single texts.
            task: Name of the task, see `keras_tl.tasks.TASKS`. `None`: the type of the label
                feature decides. If the type of the feature is not enough, the rules of `from_csv`
                choose the task from the labels.
            data_dir: Folder of prepared data sets. `None` means `~/tensorflow_datasets`, the
                default of TensorFlow Datasets.
            download: Whether to download and prepare a data set that is not in `data_dir`.
            options: Further options, see `TextOptions`.

        Raises:
            DataError: The data set does not exist, cannot be downloaded, has no texts with labels,
                or has several text features and no rule chooses one.
            ConfigError: An argument has an invalid value.

        Example:
            >>> reviews = ktl.TextData.from_tfds("tiny", data_dir="tfds/texts", download=False)
            >>> reviews.class_names
            ('neg', 'pos')
        """
        checked = CheckedTextOptions(**options)
        source = read_text_builder(name, data_dir, download, text, text_pair, label, task)
        return cls._of(source, checked)

    @classmethod
    def from_arrays(
        cls,
        x: Iterable[Any],
        y: Sequence[Any] | ArrayLike,
        *,
        validation: tuple[Iterable[Any], Sequence[Any] | ArrayLike] | None = None,
        test: tuple[Iterable[Any], Sequence[Any] | ArrayLike] | None = None,
        class_names: Sequence[str] | None = None,
        task: str | None = None,
        **options: Unpack[TextOptions],
    ) -> Self:
        """Make `TextData` from sequences of texts and labels.

        Args:
            x: List or NumPy array of n texts (`str` or UTF-8 bytes), or of n pairs (text,
                second text).
            y: Labels of the n texts or pairs, see `ImageData.from_arrays`.
            validation: Pair (x, y) of the validation split. `None`: draw validation texts from `x`
                at random.
            test: Pair (x, y) of the test split. `None`: draw test texts from `x` at random.
            class_names: Names of the classes. `None`: the names are the sorted distinct labels.
            task: Name of the task, see `keras_tl.tasks.TASKS`. `None`: the rules of `from_csv`
                choose the task from the labels.
            options: Further options, see `TextOptions`.

        Raises:
            DataError: Texts or labels are invalid.
            ConfigError: An argument other than the data has an invalid value.

        Example:
            >>> labels = ["good", "bad"] * 10
            >>> made = ktl.TextData.from_arrays(["a good film", "a bad film"] * 10, labels)
            >>> made.class_names, made.is_pair
            (('bad', 'good'), False)
        """
        checked = CheckedTextOptions(**options)
        given = given_splits((x, y), validation, test)
        splits = {name: (read_arrays(pair[0], name), pair[1]) for name, pair in given.items()}
        return cls._of(LabelledItems(*read_splits(splits, cls.item, class_names, task)), checked)

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike[str],
        *,
        classes: Sequence[str] | None = None,
        **options: Unpack[TextOptions],
    ) -> Self:
        """Read a folder with one folder of `.txt` files for each class. Each file is one text.

        Without split folders, the files in `root/<class>/*` are split at random, stratified by
        class. If `root/train/<class>/*` exists, the split folders define the splits. See
        `ImageData.from_folder` for the names of split folders. A missing validation split is drawn
        from the training texts at random.

        Args:
            root: Path of the folder with the class folders or split folders. Text files are in
                UTF-8, at any depth in a class folder.
            classes: Names of the class folders to read, in the order of the classes. A folder named
                in `classes` is a class, never a split. `None`: read all class folders. The Large
                Movie Review Dataset needs `["neg", "pos"]`, because its folder `train/unsup` is not
                a class.
            options: Further options, see `TextOptions`. The option `test_split` is ignored if
                folders define the splits.

        Raises:
            DataError: The folder does not exist, or has fewer than two classes, an empty class or
                too few texts. Each file must be UTF-8. Each split must have a folder for each
                class.
            ConfigError: An argument has an invalid value.

        Example:
            >>> ktl.TextData.from_folder("reviews/").class_names
            ('bad', 'good')
        """
        checked = CheckedTextOptions(**options)
        return cls._of(read_folder(local_path(root), classes, checked.verbose), checked)

    @classmethod
    def _of(cls, source: LabelledItems, options: CheckedSplitOptions) -> Self:
        given = {name: texts for name, (texts, _) in source.splits.items()}
        if len({texts.pairs is None for texts in given.values()}) > 1:
            kinds = ", ".join(
                f"{name}: {'single texts' if texts.pairs is None else 'pairs'}"
                for name, texts in given.items()
            )
            raise DataError(
                f"Expected pairs of texts in all splits, or in none. Received: {kinds}."
            )
        return super()._of(source, options)

    @staticmethod
    def _split(
        items: Texts, labels: np.ndarray, slices: Mapping[Hashable, np.ndarray]
    ) -> TextSplit:
        return TextSplit(items.texts, items.pairs, labels, slices)

    @staticmethod
    def _check(
        source: LabelledItems,
        splits: Mapping[str, TextSplit],
        class_names: tuple[str, ...],
        options: CheckedTextOptions,
    ) -> tuple[BadRows, TextCheck]:
        given = {name: texts for name, (texts, _) in source.splits.items()}
        return bad_texts(given, splits["train"].labels, class_names, options.max_bad)

    @property
    def is_pair(self) -> bool:
        """Whether items are pairs of texts.

        Example:
            >>> texts.is_pair
            False
        """
        return self.splits["train"].pairs is not None

    @property
    def model_fields(self) -> dict[str, Any]:
        """Values of the `ModelConfig` fields that tell whether items are pairs of texts.

        Example:
            >>> texts.model_fields
            {'resize': None, 'are_pairs': False}
        """
        return {"resize": None, "are_pairs": self.is_pair}

    def lengths(self) -> dict[str, Lengths]:
        """Return the median, high percentiles and maximum of the word counts in each split.

        Example:
            >>> texts.lengths()["train"].longest
            3
        """
        return {name: word_lengths(split) for name, split in self.splits.items()}

    def describe_lengths(self) -> str:
        """Return the result of `lengths` as a table, one line per split.

        Example:
            >>> texts.describe_lengths().splitlines()[0].split()
            ['words', 'median', '90%', '95%', '99%', 'longest']
        """
        return lengths_table(self.lengths())

    def describe_items(self) -> tuple[dict[str, Any], str]:
        """Return the word counts of the texts, as JSON types and as a table.

        Example:
            >>> values, table = texts.describe_items()
            >>> values["lengths"]["train"]["median"]
            3
        """
        lengths = {name: one.to_json() for name, one in self.lengths().items()}
        return {"lengths": lengths}, f"\n{self.describe_lengths()}"

    def _own_settings(self) -> dict[str, Any]:
        return {"is_pair": self.is_pair, "sequence_length": self.sequence_length}
