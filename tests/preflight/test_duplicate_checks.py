"""Leaked items: the same bytes, pixels or words, copies that were encoded anew or resized."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.features.store import Features
from keras_tl.preflight.checks import CHECKS, run_checks
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import NotChecked
from keras_tl.preflight.image_duplicates import Limits, compared, near_duplicate_images, near_pairs
from keras_tl.preflight.leakage import pairs_of
from keras_tl.preflight.neighbours import nearest
from keras_tl.preflight.thumbnails import correlations
from tests.preflight_data import changed, make_pictures, subject_of


def check(learner, data, names):
    """What some of the checks find."""
    context = subject_of(learner, data)
    return {name: CHECKS[name](context) for name in names}


def encoded(images, quality=75):
    return np.stack(
        [
            tf.io.decode_jpeg(tf.io.encode_jpeg(tf.cast(image, tf.uint8), quality=quality)).numpy()
            for image in images
        ]
    ).astype(np.float32)


def resized(images, side):
    return np.round(np.clip(tf.image.resize(images, (side, side), "bicubic"), 0, 255))


# How copies of training images are made, and the check that finds them.
COPIES = {
    "same": (lambda x: x, "exact-duplicates"),
    "encoded": (encoded, "near-duplicates"),
    "encoded-well": (lambda x: encoded(x, 90), "near-duplicates"),
    "darker": (lambda x: 0.95 * x, "near-duplicates"),
    "three-quarters": (lambda x: resized(x, 12), "near-duplicates"),
    "doubled": (lambda x: resized(x, 32), "near-duplicates"),
}
EACH = 5
LATER = ("validation", "test")


def leak(data, split, kinds):
    """The first images of a split are replaced by copies, of other training images for each kind.

    Returns:
        The data, and by the check that finds them which rows are a copy of which.
    """
    copies, pairs = [], {"exact-duplicates": [], "near-duplicates": []}
    for kind in kinds:
        change, finder = COPIES[kind]
        rows = [7 * list(COPIES).index(kind) + number for number in range(EACH)]
        start = sum(map(len, copies))
        pairs[finder] += [(split, start + n, "train", row) for n, row in enumerate(rows)]
        copies.append(change(data.splits["train"].images[rows]))
    copies = np.concatenate(copies)
    images = data.splits[split].images
    if copies.shape[1:] != images.shape[1:]:
        images = resized(images, copies.shape[1])
    return changed(data, split, images=np.concatenate([copies, images[len(copies) :]])), pairs


def leak_validation(data):
    """The last images of the test split are replaced by copies of validation images.

    Returns:
        The data, and which rows are a copy of which.
    """
    images, (there, here) = data.splits["test"].images, (len(data.splits[x].labels) for x in LATER)
    copies = resized(encoded(data.splits["validation"].images[-EACH:]), images.shape[1])
    pairs = [("test", here - 1 - n, "validation", there - 1 - n) for n in range(EACH)]
    return changed(data, "test", images=np.concatenate([images[:-EACH], copies])), pairs


@pytest.mark.parametrize(
    ("in_test", "in_validation"),
    [
        (["same", "encoded", "encoded-well", "darker"], ["doubled"]),
        (["three-quarters"], ["same", "encoded"]),
    ],
)
def test_every_leaked_image_is_found_and_no_other(clean, learner, in_test, in_validation):
    data, leaked = leak(clean, "test", in_test)
    data, others = leak(data, "validation", in_validation)
    data, of_validation = leak_validation(data)
    leaked["near-duplicates"] += of_validation
    for name, found in check(learner, data, leaked).items():
        expected = leaked[name] + others[name]
        assert (found is not None) == bool(expected)
        if expected:
            assert found.severity == "warning"
            assert (f"{len(leaked[name])} of 160 test images" in found.what) == bool(leaked[name])
            split, row, _, twin = (leaked[name] or others[name])[0]
            assert f"{split} row {row} = train row {twin}" in found.what
    # Those that are most alike come first, if not all can be looked at.
    for most in (2000, 150):
        found = near_pairs(subject_of(learner, data), Limits(pairs=most))
        pairs = [dataclasses.astuple(pair) for pair in found]
        assert pairs == sorted(leaked["near-duplicates"] + others["near-duplicates"])


def test_images_that_are_all_much_alike_are_no_copies(clean, learner):
    # Two different ones correlate by 0.99.
    common = make_pictures(1, 9)[0]
    alike = clean
    for name, split in clean.splits.items():
        alike = changed(alike, name, images=0.9 * common + 0.1 * split.images)
    found = check(learner, alike, ["exact-duplicates", "near-duplicates"])
    assert set(found.values()) == {None}


def test_images_that_are_much_like_one_other_are_no_copies_of_it(clean, learner):
    train, test = (clean.splits[name].images for name in ("train", "test"))
    # They correlate by 0.95.
    mixed = np.concatenate([0.75 * train[:EACH] + 0.25 * test[:EACH], test[EACH:]])
    data = changed(clean, "test", images=mixed)
    assert check(learner, data, ["near-duplicates"]) == {"near-duplicates": None}


def test_images_of_one_colour_have_no_picture_to_compare():
    picture = make_pictures(1, 0)[0]
    images = np.stack([picture, 100 + picture / 100, np.full_like(picture, 100)])
    split = ImageSplit(images, np.arange(3))
    np.testing.assert_allclose(correlations(split, split), [1, 0, 0], atol=1e-6)
    assert correlations(split.take([]), split.take([])).shape == (0,)


def test_even_if_all_of_test_is_leaked_it_is_found(clean, learner):
    copies = encoded(np.resize(clean.splits["train"].images, clean.splits["test"].images.shape))
    found = check(learner, changed(clean, "test", images=copies), ["near-duplicates"])
    assert "160 of 160 test images are" in found["near-duplicates"].what


def test_files_are_compared_by_their_bytes(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(12):
        for split in ("train", "test"):
            folder = tmp_path / split / "ab"[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            # What is leaked has a size in bytes that no other file has.
            side = 9 if (split, number) == ("train", 2) else 6
            pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
            (folder / f"{number}.jpg").write_bytes(tf.io.encode_jpeg(pixels).numpy())
    twin = tmp_path / "test/a/leaked.jpg"
    twin.write_bytes((tmp_path / "train/a/2.jpg").read_bytes())
    data = ktl.ImageData.from_folder(tmp_path, validation_split=0, verbose=False)
    found = {x.name: x for x in run_checks(CheckContext(data))}
    # Where the data lie on the machine is nobody's business: a report has the findings, too.
    assert ": test/a/leaked.jpg = train/a/2.jpg." in found["exact-duplicates"].what
    assert str(tmp_path) not in str(found)
    twin.unlink()
    data = ktl.ImageData.from_folder(tmp_path, validation_split=0, verbose=False)
    assert "exact-duplicates" not in run_checks(CheckContext(data)).names


TRAIN = ["A good film .", "What a bad film", "...", "It is  fine", "So so"]
# A text of the test split; which check finds it.
TEXTS = {
    "a GOOD film .": "exact-duplicates",
    "It is fine\n": "exact-duplicates",
    "A good film !": "near-duplicates",
    "it is , fine": "near-duplicates",
    "A good, bad film": None,
    "a good film of it": None,
    "!!!": None,
}


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_compared_by_their_words(text, pairs):
    train, test = (TRAIN * 4, [text, "another one"] * 2)
    if pairs:
        train, test = ([(item, "the second") for item in texts] for texts in (train, test))
    labels = [number % 2 for number in range(len(train))]
    data = ktl.TextData.from_arrays(
        train, labels, validation=(test, labels[:4]), test=(train[:1], [0]), verbose=False
    )
    data = dataclasses.replace(data, splits={k: data.splits[k] for k in ("train", "validation")})
    names = ("exact-duplicates", "near-duplicates")
    found = {name: CHECKS[name](CheckContext(data)) for name in names}
    assert {name for name in names if found[name]} == {TEXTS[text]} - {None}
    if TEXTS[text]:
        # The text is there twice.
        assert "2 of 4 validation texts are" in found[TEXTS[text]].what


def test_a_second_text_that_differs_makes_another_pair():
    data = ktl.TextData.from_arrays(
        [("a", "b"), ("c", "d")] * 4,
        [0, 1] * 4,
        test=([("a", "d"), ("c", "b")], [0, 1]),
        validation_split=0,
        verbose=False,
    )
    assert CHECKS["exact-duplicates"](CheckContext(data)) is None


def test_a_later_split_is_compared_with_all_before_it():
    keys = {"train": ["a", None, "b"], "validation": ["c", "b", "c"], "test": [None, "c", "a"]}
    found = [dataclasses.astuple(pair) for pair in pairs_of(keys)]
    assert found == [
        ("validation", 1, "train", 2),
        ("test", 1, "validation", 0),
        ("test", 2, "train", 0),
    ]


@pytest.mark.parametrize("block", [3, 4096])
@pytest.mark.parametrize("shape", [(6,), (2, 2, 6)])
def test_neighbours_are_those_of_the_whole_matrix(block, shape):
    rng = np.random.default_rng(0)
    asked, among = (rng.gamma(1.0, size=(n, *shape)).astype(np.float32) for n in (10, 13))
    kept = (Features(x.shape, x) for x in (asked, among))
    rows, cosines = nearest(*kept, 2, block=block)
    flat = [x.reshape(len(x), -1, 6).mean(axis=1) for x in (asked, among)]
    a, b = (x - flat[1].mean(axis=0) for x in flat)
    whole = a @ b.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    np.testing.assert_array_equal(rows, np.argsort(-whole, axis=1)[:, :2])
    np.testing.assert_allclose(cosines, np.take_along_axis(whole, rows, 1), rtol=1e-4, atol=1e-5)


def test_asking_for_more_neighbours_than_there_are_gives_fewer():
    one = Features((1, 2), np.ones((1, 2), np.float32))
    rows, cosines = nearest(Features((3, 2), np.ones((3, 2), np.float32)), one, 2)
    assert rows.shape == cosines.shape == (3, 1)


def test_neighbours_of_some_are_those_that_they_have_among_all():
    rng = np.random.default_rng(0)
    asked, among = (
        Features(x.shape, x) for x in (rng.normal(size=(n, 5)).astype(np.float32) for n in (9, 13))
    )
    which = np.array([1, 4, 8])
    rows, cosines = nearest(asked, among, 2)
    of_some, theirs = nearest(asked, among, 2, which)
    np.testing.assert_array_equal(of_some, rows[which])
    np.testing.assert_allclose(theirs, cosines[which], rtol=1e-5)


# Pairs of images that may be compared, of 120 training, 45 validation and 160 test images, and the
# fewest; how many of validation and test are then.
BOUNDS = {
    "all": (160 * 165, 10, (45, 160)),
    "some-of-test": (160 * 165 - 1, 10, (45, 159)),
    "some-of-both": (24 * 165, 10, (33, 24)),
    "the-fewest": (0, 10, (10, 10)),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_so_many_are_compared_that_it_takes_seconds(clean, name):
    *limits, expected = BOUNDS[name]
    rows = compared(CheckContext(clean), Limits(*limits))
    assert tuple(map(len, rows.values())) == expected
    again = compared(CheckContext(clean), Limits(*limits))
    for one, other in zip(rows.values(), again.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_was_not_compared_is_said(clean, learner):
    limits = Limits(50 * 165, 0)
    with pytest.raises(NotChecked, match="only 50 of 160 test images were compared, and none of"):
        near_duplicate_images(subject_of(learner, clean), limits)
    copies = encoded(np.resize(clean.splits["train"].images, clean.splits["test"].images.shape))
    leaked = changed(clean, "test", images=copies)
    found = near_duplicate_images(subject_of(learner, leaked), limits)
    assert found.what.startswith(
        "50 of 50 test images are also in train with another encoding or size"
    )
    assert found.what.endswith(" Only 50 of 160 test images were compared.")
