"""Labels as numbers: what each of them counts."""

import abc
from collections.abc import Iterable, Sequence

import numpy as np

from keras_tl.data.label_forms import Labels
from keras_tl.errors import MOST_QUOTED, DataError, quoted

_SHOWN = 5


class LabelCoder(abc.ABC):
    """Turns the labels of a split into an array, the same way for every split.

    Attributes:
        task: one of `keras_tl.config.TASKS`.
        class_names: the classes' or labels' names; none for a regression.
    """

    task: str
    class_names: tuple[str, ...] = ()

    @abc.abstractmethod
    def code(self, y: Sequence, items: int, name: str, item: str = "image") -> np.ndarray:
        """The labels of one split, checked.

        Args:
            y: one label an item.
            items: how many items there are.
            name: the split's name, for messages.
            item: what messages call one item.

        Returns:
            int64 (n,) class numbers; float32 (n, labels) of 0 and 1; or float32 (n,) targets.

        Raises:
            DataError: not one label an item, or one that is not of the kind.
        """


def label_coder(
    y: Labels, class_names: Sequence[str] | None = None, task: str | None = None
) -> LabelCoder:
    """Make what turns labels into numbers.

    Args:
        y: the labels of the training split, as `keras_tl.data.label_reading.read_labels` gives
            them.
        class_names: names of the classes that integers count, or of the columns of 0 and 1;
            `None`: the sorted distinct labels.
        task: one of `keras_tl.config.TASKS`; `None`: one class an item, binary if there are two.

    Raises:
        DataError: the labels do not fit the task, or do not make one.
    """
    if task == "multilabel":
        return _MultilabelCoder(y, class_names)
    if task == "regression":
        return _NumberCoder()
    return _ClassCoder(np.asarray(y), class_names, task)


def task_of_classes(class_names: Sequence[str]) -> str:
    """The task of items that have one class each."""
    return "binary" if len(class_names) == 2 else "multiclass"


def _names(class_names: Iterable) -> tuple[str, ...]:
    names = tuple(map(str, class_names))
    if len(set(names)) < len(names):
        raise DataError(f"Two classes have one name: {', '.join(names)}.")
    return names


def listing(values: Iterable) -> str:
    """The first few values as a text."""
    values = list(values)
    more = ", ..." if len(values) > _SHOWN * 2 else ""
    text = ", ".join(map(str, values[: _SHOWN * 2])) + more
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 3]}..."


def check_count(
    shape: tuple[int, ...], items: int, name: str, item: str, axes: Sequence[int] = (1,)
) -> None:
    """Raise `DataError` unless labels have one of so many axes, and the first has the items."""
    if len(shape) not in axes or shape[0] != items:
        raise DataError(
            f"Expected one label for each {name} {item}. Received: {items} {item}s and labels of "
            f"shape {shape}."
        )


class _ClassCoder(LabelCoder):
    """Any values, or integers that count given names."""

    def __init__(self, y: np.ndarray, class_names: Sequence[str] | None, task: str | None):
        y = _as_integers(y)
        if class_names is None:
            try:
                values = np.unique(y).tolist()
            except TypeError as error:
                raise DataError(f"Expected labels of one kind, all given. {error}.") from error
            self.class_names = tuple(map(str, values))
        else:
            self.class_names = tuple(map(str, class_names))
            values = range(len(self.class_names)) if y.dtype.kind in "iu" else self.class_names
        if len(set(self.class_names)) < 2:
            amounts = ' If they are amounts to predict, pass task="regression" (--task).'
            raise DataError(
                f"Expected at least two classes, found {len(set(self.class_names))}: "
                f"{', '.join(self.class_names)}.{amounts if y.dtype.kind in 'iu' else ''}"
            )
        _names(self.class_names)
        if task == "binary" and len(self.class_names) != 2:
            raise DataError(
                f"task='binary' is for two classes, found {len(self.class_names)}: "
                f"{listing(self.class_names)}."
            )
        self.task = task or task_of_classes(self.class_names)
        self._numbers = {value: number for number, value in enumerate(values)}

    def code(self, y: Sequence, items: int, name: str, item: str = "image") -> np.ndarray:
        y = np.asarray(y)
        check_count(y.shape, items, name, item)
        strange = sorted(set(y.tolist()) - set(self._numbers), key=str)
        if strange:
            raise DataError(
                f"The {name} labels {strange[:_SHOWN]} are not among the {len(self._numbers)} "
                f"expected: {listing(self._numbers)}."
            )
        return np.array([self._numbers[value] for value in y.tolist()], np.int64)


def _as_integers(y: np.ndarray) -> np.ndarray:
    """Class numbers that were kept as floating-point numbers, such as 1.0; others as they are."""
    return y.astype(np.int64) if y.dtype.kind == "f" and np.all(y == np.rint(y)) else y


class _MultilabelCoder(LabelCoder):
    """Rows of 0 and 1 as `read_labels` gives them, one column a label; or lists of names."""

    task = "multilabel"

    def __init__(self, y: Sequence, class_names: Sequence[str] | None):
        if class_names is not None:
            self.class_names = _names(class_names)
        elif isinstance(y, np.ndarray):
            self.class_names = tuple(str(column) for column in range(y.shape[1]))
        else:
            self.class_names = tuple(sorted({str(label) for labels in y for label in labels}))
        if not self.class_names:
            raise DataError("Expected at least one label, found only items without any.")

    def code(self, y: Sequence, items: int, name: str, item: str = "image") -> np.ndarray:
        if len(y) != items:
            raise DataError(
                f"Expected a row of labels for each {name} {item}. Received: {items} {item}s and "
                f"{len(y)} rows."
            )
        mask = y if isinstance(y, np.ndarray) else self._from_names(y, name)
        if mask.shape[1] != len(self.class_names):
            raise DataError(
                f"Expected {len(self.class_names)} columns of {name} labels "
                f"({listing(self.class_names)}). Received: {mask.shape[1]}."
            )
        return mask

    def _from_names(self, y: Sequence, name: str) -> np.ndarray:
        numbers = {label: number for number, label in enumerate(self.class_names)}
        mask = np.zeros((len(y), len(numbers)), np.float32)
        for row, labels in enumerate(y):
            for label in map(str, labels):
                if label not in numbers:
                    raise DataError(
                        f"The {name} label {quoted(label)} is not among the {len(numbers)} "
                        f"expected: {listing(numbers)}."
                    )
                mask[row, numbers[label]] = 1
        return mask


class _NumberCoder(LabelCoder):
    """Targets of a regression."""

    task = "regression"

    def code(self, y: Sequence, items: int, name: str, item: str = "image") -> np.ndarray:
        y = np.asarray(y)
        check_count(y.shape, items, name, item)
        try:
            values = y.astype(np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(f"Expected numbers as {name} targets: {error}.") from error
        strange = np.flatnonzero(~np.isfinite(values))
        if len(strange):
            raise DataError(
                f"{len(strange)} of the {items} {name} targets are not finite numbers: rows "
                f"{listing(strange)} hold {listing(y[strange])}. Fill them in or leave them out."
            )
        return values
