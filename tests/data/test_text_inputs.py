"""What `predict` accepts of texts, and what it says to anything else."""

import numpy as np
import pytest

from keras_tl.data.text_inputs import read_texts
from keras_tl.errors import DataError

TEXTS = {
    "text": ("a b", ("a b",)),
    "texts": (["a", ""], ("a", "")),
    "bytes": ("ä".encode(), ("ä",)),
    "generator": ((text for text in ("a", "b")), ("a", "b")),
    "array": (np.array(["a", "b"]), ("a", "b")),
    "tuple": (("a", "b"), ("a", "b")),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name):
    given, expected = TEXTS[name]
    items = read_texts(given, are_pairs=False)
    assert (items.texts, items.pairs, items.sources) == (expected, None, expected)
    assert items.as_split().texts == expected


PAIRS = {
    "pair": (("a", "b"), ("a",), ("b",)),
    "pairs": ([("a", "b"), ["c", "d"]], ("a", "c"), ("b", "d")),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name):
    given, first, second = PAIRS[name]
    items = read_texts(given, are_pairs=True)
    assert (items.texts, items.pairs) == (first, second)
    assert items.sources[0] == "a | b"
    assert items.as_split().pairs == second


@pytest.mark.parametrize(
    ("given", "are_pairs", "message"),
    [
        ([], False, r"Expected texts, at least one\. Received: nothing"),
        (3, False, r"Expected texts, at least one\. Received: 3, of type int"),
        (["a", None], False, r"Received: None, of type NoneType"),
        ([("a", "b")], False, r"Expected texts.*Received: \('a', 'b'\), of type tuple"),
        ("a", True, r"Expected pairs \(text, text_pair\), at least one\. Received: 'a'"),
        ([("a", "b", "c")], True, r"of type tuple"),
        ([b"\xff"], False, r"Expected texts in UTF-8, found other bytes in item 0"),
    ],
)
def test_anything_else_is_explained(given, are_pairs, message):
    with pytest.raises(DataError, match=message):
        read_texts(given, are_pairs)
