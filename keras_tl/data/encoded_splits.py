"""Items and labels as a source gives them, made into splits."""

from collections.abc import Callable, Mapping, Sized
from typing import TypeVar

import numpy as np

from keras_tl.base.readings import LabelMeaning
from keras_tl.tasks import label_coder
from keras_tl.tasks.labels.coding import LabelCoder
from keras_tl.tasks.labels.forms import Labels

Items = TypeVar("Items", bound=Sized)
AnySplit = TypeVar("AnySplit")


def code_splits(
    given: Mapping[str, tuple[Items, Labels]],
    make_split: Callable[[Items, np.ndarray], AnySplit],
    item: str,
    meaning: LabelMeaning,
) -> tuple[dict[str, AnySplit], LabelCoder]:
    """Turns the labels of all splits into numbers; those of train decide what they count.

    Args:
        given: items of each split, and their labels as `read_labels` gives them.
        make_split: makes a split of items and coded labels.
        item: what messages call one item.
        meaning: what the labels stand for.

    Returns:
        The splits, and what says their task and class names.

    Raises:
        DataError: the labels do not make a task, or not the same one in every split.
    """
    coder = label_coder(given["train"][1], meaning.class_names, meaning.task)
    splits = {
        name: make_split(items, coder.code(labels, len(items), name, item))
        for name, (items, labels) in given.items()
    }
    return splits, coder
