"""Texts from every source: what is read, how it is split, and what is said when it cannot be."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import keras_tl as ktl
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.errors import ConfigError, DataError

TextData = ktl.TextData
NO_SPLITS = {"validation_split": 0, "test_split": 0}
COUNT = 12


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def table(labels, header="text,label", count=COUNT):
    """A CSV file's content: texts numbered from 0, labels in turn."""
    rows = [f"text {n},{labels[n % len(labels)]}" for n in range(count)]
    return "\n".join([header, *rows]) + "\n"


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


# Labels in turn, arguments; the task, class names and first labels that come of them.
LABELS = {
    "classes": (["b", "a", "c"], {}, "multiclass", "abc", [1, 0, 2]),
    "two": (["neg", "pos"], {}, "binary", ("neg", "pos"), [0, 1]),
    "0-and-1": (["1", "0"], {}, "binary", "01", [1, 0]),
    "from-1": (["1", "2", "5"], {}, "multiclass", "125", [0, 1, 2]),
    "0-and-4": (["4", "0"], {}, "binary", "04", [1, 0]),
    "named": (["1", "0"], {"class_names": ["bad", "good"]}, "binary", ("bad", "good"), [1, 0]),
    "whole-floats": (["1.0", "0.0"], {}, "binary", "01", [1, 0]),
    "numbers": (["0.5", "2"], {}, "regression", (), [0.5, 2]),
    "said-to-be-targets": (["1", "0"], {"task": "regression"}, "regression", (), [1, 0]),
    "several": (["a;b", "b"], {}, "multilabel", "ab", [[1, 1], [0, 1]]),
    "separator": (['"a, b"', "b"], {"separator": ","}, "multilabel", "ab", [[1, 1], [0, 1]]),
}


@pytest.mark.parametrize("name", LABELS)
def test_a_column_of_labels(tmp_path, name):
    cells, options, task, class_names, labels = LABELS[name]
    path = write(tmp_path / "t.csv", table(cells))
    data = TextData.from_csv(path, **options, **NO_SPLITS)
    assert (data.task, data.class_names) == (task, tuple(class_names))
    train = data.split("train")
    assert train.labels[: len(labels)].tolist() == labels
    assert train.texts == tuple(f"text {n}" for n in range(COUNT))
    assert train.pairs is None
    assert not data.is_pair


def test_several_label_columns(tmp_path):
    path = write(tmp_path / "t.csv", table(["1,0", "1,1"], "text,rude,spam"))
    data = TextData.from_csv(path, label=["rude", "spam"], **NO_SPLITS)
    assert (data.task, data.class_names) == ("multilabel", ("rude", "spam"))
    assert data.splits["train"].labels[:2].tolist() == [[1, 0], [1, 1]]


# The name of the file, its content, and its texts; labels are a, b, a.
TEXTS = ["one, two", 'she said "no"', "two\nlines"]
FORMS = {
    "csv": ("t.csv", 'text,label\n"one, two",a\n"she said ""no""",b\n"two\nlines",a\n', TEXTS),
    "windows": (
        "t.csv",
        'text,label\r\n"one, two",a\r\n"she said ""no""",b\r\n"two\nlines",a\r\n',
        TEXTS,
    ),
    "mark": ("t.csv", "\ufefftext,label\na b,a\nc,b\nd,a\n", ["a b", "c", "d"]),
    "semicolons": ("t.csv", "label;text\na;x, y\nb;z\na;w\n", ["x, y", "z", "w"]),
    "tsv": ("t.tsv", "text\tlabel\none, two\ta\nb\tb\nc\ta\n", ["one, two", "b", "c"]),
    "tsv-quoted": (
        "t.tsv",
        'text\tlabel\none, two\ta\n"she said ""no"""\tb\n"two\nlines"\ta\n',
        TEXTS,
    ),
    "tsv-literal": (
        "t.tsv",
        'text\tlabel\n"no" she said\ta\n"open\tb\nhe: "yes"\ta\n',
        ['"no" she said', '"open', 'he: "yes"'],
    ),
    "tsv-all-quoted": (
        "t.tsv",
        '"text"\t"label"\n"all ""of"" it"\t"a"\n"b"\t"b"\n"c"\t"a"\n',
        ['all "of" it', "b", "c"],
    ),
    "jsonl": (
        "t.jsonl",
        "\n".join(
            json.dumps({"text": text, "label": label})
            for text, label in zip(TEXTS, "aba", strict=True)
        ),
        TEXTS,
    ),
    "json": ("t.json", '{"label":"a","text":"é"}\n\n{"text":"b","label":"b","x":1}\n'
             '{"text":"\\u00e9 c","label":"a"}', ["é", "b", "é c"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_file(tmp_path, name):
    file, content, texts = FORMS[name]
    data = TextData.from_csv(write(tmp_path / file, content), **NO_SPLITS)
    assert list(data.splits["train"].texts) == texts
    assert data.splits["train"].labels.tolist() == [0, 1, 0]


def test_labels_of_json_lines_keep_their_types(tmp_path):
    def read(*labels):
        lines = [json.dumps({"text": f"t{n}", "label": label}) for n, label in enumerate(labels)]
        data = TextData.from_csv(write(tmp_path / "t.jsonl", "\n".join(lines)), **NO_SPLITS)
        return data.task, data.class_names, data.splits["train"].labels.tolist()

    assert read(1, 0, 1) == ("binary", ("0", "1"), [1, 0, 1])
    assert read("1", "02") == ("binary", ("02", "1"), [1, 0])
    assert read(True, False) == ("binary", ("False", "True"), [1, 0])
    assert read(1.5, 2) == ("regression", (), [1.5, 2])
    assert read(["a"], ["a", "b"]) == ("multilabel", ("a", "b"), [[1, 0], [1, 1]])


def test_a_cell_may_be_longer_than_the_csv_module_allows(tmp_path):
    csv.field_size_limit(131_072)
    path = write(tmp_path / "t.csv", f"text,label\n{'word ' * 40_000},a\nb,b\n")
    assert TextData.from_csv(path, **NO_SPLITS).lengths()["train"].longest == 40_000
    assert csv.field_size_limit() == 131_072


def test_pairs_of_texts(tmp_path):
    rows = "\n".join(f"p{n},h{n},{'yes' if n % 2 else 'no'}" for n in range(20))
    path = write(tmp_path / "t.csv", f"premise,hypothesis,label\n{rows}\n")
    data = TextData.from_csv(path, text="premise", text_pair="hypothesis")
    assert data.is_pair
    assert sizes(data) == {"train": 14, "validation": 3, "test": 3}
    for split in data.splits.values():
        assert [text[1:] for text in split.texts] == [text[1:] for text in split.pairs]
        assert [int(text[1:]) % 2 for text in split.texts] == split.labels.tolist()
    assert data.lengths()["train"].longest == 2
    taken = data.splits["train"].sample(3, seed=0)
    assert [text[1:] for text in taken.texts] == [text[1:] for text in taken.pairs]
    assert data.describe()["is_pair"]


def test_files_of_other_splits(tmp_path):
    train = write(tmp_path / "a.csv", table("ab", count=20))
    validation = write(tmp_path / "b.csv", "label,text\nb,v0\na,v1\n")
    test = write(tmp_path / "c.csv", "text,label\ne0,b\n")
    data = TextData.from_csv(train, validation=validation, test=test)
    assert sizes(data) == {"train": 20, "validation": 2, "test": 1}
    assert data.splits["validation"].texts == ("v0", "v1")
    assert data.splits["validation"].labels.tolist() == [1, 0]
    assert data.splits["test"].labels.tolist() == [1]
    assert sizes(TextData.from_csv(train, test=test)) == {"train": 17, "validation": 3, "test": 1}
    settings = dict(data.source_settings)
    assert settings.pop("kind") == "csv"
    assert TextData.from_csv(train, **settings).describe() == data.describe()
    frames = {"validation": pd.read_csv(validation), "test": pd.read_csv(test)}
    data = TextData.from_dataframe(pd.read_csv(train), **frames)
    assert data.splits["validation"].texts == ("v0", "v1")


def test_one_decision_about_labels_for_all_files(tmp_path):
    train = write(tmp_path / "a.csv", table(["1", "b"]))
    other = write(tmp_path / "b.csv", "text,label\nx,1\n")
    data = TextData.from_csv(train, validation=other, test_split=0)
    assert data.class_names == ("1", "b")
    assert data.splits["validation"].labels.tolist() == [0]


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (["train", "train", "val", "test"], {"train": 6, "validation": 3, "test": 3}),
        (["train", "train", "test"], {"train": 6, "validation": 2, "test": 4}),
        (["train", "train", "valid"], {"train": 8, "validation": 4}),
    ],
)
def test_a_column_may_say_the_splits(says, expected):
    frame = pd.DataFrame({"text": [f"t{n}" for n in range(COUNT)], "label": list("abbbbabaabab")})
    frame["part"] = [says[n % len(says)] for n in range(COUNT)]
    assert sizes(TextData.from_dataframe(frame, split="part", test_split=0.5)) == expected


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        ([1, 0], "binary"),
        ([1.0, 0.0], "binary"),
        ([1.5, 0.0], "regression"),
        (["x", "y"], "binary"),
        ([True, False], "binary"),
    ],
)
def test_a_data_frame(labels, task):
    frame = pd.DataFrame({"review": ["a", "b"] * 6, "mark": labels * 6})
    data = TextData.from_dataframe(frame, text="review", label="mark", **NO_SPLITS)
    assert data.task == task
    assert data.splits["train"].texts == ("a", "b") * 6


# Texts of every type, and how they are read.
SEQUENCES = {
    "list": (["a", "b c"], ("a", "b c"), None),
    "tuple": (("a", "b c"), ("a", "b c"), None),
    "bytes": ([b"a", "é".encode()], ("a", "é"), None),
    "mark": ([b"\xef\xbb\xbfa", "\ufeffb"], ("a", "b"), None),
    "array": (np.array(["a", "bc"]), ("a", "bc"), None),
    "array-of-bytes": (np.array([b"a", b"bc"]), ("a", "bc"), None),
    "objects": (np.array(["a", "bc"], object), ("a", "bc"), None),
    "series": (pd.Series(["a", "b"], [5, 7]), ("a", "b"), None),
    "pairs": ([("a", "x"), ("b", "y")], ("a", "b"), ("x", "y")),
    "pairs-in-lists": ([["a", b"x"], ["b", b"y"]], ("a", "b"), ("x", "y")),
    "pairs-in-an-array": (np.array([["a", "x"], ["b", "y"]]), ("a", "b"), ("x", "y")),
    "generator": ((text for text in ("a", "b")), ("a", "b"), None),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_texts_in_memory(name):
    given, texts, pairs = SEQUENCES[name]
    split = TextData.from_arrays(given, ["n", "y"], **NO_SPLITS).splits["train"]
    assert (split.texts, split.pairs) == (texts, pairs)
    assert {type(text) for text in split.texts} == {str}


def test_splits_in_memory():
    texts = [f"t{n}" for n in range(40)]
    labels = [n % 4 for n in range(40)]
    data = TextData.from_arrays(texts, labels, validation=(["v"], [2]), class_names="abcd")
    assert sizes(data) == {"train": 34, "validation": 1, "test": 6}
    assert data.splits["validation"].labels.tolist() == [2]
    assert repr(data) == "TextData(4 classes: 34 train, 1 validation, 6 test)"
    assert set(data.splits["train"].texts).isdisjoint(data.splits["test"].texts)
    again, other = (TextData.from_arrays(texts, labels, seed=seed) for seed in (0, 1))
    assert again.splits["test"].texts == data.splits["test"].texts
    assert other.splits["test"].texts != data.splits["test"].texts


def test_a_subset():
    data = TextData.from_arrays([f"t{n}" for n in range(40)], list("abcd") * 10)
    part = data.subset(["d", "b"], per_class=3)
    assert (part.task, part.class_names) == ("binary", ("d", "b"))
    assert np.bincount(part.splits["train"].labels).tolist() == [3, 3]
    rows = {f"t{n}": "abcd"[n % 4] for n in range(40)}
    for split in part.splits.values():
        assert [rows[text] for text in split.texts] == [part.class_names[c] for c in split.labels]
    with pytest.raises(ConfigError, match=r"A subset needs texts with one class each.*regression"):
        TextData.from_arrays(["a", "b"], [0.5, 1.5], **NO_SPLITS).subset(per_class=1)


def test_a_fingerprint_changes_with_the_texts_and_their_order():
    labels = np.zeros(2, np.int64)
    splits = [
        TextSplit(("a", "b"), None, labels),
        TextSplit(("b", "a"), None, labels),
        TextSplit(("ab", ""), None, labels),
        TextSplit(("", "ab"), None, labels),
        TextSplit(("a",), ("b",), labels[:1]),
        TextSplit(("a", "b"), ("", ""), labels),
        TextSplit(("a", "é"), None, labels),
    ]
    found = {split.fingerprint() for split in splits}
    assert len(found) == len(splits)
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in found)
    assert splits[0].fingerprint() == TextSplit(("a", "b"), None, labels + 1).fingerprint(True)


def test_lengths_are_those_of_the_texts_as_they_are():
    texts = [" ".join(["word"] * n) for n in range(1, 101)]
    data = TextData.from_arrays(texts, [0, 1] * 50, test=(["one", "one  two\nthree"], [0, 1]),
                                validation_split=0)  # fmt: skip
    train, test = data.lengths()["train"], data.lengths()["test"]
    assert (train.median, train.p90, train.p95, train.p99, train.longest) == (50, 90, 95, 99, 100)
    assert (test.median, test.longest) == (1, 3)
    lines = data.describe_lengths().splitlines()
    assert lines[0].split() == ["words", "median", "90%", "95%", "99%", "longest"]
    assert lines[1].split() == ["train", "50", "90", "95", "99", "100"]


@pytest.fixture
def folder(tmp_path):
    """A folder of two classes, as the Large Movie Review Dataset is laid out."""
    for split in ("train", "test"):
        for name in ("pos", "neg"):
            for number in range(10):
                write(tmp_path / "root" / split / name / f"{number}_7.txt", f"{name} {number}\n")
    write(tmp_path / "root" / "train" / "urls_pos.txt", "https://example.com")
    return tmp_path / "root"


def test_a_folder_with_splits(folder):
    data = TextData.from_folder(folder, test_split=0.9)
    assert sizes(data) == {"train": 17, "validation": 3, "test": 20}
    assert data.class_names == ("neg", "pos")
    for split in data.splits.values():
        names = [data.class_names[label] for label in split.labels]
        assert [text.split()[0] for text in split.texts] == names


def test_a_folder_without_a_test_split_gets_none(folder):
    (folder / "test").rename(folder / "valid")
    assert sizes(TextData.from_folder(folder)) == {"train": 20, "validation": 20}


def test_a_folder_without_splits(folder):
    data = TextData.from_folder(folder / "train", seed=3)
    assert sizes(data) == {"train": 14, "validation": 3, "test": 3}
    assert TextData.from_folder(folder / "train", seed=3).describe() == data.describe()
    other = TextData.from_folder(folder, classes=["pos", "neg"], seed=3)
    assert other.class_names == ("pos", "neg")
    assert other.source_settings == {"kind": "folder", "classes": ["pos", "neg"]}


def test_texts_without_a_label_are_no_class(folder):
    write(folder / "train" / "unsup" / "0_0.txt", "who knows")
    message = r"The test folder has no folder 'unsup'.*an empty folder.*classes=\['neg', 'pos'\]"
    with pytest.raises(DataError, match=message):
        TextData.from_folder(folder)
    assert TextData.from_folder(folder, classes=["neg", "pos"]).class_names == ("neg", "pos")
    (folder / "test" / "unsup").mkdir()
    for number in range(2):
        write(folder / "train" / "unsup" / f"{number}.txt", "who knows")
    assert TextData.from_folder(folder).class_names == ("neg", "pos", "unsup")


# The source, its options, what the message says.
CSV_ERRORS = {
    "no-text-column": (
        table("ab", "sentence,label"),
        {},
        r"no column 'text'. It has: 'sentence', 'label'. "
        r"Name the columns of the texts .*with text= and l",
    ),
    "no-label-column": (table("ab", "text,class"), {}, r"no column 'label'.*'class'"),
    "no-pair-column": (table("ab"), {"text_pair": "text_b"}, r"no column 'text_b'"),
    "twice": (table("ab"), {"text_pair": "text"}, r"Two arguments name the column 'text'"),
    "no-rows": ("text,label\n", {}, r"has no rows. Expected one row for each text"),
    "no-label": (
        "text,label\na,x\nb,\nc,y\n",
        {},
        r"a label in column 'label'.*an empty cell in line 3",
    ),
    "line-of-a-long-row": (
        'text,label\n"a\nb\nc",x\n"d\ne", \nc,y\n',
        {},
        r"an empty cell in line 5\.",
    ),
    "first-row": ("text,label\na,\nb,y\n", {}, r"received an empty cell in line 2\."),
    "one-class": (table("a"), {}, r"at least two classes, found 1: a"),
    "latin": (table("ab").encode() + b"\xe9t\xe9,a\n", {}, r"t.csv' to be a CSV file in UTF-8.*14"),
    "utf-16-without-a-mark": (
        table("ab").encode("utf-16-le"),
        {},
        r"in UTF-8. Its first bytes look like .* UTF-16 without .*in Excel: CSV UTF-8",
    ),
    "utf-32": (table("ab").encode("utf-32"), {}, r"in UTF-8. Its first bytes look like UTF-32"),
    "utf-16-cut": (
        table("ab").encode("utf-16")[:-1],
        {},
        r"in UTF-16, found invalid bytes in line 13\. Save the file as UTF-8 \(in Excel",
    ),
    "quotes": ('text,label\n"a" b,x\nc,y\n', {}, r"line 2: .*Put quotes around a cell"),
    "split-and-file": (
        table("ab", "text,label"),
        {"split": "part", "test": "other.csv"},
        r"split='part' reads the splits from a column, and validation= and test=",
    ),
    "unknown-task": (table("ab"), {"task": "ner"}, r"Unknown task 'ner'"),
    "binary-of-three": (table("abc"), {"task": "binary"}, r"two classes, found 3"),
    "sequence-length": (table("ab"), {"sequence_length": 0}, r"sequence_length must be a whole"),
    "sequence-length-float": (table("ab"), {"sequence_length": 1.5}, r"sequence_length must be"),
    "seed": (table("ab"), {"seed": -1}, r"seed must be a whole number"),
    "max-bad": (table("ab"), {"max_bad": 2}, r"max_bad must be a number from 0 to 1"),
}


@pytest.mark.parametrize("name", CSV_ERRORS)
def test_a_table_that_cannot_be_used_is_explained(tmp_path, name):
    content, options, message = CSV_ERRORS[name]
    path = write(tmp_path / "t.csv", content)
    with pytest.raises((DataError, ConfigError), match=message) as caught:
        TextData.from_csv(path, **options)
    assert "\n" not in str(caught.value)


# The content of a second file, and what is said if it is the validation split.
OTHER_ERRORS = {
    "unseen": ("text,label\nx,c\n", r"validation labels \['c'\]\. Expected 2 classes: a, "),
    "no-label": (
        "text,label\nx,a\ny,\n",
        r"a label.*received an empty cell in line 3 of validation",
    ),
    "no-column": ("text,class\nx,a\n", r"v.csv' has no column 'label'"),
    "no-rows": ("text,label\n", r"v.csv' has no rows"),
}


@pytest.mark.parametrize("name", OTHER_ERRORS)
def test_another_split_that_cannot_be_used_is_explained(tmp_path, name):
    content, message = OTHER_ERRORS[name]
    path = write(tmp_path / "v.csv", content)
    with pytest.raises(DataError, match=message):
        TextData.from_csv(write(tmp_path / "t.csv", table("ab")), validation=path)


def test_splits_of_different_forms_are_explained(tmp_path):
    path = write(tmp_path / "t.csv", table("ab"))
    other = write(tmp_path / "v.jsonl", '{"text": "x", "label": "a"}')
    with pytest.raises(DataError, match=r"files of one form.*t.csv', '.*v.jsonl'"):
        TextData.from_csv(path, test=other)


JSON_ERRORS = {
    "array": ('[{"text": "a"}]', r"line 1: expected a JSON object.*received '\[\{.*Write one obj"),
    "cut": ('{"text":"a","label":1}\n\n{"text":"b', r"line 3: expected a JSON object"),
    "number": ("5", r"line 1: expected a JSON object.*received '5'"),
    "long": ('"' + "x" * 900, r"received '\"x{90,}\.\.\.x{90,}'\. Write"),
    "no-key": ('{"txt":"a","label":1}', r"no column 'text'. It has: 'txt', 'label'"),
    "missing-label": (
        '{"text":"a","label":1}\n{"text":"b"}',
        r"a label.*received an empty cell in line 2",
    ),
    "number-as-text": ('{"text":5,"label":1}\n{"text":"b","label":0}', r"a text.*received 5 in li"),
    "list-as-text": ('{"text":["a"],"label":1}', r"a text in column 'text', received \['a'\]"),
    "surrogate": ('{"text":"a\\ud800","label":1}', r"a text.*received 'a\\ud800' in line 1"),
    "not-a-number": (
        '{"text":"a","label":NaN}\n{"text":"b","label":1.5}',
        r"a label.*nan in line",
    ),
    "empty": ("\n", r"has no rows"),
    "latin": (b'{"text":"a"}\n{"text":"\xe9"}', r"to be JSON lines in UTF-8.*line 2\. Save"),
}


@pytest.mark.parametrize("name", JSON_ERRORS)
def test_json_lines_that_cannot_be_used_are_explained(tmp_path, name):
    content, message = JSON_ERRORS[name]
    path = write(tmp_path / "t.jsonl", content)
    with pytest.raises(DataError, match=message) as caught:
        TextData.from_csv(path)
    assert "\n" not in str(caught.value)
    assert "t.jsonl" in str(caught.value)


# Texts, labels, a validation split, what the message says.
ARRAY_ERRORS = {
    "one-text": ("abc", "abc", None, r"train texts as a sequence of texts.*Received: str"),
    "no-sequence": (5, [1], None, r"Received: int"),
    "none": ([], [], None, r"train texts .*Received: none"),
    "number": (["a", 5], [0, 1], None, r"a text in train row 1. Received: 5, of type int"),
    "mixed": ([("a", "b"), "c"], [0, 1], None, r"Received in row 1: 'c'"),
    "three": ([("a", "b"), ("a", "b", "c")], [0, 1], None, r"Received in row 1: \('a', 'b', 'c'\)"),
    "bytes": (
        ["a", b"b\n\xe9"],
        [0, 1],
        None,
        r"UTF-8, found invalid bytes in train row 1, line 2",
    ),
    "short": (["a", "b", "c"], [1, 0], None, r"one label for each train text. Received: 3 texts"),
    "short-rows": (
        ["a", "b"],
        [["x"]],
        None,
        r"one label for each train text.*\(1,\)",
    ),
    "pairs-here-only": (
        ["a", "b"],
        [0, 1],
        ([("a", "b")], [1]),
        r"in all splits, or in none. Received: train: single texts, validation: pairs",
    ),
    "unseen": (["a", "b"], [0, 1], (["a"], [2]), r"Unknown validation labels \[2\]"),
}


@pytest.mark.parametrize("name", ARRAY_ERRORS)
def test_texts_in_memory_that_cannot_be_used_are_explained(name):
    texts, labels, validation, message = ARRAY_ERRORS[name]
    with pytest.raises(DataError, match=message) as caught:
        TextData.from_arrays(texts, labels, validation=validation)
    assert "\n" not in str(caught.value)


FOLDER_ERRORS = {
    "no-folder": (None, {}, r"one folder of texts for each class. '.*absent' does not exist"),
    "one-class": (["a/1.txt"], {}, r"at least two class folders.*found one, 'a'. Put the texts of"),
    "empty-class": (["a/1.txt", "b/1.md"], {}, r"Class 'b' is empty: no text \(\.txt\) in"),
    "unknown-class": (["a/1.txt", "b/1.txt"], {"classes": ["a", "c"]}, r"Unknown class 'c'"),
    "one-given": (["a/1.txt", "b/1.txt"], {"classes": ["a"]}, r"found one, 'a'"),
    "strange-class": (
        ["train/a/1.txt", "train/b/1.txt", "test/c/1.txt"],
        {},
        r"test folder has a class 'c' that the train folder does not have",
    ),
    "empty-split": (
        ["train/a/1.txt", "train/b/1.txt", "test/a/1.md", "test/b/1.md"],
        {},
        r"The test folder '.*test' has no text in folders named after",
    ),
}


@pytest.mark.parametrize("name", FOLDER_ERRORS)
def test_a_folder_that_cannot_be_used_is_explained(tmp_path, name):
    files, options, message = FOLDER_ERRORS[name]
    root = tmp_path / ("absent" if files is None else "root")
    for file in files or ():
        write(root / file, "text")
    with pytest.raises((DataError, ConfigError), match=message):
        TextData.from_folder(root, **options)


def test_a_file_that_is_not_utf_8_is_named(folder):
    write(folder / "train" / "pos" / "3_7.txt", b"fine\ncaf\xe9\n")
    with pytest.raises(DataError, match=r"UTF-8, found invalid bytes in .*pos.3_7\.txt, line 2 of"):
        TextData.from_folder(folder)


def test_texts_that_all_are_paths_are_refused(tmp_path):
    paths = [str(tmp_path / f"{number}.txt") for number in range(8)]
    for path in paths:
        Path(path).write_text("a text")
    labels = ["a", "b"] * 4
    table = pd.DataFrame({"text": paths, "label": labels})
    table.to_csv(tmp_path / "table.csv")
    for make in (
        lambda: TextData.from_arrays(paths, labels),
        lambda: TextData.from_dataframe(table),
        lambda: TextData.from_csv(tmp_path / "table.csv"),
    ):
        with pytest.raises(
            DataError, match=r"Received: paths of existing files or folders, such as '.*0\.txt'"
        ):
            make()
    words = TextData.from_arrays([path.encode() for path in paths], labels, verbose=False)
    assert set(words.split("train").texts) < set(paths)
