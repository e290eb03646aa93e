"""What labelled images and texts have in common: the way from a source to splits, and subsets."""

import abc
import dataclasses
import functools
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from keras_tl.base.config import check_range
from keras_tl.base.readings import LabelMeaning, Reading
from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.given import Askable
from keras_tl.data.item_checks import BadRows, Check, check_left
from keras_tl.data.options import CheckedSplitOptions
from keras_tl.data.splits import SPLITS, take_out
from keras_tl.errors import ConfigError, DataError, quoted, unknown
from keras_tl.tasks import get_task, label_coder
from keras_tl.tasks.labels.forms import Labels
from keras_tl.tasks.one_class import task_of_classes

# The settings of a source that are folders of the machine.
PLACES = frozenset({"data_dir", "root"})


class Split(Askable):
    """The items of one split, in a fixed order. Subclasses are frozen dataclasses.

    Attributes:
        labels: int64 array (n,), the class of each item; float32 (n, labels) of 0 and 1 where an
            item can have several; or float32 (n,), the target of a regression.
        slices: columns that were kept to make groups of the items by: texts (n,), by their names.
    """

    labels: np.ndarray
    slices: Mapping[Hashable, np.ndarray]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """The same with only these rows, in this order."""
        return rows_of(self, rows)

    def joined(self, other: Self) -> Self:
        """Return the items of this split and then those of another.

        Columns of `slices` that only one of them has are left out.

        Raises:
            DataError: the pixels of the two have different shapes.
        """
        names = [field.name for field in dataclasses.fields(self)]
        return type(self)(*(_joined(getattr(self, name), getattr(other, name)) for name in names))

    def sample(self, count: int, seed: int) -> Self:
        """At most `count` of the items, drawn at random."""
        rows = np.random.default_rng(seed).permutation(len(self))[:count]
        return self.take(np.sort(rows))

    @property
    @abc.abstractmethod
    def sources(self) -> Sequence[str | tuple[str, str]] | None:
        """What each item is: a path, a text, or both texts of a pair; `None`: pixels."""

    @property
    def in_files(self) -> bool:
        """Whether the items are files, of which `fingerprint` looks at the names only."""
        return False

    @abc.abstractmethod
    def fingerprint(self, full_hash: bool = False) -> str:
        """Identifies the items and their order, as 64 hexadecimal digits.

        Args:
            full_hash: for files, hash their content; otherwise their path, size and
                modification time, as they are now. What is in memory is always hashed.

        Raises:
            DataError: a file has gone.
        """

    @functools.cached_property
    def identity(self) -> str | None:
        """The fingerprint as it was when it was first asked for; `None`: a file had gone."""
        # A file that has gone since must not keep a trained run from being saved.
        try:
            return self.fingerprint()
        except DataError:
            return None

    @property
    def label_fingerprint(self) -> str:
        """Identifies the labels and their order, which `fingerprint` does not: 64 digits."""
        return hashlib.sha256(np.ascontiguousarray(self.labels).data).hexdigest()


S = TypeVar("S", bound=Split)


@dataclasses.dataclass(frozen=True)
class Source:
    """Items and labels as a source gives them.

    Attributes:
        splits: the items of each split, and their labels as `read_labels` gives them.
        meaning: what the labels stand for.
        settings: see `LabelledData.source_settings`.
        slices: of each split the columns to make groups by, see `Split`.
        unused: the files of a folder that were passed over; `None`: the source is no folder.
        has_splits: whether the source says the splits: no test split is then taken from train.
    """

    splits: Mapping[str, tuple[Any, Labels]]
    meaning: LabelMeaning
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    slices: Mapping[str, Mapping[Hashable, np.ndarray]] = dataclasses.field(default_factory=dict)
    unused: UnusedFiles | None = None
    has_splits: bool = False


@dataclasses.dataclass(frozen=True)
class LabelledData(abc.ABC, Generic[S]):
    """Labelled items in three splits.

    Attributes:
        item: name of the modality, and what messages call one item.
        augmentation: what `augment=True` means; none unless the data say it.
        splits: `"train"`, and `"validation"` and `"test"` where there are any.
        task: a name in `keras_tl.tasks.TASKS`.
        class_names: the classes' or labels' names; none for a regression.
        checked: what the check of the items has found; `None` without one.
        split_settings: the options that the splits were made with; the same ones on the same
            source make the same splits.
        readings: guesses about the labels and the folders, each with the argument that decides it.
        unused_files: the files of a folder that were passed over; `None`: the source is no folder.
        source_settings: the kind of source that a command line can name, and what else is needed
            to read another one in the same way (see `keras_tl.data.specs`); JSON types. Those in
            `PLACES` say where it lies on the machine, and are for no card and no report.
    """

    item: ClassVar[str]
    augmentation = False

    splits: dict[str, S]
    task: str
    class_names: tuple[str, ...]
    checked: Check | None = dataclasses.field(default=None, kw_only=True)
    readings: tuple[Reading, ...] = dataclasses.field(default=(), kw_only=True)
    unused_files: UnusedFiles | None = dataclasses.field(default=None, kw_only=True)
    split_settings: dict[str, Any] = dataclasses.field(default_factory=dict, kw_only=True)
    source_settings: dict[str, Any] = dataclasses.field(default_factory=dict, kw_only=True)

    @classmethod
    def _of(cls, source: Source, options: CheckedSplitOptions) -> Self:
        """Make data of a source: encode the labels, check the items, make missing splits of train.

        Raises:
            DataError: the labels do not make a task, or not the same one in every split; too many
                items cannot be used; or a class has too few items.
        """
        if source.has_splits:
            options = dataclasses.replace(options, test_split=0.0)
        meaning = source.meaning
        coder = label_coder(source.splits["train"][1], meaning.class_names, meaning.task)
        splits = {
            name: cls._split(
                items, coder.code(labels, len(items), name, cls.item), source.slices.get(name, {})
            )
            for name, (items, labels) in source.splits.items()
        }
        bad, checked = cls._check(source, splits, coder.class_names, options)
        for name, found in bad.items():
            whole = splits[name]
            splits[name] = whole.take(np.setdiff1d(np.arange(len(whole)), [*found]))
            check_left(name, whole, splits[name], coder.class_names, checked.item, found)
        return cls(
            _completed(splits, coder.class_names, options),
            coder.task,
            coder.class_names,
            **options.of_data(),
            checked=checked and dataclasses.replace(checked, unused=source.unused),
            readings=meaning.readings,
            unused_files=source.unused,
            split_settings=options.split_settings(),
            source_settings=source.settings,
        )

    @staticmethod
    @abc.abstractmethod
    def _split(items: Any, labels: np.ndarray, slices: Mapping[Hashable, np.ndarray]) -> S:
        """Make a split of items as a source gives them."""

    @staticmethod
    @abc.abstractmethod
    def _check(
        source: Source,
        splits: dict[str, S],
        class_names: tuple[str, ...],
        options: CheckedSplitOptions,
    ) -> tuple[BadRows, Check | None]:
        """Find the items that cannot be used; `None` without a check.

        Raises:
            DataError: they are more than `options.max_bad` of all.
        """

    @property
    def groups(self) -> Hashable | None:
        """The column whose values say which items belong together; `None`: there is none."""
        return self.split_settings.get("groups")

    @property
    @abc.abstractmethod
    def model_fields(self) -> dict[str, Any]:
        """The fields of `ModelConfig` that these data decide, apart from the task's."""

    def subset(
        self,
        classes: Sequence[str] | None = None,
        per_class: int | None = None,
        seed: int = 0,
    ) -> Self:
        """The same splits with fewer classes, or with fewer training items; none without items.

        Args:
            classes: the names of the classes to keep, in the order they are to have; `None`: all.
            per_class: at most so many training items of each class, drawn at random; the
                other splits stay as they are. `None`: all.
            seed: seed of the draw.

        Raises:
            ConfigError: a class is unknown, or there are fewer than two, or the items do not
                have one class each.
        """
        if not get_task(self.task).has_one_class:
            raise ConfigError(
                f"A subset needs {self.item}s of one class each; these are {self.task}."
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
        # A split in which none of the classes is has gone, as one that was never made.
        splits = {name: split for name, split in splits.items() if name == "train" or len(split)}
        if per_class is not None:
            check_range("per_class", per_class, 1, whole=True)
            train = splits["train"]
            order = np.random.default_rng(seed).permutation(len(train))
            drawn = [order[train.labels[order] == c][:per_class] for c in range(len(names))]
            splits["train"] = train.take(np.sort(np.concatenate(drawn)))
        task = self.task if classes is None else task_of_classes(names)
        return dataclasses.replace(self, splits=splits, task=task, class_names=names)

    def joined(self, names: Sequence[str]) -> S:
        """Return the items of several splits as one, in this order.

        Raises:
            DataError: there is no such split, or the pixels of two have different shapes.
        """
        return functools.reduce(lambda one, other: one.joined(other), map(self.split, names))

    def split(self, name: str) -> S:
        """One split.

        Raises:
            ConfigError: no split is ever called so.
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
        """What the data are, for a saved run: classes, and how they were split; JSON types."""
        checked = self.checked
        return {
            "task": self.task,
            "class_names": list(self.class_names),
            **self._own_settings(),
            "readings": [dataclasses.asdict(reading) for reading in self.readings],
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
        """How many items each class has; none for a regression."""
        counts = get_task(self.task)(self.class_names).class_counts(split.labels)
        return {name: int(count) for name, count in zip(self.class_names, counts, strict=True)}

    def describe_items(self) -> tuple[dict[str, Any], str]:
        """Return what a check of the data tells beside its findings, as JSON types and as text."""
        return {}, ""

    @abc.abstractmethod
    def _own_settings(self) -> dict[str, Any]:
        """What `describe` tells of this kind of data only."""

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split)} {name}" for name, split in self.splits.items())
        counted = get_task(self.task).names_are
        kind = f"{len(self.class_names)} {counted}" if self.class_names else self.task
        return "\n".join([f"{type(self).__name__}({kind}: {sizes})", *map(str, self.readings)])


def rows_of(values: Any, rows: np.ndarray) -> Any:
    """Return some rows of a sequence, or of each field of a dataclass and each value of a mapping.

    `None` stays `None`.
    """
    if dataclasses.is_dataclass(values):
        fields = (getattr(values, field.name) for field in dataclasses.fields(values))
        return type(values)(*(rows_of(value, rows) for value in fields))
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
    """The values of the column that says which items belong together; `None`: there is none.

    Raises:
        ConfigError: the items have no such column.
    """
    if column is None:
        return None
    if column not in split.slices:
        raise ConfigError(
            f"groups={quoted(column)} must be a column of a table that was kept with the items, by "
            f"from_csv or from_dataframe with groups= or slices=. These items have "
            f"{', '.join(map(repr, split.slices)) or 'no column'}."
        )
    return split.slices[column]


def _completed(
    splits: Mapping[str, S], class_names: tuple[str, ...], options: CheckedSplitOptions
) -> dict[str, S]:
    """Takes missing test and validation splits out of train, as the options say."""
    splits = dict(splits)
    for name in ("test", "validation"):
        if name not in splits:
            train, fraction = splits["train"], getattr(options, f"{name}_split")
            groups = groups_of(train, options.groups)
            stay, out = take_out(train.labels, fraction, class_names, options.seed, name, groups)
            if len(out):
                splits |= {"train": train.take(stay), name: train.take(out)}
    return {name: splits[name] for name in SPLITS if name in splits}


def _relabelled(split: S, numbers: np.ndarray) -> S:
    """The rows whose class has a new number, -1 standing for none."""
    labels = numbers[split.labels]
    kept = split.take(np.flatnonzero(labels >= 0))
    return dataclasses.replace(kept, labels=labels[labels >= 0])
