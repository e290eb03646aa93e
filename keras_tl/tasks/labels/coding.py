"""Labels as numbers: what each of them counts."""

import abc
from collections.abc import Iterable, Sequence

import numpy as np

from keras_tl.errors import MOST_QUOTED, DataError

# Of a list in a message.
SHOWN = 5


class LabelCoder(abc.ABC):
    """Turns the labels of a split into an array, the same way for every split.

    Attributes:
        task: the task's name, see `keras_tl.tasks.TASKS`.
        class_names: the classes' or labels' names; none for a regression.
    """

    task: str
    class_names: tuple[str, ...] = ()

    @abc.abstractmethod
    def code(self, y: Sequence, items: int, name: str, item: str = "image") -> np.ndarray:
        """Return the labels of one split, checked.

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


def distinct_names(class_names: Iterable) -> tuple[str, ...]:
    """Return the names as texts; raise `DataError` if two are equal."""
    names = tuple(map(str, class_names))
    if len(set(names)) < len(names):
        raise DataError(f"Two classes have one name: {', '.join(names)}.")
    return names


def listing(values: Iterable) -> str:
    """The first few values as a text."""
    values = list(values)
    more = ", ..." if len(values) > SHOWN * 2 else ""
    text = ", ".join(map(str, values[: SHOWN * 2])) + more
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
