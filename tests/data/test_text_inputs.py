"""What `predict` accepts of texts, and what it says to anything else."""

import sys
import unicodedata

import numpy as np
import pytest

from keras_tl.data.text_inputs import read_texts
from keras_tl.data.text_values import is_blank
from keras_tl.errors import DataError

TEXTS = {
    "text": ("a b", ("a b",)),
    "texts": (["a", "b "], ("a", "b ")),
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
    ],
)
def test_anything_else_is_explained(given, are_pairs, message):
    with pytest.raises(DataError, match=message):
        read_texts(given, are_pairs)


# What leaves nothing to read, and what does.
SPACES = "\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{LINE SEPARATOR}"
MARKS = "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"
BLANK = ["", " ", "\t\r\n", "\x00\x1f", SPACES, MARKS]
NOT_BLANK = ["a", " . ", "\N{COMBINING ACUTE ACCENT}", "\N{REPLACEMENT CHARACTER}", "\ue000", "漢"]
NO_UTF_8 = [b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"\xc0\x80", b"a\xf0\x9f\x98"]


@pytest.mark.parametrize("text", BLANK)
def test_blank_texts(text):
    assert is_blank(text)
    items = read_texts(["a", text], are_pairs=False)
    with pytest.raises(DataError, match=r"Item 1 of 2 is empty: nothing but white space\. Leave"):
        items.as_split()
    pairs = read_texts([("a", "b"), ("a", text)], are_pairs=True)
    with pytest.raises(DataError, match=r"Item 1 of 2 is empty"):
        pairs.as_split()


@pytest.mark.parametrize("text", NOT_BLANK)
def test_texts_that_are_not_blank(text):
    assert not is_blank(text)
    assert read_texts([text], are_pairs=False).as_split().texts == (text,)


@pytest.mark.parametrize("text", NO_UTF_8)
def test_bytes_that_are_no_utf_8_stay_bytes(text):
    items = read_texts(["a", text], are_pairs=False)
    assert items.texts == ("a", text)
    assert items.sources == ("a", repr(text))
    with pytest.raises(DataError, match=r"Expected texts in UTF-8, found other bytes in item 1"):
        items.as_split()
    with pytest.raises(DataError, match=r"found other bytes in item 1"):
        items.check_valid(np.array([True, False]))
    items.check_valid(np.array([True, True]))


def test_white_space_is_blank():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if character.isspace():
            assert is_blank(character), unicodedata.name(character, hex(code))
