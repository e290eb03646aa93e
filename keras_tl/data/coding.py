"""Items and labels as a source gives them, made into splits."""

from collections.abc import Callable, Mapping, Sequence, Sized
from typing import TypeVar

import numpy as np

from keras_tl.data.labels import LabelCoder, label_coder

Items = TypeVar("Items", bound=Sized)
AnySplit = TypeVar("AnySplit")


def code_splits(
    given: Mapping[str, tuple[Items, Sequence]],
    make_split: Callable[[Items, np.ndarray], AnySplit],
    item: str,
    class_names: Sequence[str] | None = None,
    task: str | None = None,
) -> tuple[dict[str, AnySplit], LabelCoder]:
    """Turns the labels of all splits into numbers; those of train decide what they count.

    Args:
        given: items and their labels (see `keras_tl.data.labels.label_coder`) of each split.
        make_split: makes a split of items and coded labels.
        item: what messages call one item.
        class_names: the classes' names; `None`: the sorted distinct labels.
        task: see `label_coder`.

    Returns:
        The splits, and what says their task and class names.

    Raises:
        DataError: the labels do not make a task, or not the same one in every split.
        ConfigError: there is no such task.
    """
    coder = label_coder(given["train"][1], class_names, task)
    splits = {
        name: make_split(items, coder.code(labels, len(items), name, item))
        for name, (items, labels) in given.items()
    }
    return splits, coder
