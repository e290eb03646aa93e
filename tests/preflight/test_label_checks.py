"""What the labels alone show, and that clean ones show nothing."""

import dataclasses

import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.errors import DataError
from keras_tl.preflight.checks import run_checks
from keras_tl.preflight.context import CheckContext
from tests.preflight_data import changed, make_pictures


def make(task, labels, test_items=200, **fields):
    """Tiny distinct images with these training labels; a test split of the first ones' labels."""
    labels = np.asarray(labels)
    test = np.resize(labels, (test_items, *labels.shape[1:]))
    names = {"regression": None, "multilabel": "ab"}.get(task, [f"c{n}" for n in range(4)])
    data = ktl.ImageData.from_arrays(
        make_pictures(len(labels), 0, 6),
        labels,
        test=(make_pictures(test_items, 1, 6), test),
        task=task,
        class_names=names and list(names),
        validation_split=0,
        verbose=False,
    )
    return dataclasses.replace(data, **fields)


EVEN = np.arange(60) % 4
ROWS = np.stack([np.arange(60) % 2, np.arange(60) % 3 == 0], axis=1).astype(np.float32)
NUMBERS = np.linspace(-2, 9, 60).astype(np.float32)


def with_label(data, value, split="train"):
    labels = data.splits[split].labels.copy()
    labels[7] = value
    return changed(data, split, labels=labels)


# The data; what is found, with its severity; a part of what it says.
CASES = {
    "clean": (lambda: make("multiclass", EVEN), [], ""),
    "clean-multilabel": (lambda: make("multilabel", ROWS), [], ""),
    "clean-regression": (lambda: make("regression", NUMBERS), [], ""),
    "counted-from-1": (
        lambda: make("multiclass", EVEN[EVEN > 0]),
        ["warning unused-classes"],
        "1 of 4 classes have no training item: 'c0'. Labels run from 1 to 3: they may count",
    ),
    "lost": (
        lambda: make("multiclass", EVEN[EVEN != 2]),
        ["warning unused-classes"],
        "1 of 4 classes have no training item: 'c2'.",
    ),
    "lost-label": (
        lambda: make("multilabel", ROWS * [1, 0]),
        ["warning unused-classes"],
        "1 of 2 labels have no training item: 'b'.",
    ),
    "too-high": (
        lambda: with_label(make("multiclass", EVEN), 4),
        ["error labels-out-of-range"],
        "whole numbers from 0 to 3. Received others: 1 of 60 in train, such as 4 in row 7.",
    ),
    "too-high-in-test": (
        lambda: with_label(make("multiclass", EVEN), 4, "test"),
        ["error labels-out-of-range"],
        "Received others: 1 of 200 in test, such as 4 in row 7.",
    ),
    "negative": (
        lambda: with_label(make("multiclass", EVEN), -1),
        ["error labels-out-of-range"],
        "such as -1 in row 7",
    ),
    "no-mask": (
        lambda: with_label(make("multilabel", ROWS), 2),
        ["error labels-out-of-range"],
        "rows of 2 values of 0 and 1",
    ),
    "not-finite": (
        lambda: with_label(make("regression", NUMBERS), np.nan),
        ["error labels-out-of-range"],
        "Expected labels that are finite numbers",
    ),
    "few": (
        lambda: make("multiclass", np.repeat([0, 1, 2, 3], [20, 20, 9, 20])),
        ["warning few-items"],
        "1 of 4 classes have fewer than 10 training items: 'c2' (9).",
    ),
    "few-of-a-label": (
        lambda: make("multilabel", np.stack([ROWS[:, 0], np.arange(60) < 5], axis=1)),
        ["warning few-items"],
        "1 of 2 labels have fewer than 10 training items: 'b' (5). Collect more items with these "
        "labels, or leave the columns of these labels out.",
    ),
    "imbalanced": (
        lambda: make("multiclass", np.repeat([0, 1, 2, 3], [100, 20, 10, 20])),
        ["warning class-imbalance"],
        "'c0' has 100 training items, 'c2' has 10: a ratio of 10 to 1.",
    ),
    "nearly-imbalanced": (
        lambda: make("multiclass", np.repeat([0, 1, 2, 3], [99, 20, 10, 20])),
        [],
        "",
    ),
    "constant": (
        # Not so by their standard deviation, which rounding makes 9e-8.
        lambda: make("regression", np.full(60, 0.3, np.float32)),
        ["warning constant-targets"],
        "All 60 training targets are 0.3.",
    ),
    "small-test": (
        lambda: make("multiclass", EVEN, test_items=100),
        ["note small-test-split"],
        "The test split has 100 images: a model with a true accuracy of 90% would have a "
        "test accuracy from 83% to 94%",
    ),
    "small-test-of-numbers": (
        lambda: make("regression", NUMBERS, test_items=100),
        ["note small-test-split"],
        "100 images: by chance, the mean absolute error would be up to 15% larger or smaller",
    ),
    "tiny-test": (
        lambda: make("multiclass", EVEN, test_items=20),
        ["warning small-test-split"],
        "",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_fault_is_found_and_nothing_else(name):
    make_data, expected, says = CASES[name]
    found = run_checks(CheckContext(make_data()))
    assert [f"{x.severity} {x.name}" for x in found] == expected
    said = "".join(f"{x.what} {x.action}" for x in found)
    assert says in said
    assert ("may count the classes from 1" in said) == (name == "counted-from-1")
    assert all(x.action for x in found)
    errors = [x for x in found if x.severity == "error"]
    if errors:
        # What comes after would fail on it.
        put_right = {"the error labels-out-of-range must be corrected first"}
        assert set(found.not_checked.values()) == put_right
        with pytest.raises(DataError, match=r"Expected labels that are"):
            found.raise_errors()
    else:
        needs_model = {"image-size", "preprocessing", "near-duplicates", "initial-loss"}
        assert needs_model <= set(found.not_checked)
        assert set(found.not_checked.values()) == {"there is no model yet"}
