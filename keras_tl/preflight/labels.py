"""Preflight checks that need only the labels of the data."""

import math

import numpy as np

from keras_tl.evaluation.intervals import proportion_interval
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.finding_text import listing, several
from keras_tl.preflight.findings import Finding

# `class_imbalance` reports the largest and the smallest class if the ratio of their sizes is at
# least 10: a model may ignore the smallest class.
MOST_IMBALANCED = 10
# Minimum number of training items for each class: in published few-shot benchmarks, a linear head
# on frozen features works well from 10 items per class on.
FEWEST = 10
# Half-widths of the 95% interval of a test accuracy of 0.9: `small_test_split` reports a note above
# the first half-width, and a warning above the second.
WIDEST_NOTE, WIDEST_WARNING = 0.05, 0.10
_SUPPOSED = 0.9
# With n test items, the 95% interval of the mean absolute error has a half-width of
# `_ERROR_OFF / sqrt(n)` times the mean absolute error. Reason: if errors are normally distributed,
# their absolute values have a standard deviation of sqrt(pi / 2 - 1) times the mean absolute error.
_ERROR_OFF = 1.96 * (math.pi / 2 - 1) ** 0.5


def labels_out_of_range(context: CheckContext) -> Finding | None:
    """Find labels that have no output in the head, and regression targets that are not finite."""
    task, found = context.task, []
    for name, split in context.data.splits.items():
        if len(strange := task.strange_rows(split.labels)):
            found.append(
                f"{len(strange):,} of {len(split):,} in {name}, such as {split.labels[strange[0]]} "
                f"in row {strange[0]}"
            )
    if not found:
        return None
    return Finding(
        "labels-out-of-range",
        "error",
        f"Expected labels that are {task.expected_labels}. Received others: {'; '.join(found)}.",
        "Correct these labels. Labels of classes count the class names from 0.",
    )


def unused_classes(context: CheckContext) -> Finding | None:
    """Find classes that have no training items, for example because labels count from 1."""
    names, task = context.data.class_names, context.task
    unused = np.flatnonzero(task.class_counts(context.train.labels) == 0)
    if not len(unused):
        return None
    hint = ""
    if unused.tolist() == [0] and task.has_one_class:
        hint = (
            f" Labels run from 1 to {len(names) - 1}: they may count the classes from 1. Each "
            "item then has the name of the next class."
        )
    return Finding(
        "unused-classes",
        "warning",
        f"{len(unused)} of {len(names)} {task.names_are} have no training item: "
        f"{listing([repr(names[number]) for number in unused])}.{hint}",
        "Check that the labels count class_names= from 0, or leave unused names out of "
        "class_names=.",
    )


def few_items(context: CheckContext) -> Finding | None:
    """Find classes with fewer than 10 training items, which are too few."""
    names, task = context.data.class_names, context.task
    counts = task.class_counts(context.train.labels)
    few = [number for number in np.argsort(counts) if 0 < counts[number] < FEWEST]
    if not few:
        return None
    action = (
        "Collect more items of these classes, join classes, or leave these classes out with "
        "data.subset(classes=...)."
        if task.has_one_class
        else "Collect more items with these labels, or leave the columns of these labels out."
    )
    return Finding(
        "few-items",
        "warning",
        f"{len(few)} of {len(names)} {task.names_are} have fewer than {FEWEST} training items: "
        f"{listing([f'{names[n]!r} ({counts[n]})' for n in few])}.",
        action,
    )


def class_imbalance(context: CheckContext) -> Finding | None:
    """Find out whether the largest class has at least 10 times as many items as the smallest."""
    if context.given and context.given.weighted:
        return None
    names, task = context.data.class_names, context.task
    counts = task.class_counts(context.train.labels)
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return None
    least, most = present[counts[present].argmin()], present[counts[present].argmax()]
    if counts[most] < MOST_IMBALANCED * counts[least]:
        return None
    action = (
        "If rare classes matter as much as frequent classes, pass "
        'class_weight="balanced" to fit_head and fine_tune (--balanced). Judge by the metrics of '
        "each class, not by accuracy."
        if task.has_one_class
        else "Judge by the metrics of each label. Class weights do not exist for items with "
        "several labels."
    )
    return Finding(
        "class-imbalance",
        "warning",
        f"{names[most]!r} has {counts[most]:,} training items, {names[least]!r} has "
        f"{counts[least]:,}: a ratio of {counts[most] / counts[least]:.0f} to 1.",
        action,
    )


def constant_targets(context: CheckContext) -> Finding | None:
    """Find out whether all training targets of a regression are equal."""
    if not context.task.is_number or np.ptp(context.train.labels) > 0:
        return None
    return Finding(
        "constant-targets",
        "warning",
        f"All {len(context.train):,} training targets are {context.train.labels[0]:g}.",
        "Check the label column: equal targets leave nothing to learn.",
    )


def small_test_split(context: CheckContext) -> Finding | None:
    """Find a test split so small that its results have a wide confidence interval."""
    test = context.held_out.get("test")
    if test is None:
        return None
    count = len(test)
    found = proportion_interval(round(_SUPPOSED * count), count)
    half = (found.high - found.low) / 2
    if half <= WIDEST_NOTE:
        return None
    shows = (
        "a model with a true accuracy of 90% would have a test accuracy from "
        f"{found.low:.0%} to {found.high:.0%}"
        if context.data.class_names
        else "by chance, the mean absolute error would be up to "
        f"{_ERROR_OFF / count**0.5:.0%} larger or smaller than its true value"
    )
    return Finding(
        "small-test-split",
        "warning" if half > WIDEST_WARNING else "note",
        f"The test split has {several(count, context.data.item)}: {shows} (95% interval).",
        "Collect more test items, raise test_split=, or compare models with several seeds and "
        "splits.",
    )
