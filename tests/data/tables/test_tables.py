"""CSV files and data frames: what the columns mean, and what is said when they are wrong."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from keras_tl.data import ImageData
from keras_tl.data.labelled_data import PLACES
from keras_tl.errors import ConfigError, DataError

pytestmark = pytest.mark.usefixtures("unchecked_files")

NO_SPLITS = {"validation_split": 0, "test_split": 0}
COUNT = 12


@pytest.fixture
def photos(tmp_path):
    """A folder of (empty) image files 0.jpg, 1.jpg, ..."""
    for number in range(COUNT):
        (tmp_path / f"{number}.jpg").touch()
    return tmp_path


def write_csv(folder, cells, header="path,label", separator=","):
    """A table with a row for each image, whose cells after the path are repeated in turn."""
    rows = [f"{n}.jpg{separator}{cells[n % len(cells)]}" for n in range(COUNT)]
    path = folder / "photos.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


# Cells in turn, arguments; the task, class names and first labels that come of them.
CLASSES = {
    "classes": (["b", "a", "c"], {}, "multiclass", "abc", [1, 0, 2]),
    "two": (["yes", "no"], {}, "binary", ("no", "yes"), [1, 0]),
    "bool": (["True", "False"], {}, "binary", ("False", "True"), [1, 0]),
    "bool-in-capitals": (["TRUE", "FALSE"], {}, "binary", ("FALSE", "TRUE"), [1, 0]),
    "spaces": ([" cat ", "dog"], {}, "binary", ("cat", "dog"), [0, 1]),
    "quoted": (['"a, b"', '"say ""c"""'], {}, "binary", ("a, b", 'say "c"'), [0, 1]),
    "unicode": (["grün", "日本"], {}, "binary", ("grün", "日本"), [0, 1]),
    "not-missing": (["NA", "null", "None"], {}, "multiclass", ("NA", "None", "null"), [0, 2, 1]),
    "nan-among-names": (["nan", "b"], {}, "binary", ("b", "nan"), [1, 0]),
    "zeros-before": (["007", "010"], {}, "binary", ("007", "010"), [0, 1]),
    "a-number-among-names": (["1", "b"], {}, "binary", ("1", "b"), [0, 1]),
    "ids": (["2", "10", "1"], {"task": "multiclass"}, "multiclass", ("1", "2", "10"), [1, 2, 0]),
    "ids-as-floats": (["1.0", "0.0"], {"task": "binary"}, "binary", ("0", "1"), [1, 0]),
    "big-ids": (
        ["9007199254740993", "9007199254740992"],
        {"task": "binary"},
        "binary",
        ("9007199254740992", "9007199254740993"),
        [1, 0],
    ),
    "named-ids": (["1", "0"], {"class_names": ["cat", "dog"]}, "binary", ("cat", "dog"), [1, 0]),
    "named-float-ids": (
        ["1.0", "0.0"],
        {"class_names": ["cat", "dog"]},
        "binary",
        ("cat", "dog"),
        [1, 0],
    ),
    "names-like-numbers": (["7", "3"], {"class_names": ["7", "3"]}, "binary", ("7", "3"), [0, 1]),
    "separators-in-classes": (["a;b", "c"], {"task": "binary"}, "binary", ("a;b", "c"), [0, 1]),
    "comma-is-none": (['"a,b"', "c d"], {}, "binary", ("a,b", "c d"), [0, 1]),
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_column_of_classes(photos, name):
    cells, options, task, class_names, labels = CLASSES[name]
    data = ImageData.from_csv(write_csv(photos, cells), **options, **NO_SPLITS)
    assert data.task == task
    assert data.class_names == tuple(class_names)
    assert data.splits["train"].labels[: len(labels)].tolist() == labels
    assert data.splits["train"].labels.dtype == np.int64
    assert data.splits["train"].images == tuple(str(photos / f"{n}.jpg") for n in range(COUNT))


# Cells in turn, arguments, class names, the first rows of labels.
SEVERAL = {
    "semicolon": (["a;b", "b", "c;a"], {}, "abc", [[1, 1, 0], [0, 1, 0], [1, 0, 1]]),
    "bar": (["a|b", "", "b"], {}, "ab", [[1, 1], [0, 0], [0, 1]]),
    "spaces": (["a ; b", "b;", ";"], {}, "ab", [[1, 1], [0, 1], [0, 0]]),
    "numbers": (["1;2", "2"], {}, "12", [[1, 1], [0, 1]]),
    "comma": (['"a, b"', "b"], {"separator": ","}, "ab", [[1, 1], [0, 1]]),
    "space": (["a b", "b"], {"separator": " "}, "ab", [[1, 1], [0, 1]]),
    "only-this-one": (["a|x;b", "b"], {"separator": ";"}, ("a|x", "b"), [[1, 1], [0, 1]]),
    "one-each": (["a", "b", ""], {"task": "multilabel"}, "ab", [[1, 0], [0, 1], [0, 0]]),
    "named": (["b;c", "c"], {"class_names": "abc"}, "abc", [[0, 1, 1], [0, 0, 1]]),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_labels_in_a_cell(photos, name):
    cells, options, class_names, labels = SEVERAL[name]
    data = ImageData.from_csv(write_csv(photos, cells), **options, **NO_SPLITS)
    assert data.task == "multilabel"
    assert data.class_names == tuple(class_names)
    assert data.splits["train"].labels[: len(labels)].tolist() == labels


@pytest.mark.parametrize(
    ("ones", "task", "expected"),
    [
        (["1,0", "1,1", "0,0"], None, [[1, 0], [1, 1], [0, 0]]),
        (["1.0,0.0", "1,1"], None, [[1, 0], [1, 1]]),
        (["True,False", "true,TRUE"], None, [[1, 0], [1, 1]]),
        (["1,0", "0,1"], "multilabel", [[1, 0], [0, 1]]),
    ],
)
def test_several_label_columns(photos, ones, task, expected):
    path = write_csv(photos, ones, "path,sun,sea")
    data = ImageData.from_csv(path, label=["sun", "sea"], task=task, **NO_SPLITS)
    assert (data.task, data.class_names) == ("multilabel", ("sun", "sea"))
    assert data.splits["train"].labels[: len(expected)].tolist() == expected
    other = ImageData.from_csv(path, label=["sea", "sun"], class_names=["See", "Sonne"])
    assert other.class_names == ("See", "Sonne")


def test_label_columns_with_a_single_1_can_be_classes(photos):
    path = write_csv(photos, ["1,0,0", "0,0,1", "0,1,0"], "path,a,b,c")
    data = ImageData.from_csv(path, label=["a", "b", "c"], task="multiclass", **NO_SPLITS)
    assert (data.task, data.class_names) == ("multiclass", ("a", "b", "c"))
    assert data.splits["train"].labels[:3].tolist() == [0, 2, 1]


@pytest.mark.parametrize(
    ("cells", "options", "expected"),
    [
        ([str(n * n) for n in range(COUNT)], {}, [0, 1, 4]),
        (["3.5", "-1e2", ".25", "7."], {}, [3.5, -100, 0.25, 7]),
        ([" 1", "2.5 "], {}, [1, 2.5]),
        (["1", "2"], {"task": "regression"}, [1, 2]),
    ],
)
def test_numbers_are_targets(photos, cells, options, expected):
    data = ImageData.from_csv(write_csv(photos, cells), **options, **NO_SPLITS)
    assert (data.task, data.class_names) == ("regression", ())
    labels = data.splits["train"].labels
    assert labels.dtype == np.float32
    assert labels[: len(expected)].tolist() == expected


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_ways_to_write_a_csv_file(photos, separator, end, mark):
    path = write_csv(photos, ["a", "b"], separator.join(["path", " label"]), separator)
    text = path.read_text().replace("9.jpg", '"9.jpg"')
    path.write_bytes(mark + (text + f"\n{separator}\n\n").replace("\n", end).encode())
    data = ImageData.from_csv(path, **NO_SPLITS)
    assert data.class_names == ("a", "b")
    assert [os.path.basename(image) for image in data.splits["train"].images] == [
        f"{n}.jpg" for n in range(COUNT)
    ]


def test_paths_stay_as_they_are_written(tmp_path):
    names = ["007", "1e5", "NA", "a, b.jpg", "日本.jpg", "True"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    path = tmp_path / "t.csv"
    path.write_text("id,y\n" + "".join(f'"{n}",{i}.5\n' for i, n in enumerate(names)))
    data = ImageData.from_csv(path, image="id", label="y", root=tmp_path / "in", **NO_SPLITS)
    assert data.splits["train"].images == tuple(str(tmp_path / "in" / name) for name in names)


def test_where_paths_start_from(photos, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    path = write_csv(elsewhere, ["a", "b"])
    with pytest.raises(
        DataError, match=r"none of the 12 image files exists.*elsewhere.*0\.jpg.*root="
    ):
        ImageData.from_csv(path)
    expected = tuple(str(photos / f"{n}.jpg") for n in range(COUNT))
    assert ImageData.from_csv(path, root=photos, **NO_SPLITS).splits["train"].images == expected
    # Absolute paths need no root; a frame's start from the working directory.
    frame = pd.DataFrame({"path": expected, "label": ["a", "b"] * 6})
    frame.to_csv(path, index=False)
    assert ImageData.from_csv(path, **NO_SPLITS).splits["train"].images == expected
    monkeypatch.chdir(photos)
    frame["path"] = [f"{n}.jpg" for n in range(COUNT)]
    assert ImageData.from_dataframe(frame, **NO_SPLITS).splits["train"].images[0] == "0.jpg"


def test_missing_files_are_left_to_the_check_of_the_photos(photos):
    path = write_csv(photos, ["a", "b"])
    for number in range(1, COUNT):
        (photos / f"{number}.jpg").unlink()
    assert len(ImageData.from_csv(path, **NO_SPLITS).splits["train"]) == COUNT


# What the column of the splits says in turn, and the sizes of the splits.
SPLIT_COLUMNS = [
    (["train", "train", "validation", "test"], {"train": 6, "validation": 3, "test": 3}),
    (["Training", "training", "dev", "Testing"], {"train": 6, "validation": 3, "test": 3}),
    (["TRAIN", " Train", "val", "Test"], {"train": 6, "validation": 3, "test": 3}),
    (["train", "train", "valid"], {"train": 8, "validation": 4}),
    (["train", "train", "test"], {"train": 6, "validation": 2, "test": 4}),
    (["train"], {"train": 10, "validation": 2}),
]


@pytest.mark.parametrize(("says", "sizes"), SPLIT_COLUMNS)
def test_a_column_may_say_the_splits(photos, says, sizes):
    path = write_csv(photos, ["x"])
    frame = pd.read_csv(path)
    frame["label"] = list("aabbbbaaabab")
    frame["part"] = [says[n % len(says)] for n in range(COUNT)]
    frame.to_csv(path, index=False)
    data = ImageData.from_csv(path, split="part", test_split=0.5)
    assert {name: len(split) for name, split in data.splits.items()} == sizes
    named = {n: {os.path.basename(i) for i in s.images} for n, s in data.splits.items()}
    for number, part in enumerate(frame["part"].str.strip().str.lower()):
        if part.startswith("train"):
            assert f"{number}.jpg" in named["train"] | named["validation"]
        else:
            assert f"{number}.jpg" in named["test" if part.startswith("test") else "validation"]


def test_the_same_seed_makes_the_same_splits(photos):
    path = write_csv(photos, ["a", "b"])
    first, again, other = (ImageData.from_csv(path, seed=seed) for seed in (0, 0, 1))
    assert first.describe() == again.describe()
    assert first.describe()["splits"] != other.describe()["splits"]
    assert set(first.splits) == {"train", "validation", "test"}


# The text of the file, arguments, what the message says; "photos.csv" is named by each.
ROWS = "0.jpg,a\n1.jpg,b\n"
CSV_ERRORS = {
    "empty": ("", {}, r"is empty.*names the columns"),
    "no-rows": ("path,label\n", {}, r"has no rows"),
    "no-image-column": ("file,label\n" + ROWS, {}, r"no column 'path'. It has: 'file', 'label'"),
    "no-label-column": ("path,class\n" + ROWS, {}, r"no column 'label'.*'class'.*label="),
    "no-split-column": ("path,label\n" + ROWS, {"split": "part"}, r"no column 'part'"),
    "two-columns": ("path,label,label\n0.jpg,a,b\n", {}, r"more than one column 'label'"),
    "short-row": ("path,label\n0.jpg,a\n1.jpg\n", {}, r"line 3: expected 2 cells.*found 1"),
    "long-row": ("path,label\n0.jpg,a\n\n1.jpg,b,c\n", {}, r"line 4: .*found 3.*quotes"),
    "open-quote": ('path,label\n0.jpg,"a\n1.jpg,b\n', {}, r"line 3: unexpected end"),
    "no-path": ("path,label\n,a\n1.jpg,b\n", {}, r"the path of an image.*an empty cell in line 2"),
    "no-label": (
        "path,label\n0.jpg,a\n1.jpg,\n2.jpg,b\n3.jpg, \n",
        {},
        r"a label in column 'label', received an empty cell in line 3, 5\. Fill in the label",
    ),
    "no-number": ("path,label\n0.jpg,1\n1.jpg,\n", {}, r"a label.* an empty cell in line 3"),
    "number-not-available": ("path,label\n0.jpg,1\n1.jpg,NA\n", {}, r"a label in .*'NA' in line 3"),
    "number-null": ("path,label\n0.jpg,1\n1.jpg, Null\n", {}, r"a label in .*' ?Null' in line 3"),
    "target-missing": (
        "path,label\n0.jpg,1.5\n1.jpg,NaN\n2.jpg,2\n",
        {"task": "regression"},
        r"a label in column 'label', received 'NaN' in line 3\. "
        r"Fill in the label or remove the row",
    ),
    "one-of-several-missing": (
        "path,label,sea\n0.jpg,1,0\n1.jpg,nan,1\n",
        {"label": ["label", "sea"]},
        r"a label in column 'label', received 'nan' in line 3\. Fill in the label",
    ),
    "infinite": ("path,label\n0.jpg,inf\n1.jpg,2.5\n", {}, r"a finite number.*'inf' in line 2"),
    "class-number-missing": (
        "path,label\n0.jpg,1.0\n1.jpg,nan\n2.jpg,2.0\n",
        {"task": "multiclass"},
        r"a label in column 'label', received 'nan' in line 3\. "
        r"Fill in the label or remove the row",
    ),
    "not-a-target": (
        "path,label\n0.jpg,1\n1.jpg,two\n",
        {"task": "regression"},
        r"a finite number.*received 'two' in line 3",
    ),
    "many": (
        "path,label\n0.jpg,a\n" + "1.jpg,\n" * 8,
        {},
        r"in line 3, 4, 5, 6, 7 and 3 more",
    ),
    "unknown-split": (
        "path,label\n0.jpg,a\n1.jpg,dev\n",
        {"split": "label"},
        r"Two arguments name the column",
    ),
    "not-0-or-1": (
        "path,label,sea\n0.jpg,1,0\n1.jpg,2,1\n",
        {"label": ["label", "sea"]},
        r"0 or 1.*in column 'label', received '2' in line 3",
    ),
    "one-class": ("path,label\n0.jpg,a\n", {}, r"at least two classes, found 1: a"),
    "three-for-binary": (
        "path,label\n0.jpg,a\n1.jpg,b\n2.jpg,c\n",
        {"task": "binary"},
        r"two classes, found 3",
    ),
}
OWN_MESSAGE = {"one-class", "three-for-binary", "unknown-split"}


@pytest.mark.parametrize("name", CSV_ERRORS)
def test_a_file_that_cannot_be_used_is_explained(photos, name):
    text, options, message = CSV_ERRORS[name]
    path = photos / "photos.csv"
    path.write_text(text)
    with pytest.raises((DataError, ConfigError), match=message) as caught:
        ImageData.from_csv(path, **options)
    assert "\n" not in str(caught.value)
    assert "photos.csv" in str(caught.value) or name in OWN_MESSAGE


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("7", r"train, validation \(valid, val, dev\) or test in column 'part', received '7' in "),
        ("", r"received an empty cell in line 2"),
        ("test", r"no row has the value train in column 'part'"),
    ],
)
def test_a_split_that_is_none_is_explained(photos, says, message):
    path = write_csv(photos, [f"a,{says}", f"b,{says}"], "path,label,part")
    with pytest.raises(DataError, match=message):
        ImageData.from_csv(path, split="part")


def test_files_that_are_no_tables_are_explained(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read the table '.*absent.csv': No such file"):
        ImageData.from_csv(tmp_path / "absent.csv")
    with pytest.raises(DataError, match=r"Cannot read the table .*directory"):
        ImageData.from_csv(tmp_path)
    (tmp_path / "latin.csv").write_bytes("path,label\né.jpg,a\n".encode("latin-1"))
    with pytest.raises(
        DataError, match=r"latin.csv' to be a CSV file in UTF-8.*Save the file as UTF-8"
    ):
        ImageData.from_csv(tmp_path / "latin.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "multi-class"}, r"Unknown task 'multi-class'. Did you mean 'multiclass'"),
        ({"separator": ""}, r"separator= must be the text between"),
        ({"separator": ",", "task": "binary"}, r"separator=.*task='binary'"),
        ({"separator": ",", "label": ["label"]}, r"separator=.*in one column"),
        ({"label": []}, r"at least one label column"),
        ({"resize": "zoom"}, r"Unknown resize"),
    ],
)
def test_a_wrong_option_is_explained(photos, options, message):
    path = write_csv(photos, ["a", "b"])
    with pytest.raises(ConfigError, match=message):
        ImageData.from_csv(path, **options)


def test_classes_in_several_columns_need_a_single_1(photos):
    path = write_csv(photos, ["1,1", "0,1"], "path,a,b")
    with pytest.raises(ConfigError, match=r"task='binary' needs a single 1 in each row"):
        ImageData.from_csv(path, label=["a", "b"], task="binary")


def frame_of(labels):
    index = [f"row-{n}" for n in range(COUNT)]
    labels = pd.Series([labels[n % len(labels)] for n in range(COUNT)], index, name="label")
    return pd.DataFrame({"path": [f"{n}.jpg" for n in range(COUNT)]}, index).assign(label=labels)


# Labels in turn, the column's type, arguments; task, class names, the first labels.
FRAMES = {
    "text": (["b", "a"], None, {}, "binary", ("a", "b"), [1, 0]),
    "objects": (["b", "a"], object, {}, "binary", ("a", "b"), [1, 0]),
    "category": (["b", "a"], "category", {}, "binary", ("a", "b"), [1, 0]),
    "text-of-digits": (["2", "10"], None, {}, "binary", ("10", "2"), [1, 0]),
    "bool": ([True, False], bool, {}, "binary", ("False", "True"), [1, 0]),
    "boolean": ([True, False], "boolean", {}, "binary", ("False", "True"), [1, 0]),
    "int": ([3, 1], None, {}, "binary", ("1", "3"), [1, 0]),
    "Int64": ([3, 1], "Int64", {}, "binary", ("1", "3"), [1, 0]),
    "float": ([0.5, 2], np.float32, {}, "regression", (), [0.5, 2]),
    "ids": ([3, 1], None, {"task": "binary"}, "binary", ("1", "3"), [1, 0]),
    "float-ids": ([3.0, 1.0], None, {"task": "multiclass"}, "multiclass", ("1", "3"), [1, 0]),
    "lists": (
        [["a"], ["a", "b"], []],
        None,
        {},
        "multilabel",
        ("a", "b"),
        [[1, 0], [1, 1], [0, 0]],
    ),
    "tuples": ([("b",), ("a",)], None, {}, "multilabel", ("a", "b"), [[0, 1], [1, 0]]),
    "cells": (["a;b", None], None, {}, "multilabel", ("a", "b"), [[1, 1], [0, 0]]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_data_frame_of_every_type(photos, name):
    labels, dtype, options, task, class_names, expected = FRAMES[name]
    frame = frame_of(labels)
    if dtype is not None:
        frame["label"] = frame["label"].astype(dtype)
    before = frame.copy(deep=True)
    data = ImageData.from_dataframe(frame, root=photos, **options, **NO_SPLITS)
    assert (data.task, data.class_names) == (task, class_names)
    assert data.splits["train"].labels[: len(expected)].tolist() == expected
    assert data.splits["train"].images[-1] == str(photos / "11.jpg")
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"path": ["a"]}, r"Expected a pandas.DataFrame. Received: dict"),
        (
            frame_of(["a", None]),
            r"a label.*received an empty cell in row row-1, row-3, .* and 1 more",
        ),
        (frame_of([1.5, float("nan")]), r"a label.*received an empty cell in row row-1"),
        (frame_of([1.5, float("inf")]), r"a finite number.*received inf in row row-1"),
        (
            frame_of(["a", "b"]).assign(path=range(COUNT)),
            r"path of an image.*received 0 in row row",
        ),
        (frame_of(["a", "b"]).iloc[:0], r"The data frame has no rows"),
        (frame_of(["a", "b"])[["path"]], r"The data frame has no column 'label'"),
        (
            pd.concat([frame_of(["a", "b"])] * 2, axis=1),
            r"more than one column 'path'",
        ),
    ],
)
def test_a_data_frame_that_cannot_be_used_is_explained(photos, frame, message):
    with pytest.raises(DataError, match=message):
        ImageData.from_dataframe(frame, root=photos)


def test_how_a_table_was_read_is_recorded(photos):
    path = write_csv(photos, ["1,0", "1,1"], "file,sun,sea")
    options = {"image": "file", "label": ("sun", "sea"), "root": photos}
    data = ImageData.from_csv(path, **options)
    settings = json.loads(json.dumps(data.describe()))["source_settings"]
    assert settings.pop("kind") == "csv"
    assert settings["label"] == ["sun", "sea"]
    assert {name for name, value in settings.items() if str(photos) in str(value)} <= PLACES
    assert ImageData.from_csv(path, **settings).describe() == data.describe()
