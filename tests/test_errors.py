"""One family of errors, and how an unknown name is explained."""

import inspect

import pytest

from keras_tl import errors
from keras_tl.errors import KerasTLError, unknown

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
