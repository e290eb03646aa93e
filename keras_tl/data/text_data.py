"""`TextData`: labelled texts, split for training, validation and test."""

import dataclasses
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np

from keras_tl.base.files import local_path
from keras_tl.data.item_checks import BadRows
from keras_tl.data.labelled_data import LabelledData, Source
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
from keras_tl.tasks.labels.reading import read_splits


@dataclasses.dataclass(frozen=True, repr=False)
class TextData(LabelledData[TextSplit]):
    """Labelled texts, or pairs of texts, in three splits. Make one with one of the `from_` methods.

    Attributes:
        sequence_length: tokens that a model reads of a text at most; `None`: chosen from the
            texts' lengths once there is a tokenizer.
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
        """Reads a file of texts and labels: CSV, TSV, or JSON lines.

        Labels are read as `ImageData.from_csv` reads them; a JSON list holds several labels. `repr`
        of the data and the check `label-type` say what was guessed; `task` decides.

        Args:
            path: the file, in UTF-8, or in UTF-16 with a byte order mark. Its first line names the
                columns, which are separated by commas, semicolons or tabs; a text in quotes may
                have several lines. A file whose name ends in `.jsonl`, `.ndjson` or `.json` has a
                JSON object in each line.
            text: the column of texts.
            label: the column of labels; or a list of columns, one for each label.
            text_pair: the column of second texts, such as hypotheses or answers, where an item is
                a pair of texts.
            split: a column that says `train`, `validation` (also `valid`, `val`, `dev`, `eval`) or
                `test`. The splits are then taken as they are; a missing validation set is taken
                from train.
            separator: what separates several labels in a cell, such as `","`; cells with one or
                none are multi-label data too. `None`: `;` or `|`, if at least half of the parts
                occur in other cells.
            task: a name in `keras_tl.tasks.TASKS`; `None`: as above.
            class_names: the classes' names; `None`: the sorted distinct labels, or the columns.
            validation: a file of a validation split; `None`: taken from `path`.
            test: a file of a test split; `None`: taken from `path`.
            slices: columns to keep, such as `["camera"]`: `learner.evaluate(by="camera")` makes
                groups by them.
            options: see `TextOptions`; `test_split` is ignored where a column says the splits.

        Raises:
            DataError: no such file or column, not UTF-8, a label is missing (the message names the
                lines), too many texts are empty, fewer than two classes, or a label that train has
                not.
            ConfigError: an argument is not as described.
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
        """Takes a `pandas.DataFrame` of texts and labels.

        As `from_csv`, but for the types: text is never a number, booleans are two classes, the
        classes of a Categorical keep its order, and cells may also be lists of labels.

        Args:
            frame: the data frame.
            text: the column of texts; missing ones are empty texts.
            label: the column of labels; or a list of columns, one for each label.
            text_pair: see `from_csv`, and so for all that follow.
            split: the column of the splits.
            separator: what separates several labels in a cell.
            task: the task, where the labels could be taken for something else.
            class_names: the classes' names.
            validation: a data frame of a validation split; `None`: taken from `frame`.
            test: a data frame of a test split; `None`: taken from `frame`.
            slices: columns to keep, such as `["camera"]`: `learner.evaluate(by="camera")` makes
                groups by them.
            options: see `TextOptions`.

        Raises:
            DataError: see `from_csv`; messages name the rows by their index.
            ConfigError: an argument is not as described.
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
        """Reads a text data set of TensorFlow Datasets (https://www.tensorflow.org/datasets).

        Of its splits, `train`, `validation` and `test` are taken as they are, others are left out,
        and so is one whose labels are not published (all -1), as GLUE's test sets. A missing test
        or validation set is taken from train, and a single split is train, whatever its name. All
        texts are kept in memory.

        Args:
            name: the data set's name, such as `"imdb_reviews"` or `"glue/sst2"`; also one of your
                own that was prepared in `data_dir`, whose code is not needed.
            data_dir: the folder of prepared data sets; `None`: tfds's, `~/tensorflow_datasets`.
            download: download and prepare a data set that is not there.
            text: the feature that is the text; `None`: the one there is, or what the data set says
                itself; two with names that are usual for pairs, such as `sentence1` and
                `sentence2`, are a pair.
            text_pair: the feature that is the second text of a pair. With `text` and without it
                the items are single texts.
            label: the feature that is the label: a class, a list of classes (multi-label data), a
                number (see `from_csv`) or a text; `None`: the one there is.
            task: a name in `keras_tl.tasks.TASKS`; `None`: what the
                data set or its labels say, see `from_csv`.
            options: see `TextOptions`.

        Raises:
            DataError: there is no such data set, it cannot be fetched, or it is not of texts with
                a label, or there are several texts and nothing says which.
            ConfigError: an argument is not as described.
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
        """Takes texts that are in memory.

        Args:
            texts: n texts, each a str or bytes in UTF-8, in a list or a NumPy array; or n pairs
                (text, second text) of them.
            labels: n labels, see `y` of `ImageData.from_arrays`.
            validation: (texts, labels) of a validation split; `None`: taken from `texts`.
            test: (texts, labels) of a test split; `None`: taken from `texts`.
            class_names: the classes' names; `None`: the sorted distinct labels.
            task: a name in `keras_tl.tasks.TASKS`; `None`: as above.
            options: see `TextOptions`.

        Raises:
            DataError: texts or labels are not as described.
            ConfigError: another argument is not.
        """
        checked = CheckedTextOptions(**options)
        given = {"train": (texts, labels), "validation": validation, "test": test}
        splits = {
            name: (read_arrays(pair[0], name), pair[1])
            for name, pair in given.items()
            if pair is not None
        }
        return cls._of(Source(*read_splits(splits, cls.item, class_names, task)), checked)

    @classmethod
    def from_folder(
        cls,
        root: str | os.PathLike,
        classes: Sequence[str] | None = None,
        **options: Unpack[TextOptions],
    ) -> Self:
        """Reads a folder of class folders of `.txt` files, each file a text.

        `root/<class>/*` is split here, stratified and seeded. Where `root/train/<class>/*`
        exists, it and the folders of the other splits are taken as they are, by the names that
        `ImageData.from_folder` knows; a missing validation set is taken from train.

        Args:
            root: the folder. Files are UTF-8, at any depth below their class folder.
            classes: the names of the class folders to read, in the order of the classes; they also
                say that these are classes, not splits. `None`: all. The Large Movie Review Dataset
                needs `["neg", "pos"]`: its folder `train/unsup` is no class.
            options: see `TextOptions`; `test_split` is ignored where `root/train` exists.

        Raises:
            DataError: no folder, no or only one class, an empty class, a class without a folder in
                another split, a file that is not UTF-8, too few texts.
            ConfigError: an argument is not as described.
        """
        checked = CheckedTextOptions(**options)
        return cls._of(read_folder(local_path(root), classes, checked.verbose), checked)

    @classmethod
    def _of(cls, source: Source, options: CheckedTextOptions) -> Self:
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
        source: Source,
        splits: Mapping[str, TextSplit],
        class_names: tuple[str, ...],
        options: CheckedTextOptions,
    ) -> tuple[BadRows, TextCheck]:
        given = {name: texts for name, (texts, _) in source.splits.items()}
        return bad_texts(given, splits["train"].labels, class_names, options.max_bad)

    @property
    def is_pair(self) -> bool:
        """Whether an item is a pair of texts."""
        return self.splits["train"].pairs is not None

    @property
    def model_fields(self) -> dict[str, Any]:
        """Whether an item is a pair."""
        return {"resize": None, "are_pairs": self.is_pair}

    def lengths(self) -> dict[str, Lengths]:
        """How many words the texts of each split have."""
        return {name: word_lengths(split) for name, split in self.splits.items()}

    def describe_lengths(self) -> str:
        """The same as a table for people, a line a split."""
        return lengths_table(self.lengths())

    def describe_items(self) -> tuple[dict[str, Any], str]:
        """Return the lengths of the texts."""
        lengths = {name: one.to_json() for name, one in self.lengths().items()}
        return {"lengths": lengths}, f"\n{self.describe_lengths()}"

    def _own_settings(self) -> dict[str, Any]:
        return {"is_pair": self.is_pair, "sequence_length": self.sequence_length}
