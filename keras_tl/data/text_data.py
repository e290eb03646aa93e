"""`TextData`: labelled texts, split for training, validation and test."""

import dataclasses
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.data.item_checks import BadRows
from keras_tl.data.labelled_data import LabelledData, LabelledItems
from keras_tl.data.tables.label_columns import Column
from keras_tl.data.tables.table import read_frame
from keras_tl.data.tables.table_files import read_table
from keras_tl.data.texts.lengths import Lengths, lengths_table, word_lengths
from keras_tl.data.texts.text_check import TextCheck, bad_texts
from keras_tl.data.texts.text_options import CheckedTextOptions, TextOptions
from keras_tl.data.texts.text_sources import TextColumns, read_arrays, read_folder
from keras_tl.data.texts.text_split import Texts, TextSplit
from keras_tl.data.tfds.text_builders import read_text_builder
from keras_tl.errors import DataError
from keras_tl.tasks.labels.task_choice import read_splits


@dataclasses.dataclass(frozen=True, repr=False)
class TextData(LabelledData[TextSplit]):
    """Labelled texts or pairs of texts in three splits, made by one of the `from_` methods.

    Attributes:
        sequence_length: Maximum number of tokens that a model reads of a text. `None` means chosen
            from the text lengths once a tokenizer exists.
    """

    item = "text"

    sequence_length: int | None = None

    @classmethod
    def from_csv(
        cls,
        path: str | os.PathLike,
        text: str = "text",
        label: str | Sequence[str] = "label",
        text_pair: str | None = None,
        split: str | None = None,
        separator: str | None = None,
        task: str | None = None,
        class_names: Sequence[str] | None = None,
        validation: str | os.PathLike | None = None,
        test: str | os.PathLike | None = None,
        slices: Sequence[Hashable] = (),
        **options: Unpack[TextOptions],
    ) -> Self:
        """Read a CSV, TSV or JSON lines file of texts and labels.

        Labels follow the rules of `ImageData.from_csv`. A JSON list holds several labels. `repr` of
        the data and the check `label-type` report each guess. `task` overrides it.

        Args:
            path: The file, in UTF-8, or in UTF-16 with a byte order mark. Its first line names the
                columns. Commas, semicolons or tabs separate the columns. A quoted text may have
                several lines. Files ending in `.jsonl`, `.ndjson` or `.json` have a JSON object in
                each line.
            text: Column of texts.
            label: Column of labels, or a list of columns, one for each label.
            text_pair: Column of second texts, such as hypotheses or answers, if items are pairs of
                texts.
            split: Column with the values `train`, `validation` (also `valid`, `val`, `dev`, `eval`)
                or `test`. It defines the splits. A missing validation split is drawn from train.
            separator: Separator of several labels in a cell, such as `","`. Cells with one label or
                none are then multi-label data too. `None` means `;` or `|`, if at least half of the
                parts occur in other cells.
            task: A name in `keras_tl.tasks.TASKS`. `None` means the rules above.
            class_names: Names of the classes. `None` means the sorted distinct labels, or the
                column names.
            validation: File of the validation split. `None` means drawn from `path`.
            test: File of the test split. `None` means drawn from `path`.
            slices: Columns to keep, such as `["camera"]`, to group results with
                `learner.evaluate(by="camera")`.
            options: See `TextOptions`. `test_split` is ignored if `split` is given.

        Raises:
            DataError: The file or a column does not exist, the encoding is wrong, a label is
                missing (the message names the lines), too many texts are empty, there are fewer
                than two classes, or a label does not occur in train.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedTextOptions(**options)
        kept = checked.kept(slices)
        columns = TextColumns.of(
            text, text_pair, label, split, separator, task, class_names, kept, validation, test
        )
        paths = {"train": path, "validation": validation, "test": test}
        paths = {name: local_path(given) for name, given in paths.items() if given is not None}
        tables = {name: read_table(given, columns.wanted) for name, given in paths.items()}
        others = {
            name: os.fspath(given) if given is not None else None
            for name, given in (("validation", validation), ("test", test))
        }
        return cls._of(columns.read_texts(tables, **others), checked)

    @classmethod
    def from_dataframe(
        cls,
        frame: Any,
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

        Labels follow the rules of `from_csv`, but types count. Text is never a number, booleans are
        two classes, a Categorical gives the class order, and a cell may be a list of labels.

        Args:
            frame: The data frame.
            text: Column of texts. Missing texts are empty texts.
            label: Column of labels, or a list of columns, one for each label.
            text_pair: See `from_csv`, also for all arguments below.
            split: Column of the splits.
            separator: Separator of several labels in a cell.
            task: The task, if the labels are ambiguous.
            class_names: Names of the classes.
            validation: Data frame of the validation split. `None` means drawn from `frame`.
            test: Data frame of the test split. `None` means drawn from `frame`.
            slices: Columns to keep, such as `["camera"]`, to group results with
                `learner.evaluate(by="camera")`.
            options: See `TextOptions`.

        Raises:
            DataError: See `from_csv`. Messages name the rows by their index.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedTextOptions(**options)
        kept = checked.kept(slices)
        columns = TextColumns.of(
            text, text_pair, label, split, separator, task, class_names, kept, validation, test
        )
        given = {"train": frame, "validation": validation, "test": test}
        tables = {
            name: read_frame(one, columns.wanted)
            for name, one in given.items()
            if one is not None or name == "train"
        }
        return cls._of(columns.read_texts(tables), checked)

    @classmethod
    def from_tfds(
        cls,
        name: str,
        data_dir: str | os.PathLike | None = None,
        download: bool = True,
        text: str | None = None,
        text_pair: str | None = None,
        label: str | None = None,
        task: str | None = None,
        **options: Unpack[TextOptions],
    ) -> Self:
        """Read a text data set of TensorFlow Datasets (https://www.tensorflow.org/datasets).

        Uses only its splits `train`, `validation` and `test`, and skips splits with unpublished
        labels (all -1), such as the test sets of GLUE. A missing test or validation split is drawn
        from train. A single split is train, whatever its name. All texts stay in memory.

        Args:
            name: Name of the data set, such as `"imdb_reviews"` or `"glue/sst2"`. Also a data set
                of your own, prepared in `data_dir`. Its code is not needed.
            data_dir: Folder of prepared data sets. `None` means `~/tensorflow_datasets`, the
                default of TensorFlow Datasets.
            download: Whether to download and prepare a data set that is not in `data_dir`.
            text: Text feature. `None` means the only one, or the one that the data set declares.
                Two features with the usual names of pairs, such as `sentence1` and `sentence2`,
                form a pair.
            text_pair: Feature of the second text of a pair. With `text` but without `text_pair`,
                items are single texts.
            label: Label feature: a class, a list of classes (multi-label data), a number (see
                `from_csv`) or a text. `None` means the only one, or the usual one.
            task: A name in `keras_tl.tasks.TASKS`. `None` means that the data set or its labels
                decide, see `from_csv`.
            options: See `TextOptions`.

        Raises:
            DataError: The data set does not exist, cannot be downloaded, has no texts with labels,
                or has several texts and no rule decides between them.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedTextOptions(**options)
        source = read_text_builder(name, data_dir, download, text, text_pair, label, task)
        return cls._of(source, checked)

    @classmethod
    def from_arrays(
        cls,
        texts: Iterable,
        labels: Sequence,
        validation: tuple[Iterable, Sequence] | None = None,
        test: tuple[Iterable, Sequence] | None = None,
        class_names: Sequence[str] | None = None,
        task: str | None = None,
        **options: Unpack[TextOptions],
    ) -> Self:
        """Take texts and labels from memory.

        Args:
            texts: n texts, each a str or UTF-8 bytes, in a list or a NumPy array. Or n pairs (text,
                second text).
            labels: n labels, see `y` of `ImageData.from_arrays`.
            validation: (texts, labels) of the validation split. `None` means drawn from `texts`.
            test: (texts, labels) of the test split. `None` means drawn from `texts`.
            class_names: Names of the classes. `None` means the sorted distinct labels.
            task: A name in `keras_tl.tasks.TASKS`. `None` means the rules of `from_csv`.
            options: See `TextOptions`.

        Raises:
            DataError: Texts or labels are invalid.
            ConfigError: Another argument has an invalid value.
        """
        checked = CheckedTextOptions(**options)
        given = {"train": (texts, labels), "validation": validation, "test": test}
        splits = {
            name: (read_arrays(pair[0], name), pair[1])
            for name, pair in given.items()
            if pair is not None
        }
        return cls._of(LabelledItems(*read_splits(splits, cls.item, class_names, task)), checked)

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike,
        classes: Sequence[str] | None = None,
        **options: Unpack[TextOptions],
    ) -> Self:
        """Read a folder of class folders of `.txt` files. Each file is one text.

        Files in `root/<class>/*` are split here, stratified by class and with a seed. If
        `root/train/<class>/*` exists, the folders define the splits, with the names that
        `ImageData.from_folder` accepts. A missing validation split is drawn from train.

        Args:
            root: The folder. Files are UTF-8, at any depth in their class folder.
            classes: Names of the class folders to read, in class order. They mark these folders as
                classes, not splits. `None` means all. The Large Movie Review Dataset needs
                `["neg", "pos"]`: its folder `train/unsup` is not a class.
            options: See `TextOptions`. `test_split` is ignored if `root/train` exists.

        Raises:
            DataError: Missing folder, fewer than two classes, an empty class, a class without a
                folder in another split, a file that is not UTF-8, or too few texts.
            ConfigError: An argument has an invalid value.
        """
        checked = CheckedTextOptions(**options)
        return cls._of(read_folder(local_path(root), classes, checked.verbose), checked)

    @classmethod
    def _of(cls, source: LabelledItems, options: CheckedTextOptions) -> Self:
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
        """Whether items are pairs of texts."""
        return self.splits["train"].pairs is not None

    @property
    def model_fields(self) -> dict[str, Any]:
        """Field of `ModelConfig` that tells pairs from single texts."""
        return {"resize": None, "are_pairs": self.is_pair}

    def lengths(self) -> dict[str, Lengths]:
        """Return the word counts of the texts of each split."""
        return {name: word_lengths(split) for name, split in self.splits.items()}

    def describe_lengths(self) -> str:
        """Return the result of `lengths` as a table, one line per split."""
        return lengths_table(self.lengths())

    def describe_items(self) -> tuple[dict[str, Any], str]:
        """Return the lengths of the texts."""
        lengths = {name: one.to_json() for name, one in self.lengths().items()}
        return {"lengths": lengths}, f"\n{self.describe_lengths()}"

    def _own_settings(self) -> dict[str, Any]:
        return {"is_pair": self.is_pair, "sequence_length": self.sequence_length}
