"""Common base classes of `ImageData` and `TextData`, and of image splits and text splits."""

import abc
import dataclasses
import functools
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from keras_tl.base.choices import SplitName
from keras_tl.base.config import check_range
from keras_tl.base.guesses import Guess, LabelInterpretation
from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.item_checks import BadRows, Check, check_left
from keras_tl.data.options import CheckedSplitOptions
from keras_tl.data.splits import SPLITS, stratified_split
from keras_tl.data.user_items import ItemSource
from keras_tl.errors import ConfigError, DataError, quoted, unknown
from keras_tl.tasks import get_task, label_encoder
from keras_tl.tasks.labels.plain_labels import Labels
from keras_tl.tasks.one_class import task_of_classes

# Keys of `source_settings` whose values are folders on this machine.
PLACES = frozenset({"data_dir", "root"})


class Split(ItemSource, abc.ABC):
    """Items of one split, in a fixed order. Subclasses are frozen dataclasses.

    Attributes:
        labels: Class number of each item, int64 array (n,). For multi-label data: 0 or 1 for each
            label, float32 array (n, labels). For a regression: targets, float32 array (n,).
        slices: Values of the columns that group the items: an array of n texts for each column
            name.

    Example:
        >>> test = data.split("test")
        >>> len(test), test.labels[:2].tolist(), test.slices
        (8, [0, 1], {})
    """

    # Tell type checkers that all subclasses are dataclasses.
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    labels: np.ndarray
    slices: Mapping[Hashable, np.ndarray]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """Return a split of the items with these row numbers, in this order.

        Example:
            >>> data.split("train").take(np.array([2, 0])).labels.shape
            (2,)
        """
        return rows_of(self, rows)

    def joined(self, other: Self) -> Self:
        """Return the items of this split, followed by the items of another split.

        Drops columns of `slices` that one of the two splits does not have.

        Raises:
            DataError: The images in the pixel arrays of the two splits have different shapes.

        Example:
            >>> len(data.split("train").joined(data.split("test")))
            32
        """
        names = [field.name for field in dataclasses.fields(self)]
        return type(self)(*(_joined(getattr(self, name), getattr(other, name)) for name in names))

    def sample(self, count: int, seed: int) -> Self:
        """Return a split of at most `count` items, drawn at random.

        Example:
            >>> len(data.split("train").sample(5, seed=0))
            5
        """
        rows = np.random.default_rng(seed).permutation(len(self))[:count]
        return self.take(np.sort(rows))

    @property
    @abc.abstractmethod
    def sources(self) -> Sequence[str | tuple[str, str]] | None:
        """The path, text or pair of texts of each item, or `None` for arrays of pixels.

        Example:
            >>> texts.split("test").sources[0]
            'a good film'
            >>> data.split("test").sources is None
            True
        """

    @property
    def in_files(self) -> bool:
        """Whether the items are files. `fingerprint` reads files only if `full_hash` is true.

        Example:
            >>> data.split("test").in_files
            False
        """
        return False

    @abc.abstractmethod
    def fingerprint(self, full_hash: bool = False) -> str:
        """Return 64 hexadecimal digits that identify the items and their order.

        Args:
            full_hash: Whether to hash the contents of files. `False`: hash only the path, size and
                modification time of files. Items in memory are always hashed by content.

        Raises:
            DataError: A file of the split no longer exists.

        Example:
            >>> len(data.split("test").fingerprint())
            64
        """

    @functools.cached_property
    def identity(self) -> str | None:
        """The fingerprint, computed at the first use, or `None` if a file was missing.

        Example:
            >>> test = data.split("test")
            >>> test.identity == test.fingerprint()
            True
        """
        # Raise no error here, so that a run can be saved even if a file was deleted after training.
        try:
            return self.fingerprint()
        except DataError:
            return None

    @property
    def label_fingerprint(self) -> str:
        """SHA-256 of the labels, 64 hexadecimal digits. The result of `fingerprint` ignores labels.

        Example:
            >>> len(data.split("test").label_fingerprint)
            64
        """
        return hashlib.sha256(np.ascontiguousarray(self.labels).data).hexdigest()


S = TypeVar("S", bound=Split)


@dataclasses.dataclass(frozen=True)
class LabelledItems:
    """Items and labels of all splits, as read from a data source.

    Attributes:
        splits: Items and labels of each split. Labels have the form that `read_labels` returns.
        meaning: Interpretation of the labels: the task and the class names.
        settings: See `LabelledData.source_settings`.
        slices: For each split, the columns that group the items, see `Split.slices`.
        unused: Unused files in the data folder, or `None` if the data source is not a folder.
        has_splits: Whether the data source defines the splits, so that no test items are drawn from
            the training items.
    """

    splits: Mapping[str, tuple[Any, Labels]]
    meaning: LabelInterpretation
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    slices: Mapping[str, Mapping[Hashable, np.ndarray]] = dataclasses.field(default_factory=dict)
    unused: UnusedFiles | None = None
    has_splits: bool = False


@dataclasses.dataclass(frozen=True)
class LabelledData(abc.ABC, Generic[S]):
    """Labelled images or labelled texts in up to three splits.

    Attributes:
        item: Name of the modality and word for one item in messages: `"image"` or `"text"`.
        augmentation: Augmentation that training with `augment=True` applies to the items. `False`
            means no augmentation.
        splits: Items by split name: `"train"`, and if they exist, `"validation"` and `"test"`.
        task: Name of the task, see `keras_tl.tasks.TASKS`.
        class_names: Names of the classes, or of the labels of multi-label data. For a regression,
            `class_names` is empty.
        checked: Result of the check of the items, or `None` if the items were not checked.
        split_settings: Options that decide which split an item belongs to. The same options with
            the same data source give the same splits.
        guesses: Guesses about the labels and folders. Each guess names the argument that overrides
            it.
        unused_files: Unused files in the data folder, or `None` if the data source is not a folder.
        source_settings: Kind of the data source (see `keras_tl.data.specs`), and the settings to
            read another data source in the same way, as JSON types. Model cards and reports must
            not show the settings in `PLACES`, which are local folders.
    """

    item: ClassVar[str]
    augmentation = False

    splits: dict[str, S]
    task: str
    class_names: tuple[str, ...]
    checked: Check | None = dataclasses.field(default=None, kw_only=True)
    guesses: tuple[Guess, ...] = dataclasses.field(default=(), kw_only=True)
    unused_files: UnusedFiles | None = dataclasses.field(default=None, kw_only=True)
    split_settings: dict[str, Any] = dataclasses.field(default_factory=dict, kw_only=True)
    source_settings: dict[str, Any] = dataclasses.field(default_factory=dict, kw_only=True)

    @classmethod
    def _of(cls, source: LabelledItems, options: CheckedSplitOptions) -> Self:
        """Make data from a source: encode labels, check items, draw missing splits from train."""
        if source.has_splits:
            options = dataclasses.replace(options, test_split=0.0)
        meaning = source.meaning
        encoder = label_encoder(source.splits["train"][1], meaning.class_names, task=meaning.task)
        splits = {
            name: cls._split(
                items, encoder.code(labels, len(items), name, cls.item), source.slices.get(name, {})
            )
            for name, (items, labels) in source.splits.items()
        }
        bad, checked = cls._check(source, splits, encoder.class_names, options)
        for name, found in bad.items():
            whole, word = splits[name], cls.item if checked is None else checked.item
            splits[name] = whole.take(np.setdiff1d(np.arange(len(whole)), [*found]))
            check_left(name, whole, splits[name], encoder.class_names, word, found)
        return cls(
            _completed(splits, encoder.class_names, options),
            encoder.task,
            encoder.class_names,
            **options.of_data(),
            checked=checked and dataclasses.replace(checked, unused=source.unused),
            guesses=meaning.guesses,
            unused_files=source.unused,
            split_settings=options.split_settings(),
            source_settings=source.settings,
        )

    @staticmethod
    @abc.abstractmethod
    def _split(items: Any, labels: np.ndarray, slices: Mapping[Hashable, np.ndarray]) -> S:
        """Make a split from items, their labels and their slices."""

    @staticmethod
    @abc.abstractmethod
    def _check(
        source: LabelledItems,
        splits: dict[str, S],
        class_names: tuple[str, ...],
        options: Any,
    ) -> tuple[BadRows, Check | None]:
        """Return the unusable items and the check result (`None` if the items were not checked)."""

    @property
    def groups(self) -> Hashable | None:
        """Name of the column of groups, or `None`. All items of a group are in the same split.

        Example:
            >>> data.groups is None
            True
        """
        name = self.split_settings.get("groups")
        # The settings hold the column as a text, but a column of a data frame can be a number.
        columns = (column for column in self.splits["train"].slices if str(column) == name)
        return next(columns, name)

    @property
    @abc.abstractmethod
    def model_fields(self) -> dict[str, Any]:
        """Values of the `ModelConfig` fields that the data decide: image decoding or text pairs."""

    def subset(
        self,
        classes: Sequence[str] | None = None,
        *,
        per_class: int | None = None,
        seed: int = 0,
    ) -> Self:
        """Return data with fewer classes or fewer training items. Leave out splits without items.

        Args:
            classes: Names of the classes of the new data, in the new order. `None`: keep all
                classes.
            per_class: Maximum number of training items per class, drawn at random. `None`: keep all
                training items.
            seed: Seed of the random choice of training items.

        Raises:
            ConfigError: A class is unknown, there are fewer than two classes, or items do not have
                exactly one class each.

        Example:
            >>> small = data.subset(per_class=5)
            >>> len(small.split("train")), len(small.split("test"))
            (10, 8)
        """
        if not get_task(self.task).has_one_class:
            raise ConfigError(
                f"A subset needs {self.item}s with one class each. The task of these data is "
                f"{self.task}."
            )
        names = self.class_names if classes is None else tuple(classes)
        for name in names:
            if name not in self.class_names:
                raise ConfigError(unknown("class", name, self.class_names))
        if len(set(names)) < max(len(names), 2):
            raise ConfigError(f"Expected at least two different classes. Received: {names}.")
        numbers = np.full(len(self.class_names), -1, np.int64)
        numbers[[self.class_names.index(name) for name in names]] = range(len(names))
        splits = {name: _relabelled(split, numbers) for name, split in self.splits.items()}
        # A split may have no items of the chosen classes. Leave out empty splits.
        splits = {name: split for name, split in splits.items() if name == "train" or len(split)}
        if per_class is not None:
            check_range("per_class", per_class, 1, whole=True)
            train = splits["train"]
            order = np.random.default_rng(seed).permutation(len(train))
            drawn = [order[train.labels[order] == c][:per_class] for c in range(len(names))]
            splits["train"] = train.take(np.sort(np.concatenate(drawn)))
        task = self.task if classes is None else task_of_classes(names)
        return dataclasses.replace(self, splits=splits, task=task, class_names=names)

    def joined(self, names: Sequence[SplitName]) -> S:
        """Return the items of several splits as one split, in the order of `names`.

        Raises:
            ConfigError: `names` is not a list of at least one split name.
            DataError: A split does not exist, or the images of two pixel arrays have different
                shapes.

        Example:
            >>> len(data.joined(["train", "validation"]))
            32
        """
        if isinstance(names, str) or not names:
            raise ConfigError(
                "names must be a list of at least one split name, such as ['train', 'test']. "
                f"Received: {quoted(names)}."
            )
        return functools.reduce(lambda one, other: one.joined(other), map(self.split, names))

    def split(self, name: SplitName) -> S:
        """Return the split with this name.

        Raises:
            ConfigError: The name is not a split name.
            DataError: The data do not have this split.

        Example:
            >>> test = data.split("test")
            >>> len(test), test.labels.dtype
            (8, dtype('int64'))
        """
        if name not in SPLITS:
            raise ConfigError(unknown("split", name, SPLITS))
        if name not in self.splits or len(self.splits[name]) == 0:
            raise DataError(
                f"There is no {name} split: the data have {', '.join(self.splits)}. Make the data "
                f"with {name}_split=0.15, or with a {name} folder or {name} arrays. Or use another "
                "split."
            )
        return self.splits[name]

    def describe(self) -> dict[str, Any]:
        """Return classes, settings and splits of the data as JSON types, to store in a saved run.

        Example:
            >>> data.describe()["splits"]["test"]["classes"]
            {'blue': 4, 'red': 4}
        """
        checked = self.checked
        return {
            "task": self.task,
            "class_names": list(self.class_names),
            **self._own_settings(),
            "guesses": [dataclasses.asdict(guess) for guess in self.guesses],
            "split_settings": self.split_settings,
            "source_settings": self.source_settings,
            "fingerprint_of": "files" if self.splits["train"].in_files else "content",
            "checked": checked and {"items": checked.checked, "left_out": len(checked.bad)},
            "unused_files": dataclasses.asdict(self.unused_files) if self.unused_files else None,
            "splits": {
                name: {
                    "items": len(split),
                    "classes": self._class_counts(split),
                    "fingerprint": split.identity,
                }
                for name, split in self.splits.items()
            },
        }

    def _class_counts(self, split: S) -> dict[str, int]:
        """Return the number of items of each class, an empty dictionary for a regression."""
        counts = get_task(self.task)(self.class_names).class_counts(split.labels)
        return {name: int(count) for name, count in zip(self.class_names, counts, strict=True)}

    def describe_items(self) -> tuple[dict[str, Any], str]:
        """Return facts about the items that `keras-tl check` prints, as JSON types and as text.

        Example:
            >>> data.describe_items()
            ({}, '')
        """
        return {}, ""

    @abc.abstractmethod
    def _own_settings(self) -> dict[str, Any]:
        """Return the settings that only the subclass adds to `describe`, such as `resize`."""

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split)} {name}" for name, split in self.splits.items())
        counted = get_task(self.task).names_are
        kind = f"{len(self.class_names)} {counted}" if self.class_names else self.task
        return "\n".join([f"{type(self).__name__}({kind}: {sizes})", *map(str, self.guesses)])


def given_splits(train: Any, validation: Any, test: Any) -> dict[str, Any]:
    """Return the data of each split by split name. Leave out the splits that are `None`."""
    others = {"validation": validation, "test": test}
    return {"train": train} | {name: one for name, one in others.items() if one is not None}


def rows_of(values: Any, rows: np.ndarray) -> Any:
    """Select rows of a sequence, of each field of a dataclass, or of each value of a mapping."""
    if dataclasses.is_dataclass(values):
        fields = (getattr(values, field.name) for field in dataclasses.fields(values))
        kind: Any = type(values)
        return kind(*(rows_of(value, rows) for value in fields))
    if isinstance(values, Mapping):
        return {name: column[rows] for name, column in values.items()}
    if isinstance(values, (tuple, list)):
        return type(values)(values[row] for row in rows)
    return None if values is None else values[rows]


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, Mapping):
        return {name: _joined(values, other[name]) for name, values in one.items() if name in other}
    return np.concatenate([one, other]) if isinstance(one, np.ndarray) else one and one + other


def groups_of(split: Split, column: Hashable | None) -> np.ndarray | None:
    """Return the value of `column` for each item, or `None` if `column` is `None`.

    Raises:
        ConfigError: No column of this name is stored with the items.
    """
    if column is None:
        return None
    if column not in split.slices:
        raise ConfigError(
            f"groups={quoted(column)} must be a stored column of the items. Stored columns: "
            f"{', '.join(map(repr, split.slices)) or 'none'}. To store a column, pass "
            "groups= or slices= to from_csv or from_dataframe."
        )
    return split.slices[column]


def _completed(
    splits: Mapping[str, S], class_names: tuple[str, ...], options: CheckedSplitOptions
) -> dict[str, S]:
    """Draw the test and validation splits from train if they are missing."""
    splits = dict(splits)
    groups_of(splits["train"], options.groups)  # Check the column, also if nothing is drawn.
    for name in ("test", "validation"):
        if name not in splits:
            train, fraction = splits["train"], getattr(options, f"{name}_split")
            groups = groups_of(train, options.groups)
            stay, out = stratified_split(
                train.labels, fraction, class_names, options.seed, name, groups
            )
            if len(out):
                splits |= {"train": train.take(stay), name: train.take(out)}
    return {name: splits[name] for name in SPLITS if name in splits}


def _relabelled(split: S, numbers: np.ndarray) -> S:
    """Replace each class number c by `numbers[c]`. Drop items whose new class number is -1."""
    labels = numbers[split.labels]
    kept = split.take(np.flatnonzero(labels >= 0))
    return dataclasses.replace(kept, labels=labels[labels >= 0])
