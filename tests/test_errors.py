"""One family of errors, and how an unknown name is explained."""

import inspect

import numpy as np
import pandas as pd
import pytest

import keras_tl as ktl
from keras_tl import errors
from keras_tl.base.config import check_choice, check_range
from keras_tl.cli.group import image_size_of
from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.specs import load_spec
from keras_tl.data.texts.text_inputs import read_texts
from keras_tl.errors import MOST_QUOTED, KerasTLError, listed, quoted, unknown
from keras_tl.serving import Client
from tests.conftest import make_tiny_data

NAMES = ("resnet50", "resnet101", "vgg16", "efficientnet_lite0")
ALL = "Expected one of: 'resnet50', 'resnet101', 'vgg16', 'efficientnet_lite0'."

# What was given, and what is said of it.
CASES = [
    ("resnet5", "Did you mean 'resnet50' or 'resnet101'?"),
    ("ResNet50", "Did you mean 'resnet50' or 'resnet101'?"),
    ("VGG-16", "Did you mean 'vgg16'?"),
    ("efficientnetlite0", "Did you mean 'efficientnet_lite0'?"),
    ("bert", ALL),
    ("", ALL),
    (None, ALL),
    (7, ALL),
]


@pytest.mark.parametrize(("given", "said"), CASES)
def test_near_names_are_suggested_else_all_are_listed(given, said):
    assert unknown("backbone", given, NAMES) == f"Unknown backbone {given!r}. {said}"


def test_the_known_names_may_be_any_iterable():
    assert unknown("key", "zzz", iter(["a", "b"])) == unknown("key", "zzz", ["a", "b"])
    assert unknown("key", "zzz", {"a": 1, "b": 2}) == unknown("key", "zzz", ["a", "b"])


def test_every_error_is_of_the_family():
    found = [
        value
        for _, value in inspect.getmembers(errors, inspect.isclass)
        if value.__module__ == errors.__name__
    ]
    assert len(found) >= 8
    for error in found:
        assert issubclass(error, KerasTLError)
        assert issubclass(error, ValueError)
        assert error.__doc__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "'a'"),
        (None, "None"),
        (["a", 2.5], "['a', 2.5]"),
        (list(range(20)), repr(list(range(20)))),
        (np.arange(4).reshape(2, 2), "array([[0, 1], [2, 3]])"),
    ],
)
def test_short_values_are_quoted_whole(value, expected):
    assert quoted(value) == expected


LONG = "long " * 50_000


@pytest.mark.parametrize(
    "value",
    [LONG, LONG.encode(), [LONG], {LONG: LONG}, [[1.5] * 1000] * 1000, np.zeros((50, 50)), 7**999],
)
def test_long_values_are_quoted_in_part(value):
    text = quoted(value)
    assert 50 < len(text) <= MOST_QUOTED
    assert "..." in text
    assert "\n" not in text


def test_a_list_says_how_many_more_there_are():
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed([]) == ""
    text = listed(map(str, range(1000)))
    assert text.startswith("'0', '1', ")
    shown = text.count("'") // 2
    assert text.endswith(f" and {1000 - shown} more")
    assert len(text) < MOST_QUOTED + 20
    assert len(listed([LONG, LONG])) < MOST_QUOTED + 20


FRAME = pd.DataFrame({"text": ["a", "b"] * 8, "label": [0, 1] * 8})
# What is called with a text of 250,000 characters where something short is expected.
CALLS = {
    "folder": lambda: ktl.ImageData.from_folder(LONG),
    "table": lambda: ktl.ImageData.from_csv(LONG),
    "texts-folder": lambda: ktl.TextData.from_folder(LONG),
    "paths-in-a-frame": lambda: ktl.ImageData.from_dataframe(
        pd.DataFrame({"path": [LONG] * 8, "label": [0, 1] * 4})
    ),
    "column": lambda: ktl.TextData.from_dataframe(FRAME, text=LONG),
    "columns": lambda: ktl.TextData.from_dataframe(
        pd.DataFrame({str(n): [0] for n in range(50_000)})
    ),
    "split-column": lambda: ktl.TextData.from_dataframe(
        FRAME.assign(part=LONG), split="part", verbose=False
    ),
    "task": lambda: ktl.TextData.from_arrays(["a", "b"] * 8, [0, 1] * 8, task=LONG),
    "text": lambda: ktl.TextData.from_arrays([[LONG]] * 8, [0, 1] * 4),
    "pair": lambda: ktl.TextData.from_arrays([(LONG, LONG, LONG)] * 8, [0, 1] * 4),
    "label": lambda: ktl.TextData.from_arrays(["a", "b"] * 8, [0, LONG] * 8, class_names=["0"]),
    "resize": lambda: ktl.ImageData.digits(resize=LONG),
    "image-size": lambda: ktl.ImageData.digits(image_size=(1, 2, LONG)),
    "spec": lambda: load_spec(LONG),
    "spec-kind": lambda: load_spec(f"digits:{LONG}"),
    "backbone": lambda: ktl.Learner(LONG, make_tiny_data()),
    "backbone-with-a-slash": lambda: ktl.Learner(f"a/{LONG}", make_tiny_data()),
    "weights": lambda: ktl.Learner(
        "efficientnet_lite0", make_tiny_data(), weights=LONG, image_size=32
    ),
    "run": lambda: ktl.Learner.load(LONG),
    "choice": lambda: check_choice("kind", LONG, ("a", "b")),
    "range": lambda: check_range("number", LONG, 0),
    "option": lambda: image_size_of(LONG),
    "image": lambda: read_inputs(LONG),
    "images": lambda: read_inputs(["a.png", LONG]),
    "pattern": lambda: read_inputs("*/" * 50_000),
    "texts": lambda: read_texts([[LONG]], are_pairs=False),
    "pairs": lambda: read_texts([LONG], are_pairs=True),
    "address": lambda: Client(LONG, "model"),
}


@pytest.mark.parametrize("name", CALLS)
def test_messages_stay_short_whatever_was_given(name):
    with pytest.raises(KerasTLError) as error:
        CALLS[name]()
    assert len(str(error.value)) < 1200
    assert LONG[:300] not in str(error.value)
