"""`LabelEncoder`: converts labels to arrays of numbers."""

import abc
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_tl.errors import MOST_QUOTED, DataError

# Number of unknown labels that a message quotes. `listing` quotes at most twice as many values.
SHOWN = 5


class LabelEncoder(abc.ABC):
    """Label encoder: converts labels to an array, in the same way for every split.

    Attributes:
        task: Name of the task, see `keras_tl.tasks.TASKS`.
        class_names: Names of the classes or labels. Regression: empty.
    """

    task: str
    class_names: tuple[str, ...] = ()

    @abc.abstractmethod
    def code(
        self, y: Sequence[Any] | np.ndarray, items: int, name: str, item: str = "image"
    ) -> np.ndarray:
        """Check and encode the labels of one split.

        Args:
            y: Labels of the split, one per item.
            items: Number of items in the split.
            name: Name of the split, for messages.
            item: Word for one item, for messages.

        Returns:
            One class per item: class numbers, int64 (n,). Multi-label: 0 and 1, float32 (n,
            labels). Regression: targets, float32 (n,).

        Raises:
            DataError: The number of labels is not `items`, or a label does not fit the task.
        """


def distinct_names(class_names: Iterable) -> tuple[str, ...]:
    """Return class names as texts. Raise `DataError` if two class names are equal."""
    names = tuple(map(str, class_names))
    if len(set(names)) < len(names):
        same = [name for name, count in Counter(names).items() if count > 1]
        raise DataError(
            f"Several classes have the same name: {listing(same)}. Give each class another name."
        )
    return names


def listing(values: Iterable) -> str:
    """Return a text with at most the first ten values, for messages."""
    values = list(values)
    more = ", ..." if len(values) > SHOWN * 2 else ""
    text = ", ".join(map(str, values[: SHOWN * 2])) + more
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 3]}..."


def check_count(
    shape: tuple[int, ...], items: int, name: str, item: str, axes: Sequence[int] = (1,)
) -> None:
    """Raise `DataError` unless labels have `items` rows, and a number of axes listed in `axes`."""
    if len(shape) not in axes or shape[0] != items:
        raise DataError(
            f"Expected one label for each {name} {item}. Received: {items} {item}s and labels of "
            f"shape {shape}."
        )
