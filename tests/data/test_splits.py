"""Splits: stratified, seeded, disjoint and complete."""

import numpy as np
import pytest

from keras_tl.data import ImageData
from keras_tl.data.splits import stratified_split
from keras_tl.errors import DataError

# Items of each class: equal, unequal, rare beside common (which a plain stratified split leaves
# out), just enough, many classes.
COUNTS = [[10, 10], [7, 13, 29], [98, 2], [500, 3, 2], [2, 2, 2], [2, 3] * 20, [1000] * 3]
FRACTIONS = [0.001, 0.1, 0.15, 1 / 3, 0.5, 0.9, 0.99]


def shuffled_labels(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.random.default_rng(0).permutation(labels)


def names(counts):
    return tuple(f"class{number}" for number in range(len(counts)))


@pytest.mark.parametrize("fraction", FRACTIONS)
@pytest.mark.parametrize("counts", COUNTS, ids=lambda counts: f"{len(counts)}x{counts[:3]}")
def test_a_split_is_stratified_disjoint_and_complete(counts, fraction):
    labels = shuffled_labels(counts)
    stay, out = stratified_split(labels, fraction, names(counts), 0, "test")
    assert sorted([*stay, *out]) == list(range(len(labels)))
    assert np.all(np.diff(stay) > 0)
    assert np.all(np.diff(out) > 0)
    taken = np.bincount(labels[out], minlength=len(counts))
    kept = np.bincount(labels[stay], minlength=len(counts))
    assert taken.min() >= 1
    assert kept.min() >= 1
    assert np.abs(taken - fraction * np.array(counts)).max() <= 1
    room = len(counts) <= fraction * len(labels) <= len(labels) - len(counts)
    if room and min(counts) >= 10:
        assert len(out) == round(fraction * len(labels))


def test_the_seed_decides():
    labels = shuffled_labels([30, 30])
    first, again, other = (
        stratified_split(labels, 0.3, names([0, 0]), seed, "test") for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first[1], again[1])
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1].tolist() != other[1].tolist()


def test_every_item_has_its_turn():
    labels = shuffled_labels([10, 10])
    turns = [stratified_split(labels, 0.2, names([0, 0]), seed, "test")[1] for seed in range(60)]
    assert set(np.concatenate(turns)) == set(range(20))


def test_nothing_is_taken_for_a_fraction_of_zero():
    labels = np.array([0, 1])
    stay, out = stratified_split(labels, 0, ("a", "b"), 0, "test")
    assert (stay.tolist(), out.tolist()) == ([0, 1], [])


@pytest.mark.parametrize(
    ("counts", "said"),
    [([5, 1], "only 1 item of class 'class1' left"), ([0, 9], "no item of class 'class0' left")],
)
def test_a_class_too_small_to_split_is_named(counts, said):
    with pytest.raises(DataError) as caught:
        stratified_split(shuffled_labels(counts), 0.15, names(counts), 0, "validation")
    needed = "A validation split and the train split each need an item of every class"
    for part in (needed, said, "validation_split=0"):
        assert part in str(caught.value)


def test_one_target_is_too_few_to_split():
    with pytest.raises(DataError, match=r"validation split needs at least 2 items.*_split=0"):
        stratified_split(np.array([1.5]), 0.2, (), 0, "validation")


@pytest.mark.parametrize("counts", [[20, 20, 20], [90, 6, 3]])
def test_three_splits_are_disjoint_complete_and_hold_every_class(counts):
    labels = shuffled_labels(counts)
    # Each image says which one it is.
    x = np.zeros((len(labels), 2, 2), np.uint8) + np.arange(len(labels))[:, None, None]
    made = [ImageData.from_arrays(x, labels, seed=seed) for seed in (0, 0, 1)]
    items = [
        {name: split.images[:, 0, 0, 0].tolist() for name, split in data.splits.items()}
        for data in made
    ]
    assert items[0] == items[1]
    assert items[0]["test"] != items[2]["test"]
    for data, found in zip(made, items, strict=True):
        assert set(found) == {"train", "validation", "test"}
        assert sorted(i for split in found.values() for i in split) == list(range(len(labels)))
        for name, split in data.splits.items():
            assert set(split.labels) == {0, 1, 2}
            np.testing.assert_array_equal(labels[found[name]], split.labels)
