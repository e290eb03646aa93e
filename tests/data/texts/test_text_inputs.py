"""What `predict` accepts of texts, and what it says to anything else."""

import io
import re
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_tl.data.tables.item_columns import ItemColumns
from keras_tl.data.texts.text_inputs import read_texts
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.data.texts.text_values import is_blank
from keras_tl.errors import ConfigError, DataError
from keras_tl.models.text_modality import TextModality

FRAME = pd.DataFrame({"label": [0, 1, 0], "text": ["a", None, "c"], "text_pair": ["x", "y", "z"]})
DATA_SET = tf.data.Dataset.from_tensor_slices((["a", "b"], [0, 1]))
PAIR_DATA_SET = tf.data.Dataset.from_tensor_slices((["a", "b"], ["x", "y"]))
# It does not depend on the network.
as_split = TextModality((), None, are_pairs=False).as_split


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory: two reviews, one of them in a folder, and a table of them."""
    monkeypatch.chdir(tmp_path)
    Path("more").mkdir()
    Path("one.txt").write_text("first line\nsecond line\n")
    Path("more", "two.TXT").write_bytes("\ufeffZwei, süß".encode())
    Path("table.csv").write_text("text,label\na,0\n")
    return tmp_path


TEXTS = {
    "text": ("a b", ("a b",)),
    "texts": (["a", "b "], ("a", "b ")),
    "bytes": ("ä".encode(), ("ä",)),
    "generator": ((text for text in ("a", "b")), ("a", "b")),
    "array": (np.array(["a", "b"]), ("a", "b")),
    "tuple": (("a", "b"), ("a", "b")),
    "bytearray": (bytearray(b"a\nb"), ("a\nb",)),
    "buffer": (io.BytesIO(b"a\nb"), ("a\nb",)),
    "text-buffer": (io.StringIO("a\nb"), ("a\nb",)),
    "buffers": ([io.BytesIO(b"a"), io.StringIO("b")], ("a", "b")),
    "array-of-objects": (np.array(["a", b"b"], object), ("a", "b")),
    "scalar-array": (np.array("a b"), ("a b",)),
    "tensor": (tf.constant(["a", "ä"]), ("a", "ä")),
    "tensors": ([tf.constant("a"), "b"], ("a", "b")),
    "series": (pd.Series(["a", "b"], index=[3, 4]), ("a", "b")),
    "frame": (FRAME[::2], ("a", "c")),
    "split": (TextSplit(("a", "b"), None, np.zeros(2)), ("a", "b")),
    "data-set": (DATA_SET, ("a", "b")),
    "data-set-in-batches": (DATA_SET.batch(2), ("a", "b")),
    "data-set-of-texts": (DATA_SET.map(lambda text, label: text).batch(1), ("a", "b")),
    "data-set-of-names": (
        DATA_SET.map(lambda text, label: {"text": text, "label": label}).batch(2),
        ("a", "b"),
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name):
    given, expected = TEXTS[name]
    items = read_texts(given, are_pairs=False)
    assert (items.texts, items.pairs, items.sources) == (expected, None, expected)
    assert as_split(items).texts == expected


PAIRS = {
    "pair": (("a", "b"), ("a",), ("b",)),
    "pairs": ([("a", "b"), ["c", "d"]], ("a", "c"), ("b", "d")),
    "buffers": ((io.BytesIO(b"a"), "b"), ("a",), ("b",)),
    "array": (np.array([["a", "b"], ["c", "d"]]), ("a", "c"), ("b", "d")),
    "tensor": (tf.constant([["a", "b"]]), ("a",), ("b",)),
    "frame": (FRAME[:1], ("a",), ("x",)),
    "split": (TextSplit(("a", "c"), ("b", "d"), np.zeros(2)), ("a", "c"), ("b", "d")),
    "data-set": (PAIR_DATA_SET.take(1), ("a",), ("x",)),
    "data-set-in-batches": (PAIR_DATA_SET.batch(2), ("a", "b"), ("x", "y")),
    "data-set-with-labels": (
        PAIR_DATA_SET.map(lambda a, b: ((a, b), 1)).batch(2),
        ("a", "b"),
        ("x", "y"),
    ),
    "data-set-of-names": (
        PAIR_DATA_SET.map(lambda a, b: {"text_pair": b, "text": a}),
        ("a", "b"),
        ("x", "y"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name):
    given, first, second = PAIRS[name]
    items = read_texts(given, are_pairs=True)
    assert (items.texts, items.pairs) == (first, second)
    assert items.sources[0] == f"a | {second[0]}"
    assert as_split(items).pairs == second


def test_a_file_is_one_text(folder):
    one, two = "first line\nsecond line\n", "Zwei, süß"
    for given, texts, names in (
        (Path("one.txt"), (one,), ("one.txt",)),
        ([Path("more/two.TXT"), "one"], (two, "one"), ("more/two.TXT", "one")),
        (folder, (two, one), (str(folder / "more" / "two.TXT"), str(folder / "one.txt"))),
    ):
        items = read_texts(given, are_pairs=False)
        assert (items.texts, items.sources) == (texts, names)
        assert items.take([0]).sources == names[:1]
    with open("one.txt", encoding="utf-8") as file:
        assert read_texts(file, are_pairs=False).texts == (one,)
    pairs = read_texts([(Path("one.txt"), "b")], are_pairs=True)
    assert (pairs.texts, pairs.pairs, pairs.sources) == ((one,), ("b",), ("one.txt | b",))


def test_frames_have_the_columns_of_the_run():
    frame = pd.DataFrame({"text": ["no"], "a": ["yes"], 0: ["also"]})
    for settings, are_pairs, expected in (
        ({"kind": "csv", "text": "a", "text_pair": None}, False, ("yes",)),
        ({"kind": "csv", "text": 0}, False, ("also",)),
        ({"kind": "csv", "text": "a", "text_pair": 0}, True, ("yes | also",)),
        ({"kind": "tfds", "text": "a"}, False, ("no",)),
    ):
        columns = ItemColumns.of("text", are_pairs, settings)
        assert read_texts(frame, are_pairs, columns).sources == expected


# What could mean a file, or the words of its name; whether it is refused.
PATHS = {
    "one": ("one.txt", True),
    "all": (["one.txt", "more/two.TXT"], True),
    "a-folder": (["more"], True),
    "one-of-two": (["one.txt", "more or less"], False),
    "bytes": ([b"one.txt"], False),
    "absent": (["three.txt"], False),
    "frame": (pd.DataFrame({"text": ["one.txt"]}), False),
    "split": (TextSplit(("one.txt",), None, np.zeros(1)), False),
    "pattern": ("*.txt", False),
}


@pytest.mark.parametrize("name", PATHS)
def test_texts_that_all_are_paths_are_refused(folder, name):
    given, is_refused = PATHS[name]
    if not is_refused:
        assert read_texts(given, are_pairs=False).names is None
        return
    with pytest.raises(
        DataError,
        match=r"the paths or the contents of the files\. .*pathlib\.Path.*encode\(\)",
    ):
        read_texts(given, are_pairs=False)


def test_pairs_that_all_are_paths_are_refused(folder):
    assert len(read_texts([("one.txt", "good")], are_pairs=True)) == 1
    with pytest.raises(DataError, match=r"Received: paths of existing files or folders"):
        read_texts([("one.txt", "more")], are_pairs=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Path("table.csv"), r"the path of a \.txt file\. Received: 'table\.csv'.*DataFrame"),
        (Path("absent.txt"), r"Cannot read the text 'absent\.txt': No such file"),
        ([Path("more")], r"the path of a \.txt file\. Received: 'more'"),
        (Path("empty"), r"The folder 'empty' holds no files\. Expected \.txt"),
    ],
)
def test_paths_of_anything_else_are_explained(folder, given, message):
    Path("empty").mkdir()
    with pytest.raises(DataError, match=message):
        read_texts(given, are_pairs=False)
    with pytest.raises(ConfigError, match=r"not support gs:// paths"):
        read_texts(Path("gs://bucket/one.txt"), are_pairs=False)


@pytest.mark.parametrize(
    ("given", "are_pairs", "message"),
    [
        ([], False, r"Expected texts, at least one\. Received: nothing"),
        (3, False, r"Expected texts, at least one\. Received: 3, of type int"),
        (["a", None], False, r"Received: None, of type NoneType"),
        ([("a", "b")], False, r"Expected texts.*Received: \('a', 'b'\), of type tuple"),
        ("a", True, r"Expected pairs \(text, text_pair\), at least one\. Received: 'a'"),
        ([("a", "b", "c")], True, r"of type tuple"),
        ({"text": ["a", "b"]}, False, r"Expected a list or an array of items\. Received: dict"),
        ({"a"}, False, r"Expected a list or an array of items\. Received: set"),
        ([FRAME], False, r"Expected a list or an array of items\. Received: DataFrame"),
        (FRAME.drop(columns="text"), False, r"no column 'text'\. It has: 'label', 'text_pair'"),
        (FRAME.rename(columns={"text_pair": "other"}), True, r"no column 'text_pair'"),
        (FRAME.assign(text=1.5), False, r"a text in column 'text', received 1\.5 in row 0, 1, 2"),
        (DATA_SET.repeat(), False, r"never ends"),
        (DATA_SET, True, r"Expected pairs"),
        (
            DATA_SET.map(lambda text, label: label),
            False,
            r"Received: array\(0, dtype=int32\), of type ndarray",
        ),
        (np.zeros(3), False, r"Received: array\(\[0\., 0\., 0\.\]\), of type ndarray"),
        ([["x" * 10_000]], False, r"Received: \['xxx.*\.\.\."),
    ],
)
def test_anything_else_is_explained(given, are_pairs, message):
    with pytest.raises(DataError, match=message) as error:
        read_texts(given, are_pairs)
    assert len(str(error.value)) < 500


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
    with pytest.raises(DataError, match=r"Item 1 of 2 is blank: only .*\. Remove this text"):
        as_split(items)
    pairs = read_texts([("a", "b"), ("a", text)], are_pairs=True)
    with pytest.raises(DataError, match=r"Item 1 of 2 is blank"):
        as_split(pairs)


@pytest.mark.parametrize("text", NOT_BLANK)
def test_texts_that_are_not_blank(text):
    assert not is_blank(text)
    assert as_split(read_texts([text], are_pairs=False)).texts == (text,)


@pytest.mark.parametrize("text", NO_UTF_8)
def test_bytes_that_are_no_utf_8_stay_bytes(text):
    items = read_texts(["a", text], are_pairs=False)
    assert items.texts == ("a", text)
    assert items.sources == ("a", repr(text))
    with pytest.raises(DataError, match=r"Expected texts in UTF-8, found invalid bytes in item 1"):
        as_split(items)
    with pytest.raises(DataError, match=r"found invalid bytes in item 1"):
        items.check_valid(np.array([True, False]))
    items.check_valid(np.array([True, True]))
    assert read_texts(io.BytesIO(text), are_pairs=False).texts == (text,)


def test_what_is_no_text_is_named_and_left_out(folder):
    Path("bad.txt").write_bytes(b"caf\xe9")
    Path("blank.txt").write_text(" \n")
    given = [Path("bad.txt"), "a", Path("blank.txt"), Path("gone.txt"), Path("table.csv"), "\ud800"]
    with pytest.raises(DataError, match=r"Cannot read the text 'gone\.txt'"):
        read_texts(given, are_pairs=False)
    items = read_texts(given, are_pairs=False, on_invalid="skip")
    assert items.valid().tolist() == [False, True, False, False, False, False]
    reasons = [
        r"invalid bytes in 'bad\.txt', line 1",
        r"'blank\.txt' is blank",
        r"Cannot read the text 'gone\.txt': No such file",
        r"the path of a \.txt file\. Received: 'table\.csv'",
        r"Expected a text in item 5\. Received: '\\ud800'",
    ]
    for number, reason in zip([0, 2, 3, 4, 5], reasons, strict=True):
        assert re.search(reason, items.reason(number))
    with pytest.raises(
        DataError, match=rf"{reasons[0]}.*no prediction for 'blank\.txt', .* \(6 texts in all\)\."
    ):
        items.check_valid(items.valid())
    kept = items.take(np.flatnonzero(items.valid()))
    assert (kept.texts, as_split(kept).texts) == (("a",), ("a",))
    pairs = read_texts([("a", Path("gone.txt")), ("a", "b")], are_pairs=True, on_invalid="keep")
    assert pairs.valid().tolist() == [False, True]
    assert pairs.sources == ("a | gone.txt", "a | b")
    assert "Cannot read the text 'gone.txt'" in pairs.reason(0)
    missing = read_texts(FRAME, are_pairs=False)
    assert missing.valid().tolist() == [True, False, True]


def test_white_space_is_blank():
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if character.isspace():
            assert is_blank(character), unicodedata.name(character, hex(code))
