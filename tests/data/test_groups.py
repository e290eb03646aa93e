"""`groups=`: items that belong together stay in one split."""

import json

import numpy as np
import pandas
import pytest

import keras_tl as ktl
from keras_tl.data.labelled_data import groups_of
from keras_tl.data.splits import stratified_split
from keras_tl.errors import ConfigError, DataError


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["text,label,patient"]
    for number in range(120):
        lines.append(f"word{rng.integers(9)} and more {number},{'ab'[number % 2]},p{number // 6}")
    path = tmp_path / "notes.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_first_split_keeps_groups_together(table):
    data = ktl.TextData.from_csv(table, groups="patient")
    values = {name: {*split.slices["patient"]} for name, split in data.splits.items()}
    assert all(values.values())
    for name, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not values[name] & values[other]
    assert data.groups == "patient"
    assert json.dumps(data.describe())


def test_the_settings_of_a_run_make_the_same_splits_again(table):
    first = ktl.TextData.from_csv(table, groups="patient")
    again = ktl.TextData.from_csv(table, **first.split_settings)
    for name, split in first.splits.items():
        assert split.identity == again.splits[name].identity


@pytest.mark.parametrize("fraction", [0.1, 0.15, 0.3, 0.5, 0.8])
def test_about_the_share_that_is_asked_for_is_taken_out(fraction):
    labels = np.arange(400) % 2
    groups = np.arange(400) // 5
    stay, out = stratified_split(labels, fraction, ("a", "b"), 0, "test", groups)
    assert sorted([*stay, *out]) == list(range(400))
    assert not {*groups[stay]} & {*groups[out]}
    assert len(out) / 400 == pytest.approx(fraction, abs=0.06)
    assert labels[out].mean() == pytest.approx(0.5, abs=0.1)


def test_one_group_cannot_be_split():
    with pytest.raises(DataError, match="at least 2 groups"):
        stratified_split(np.arange(10) % 2, 0.2, ("a", "b"), 0, "test", np.zeros(10))


def test_a_column_of_a_data_frame_may_be_a_number():
    rows = np.arange(60)
    texts = [f"word {row}" for row in rows]
    frame = pandas.DataFrame({"text": texts, "label": rows % 2, 5: rows // 6})
    data = ktl.TextData.from_dataframe(frame, groups=5, verbose=False)
    assert data.groups == 5
    assert json.loads(json.dumps(data.describe()))["split_settings"]["groups"] == "5"
    for name, split in data.splits.items():
        assert len(groups_of(split, data.groups)) == len(split), name


WITHOUT_COLUMNS = {
    "arrays": lambda: ktl.ImageData.from_arrays(
        np.zeros((20, 8, 8, 3)), [0, 1] * 10, groups="patient"
    ),
    "texts": lambda: ktl.TextData.from_arrays(["a", "b"] * 10, [0, 1] * 10, groups="patient"),
    "given-splits": lambda: ktl.TextData.from_arrays(
        *(["a", "b"] * 10, [0, 1] * 10),
        validation=(["c", "d"], [0, 1]),
        test=(["e", "f"], [0, 1]),
        groups="patient",
    ),
}


@pytest.mark.parametrize("name", WITHOUT_COLUMNS)
def test_items_without_columns_have_no_groups(name):
    with pytest.raises(ConfigError, match="groups='patient' must be a stored column of the items"):
        WITHOUT_COLUMNS[name]()
