"""Where images come from: folders, arrays, the digits; and what is said when they are wrong."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_tl.data import ImageData
from keras_tl.data.folders.unused_files import sort_files
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_options import check_image_size
from keras_tl.data.images.image_pipeline import ImagePipeline
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import ConfigError, DataError

pytestmark = pytest.mark.usefixtures("unchecked_files")


def make_tree(root, tree):
    """Makes a folder for each key, with as many (empty) image files as its value says."""
    for folder, count in tree.items():
        (root / folder).mkdir(parents=True)
        for number in range(count):
            (root / folder / f"{number:03}.jpg").touch()
    return root


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


@pytest.mark.parametrize("names", [[], (), "train"], ids=repr)
def test_joining_needs_a_list_of_names(names):
    with pytest.raises(ConfigError, match="names must be a list of at least one split name, such"):
        ImageData.digits().joined(names)


def labelled(data):
    """Every path with its class's name; a path that is in two splits counts twice."""
    return sorted(
        (path, data.class_names[label])
        for split in data.splits.values()
        for path, label in zip(split.images, split.labels, strict=True)
    )


def test_class_folders_are_split_and_labelled(tmp_path):
    make_tree(tmp_path, {"dog": 20, "cat": 40, "emu": 20})
    data = ImageData.from_folder(tmp_path)
    assert data.class_names == ("cat", "dog", "emu")
    assert sizes(data) == {"train": 58, "validation": 10, "test": 12}
    expected = sorted(
        (str(path), path.parent.name) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert labelled(data) == expected


@pytest.mark.parametrize("as_type", [str, Path])
def test_the_root_may_be_a_string_or_a_path(tmp_path, as_type):
    make_tree(tmp_path, {"a": 4, "b": 4})
    assert len(ImageData.from_folder(as_type(tmp_path)).class_names) == 2


def test_a_relative_root_is_read(tmp_path, monkeypatch):
    make_tree(tmp_path, {"a": 4, "b": 4})
    monkeypatch.chdir(tmp_path.parent)
    assert sum(sizes(ImageData.from_folder(tmp_path.name)).values()) == 8


def test_images_count_at_any_depth_and_nothing_else_does(tmp_path):
    make_tree(tmp_path, {"a/2023/may": 2, "a/2024": 1, "b": 2, "a/.thumbnails": 5, ".git": 3})
    for name in ("a/notes.txt", "a/.hidden.jpg", "a/photo.tiff", "stray.jpg", "b/jpg"):
        (tmp_path / name).touch()
    data = ImageData.from_folder(tmp_path, validation_split=0, test_split=0)
    assert data.class_names == ("a", "b")
    assert sizes(data) == {"train": 5}
    assert [os.path.relpath(path, tmp_path) for path in data.splits["train"].images[:3]] == [
        os.path.join("a", "2023", "may", "000.jpg"),
        os.path.join("a", "2023", "may", "001.jpg"),
        os.path.join("a", "2024", "000.jpg"),
    ]


@pytest.mark.parametrize(
    "name", ["a.jpg", "A.JPG", "a.jpeg", "a.Png", "a.bmp", "a.gif", "a.webp", "a.b.c.jpg"]
)
def test_image_files_are_known_by_their_ending(tmp_path, name):
    (tmp_path / name).touch()
    assert sort_files(tmp_path, IMAGE_FILES)[0] == [str(tmp_path / name)]


def test_files_keep_any_name(tmp_path):
    names = ["with space", "grün-ñ-日本", "quote'\"", "%41 {x} [1] *", "line\nbreak"]
    try:
        (tmp_path / os.fsdecode(b"probe-\xff")).touch()
        names.append(os.fsdecode(b"latin-1-\xe9"))
    except OSError:
        pass  # This file system has names in UTF-8 only.
    root = tmp_path / "mes photos é"
    colours = {}
    for number, name in enumerate(names):
        for label, folder in enumerate(("chat noir", "Ünïcode")):
            path = root / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            colours[str(path)] = 20 * number + 10 * label
            Image.new("RGB", (3, 2), (colours[str(path)],) * 3).save(path)
    data = ImageData.from_folder(root, validation_split=0, test_split=0)
    assert data.class_names == ("chat noir", "Ünïcode")
    split = data.splits["train"]
    assert sorted(split.images) == sorted(colours)
    pixels = ImagePipeline((2, 2), "stretch").pixels(split)
    assert pixels[:, 0, 0, 0].round().tolist() == [colours[path] for path in split.images]
    assert len(split.fingerprint()) == len(split.fingerprint(full_hash=True)) == 64


@pytest.mark.parametrize("validation", ["validation", "valid", "val", "Val"])
def test_existing_splits_are_taken_as_they_are(tmp_path, validation):
    tree = {"train/a": 5, "train/b": 4, f"{validation}/a": 2, f"{validation}/b": 1, "test/b": 3}
    make_tree(tmp_path, tree | {"elsewhere/a": 7})
    data = ImageData.from_folder(tmp_path, validation_split=0.5, test_split=0.5)
    assert data.class_names == ("a", "b")
    assert sizes(data) == {"train": 9, "validation": 3, "test": 3}
    assert all(os.sep + validation + os.sep in path for path in data.splits["validation"].images)
    assert data.splits["test"].labels.tolist() == [1, 1, 1]


# What there is besides train, the arguments, and the sizes that come of it.
MISSING_SPLITS = [
    ({"test/a": 3, "test/b": 3}, {}, {"train": 34, "validation": 6, "test": 6}),
    ({"val/a": 3, "val/b": 3}, {}, {"train": 40, "validation": 6}),
    ({}, {}, {"train": 34, "validation": 6}),
    ({}, {"test_split": 0.5}, {"train": 34, "validation": 6}),
    ({}, {"validation_split": 0}, {"train": 40}),
    ({"test/a": 3}, {"validation_split": 0}, {"train": 40, "test": 3}),
]


@pytest.mark.parametrize(("others", "options", "expected"), MISSING_SPLITS)
def test_a_missing_validation_split_is_taken_from_train(tmp_path, others, options, expected):
    make_tree(tmp_path, {"train/a": 20, "train/b": 20} | others)
    data = ImageData.from_folder(tmp_path, **options)
    assert sizes(data) == expected
    paths = [path for split in data.splits.values() for path in split.images]
    assert len(paths) == len(set(paths)) == sum(expected.values())
    for name in ("train", "validation"):
        if name in expected and not any(key.startswith("val") for key in others):
            assert set(data.splits[name].labels) == {0, 1}


def test_class_folders_named_as_splits_are_classes_where_there_is_no_train(tmp_path):
    make_tree(tmp_path, {"valid": 4, "invalid": 4})
    assert ImageData.from_folder(tmp_path).class_names == ("invalid", "valid")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"validation_split": 0, "test_split": 0}, {"train"}),
        ({"validation_split": 0}, {"train", "test"}),
        ({"test_split": 0}, {"train", "validation"}),
        ({}, {"train", "validation", "test"}),
    ],
)
def test_fractions_may_be_zero(tmp_path, options, expected):
    make_tree(tmp_path, {"a": 10, "b": 10})
    data = ImageData.from_folder(tmp_path, **options)
    assert set(data.splits) == expected
    assert sum(sizes(data).values()) == 20


def test_an_absent_split_is_explained(tmp_path):
    make_tree(tmp_path, {"a": 4, "b": 4})
    data = ImageData.from_folder(tmp_path, test_split=0)
    with pytest.raises(DataError, match=r"There is no test split.*train, validation.*test_split"):
        data.split("test")
    with pytest.raises(ConfigError, match=r"Unknown split 'tests'.*'test'"):
        data.split("tests")
    assert data.split("train") is data.splits["train"]


# The tree, the arguments, and what the message must say.
FOLDER_ERRORS = {
    "missing": ({}, {"root": "absent"}, r"absent' does not exist"),
    "file": ({"a": 1}, {"root": "a/000.jpg"}, r"000.jpg' is a file"),
    "no-class": ({}, {}, r"at least two class folders in '.*', found none"),
    "one-class": ({"cat": 3}, {}, r"found one, 'cat'.*folder named after the class"),
    "one-class-in-train": (
        {"train/cat": 3, "test/cat": 1},
        {},
        r"class folders in '.*train', found one",
    ),
    "empty-class": ({"cat": 3, "dog": 0}, {}, r"Class 'dog' is empty.*JPEG.*remove the folder"),
    "class-not-in-train": (
        {"train/a": 3, "train/b": 3, "test/a": 1, "test/c": 1},
        {},
        r"The test folder has a class 'c' that the train folder does not have. Train has: a, b",
    ),
    "empty-test": (
        {"train/a": 3, "train/b": 3, "test/a": 0},
        {},
        r"The test folder '.*test' has no image.*remove the folder",
    ),
    "two-validation-folders": (
        {"train/a": 3, "train/b": 3, "val/a": 1, "valid/a": 1},
        {},
        r"two validation folders, 'val' and 'valid'",
    ),
    "too-few-for-test": (
        {"cat": 1, "dog": 9},
        {},
        r"A test split and the train split each need .*only 1 item of class 'cat' left.*"
        r"test_split=0",
    ),
    "too-few-for-validation": (
        {"cat": 2, "dog": 9},
        {},
        r"A validation split and the train split each need .*only 1 item of class 'cat' left.*"
        r"validation_split=0",
    ),
}


@pytest.mark.parametrize("name", FOLDER_ERRORS)
def test_a_folder_that_cannot_be_used_is_explained(tmp_path, name):
    tree, options, message = FOLDER_ERRORS[name]
    make_tree(tmp_path, tree)
    with pytest.raises(DataError, match=message):
        ImageData.from_folder(tmp_path / options.get("root", ""))


def test_a_class_folder_whose_name_cannot_be_written_down_is_refused(tmp_path):
    make_tree(tmp_path, {"a": 4})
    try:
        make_tree(tmp_path, {os.fsdecode(b"caf\xe9"): 4})
    except OSError:
        pytest.skip("This file system has names in UTF-8 only.")
    with pytest.raises(DataError, match=r"'caf\\udce9' is not UTF-8"):
        ImageData.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("given", "expected"), [(None, None), (96, (96, 96)), ((2, 3), (2, 3)), ([4, 5], (4, 5))]
)
def test_image_sizes_are_height_and_width(given, expected):
    assert check_image_size(given) == expected


def grey(count, height=4, width=5, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, (count, height, width)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_arrays_of_any_numbers_become_three_channels(dtype, channels):
    x = grey(8, dtype=dtype)
    given = x if channels is None else np.repeat(x[..., None], channels, axis=-1)
    data = ImageData.from_arrays(given, [0, 1] * 4, validation_split=0, test_split=0)
    images = data.splits["train"].images
    assert images.shape == (8, 4, 5, 3)
    np.testing.assert_array_equal(images, np.repeat(x[..., None], 3, axis=-1))
    pixels = ImagePipeline((4, 5), "crop").pixels(data.splits["train"])
    np.testing.assert_allclose(pixels, images, atol=1e-3)


# Labels, class names, the names that come of them, the numbers that come of them.
LABELS = [
    ([7, 3, 7, 3], None, ("3", "7"), [1, 0, 1, 0]),
    (np.array([1, 0, 1, 0], np.uint8), None, ("0", "1"), [1, 0, 1, 0]),
    (["b", "a", "b", "a"], None, ("a", "b"), [1, 0, 1, 0]),
    (np.array(["b", "a", "b", "a"], object), None, ("a", "b"), [1, 0, 1, 0]),
    ([True, False, True, False], None, ("False", "True"), [1, 0, 1, 0]),
    ([0, 1, 1, 0], ["yes", "no"], ("yes", "no"), [0, 1, 1, 0]),
    (["no", "yes", "yes", "no"], ["yes", "no"], ("yes", "no"), [1, 0, 0, 1]),
    ([0, 1, 0, 1], ["a", "b", "never seen"], ("a", "b", "never seen"), [0, 1, 0, 1]),
]


@pytest.mark.parametrize(("y", "class_names", "names", "numbers"), LABELS)
def test_labels_become_numbers_of_class_names(y, class_names, names, numbers):
    data = ImageData.from_arrays(
        grey(4), y, class_names=class_names, validation_split=0, test_split=0
    )
    assert data.class_names == names
    assert data.splits["train"].labels.tolist() == numbers
    assert data.splits["train"].labels.dtype == np.int64


def test_given_arrays_are_the_splits():
    x, y = grey(10), [0, 1] * 5
    data = ImageData.from_arrays(x, y, validation=(x[:4], y[:4]), test=(x[:2], [1, 1]))
    assert sizes(data) == {"train": 10, "validation": 4, "test": 2}
    assert data.splits["test"].labels.tolist() == [1, 1]
    np.testing.assert_array_equal(data.splits["validation"].images[..., 0], x[:4])


@pytest.mark.parametrize("given", ["validation", "test"])
def test_only_the_splits_that_are_missing_are_taken_from_train(given):
    x, y = grey(40), [0, 1] * 20
    data = ImageData.from_arrays(x, y, **{given: (x[:2], y[:2])})
    assert len(data.splits[given]) == 2
    assert sizes(data) == {"train": 34, "validation": 6, "test": 6} | {given: 2}


def scaled(count):
    return np.random.default_rng(0).uniform(0, 1, (count, 4, 4, 3))


ARRAY_ERRORS = {
    "floats-in-0-1": ((scaled(4), [0, 1] * 2), {}, r"train pixels.*scaled to \[0, 1\].*by 255"),
    "negative": ((scaled(4) * 2 - 1, [0, 1] * 2), {}, r"train pixels in \[0, 255\].*Undo the norm"),
    "above-255": ((scaled(4) * 600, [0, 1] * 2), {}, r"train pixels in \[0, 255\]"),
    "not-a-number": ((np.full((4, 2, 2), np.nan), [0, 1] * 2), {}, r"values from nan to nan"),
    "two-dimensions": ((grey(4)[0], [0, 1] * 2), {}, r"shape \(n, height, width, 3\).*\(4, 5\)"),
    "five-channels": ((np.zeros((4, 8, 8, 5)), [0, 1] * 2), {}, r"Received: shape \(4, 8, 8, 5\)"),
    "channels-first": (
        (np.zeros((4, 3, 8, 8)), [0, 1] * 2),
        {},
        r"each train image.*\(3, 8, 8\), with the channels first.*moveaxis\(x, -3, -1\)",
    ),
    "no-image": ((np.zeros((0, 2, 2, 3)), []), {}, r"train images as numbers of shape"),
    "strings-as-images": ((np.array([["a"]]), [0, 1]), {}, r"train images as numbers"),
    "booleans": ((np.zeros((4, 2, 2), bool), [0, 1] * 2), {}, r"dtype bool"),
    "too-few-labels": ((grey(4), [0, 1]), {}, r"one label for each train image.*4 images.*\(2,\)"),
    "three-axes": ((grey(4), np.zeros((4, 2, 2))), {}, r"4 images and labels of shape"),
    "one-class": ((grey(4), ["cat"] * 4), {}, r"at least two classes, found 1: cat"),
    "missing-label": (
        (grey(2), np.array(["a", None], object)),
        {},
        r"A label is missing in 1 of 2",
    ),
    "one-class-name": ((grey(4), [0] * 4), {"class_names": ["a"]}, r"at least two classes"),
    "same-class-names": (
        (grey(4), [0, 1, 2, 0]),
        {"class_names": ["a", "b", "a"]},
        r"Several classes have the same name: a\.",
    ),
    "number-without-name": (
        (grey(4), [0, 1, 2, 0]),
        {"class_names": ["a", "b"]},
        r"Unknown train labels \[2\]\. Expected 2 classes: 0, 1",
    ),
    "name-not-given": (
        (grey(4), ["a", "b", "c", "c"]),
        {"class_names": ["a", "b"]},
        r"Unknown train labels \['c'\]\. Expected 2 classes: a, b",
    ),
    "label-in-test-only": (
        (grey(4), ["a", "b"] * 2),
        {"test": (grey(2), ["a", "z"])},
        r"Unknown test labels \['z'\]\. Expected 2 classes: a, b",
    ),
    "scaled-validation": (
        (grey(4), [0, 1] * 2),
        {"validation": (scaled(2), [0, 1])},
        r"validation pixels.*scaled",
    ),
    "too-few-to-split": (
        (grey(4), [0, 0, 0, 1]),
        {},
        r"A test split and the train split each need.*only 1 item of class '1' left",
    ),
}


@pytest.mark.parametrize("name", ARRAY_ERRORS)
def test_arrays_that_cannot_be_used_are_explained(name):
    arrays, options, message = ARRAY_ERRORS[name]
    with pytest.raises(DataError, match=message):
        ImageData.from_arrays(*arrays, **options)


def test_dark_images_are_not_taken_for_scaled_ones():
    x = np.zeros((4, 2, 2), np.uint8)
    x[0, 0, 0] = 1
    ImageData.from_arrays(x, [0, 1] * 2, validation_split=0, test_split=0)
    ImageData.from_arrays(x * 0.0, [0, 1] * 2, validation_split=0, test_split=0)


def test_the_digits():
    data = ImageData.digits(image_size=32)
    assert data.class_names == tuple("0123456789")
    assert sum(sizes(data).values()) == 1797
    assert data.image_size == (32, 32)
    assert data.augmentation == "no-flip"
    for split in data.splits.values():
        assert split.images.shape[1:] == (8, 8, 3)
        assert set(split.labels) == set(range(10))
    train = data.splits["train"].images
    assert (train.min(), train.max()) == (0, 255)
    assert ImageData.digits(seed=1).describe() != ImageData.digits().describe()
    assert ImageData.digits().describe() == data.describe()
    assert data.describe()["fingerprint_of"] == "content"
    options = {"validation_split": 0, "test_split": 0.5, "resize": "stretch"}
    other = ImageData.digits(**options)
    assert other.resize == "stretch"
    assert set(other.splits) == {"train", "test"}


def test_describe_is_what_a_run_records(tmp_path):
    make_tree(tmp_path, {"a": 10, "b": 10})
    data = ImageData.from_folder(tmp_path, resize="pad", seed=3)
    described = data.describe()
    assert described["class_names"] == ["a", "b"]
    assert described["resize"] == "pad"
    assert {n: s["items"] for n, s in described["splits"].items()} == sizes(data)
    assert described["splits"]["train"]["classes"] == {"a": 7, "b": 7}
    assert described["fingerprint_of"] == "files"
    assert repr(data) == "ImageData(2 classes: 14 train, 3 validation, 3 test)"


def test_a_fingerprint_changes_with_the_images_and_their_order(tmp_path):
    paths = []
    for number in range(3):
        paths.append(str(tmp_path / f"{number}.jpg"))
        (tmp_path / f"{number}.jpg").write_bytes(b"same length %d" % number)
    labels = np.zeros(3, np.int64)
    files, arrays = ImageSplit(tuple(paths), labels), ImageSplit(grey(3), labels)
    for split in (files, arrays):
        found = [
            split.take(np.array(rows)).fingerprint()
            for rows in ([0, 1, 2], [0, 2, 1], [0, 1], [1, 1, 2])
        ]
        assert len(set(found)) == 4
        assert split.fingerprint() == found[0]
    # The same bytes under another time: only the content counts when all of it is hashed.
    before = files.fingerprint(), files.fingerprint(full_hash=True)
    os.utime(paths[0], ns=(1, 1))
    assert files.fingerprint() != before[0]
    assert files.fingerprint(full_hash=True) == before[1]
    os.remove(paths[0])
    for full_hash in (False, True):
        with pytest.raises(DataError, match=r"Cannot read an image of the data: .*0\.jpg"):
            files.fingerprint(full_hash)


def test_a_sample_is_seeded_and_in_order():
    split = ImageSplit(grey(20), np.arange(20))
    sample = split.sample(5, seed=1)
    assert len(sample) == 5
    assert sample.labels.tolist() == sorted(set(sample.labels.tolist()))
    np.testing.assert_array_equal(sample.images, split.images[sample.labels])
    assert split.sample(5, seed=1).labels.tolist() == sample.labels.tolist()
    assert split.sample(5, seed=2).labels.tolist() != sample.labels.tolist()
    assert len(split.sample(99, seed=0)) == 20


def test_a_subset_has_fewer_classes_in_the_order_asked():
    labels = np.repeat(["a", "b", "c"], 20)
    pixels = np.arange(60, dtype=np.uint8).reshape(60, 1, 1)
    data = ImageData.from_arrays(pixels, labels)
    subset = data.subset(["c", "a"])
    assert (subset.task, subset.class_names) == ("binary", ("c", "a"))
    for name, split in subset.splits.items():
        given = data.split(name)
        for number, label in enumerate("ca"):
            before = given.images[given.labels == "abc".index(label)]
            np.testing.assert_array_equal(split.images[split.labels == number], before)
        assert len(split) == (given.labels != 1).sum()


def test_a_subset_has_so_many_training_images_of_each_class():
    labels = np.repeat(["a", "b", "c"], [30, 20, 5])
    data = ImageData.from_arrays(np.arange(55, dtype=np.uint8).reshape(55, 1, 1), labels)
    first, again, other = (data.subset(per_class=6, seed=seed) for seed in (0, 0, 1))
    assert np.bincount(first.split("train").labels).tolist() == [6, 6, 3]
    np.testing.assert_array_equal(first.split("train").images, again.split("train").images)
    assert not np.array_equal(first.split("train").images, other.split("train").images)
    np.testing.assert_array_equal(first.split("test").images, data.split("test").images)


def test_a_subset_has_no_split_without_items():
    pixels, labels = np.zeros((24, 1, 1), np.uint8), np.repeat(["a", "b", "c"], 8)
    data = ImageData.from_arrays(
        pixels, labels, validation=(pixels[:8], labels[:8]), test=(pixels[:16], labels[:16])
    )
    assert list(data.subset(["b", "c"]).splits) == ["train", "test"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ["a", "z"]}, "Unknown class 'z'"),
        ({"classes": ["a"]}, "at least two different classes"),
        ({"classes": ["a", "a"]}, "at least two different classes"),
        ({"per_class": 0}, "per_class must be a whole number of at least 1"),
    ],
)
def test_a_subset_that_cannot_be_is_explained(options, message):
    labels = np.repeat(["a", "b", "c"], 8)
    data = ImageData.from_arrays(np.zeros((24, 1, 1), np.uint8), labels)
    with pytest.raises(ConfigError, match=message):
        data.subset(**options)


def test_a_subset_of_numbers_is_refused():
    data = ImageData.from_arrays(np.zeros((24, 1, 1), np.uint8), np.linspace(0, 1, 24))
    with pytest.raises(ConfigError, match=r"one class each\. The task of these data is regression"):
        data.subset(per_class=2)
