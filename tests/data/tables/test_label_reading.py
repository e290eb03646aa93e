"""One rule for labels, whatever source, type and modality they come from; each guess is said."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.errors import ConfigError, DataError
from keras_tl.preflight.checks import CHECKS
from keras_tl.preflight.context import CheckContext
from keras_tl.tasks.labels.numbers import count_classes

pytestmark = pytest.mark.usefixtures("unchecked_files")

COUNT = 24
NO_SPLITS = {"validation_split": 0, "test_split": 0, "verbose": False}
IDS = tuple(sorted((str(7 * n + 90) for n in range(50)), key=int))
FORTY = [n for n in range(40) if n != 7]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TL_CACHE", str(tmp_path / "cache"))


def frame_of(labels):
    """A table whose columns `path` and `text` are the items; the labels in turn."""
    count = max(COUNT, 2 * len(labels))
    turns = [labels[n % len(labels)] for n in range(count)]
    paths = [f"{n}.jpg" for n in range(count)]
    return pd.DataFrame({"path": paths, "text": [f"text {n}" for n in range(count)]}).assign(
        label=pd.Series(turns)
    )


def image_csv(folder, frame, **options):
    (folder / "0.jpg").touch()
    frame.to_csv(folder / "t.csv", index=False)
    return ktl.ImageData.from_csv(folder / "t.csv", **options, **NO_SPLITS)


def text_csv(folder, frame, **options):
    frame.to_csv(folder / "t.csv", index=False)
    return ktl.TextData.from_csv(folder / "t.csv", **options, **NO_SPLITS)


def text_jsonl(folder, frame, **options):
    lines = frame.to_dict("records")
    (folder / "t.jsonl").write_text("\n".join(json.dumps(line, default=str) for line in lines))
    return ktl.TextData.from_csv(folder / "t.jsonl", **options, **NO_SPLITS)


def image_frame(folder, frame, **options):
    (folder / "0.jpg").touch()
    return ktl.ImageData.from_dataframe(frame, root=folder, **options, **NO_SPLITS)


def text_frame(_, frame, **options):
    return ktl.TextData.from_dataframe(frame, **options, **NO_SPLITS)


def pixels_of(frame):
    return np.arange(len(frame) * 12, dtype=np.float32).reshape(-1, 2, 2, 3) % 251


def image_arrays(_, frame, **options):
    return ktl.ImageData.from_arrays(
        pixels_of(frame), frame["label"].to_numpy(), **options, **NO_SPLITS
    )


def image_tfdata(_, frame, **options):
    labels = frame["label"].tolist()
    dataset = tf.data.Dataset.from_tensor_slices((pixels_of(frame), labels)).batch(5)
    return ktl.ImageData.from_tfdata(dataset, **options, **NO_SPLITS)


def text_arrays(_, frame, **options):
    return ktl.TextData.from_arrays(
        frame["text"].tolist(), frame["label"].tolist(), **options, **NO_SPLITS
    )


SOURCES = [
    image_csv,
    image_frame,
    image_arrays,
    image_tfdata,
    text_csv,
    text_jsonl,
    text_frame,
    text_arrays,
]

# The labels in turn, the arguments; the task and the class names, and the argument that the
# finding names (none: nothing was guessed).
RULE = {
    "0-1-2": ([0, 1, 2], {}, "multiclass", "012", "regression"),
    "0-1": ([0, 1], {}, "binary", "01", "regression"),
    "two-ids": ([3, 17], {}, "binary", ("3", "17"), "regression"),
    "signs": ([-1, 1], {}, "binary", ("-1", "1"), "regression"),
    "40-intents-with-one-absent": (FORTY, {}, "multiclass", tuple(map(str, FORTY)), "regression"),
    "stars-after-a-nan": ([1.0, 2.0, 3.0, 4.0, 5.0], {}, "multiclass", "12345", "regression"),
    "floats-of-two": ([0.0, 1.0], {}, "binary", "01", "regression"),
    "amounts": ([n * n * 3 for n in range(30)], {}, "regression", "", "multiclass"),
    "ages": ([*range(16, 77)], {}, "regression", "", "multiclass"),
    "ids-that-repeat": ([7 * n + 90 for n in range(50)] * 10, {}, "multiclass", IDS, "regression"),
    "blanks-at-the-ends": (["cat ", "dog", " cat"], {}, "binary", ("cat", "dog"), None),
    "fractions": ([0.5, 1.0, 2.0], {}, "regression", "", None),
    "said-to-be-targets": ([0, 1], {"task": "regression"}, "regression", "", None),
    "said-to-be-classes": ([3, 99], {"task": "multiclass"}, "multiclass", ("3", "99"), None),
    "named": ([0, 1], {"class_names": ["no", "yes"]}, "binary", ("no", "yes"), None),
    "names": (["b", "a"], {}, "binary", "ab", None),
    "several-in-a-cell": (["a;b", "b", "c;a"], {}, "multilabel", "abc", "multiclass"),
    "bars": (["a|b", "b", "c|a"], {}, "multilabel", "abc", "multiclass"),
    "one-name-with-a-bar": (
        ["cat", "dog", "black|white"],
        {},
        "multiclass",
        ("black|white", "cat", "dog"),
        "multilabel",
    ),
    "a-bar-beside-semicolons": (
        ["a|x;b", "b", "b;c", "c"],
        {},
        "multilabel",
        ("a|x", "b", "c"),
        "multiclass",
    ),
    "names-with-semicolons": (
        ["a;b", "b"],
        {"task": "multiclass"},
        "binary",
        ("a;b", "b"),
        None,
    ),
    "names-given": (["a;b", "b"], {"class_names": ["a;b", "b"]}, "binary", ("a;b", "b"), None),
}


@pytest.mark.parametrize("name", RULE)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_one_rule_for_every_source(tmp_path, source, name):
    labels, options, task, class_names, argument = RULE[name]
    data = source(tmp_path, frame_of(labels), **options)
    if options.get("task") == "multiclass":
        task = "multiclass"
    assert (data.task, data.class_names) == (task, tuple(class_names))
    finding = CHECKS["label-type"](CheckContext(data))
    assert len(data.guesses) == (finding is not None) == (argument is not None)
    if finding is not None:
        assert finding.severity == "note"
        assert f'task="{argument}"' in finding.action
        assert finding.what in repr(data)
        assert finding.action in repr(data)
        assert data.describe()["guesses"][0]["what"] == finding.what
        decided = source(tmp_path, frame_of(labels), task=argument)
        assert decided.task == argument
        assert decided.guesses == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1], True),
        (range(20), True),
        ([*range(10, 400, 20)] * 2, True),
        (range(10, 400, 20), False),
        ([*range(10, 430, 20)] * 2, False),
        (range(151), False),
        ([*range(151)] * 2, True),
        ([*range(1, 152)] * 2, True),
        ([*range(2, 153)] * 2, False),
        ([*range(150), *range(90)], True),
        ([*range(135), 149] * 2, True),
        ([*range(120), 149] * 2, False),
        ([5, 3, 5], True),
        # 80 of the ids up to 90, 62 times each; and amounts that do not stand so many times.
        ([n for n in range(1, 91) if n % 9] * 62, True),
        ([*range(0, 1000, 20)] * 100, True),
        ([*range(0, 1000, 20)] * 9, False),
    ],
)
def test_which_whole_numbers_are_classes(values, expected):
    assert count_classes(np.array(values)) == expected


def test_large_ids_are_told_apart():
    ids = [10**17 + 1, 10**17 + 2] * 12
    data = ktl.TextData.from_arrays([f"t{n}" for n in range(24)], ids, **NO_SPLITS)
    assert data.class_names == tuple(map(str, ids[:2]))
    assert f"2 classes: {ids[0]}, {ids[1]}." in repr(data)


# Labels of which the third is missing, in each type that can say so.
GAPS = {
    "numbers": [0, 1, float("nan")],
    "array": np.array([0, 1, np.nan]),
    "none": [0, 1, None],
    "texts": ["a", "b", None],
    "texts-and-nan": ["a", "b", float("nan")],
    "blank": ["a", "b", "  "],
    "objects": np.array(["a", "b", np.nan], object),
    "series": pd.Series([0, 1, pd.NA], dtype="Int64"),
    "strings": pd.Series(["a", "b", None], dtype="string"),
    "categorical": pd.Categorical(["a", "b", None]),
    "rows": np.array([[0, 1], [1, 1], [np.nan, 0]]),
}


@pytest.mark.parametrize("kind", [ktl.ImageData, ktl.TextData])
@pytest.mark.parametrize("task", [None, "multiclass", "regression"])
@pytest.mark.parametrize("name", GAPS)
def test_a_missing_label_is_named(name, task, kind):
    if task == "regression" and name not in ("numbers", "array", "none", "series"):
        task = None
    items = ["x", "y", "z"] if kind is ktl.TextData else np.zeros((3, 2, 2, 3))
    with pytest.raises(DataError, match=r"^A label is missing in 1 of 3 items, in rows 2\. Fill"):
        kind.from_arrays(items, GAPS[name], task=task, **NO_SPLITS)


def test_no_label_among_several_is_no_gap():
    data = ktl.TextData.from_arrays([*"wxyz"], ["a;b", "b", "a", None], **NO_SPLITS)
    assert data.split("train").labels.tolist() == [[1, 1], [0, 1], [1, 0], [0, 0]]
    with pytest.raises(DataError, match=r"missing in the list \['a', None\]"):
        ktl.TextData.from_arrays([*"xy"], [["a", None], ["b"]], **NO_SPLITS)


@pytest.mark.parametrize("form", [list, np.array, lambda y: np.array(y, object), tf.constant])
def test_bytes_that_are_no_utf_8_are_refused(form):
    with pytest.raises(DataError, match=r"labels in UTF-8. Received: b'caf\\xe9'"):
        ktl.TextData.from_arrays(["x", "y"], form([b"caf\xe9", b"caf\xe8"]), **NO_SPLITS)
    pairs = (np.zeros((2, 2, 2, 3), np.float32), [b"caf\xe9", b"caf\xe8"])
    with pytest.raises(DataError, match="labels in UTF-8"):
        ktl.ImageData.from_tfdata(tf.data.Dataset.from_tensor_slices(pairs), **NO_SPLITS)


ROWS = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]]
SIGNS = [[1, -1, -1], [1, 1, -1], [-1, -1, -1], [-1, 1, 1]]
BOTH = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1]]

# Rows of labels, the task that they make, the first labels, what the finding says.
SEVERAL = {
    "one-hot": (ROWS, {}, "multiclass", [0, 2, 1], 'single 1.*task="multilabel"'),
    "one-hot-signs": (2 * np.array(ROWS) - 1, {}, "multiclass", [0, 2, 1], "-1 was read.*single 1"),
    "attributes": (SIGNS, {}, "multilabel", [[1, 0, 0], [1, 1, 0]], "-1 was read as 0"),
    "0-and-1": (BOTH, {}, "multilabel", [[1, 0, 0], [1, 1, 0]], None),
    "one-hot-by-chance": (ROWS, {"task": "multilabel"}, "multilabel", [[1, 0, 0]], None),
}


def columns_csv(folder, rows, options, kind, _):
    frame = frame_of([0]).assign(**dict(zip("abc", np.resize(rows, (COUNT, 3)).T, strict=True)))
    frame.to_csv(folder / "t.csv", index=False)
    (folder / "0.jpg").touch()
    return kind.from_csv(folder / "t.csv", label=["a", "b", "c"], **options, **NO_SPLITS)


def columns_arrays(_, rows, options, kind, items):
    labels = np.resize(rows, (COUNT, 3))
    return kind.from_arrays(items, labels, class_names="abc", **options, **NO_SPLITS)


def columns_frame(_, rows, options, kind, items):
    frame = pd.DataFrame(np.resize(rows, (COUNT, 3)), columns=["a", "b", "c"])
    return kind.from_arrays(items, frame, **options, **NO_SPLITS)


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("kind", [ktl.ImageData, ktl.TextData])
@pytest.mark.parametrize("source", [columns_csv, columns_arrays, columns_frame])
def test_several_columns_of_labels(tmp_path, source, kind, name):
    rows, options, task, first, said = SEVERAL[name]
    frame = frame_of([0])
    items = pixels_of(frame) if kind is ktl.ImageData else frame["text"].tolist()
    data = source(tmp_path, rows, options, kind, items)
    assert (data.task, data.class_names) == (task, ("a", "b", "c"))
    assert data.split("train").labels[: len(first)].tolist() == first
    assert bool(data.guesses) == (said is not None)
    if said:
        assert re.search(said, str(CHECKS["label-type"](CheckContext(data))))


@pytest.mark.parametrize("source", [columns_csv, columns_arrays])
def test_minus_1_beside_0_is_refused(tmp_path, source):
    rows = [[1, 0, -1], [1, 1, 0], [0, 0, 0], [0, 1, 1]]
    with pytest.raises(DataError, match=r"xpected (rows of 0 and|0 or) 1.*-1 may mean unknown"):
        source(tmp_path, rows, {}, ktl.ImageData, pixels_of(frame_of([0])))


# Labels of every type that means the same: cat, dog, cat, ...
TURNS = ["cat", "dog"] * 12
TYPES = {
    "column-of-texts": np.array(TURNS)[:, None],
    "column-of-objects": np.array(TURNS, object)[:, None],
    "bytes": np.array(TURNS, "S"),
    "list-of-bytes": [name.encode() for name in TURNS],
    "column-of-bytes": np.array(TURNS, "S")[:, None],
    "tensor": tf.constant(TURNS),
    "column-tensor": tf.constant(TURNS)[:, None],
    "series": pd.Series(TURNS, range(5, 29)),
    "frame": pd.DataFrame({"kind": TURNS}),
    "categorical": pd.Categorical(TURNS),
}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("kind", [ktl.ImageData, ktl.TextData])
def test_the_type_of_labels_changes_nothing(kind, name):
    frame = frame_of([0])
    items = pixels_of(frame) if kind is ktl.ImageData else frame["text"].tolist()
    data = kind.from_arrays(items, TYPES[name], **NO_SPLITS)
    assert (data.task, data.class_names) == ("binary", ("cat", "dog"))
    assert data.split("train").labels[:3].tolist() == [0, 1, 0]
    assert data.guesses == ()


@pytest.mark.parametrize("labels", [[[3], [5]] * 12, np.array([[3], [5]] * 12)])
def test_a_column_of_numbers_is_one_label_an_item(labels):
    data = ktl.ImageData.from_arrays(pixels_of(frame_of([0])), labels, **NO_SPLITS)
    assert (data.task, data.class_names) == ("binary", ("3", "5"))
    data = ktl.ImageData.from_arrays(
        pixels_of(frame_of([0])), np.array([[0], [1]] * 12), task="multilabel", **NO_SPLITS
    )
    assert (data.task, data.split("train").labels.shape) == ("multilabel", (24, 1))


# The same lists of names, in each form that holds them.
NAMED = [["a", "b"], ["b", "c"]] * 12
FORMS = {
    "lists": NAMED,
    "tuples": [*map(tuple, NAMED)],
    "array": np.array(NAMED),
    "array-of-objects": np.array(NAMED, object),
    "series-of-lists": pd.Series(NAMED, range(5, 29)),
    "frame-of-names": pd.DataFrame(NAMED, columns=["first tag", "second tag"]),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("kind", [ktl.ImageData, ktl.TextData])
def test_names_of_several_labels_have_any_form(kind, name):
    frame = frame_of([0])
    items = pixels_of(frame) if kind is ktl.ImageData else frame["text"].tolist()
    data = kind.from_arrays(items, FORMS[name], **NO_SPLITS)
    assert (data.task, data.class_names) == ("multilabel", ("a", "b", "c"))
    assert data.split("train").labels[:2].tolist() == [[1, 1, 0], [0, 1, 1]]


SIZES = pd.CategoricalDtype(["small", "medium", "large", "never seen"], ordered=True)


@pytest.mark.parametrize("source", [image_frame, image_arrays, text_frame])
def test_a_categorical_keeps_its_order(tmp_path, source):
    frame = frame_of(["large", "small", "medium"])
    frame["label"] = frame["label"].astype(SIZES)
    if source is image_arrays:
        data = ktl.ImageData.from_arrays(pixels_of(frame), frame["label"], **NO_SPLITS)
    else:
        data = source(tmp_path, frame)
    assert data.class_names == ("small", "medium", "large")
    assert data.split("train").labels[:3].tolist() == [2, 0, 1]
    assert data.guesses == ()


def test_a_categorical_of_numbers_is_classes_in_its_order(tmp_path):
    frame = frame_of([10, 2, 33])
    frame["label"] = pd.Categorical(frame["label"], [33, 10, 2])
    data = text_frame(tmp_path, frame)
    assert (data.task, data.class_names) == ("multiclass", ("33", "10", "2"))
    assert text_frame(tmp_path, frame, task="regression").task == "regression"
    assert text_frame(tmp_path, frame, class_names=["2", "10", "33"]).class_names[0] == "2"
    codes = pd.Categorical([0, 1] * 12)
    for data in (
        text_frame(tmp_path, frame_of([0]).assign(label=codes), class_names=["no", "yes"]),
        ktl.TextData.from_arrays(["t"] * 24, codes, class_names=["no", "yes"], **NO_SPLITS),
    ):
        assert data.class_names == ("no", "yes")
        assert data.split("train").labels[:2].tolist() == [0, 1]


def test_a_missing_value_of_a_categorical_is_named(tmp_path):
    frame = frame_of(["a", "b"])
    frame["label"] = pd.Categorical(["a", None] * 12, ["a"])
    with pytest.raises(
        DataError, match=r"a label in column 'label', received an empty cell in row 1, 3"
    ):
        text_frame(tmp_path, frame)


@pytest.mark.parametrize(
    ("labels", "options", "error", "message"),
    [
        ([["a", "b"], ["c"]] * 12, {"task": "binary"}, ConfigError, "one label per item.*'a', 'b'"),
        ([["a"], "b"] * 12, {}, DataError, "a list of labels for each item.*'b' of type str"),
        (BOTH * 6, {"task": "multiclass"}, ConfigError, "a single 1 in each row"),
        ([5.0] * 24, {}, DataError, 'found 1: 5. If the labels are amounts .*task="regression"'),
        (["a"] * 24, {}, DataError, "found 1: a.$"),
        (3, {}, DataError, "one label for each item. Received: int"),
        (np.array([1, "a"] * 12, object), {}, DataError, "only texts or only numbers as labels"),
        ([[1.5, 2.5]] * 24, {"task": "regression"}, DataError, r"one .* 24 texts.*\(24, 2\)"),
    ],
)
def test_labels_that_do_not_fit_are_explained(labels, options, error, message):
    with pytest.raises(error, match=message):
        ktl.TextData.from_arrays(frame_of([0])["text"].tolist(), labels, **options, **NO_SPLITS)


def test_all_splits_decide_together():
    texts = frame_of([0])["text"].tolist()
    numbers = np.tile([0.0, 1.0], 12)
    test = (texts[:2], np.array([0.5, 1.5]))
    assert ktl.TextData.from_arrays(texts, numbers, test=test, **NO_SPLITS).task == "regression"
    test = (texts[:2], np.array([[1, 1, 0], [0, 1, 0]]))
    rows = np.array(ROWS * 6)
    assert ktl.TextData.from_arrays(texts, rows, test=test, **NO_SPLITS).task == "multilabel"
    for first, other in ((np.tile([3, 5], 12), ["a", "b"]), (["a", "b"] * 12, np.array([3, 5]))):
        with pytest.raises(DataError, match=r"Unknown test labels .*Expected 2 classes"):
            ktl.TextData.from_arrays(texts, first, test=(texts[:2], other), **NO_SPLITS)
    with pytest.raises(DataError, match=r"the same form in all splits.*\(24, 3\), test \(2,\)"):
        ktl.TextData.from_arrays(texts, rows, test=(texts[:2], np.array([0, 1])), **NO_SPLITS)


def test_lists_of_one_label_are_said():
    texts = frame_of([0])["text"].tolist()
    data = ktl.TextData.from_arrays(texts, [["a"], ["b"]] * 12, **NO_SPLITS)
    assert data.task == "multilabel"
    assert 'task="multiclass"' in repr(data)
    options = {"task": "multiclass"} | NO_SPLITS
    assert ktl.TextData.from_arrays(texts, [["a"], ["b"]] * 12, **options).class_names == ("a", "b")
