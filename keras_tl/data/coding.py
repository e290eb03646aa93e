"""Images and labels as a source gives them, made into splits."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_tl.data.labels import LabelCoder, label_coder
from keras_tl.data.sources import ImageSplit

Images = tuple[str, ...] | np.ndarray


def code_splits(
    given: Mapping[str, tuple[Images, Sequence]],
    class_names: Sequence[str] | None = None,
    task: str | None = None,
) -> tuple[dict[str, ImageSplit], LabelCoder]:
    """Turns the labels of all splits into numbers; those of train decide what they count.

    Args:
        given: images and their labels (see `keras_tl.data.labels.label_coder`) of each split.
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
        name: ImageSplit(images, coder.code(labels, len(images), name))
        for name, (images, labels) in given.items()
    }
    return splits, coder
