"""Layouts of folders, and the account of every file in them."""

import functools
import json
import os
import re

import pytest
from click.testing import CliRunner
from PIL import Image

import keras_tl as ktl
from keras_tl.cli import cli
from keras_tl.data.folders.unused_files import UnusedFiles, sort_files
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.specs import load_spec
from keras_tl.data.texts.text_inputs import read_texts
from keras_tl.errors import DataError
from keras_tl.preflight.checks import CHECKS
from keras_tl.preflight.context import CheckContext
from tests.conftest import make_small_learner

NO_SPLITS = {"validation_split": 0, "test_split": 0, "verbose": False}
ENDINGS = {ktl.ImageData: "jpg", ktl.TextData: "txt"}


def make_tree(root, tree, kind):
    """Make files: a number of items in a folder, or one file of that name."""
    for name, content in tree.items():
        folder = root / name if isinstance(content, int) else (root / name).parent
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            for number in range(content):
                path = folder / f"{number}.{ENDINGS[kind]}"
                path.write_text(f"text {name} {number}")
        else:
            (root / name).write_bytes(content)
    return root


def classes(top, count=2, names="ab"):
    return {f"{top}/{name}": count for name in names}


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


def finding(data, name):
    return CHECKS[name](CheckContext(data))


ALL = {"train": 4, "validation": 4, "test": 4}

# The folders; the sizes of the splits, the words of the finding `folder-layout`, and the items
# outside the class folders.
LAYOUTS = {
    "training-testing": (
        classes("Training") | classes("Testing"),
        {"train": 4, "test": 4},
        "'Testing' as test, 'Training' as train",
        {},
    ),
    "dev": (
        classes("train") | classes("dev") | classes("test"),
        ALL,
        "'dev' as validation",
        {},
    ),
    "capitals": (
        classes("TRAIN") | classes("Development") | classes("TEST"),
        ALL,
        "'Development' as validation",
        {},
    ),
    "unlabelled-test-and-more": (
        classes("train") | {"test": 5, "more": 2, "others": 1},
        {"train": 4},
        None,
        {"test": 5, "more": 2, "others": 1},
    ),
    "nested-in-their-own-names": (
        classes("seg_train/seg_train") | classes("seg_test/seg_test") | {"seg_pred/seg_pred": 3},
        {"train": 4, "test": 4},
        "'seg_train' as train",
        {"seg_pred/seg_pred": 3},
    ),
    "words-in-names": (
        classes("train_images") | classes("val-images") | classes("images.test"),
        ALL,
        "'val-images' as validation",
        {},
    ),
    "years-in-names": (
        classes("train2017") | classes("val2017"),
        {"train": 4, "validation": 4},
        "'train2017' as train",
        {},
    ),
    "unlabelled-test": (
        classes("train") | {"test": 5},
        {"train": 4},
        None,
        {"test": 5},
    ),
    "unlabelled-test-images": (
        classes("train_images") | {"test_images": 5},
        {"train": 4},
        "'train_images' as train",
        {"test_images": 5},
    ),
    "others-beside": (
        classes("train") | classes("elsewhere"),
        {"train": 4},
        "Not used as splits: 'elsewhere'",
        {"elsewhere/a": 2, "elsewhere/b": 2},
    ),
    "a-class-of-folders-called-train": (
        classes("train", names=("2019", "2020")) | classes("bus", names=("2019", "2020")),
        {"train": 4},
        "Not used as splits: 'bus'",
        {"bus/2019": 2, "bus/2020": 2},
    ),
    "validate": (
        classes("train") | classes("Validate"),
        {"train": 4, "validation": 4},
        "'Validate' as validation",
        {},
    ),
    "eval": (
        classes("train") | classes("eval"),
        {"train": 4, "validation": 4},
        "'eval' as validation",
        {},
    ),
    "own-names": (
        classes("Train") | classes("validation") | classes("TEST"),
        {"train": 4, "validation": 4, "test": 4},
        None,
        {},
    ),
    "one-folder-of-items-beside-train": (
        classes("train", names=("2019", "2020")) | {"cars": 3},
        {"train": 4},
        "Not used as splits: 'cars'",
        {"cars": 3},
    ),
    "a-word-beside-train": (
        classes("train") | classes("test_set"),
        {"train": 4, "test": 4},
        "'train' as train, 'test_set' as test",
        {},
    ),
    "a-word-of-a-split-that-is-there": (
        classes("train") | classes("train_masks"),
        {"train": 4},
        "Not used as splits: 'train_masks'",
        {"train_masks/a": 2, "train_masks/b": 2},
    ),
    "two-of-a-word-beside-train": (
        classes("train") | classes("test_images") | classes("test_masks"),
        {"train": 4},
        "Not used as splits: 'test_images', 'test_masks'",
        {f"test_{x}/{y}": 2 for x in ("images", "masks") for y in "ab"},
    ),
    "items-beside-splits": (
        classes("train") | classes("val") | {"pred": 3},
        {"train": 4, "validation": 4},
        "'val' as validation",
        {"pred": 3},
    ),
    "a-class-called-train": (
        {"train": 2, "car": 2, "test": 2},
        {"train": 6},
        None,
        {},
    ),
    "stations": ({"train_station": 2, "bus_station": 2}, {"train": 4}, None, {}),
    "wrapped": ({}, {"train": 4}, None, {}),
    "years-below-classes": (
        classes("cat", names=("2021", "2022")) | classes("dog", names=("2022", "2023")),
        {"train": 8},
        None,
        {},
    ),
    "one-folder-in-each": ({"cat/images": 2, "dog/images": 2}, {"train": 4}, None, {}),
    "loose": ({"a": 2, "b": 2, ".": 1}, {"train": 4}, None, {".": 1}),
}


@pytest.mark.usefixtures("unchecked_files")
@pytest.mark.parametrize("kind", ENDINGS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(tmp_path, kind, name):
    tree, expected, said, outside = LAYOUTS[name]
    root = tmp_path / "photos"
    if name == "wrapped":
        tree = classes("photos")
    data = kind.from_folder(make_tree(root, tree, kind), **NO_SPLITS)
    assert sizes(data) == expected
    found = finding(data, "folder-layout")
    assert (found is None) == (said is None)
    if found:
        assert said in found.what
        assert "classes=[" in found.action
        assert found.what in repr(data)
    assert data.unused_files.unlabelled == outside
    found = finding(data, "unused-files")
    assert (found is None) == (not outside)
    for folder, count in outside.items():
        assert found.severity == "note"
        assert f"{count} in '{folder}'" in found.what


SAME_NAMES = {
    "rounds": (classes("round1") | classes("round2"), r"\('round1', 'round2'\).*\('a', 'b'\)"),
    "without-train": (classes("test") | classes("val"), r"name them train, validation and test"),
    "in-train": (classes("train/x") | classes("train/y"), r"train' \('x', 'y'\)"),
    "a-class-is-missing": (classes("x", names="abc") | classes("y"), r"\('x', 'y'\).*\('a', 'b'\)"),
    "items-beside": (classes("x") | classes("y") | {"pred": 3}, r"\('x', 'y'\) hold"),
    "years": (classes("cat", names=["1", "2"]) | classes("dog", names=["1", "2"]), r"--class"),
}


@pytest.mark.usefixtures("unchecked_files")
@pytest.mark.parametrize("kind", ENDINGS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", SAME_NAMES)
def test_folders_of_the_same_names_are_refused_unless_they_are_named(tmp_path, kind, name):
    tree, message = SAME_NAMES[name]
    make_tree(tmp_path, tree, kind)
    with pytest.raises(DataError, match=rf"may be splits or classes.*{message}|{message}.*may be"):
        kind.from_folder(tmp_path, **NO_SPLITS)
    top = tmp_path / "train" if name == "in-train" else tmp_path
    names = sorted(os.listdir(top), reverse=True)
    data = kind.from_folder(tmp_path, classes=names, **NO_SPLITS)
    assert (data.class_names, sizes(data)) == (tuple(names), {"train": sum(tree.values())})
    again = load_spec(f"folder:{tmp_path}", data.source_settings, **NO_SPLITS)
    assert again.describe() == data.describe()
    assert load_spec(f"folder:{tmp_path}", classes=names, **NO_SPLITS).class_names == tuple(names)


# Folders beside a folder called train that holds folders, which may be a split or a class.
BESIDE_TRAIN = {
    "years": classes("train", names=("2019", "2020")) | {"car": 2, "bus": 3},
    "training": classes("Training", names=("2019", "2020")) | {"car": 2, "bus": 3, "boat": 1},
}


@pytest.mark.usefixtures("unchecked_files")
@pytest.mark.parametrize("kind", ENDINGS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", BESIDE_TRAIN)
def test_train_among_folders_of_items_is_refused_with_both_readings(tmp_path, kind, name):
    make_tree(tmp_path, BESIDE_TRAIN[name], kind)
    names, years = sorted(os.listdir(tmp_path)), ["2019", "2020"]
    with pytest.raises(DataError, match=r"may be the training split or one more class") as caught:
        kind.from_folder(tmp_path, **NO_SPLITS)
    for read in (names, years):
        assert f"pass classes={read} (--class)" in str(caught.value)
        assert kind.from_folder(tmp_path, classes=read, **NO_SPLITS).class_names == tuple(read)


@pytest.mark.usefixtures("unchecked_files")
def test_one_class_that_holds_folders_names_the_folder_to_pass(tmp_path):
    make_tree(tmp_path, classes("flowers"), ktl.ImageData)
    with pytest.raises(DataError, match=r"found one, 'flowers'.* pass '.*flowers'"):
        ktl.ImageData.from_folder(tmp_path)


# Files of other kinds than the items, and how they are counted.
LEFT_BEHIND = {
    "__MACOSX/a/._0.jpg": b"",
    "__MACOSX/b/1.jpg": b"",
    "a/.DS_Store": b"",
    "a/Thumbs.db": b"",
    "b/desktop.ini": b"",
    ".git/config": b"",
}


def photo(folder, name):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((8, 8), 50).convert("RGB").save(path)


@pytest.fixture
def photos(tmp_path):
    """Photos of two classes, of which most cannot be read; and what systems leave behind."""
    root = tmp_path / "photos"
    for number in range(3):
        for name in "ab":
            photo(root, f"{name}/{number}.jpg")
            (root / name / f"{number}.HEIC").write_bytes(b"x")
        photo(root, f"a/{number}.tif")
    (root / "notes.txt").write_text("x")
    (root / "a" / "README").write_text("x")
    return make_tree(root, LEFT_BEHIND, ktl.ImageData)


def test_every_file_is_accounted_for(photos):
    data = ktl.ImageData.from_folder(photos, **NO_SPLITS)
    assert sizes(data) == {"train": 6}
    unused = data.unused_files
    assert unused.suffixes == {".heic": 6, ".tif": 3, ".txt": 1, "without suffix": 1}
    assert unused.convertible == (".heic", ".tif")
    sentence = (
        "Not used: 11 files of other kinds (6 .heic, 3 .tif, 1 .txt, 1 without suffix). "
        "Convert photos in other formats to JPEG or PNG."
    )
    assert data.checked.summary().endswith(sentence)
    assert data.checked.describe().endswith(sentence)
    found = finding(data, "unused-files")
    assert (found.severity, f"{found.what} {found.action}") == ("warning", sentence)
    described = json.loads(json.dumps(data.describe()))["unused_files"]
    assert str(UnusedFiles(**described)) == str(unused)
    assert json.loads(json.dumps(data.checked.to_json()))["unused"] == described
    # Without a check of the files there is an account too.
    unchecked = ktl.ImageData.from_folder(photos, check_files=False, **NO_SPLITS)
    assert unchecked.unused_files == unused
    assert finding(unchecked, "unused-files") == found


def test_files_that_are_no_photos_are_counted_without_a_finding(tmp_path):
    make_tree(tmp_path, {"a/notes.txt": b"x", "labels.csv": b"x"} | LEFT_BEHIND, ktl.ImageData)
    for number in range(2):
        photo(tmp_path, f"a/{number}.jpg")
        photo(tmp_path, f"b/{number}.jpg")
    data = ktl.ImageData.from_folder(tmp_path, **NO_SPLITS)
    assert data.class_names == ("a", "b")
    assert data.unused_files.suffixes == {".csv": 1, ".txt": 1}
    assert finding(data, "unused-files") is None
    assert "1 .csv, 1 .txt" in data.checked.summary()


def test_nothing_is_said_where_every_file_is_used(tmp_path):
    make_tree(tmp_path, classes("a", names="xy") | classes("b", names="z"), ktl.TextData)
    data = ktl.TextData.from_folder(tmp_path, **NO_SPLITS)
    assert not data.unused_files
    assert data.describe()["unused_files"] is None
    assert "\n" not in data.checked.summary()


def test_texts_in_other_formats_are_a_warning(tmp_path):
    tree = {"a": 2, "b": 2, "a/x.pdf": b"", "a/y.md": b"", "b/z.PDF": b""}
    data = ktl.TextData.from_folder(make_tree(tmp_path, tree, ktl.TextData), **NO_SPLITS)
    assert data.unused_files.suffixes == {".pdf": 2, ".md": 1}
    assert finding(data, "unused-files").severity == "warning"
    assert "Convert texts in other formats to .txt files" in data.checked.summary()


def test_a_class_of_other_formats_is_explained(tmp_path):
    make_tree(tmp_path, {"a/1.heic": b"", "a/2.heic": b"", "b": 2}, ktl.ImageData)
    message = r"Class 'a' is empty: no image \(JPEG.*2 files of other kinds \(2 \.heic\)\. Convert"
    with pytest.raises(DataError, match=message):
        ktl.ImageData.from_folder(tmp_path)
    with pytest.raises(
        DataError, match=r"No image .*2 \.heic\)\. Convert photos in other formats to JPEG"
    ):
        read_inputs(tmp_path / "a")


# What the files of a class are called, how they begin, and how they are counted.
OF_OTHER_KINDS = {
    **{f"1{s}": (b"x", s) for s in (".mpo", ".crw", ".sr2", ".3fr", ".x3f")},
    "IMG_0001": (b"\xff\xd8\xff\xe0", "JPEG without suffix"),
    "scan": (b"II*\x00", "TIFF without suffix"),
    "slice": (bytes(128) + b"DICM", "DICOM without suffix"),
}


@pytest.mark.parametrize("name", OF_OTHER_KINDS)
def test_images_by_suffix_or_first_bytes_are_a_warning(tmp_path, name):
    content, counted = OF_OTHER_KINDS[name]
    make_tree(tmp_path, {"a": 2, "b": 2, f"a/{name}": content, "b/README": b"x"}, ktl.ImageData)
    data = ktl.ImageData.from_folder(tmp_path, check_files=False, **NO_SPLITS)
    assert data.unused_files.suffixes == {counted: 1, "without suffix": 1}
    found = finding(data, "unused-files")
    assert found.severity == "warning"
    action = "Add the suffix" if "without" in counted else "Convert photos"
    assert found.action.startswith(action)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (read_inputs, "JPEG, PNG, BMP, GIF or WebP images"),
        (functools.partial(read_texts, are_pairs=False), ".txt texts"),
    ],
)
def test_an_empty_folder_is_explained(tmp_path, read, expected):
    with pytest.raises(DataError, match=rf"holds no files\. Expected {re.escape(expected)}\.$"):
        read(tmp_path)


def test_links_to_folders_are_followed(tmp_path):
    store, root = tmp_path / "store", tmp_path / "photos"
    for number in range(2):
        photo(store, f"one/{number}.jpg")
        photo(store, f"two/{number}.jpg")
        photo(root, f"b/{number}.jpg")
    root.joinpath("a").symlink_to(store / "one", target_is_directory=True)
    root.joinpath("b", "more").symlink_to(store / "two", target_is_directory=True)
    # A circle, and links to nothing.
    root.joinpath("b", "up").symlink_to(root, target_is_directory=True)
    root.joinpath("b", "gone.jpg").symlink_to(tmp_path / "gone.jpg")
    root.joinpath("b", "gone").symlink_to(tmp_path / "gone", target_is_directory=True)
    # Links to themselves.
    root.joinpath("b", "loop").symlink_to("loop")
    root.joinpath("b", "loop.jpg").symlink_to("loop.jpg")
    data = ktl.ImageData.from_folder(root, max_bad=0.5, **NO_SPLITS)
    assert sizes(data) == {"train": 6}
    bad = {str(bad).rpartition("/")[2] for bad in data.checked.bad}
    assert {name.partition(":")[0] for name in bad} == {"gone.jpg", "loop.jpg"}, bad
    assert data.unused_files.suffixes == {"broken link": 2}
    assert len(sort_files(root, IMAGE_FILES)[0]) == 8


def test_a_relative_root_is_read(photos, monkeypatch):
    monkeypatch.chdir(photos)
    data = ktl.ImageData.from_folder(".", **NO_SPLITS)
    assert data.split("train").images[0] == os.path.join(".", "a", "0.jpg")
    assert data.unused_files.suffixes[".heic"] == 6
    assert sort_files(photos, IMAGE_FILES)[1].suffixes == data.unused_files.suffixes


def test_predicting_a_folder_accounts_for_its_files(photos, tmp_path, tiny_data, monkeypatch):
    make_small_learner(tiny_data).save(tmp_path / "run")
    arguments = [str(tmp_path / "run"), str(photos / "a")]
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    said = "Not used: 7 files of other kinds (3 .heic, 3 .tif, 1 without suffix). Convert"
    done = CliRunner().invoke(cli, ["predict", *arguments], catch_exceptions=False)
    assert len(done.stdout.splitlines()) == 3
    assert said in " ".join(done.stderr.split())
    out = str(tmp_path / "features.npy")
    done = CliRunner().invoke(cli, ["features", *arguments, "--out", out], catch_exceptions=False)
    assert said in " ".join(done.stderr.split())
