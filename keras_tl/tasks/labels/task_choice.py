"""Choose the task from the labels, by the same rule for all sources of images and texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_tl.base.guesses import Guess, LabelInterpretation
from keras_tl.errors import ConfigError, DataError, quoted
from keras_tl.tasks.labels.label_encoder import check_count, listing
from keras_tl.tasks.labels.multi_label_cells import separated
from keras_tl.tasks.labels.numbers import as_mask, read_numbers
from keras_tl.tasks.labels.plain_labels import Labels, label_text, plain_labels
from keras_tl.tasks.table import get_task


def read_labels(
    y: Any, class_names: Sequence[str] | None = None, task: str | None = None
) -> tuple[Labels, LabelInterpretation]:
    """Choose the task from the structure of the labels, unless `task` is given.

    Whole numbers, also floating-point numbers such as 1.0, are classes if two of three conditions
    hold. (1) There are at most 20 different numbers. (2) Most numbers occur more than once. (3) The
    smallest number is 0 or 1, and at least 90% of the whole numbers from the smallest to the
    largest occur. `read_labels` also counts how often each different number occurs: if the median
    of these counts is at least 10, the whole numbers are classes. Numbers that are not classes are
    targets of a regression.
    Labels can be rows of 0 and 1, or of -1 and 1. If each row has a single 1, each item has one
    class. If any row has several 1s or no 1, each row holds the labels of one item (multi-label).
    Texts are class names, except in data in which `;` or `|` separates several labels in a text.
    `;` or `|` separates labels if at least half of the parts between the separators also occur in
    other texts.

    Args:
        y: Labels of all items of all splits, see `plain_labels`. The shape (n, 1) is treated like
            the shape (n,).
        class_names: Names of the classes: an integer label `i` means `class_names[i]`. If labels
            are columns, `class_names` names the columns.
        task: Name of a task in `keras_tl.tasks.TASKS`. `None`: choose the task from the labels.

    Returns:
        First result: the labels as an array (n,) of classes or targets, an array (n, k) of 0 and 1,
        or lists of names. Second result: the task and the class names, with all guesses about
        them.

    Raises:
        DataError: A label is missing, or label rows contain a number other than -1, 0 and 1. The
            error also occurs if the rows contain both -1 and 0, because -1 may then mean unknown.
        ConfigError: The labels do not fit the task `task`, or no such task exists.
    """
    if task is not None:
        get_task(task)
    class_names = _stripped(class_names)
    values, names = plain_labels(y, class_names)
    if class_names is None and task != "regression":
        class_names = names
    if isinstance(values, list):
        return _of_lists(values, class_names, task)
    if values.ndim == 2 and values.shape[1] == 1 and task != "multilabel":
        values = values[:, 0]
    elif values.ndim == 1 and values.dtype.kind in "biuf" and task == "multilabel":
        values = values[:, None]
    if values.dtype.kind == "f":
        _check_given(np.isnan(values).any(axis=tuple(range(1, values.ndim))))
    if values.ndim == 2:
        return _of_rows(values, class_names, task)
    if values.dtype.kind in "iuf":
        return values, read_numbers(values, class_names, task)
    return _of_texts(values, class_names, task)


def read_splits(
    given: Mapping[str, tuple[Any, Any]],
    item: str,
    class_names: Sequence[str] | None = None,
    task: str | None = None,
) -> tuple[dict[str, tuple[Any, Labels]], LabelInterpretation]:
    """Choose the task from the labels of all splits together, as `read_labels` does.

    Args:
        given: Items and labels of each split, by name of the split.
        item: Word for one item, for messages.
        class_names: Names of the classes, see `read_labels`.
        task: Name of the task, see `read_labels`.

    Returns:
        Items and labels of each split, and the interpretation of the labels.

    Raises:
        DataError: A split has more or fewer labels than items, or the labels of the splits differ
            in form, such as numbers and lists.
        ConfigError: The task is unknown or unsuitable, see `read_labels`.
    """
    class_names = _stripped(class_names)
    parts: dict[str, Labels] = {}
    for name, (items, labels) in given.items():
        values, names = plain_labels(labels, class_names)
        if class_names is None and task != "regression":
            class_names = names
        if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        shape = values.shape if isinstance(values, np.ndarray) else (len(values),)
        check_count(shape, len(items), name, item, axes=(1, 2))
        parts[name] = values
    labels, meaning = read_labels(_joined(parts), class_names, task)
    read, start = {}, 0
    for name, part in parts.items():
        read[name] = given[name][0], labels[start : start + len(part)]
        start += len(part)
    return read, meaning


def _of_lists(
    values: list[list[str]], class_names: Sequence[str] | None, task: str | None
) -> tuple[Labels, LabelInterpretation]:
    are_single = all(len(labels) == 1 for labels in values)
    if task not in (None, "multilabel"):
        if not are_single:
            raise ConfigError(
                f"task={quoted(task)} needs one label per item. Received lists of labels, such as "
                f"{quoted(next(labels for labels in values if len(labels) != 1))}. For several "
                "labels per item, pass task='multilabel' (--task)."
            )
        return np.array([labels[0] for labels in values]), LabelInterpretation(task, class_names)
    guesses = ()
    if are_single and task is None:
        what = "Each item has a list of one label. The data were read as multi-label."
        action = 'If each item has exactly one class, pass task="multiclass" (--task).'
        guesses = (Guess("label-type", what, action),)
    return values, LabelInterpretation("multilabel", class_names, guesses)


def _of_rows(
    values: np.ndarray, class_names: Sequence[str] | None, task: str | None
) -> tuple[np.ndarray, LabelInterpretation]:
    if task == "regression":
        return values, LabelInterpretation(task)
    mask = as_mask(values)
    guesses = ()
    if (values < 0).any():
        what = "The label columns contain -1 and 1. -1 was read as 0: the item lacks the label."
        guesses = (Guess("label-type", what, "If -1 means unknown, leave the items with -1 out."),)
    if task == "multilabel":
        return mask, LabelInterpretation(task, class_names, guesses)
    if mask.shape[1] > 1 and (mask.sum(axis=1) == 1).all():
        if task is None:
            what = (
                f"Each row of {mask.shape[1]} label columns has a single 1. "
                "The data were read as one class per item."
            )
            action = 'If an item can have several labels, pass task="multilabel" (--task).'
            guesses += (Guess("label-type", what, action),)
        names = range(mask.shape[1]) if class_names is None else class_names
        return mask.argmax(axis=1), LabelInterpretation(task, tuple(map(str, names)), guesses)
    if task is not None:
        raise ConfigError(
            f"With label columns, task={quoted(task)} needs a single 1 in each row. For several "
            "labels per item, pass task='multilabel' (--task)."
        )
    return mask, LabelInterpretation("multilabel", class_names, guesses)


def _of_texts(
    values: np.ndarray, class_names: Sequence[str] | None, task: str | None
) -> tuple[Labels, LabelInterpretation]:
    lists, guesses = separated(values, class_names, task)
    if lists is not None:
        return lists, LabelInterpretation("multilabel", class_names, guesses)
    _check_given(np.array([value is None or value == "" for value in values.tolist()], bool))
    return values, LabelInterpretation(task, class_names, guesses)


def _stripped(class_names: Sequence[str] | None) -> list[str] | None:
    """Strip blanks from the class names, as blanks are stripped from labels."""
    return None if class_names is None else [*map(label_text, class_names)]


def _check_given(are_missing: np.ndarray) -> None:
    if len(rows := np.flatnonzero(are_missing)):
        raise DataError(
            f"A label is missing in {len(rows)} of {len(are_missing)} items, in rows "
            f"{listing(rows)}. Fill the labels in or leave the items out."
        )


def _joined(parts: Mapping[str, Labels]) -> Labels:
    """Join the labels of all splits. Raise `DataError` if the splits' labels differ in form."""
    values = [*parts.values()]
    if all(isinstance(value, list) for value in values):
        return [labels for part in values for labels in part]
    forms = {getattr(value, "shape", (0, "lists"))[1:] for value in values}
    if len(forms) > 1:
        shapes = ", ".join(
            f"{name} {value.shape if isinstance(value, np.ndarray) else 'lists of names'}"
            for name, value in parts.items()
        )
        raise DataError(f"Expected labels of the same form in all splits. Received: {shapes}.")
    are_numbers = {value.dtype.kind in "biuf" for value in values}
    if len(are_numbers) > 1:  # NumPy would turn the numbers into texts.
        return np.array([label for value in values for label in value.tolist()], object)
    return np.concatenate(values)
