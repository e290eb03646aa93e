"""Cross-validation of the head: every item is answered by a head that has not seen it."""

import dataclasses

import numpy as np
import pandas
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.data.splits import folds
from keras_tl.errors import ConfigError, DataError
from keras_tl.training.head_solver import Standardisation
from keras_tl.training.policies import head_phase
from tests.conftest import make_small_learner
from tests.training.test_head_optimum import hard_data

TASKS = ("multiclass", "binary", "multilabel", "regression")


@pytest.mark.parametrize("task", TASKS)
def test_it_is_a_mapping_as_evaluate_gives_of_all_items(task):
    learner = make_small_learner(hard_data(task))
    before = learner.model.get_weights()
    found = learner.cross_validate(folds=3)
    assert found["items"] == 60
    assert {*found} == {*learner.evaluate()} - {"fingerprint"}
    low, high = found["intervals"][learner.task.primary_metric]
    assert low <= found[learner.task.primary_metric] <= high
    (outcomes,) = found.records
    assert outcomes.logits.shape == (60, learner.task.outputs)
    counts = dict(zip(*np.unique(found.splits, return_counts=True), strict=True))
    assert counts == {name: len(split) for name, split in learner.data.splits.items()}
    for value, now in zip(before, learner.model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, now)
    assert learner.history == ()
    assert "60 items in 3 folds" in repr(found)


def test_no_item_answers_for_itself():
    # Labels that have nothing to do with the images: what was seen would be known by heart.
    data = hard_data()
    for split in data.splits.values():
        split.labels[:] = np.random.default_rng(len(split)).integers(0, 3, len(split))
    learner = make_small_learner(data)
    learner.fit_head(epochs=1)
    found = learner.cross_validate(folds=5)
    assert found["accuracy"] < 0.6
    assert found["loss"] > np.log(3) - 0.1


@pytest.mark.parametrize("hidden", [(), (4,)], ids=["solved", "fitted"])
def test_the_labels_of_a_fold_do_not_reach_its_answers(hidden):
    learner = make_small_learner(hard_data(), head=ktl.HeadConfig(hidden=hidden))
    features, labels = (
        learner.features(learner.data.split("train")),
        learner.data.split("train").labels,
    )
    phase = head_phase(learner.config, epochs=2 if hidden else None)
    training = learner.trainer.out_of_fold(phase, len(labels), seed=0)
    numbers = np.arange(len(labels)) % 3
    out = numbers == 0
    with eagerly():
        answers = training.logits(labels, features, numbers)
        others = training.logits(np.where(out, (labels + 1) % 3, labels), features, numbers)
    np.testing.assert_array_equal(answers[out], others[out])
    assert np.abs(answers[~out] - others[~out]).max() > 1e-3


def test_it_agrees_with_scikit_learn():
    learner = make_small_learner(hard_data("binary", 200))
    found = learner.cross_validate(folds=4)
    names = [*learner.data.splits]
    features = np.concatenate([learner.features(learner.data.split(name)) for name in names])
    labels = np.concatenate([learner.data.split(name).labels for name in names])
    x = Standardisation.of(features).apply(features)
    expected = cross_val_predict(LogisticRegression(C=0.05), x, labels, cv=4)
    accuracy = (expected == labels).mean()
    assert found["accuracy"] == pytest.approx(accuracy, abs=0.06)


def test_other_heads_are_trained_for_each_fold(tiny_data):
    learner = make_small_learner(tiny_data, head=ktl.HeadConfig(hidden=(8,), batch_norm=True))
    trainable = [x.trainable for x in learner.model.variables]
    found = learner.cross_validate(folds=2)
    assert found["accuracy"] > 0.8
    assert [x.trainable for x in learner.model.variables] == trainable


@pytest.fixture(scope="module")
def unchanged():
    """A learner for tests that only ask it."""
    return make_small_learner(hard_data())


def test_repeats_have_folds_of_their_own_and_mean_numbers(unchanged):
    learner = unchanged
    found = learner.cross_validate(folds=3, repeats=2)
    assert not np.array_equal(*found.fold_numbers)
    accuracies = [float((x.logits.argmax(1) == x.labels).mean()) for x in found.records]
    assert found["accuracy"] == pytest.approx(np.mean(accuracies))
    first = learner.cross_validate(folds=3)
    np.testing.assert_array_equal(first.records[0].logits, found.records[0].logits)
    assert found.to_json()["repeats"] == 2


def test_only_the_splits_that_are_asked_for_take_part(unchanged):
    found = unchanged.cross_validate(folds=3, splits=("train", "validation"))
    assert {*found.splits} == {"train", "validation"}


def with_column(data, name, values_of):
    splits = {
        key: dataclasses.replace(split, slices={name: values_of(split)})
        for key, split in data.splits.items()
    }
    return dataclasses.replace(data, splits=splits)


def test_groups_stay_together():
    data = with_column(hard_data(), "patient", lambda s: (np.arange(len(s)) % 6).astype(str))
    learner = make_small_learner(data)
    given = np.arange(60) % 6
    for groups in ("patient", given, tuple(given.tolist()), pandas.Series(given)):
        found = learner.cross_validate(folds=2, groups=groups)
        column = np.concatenate([s.slices["patient"] for s in data.splits.values()])
        values = column if isinstance(groups, str) else given
        for value in np.unique(values):
            assert len({*found.fold_numbers[0][values == value]}) == 1
        by = "patient" if isinstance(groups, str) else None
        assert found["groups"] == {"by": by, "count": 6}
        assert "treat the 6 groups" in found.describe()


def grouped_data():
    """Data in groups of four items, as `groups="patient"` reads them."""
    data = with_column(hard_data(), "patient", lambda s: (np.arange(len(s)) // 4).astype(str))
    return dataclasses.replace(data, split_settings={"groups": "patient"})


def test_a_saved_run_shows_the_same_intervals_of_groups(tmp_path):
    data = grouped_data()
    learner = make_small_learner(data)
    learner.fit_head(epochs=1)
    found = learner.evaluate(by="patient")
    count = len({*data.split("test").slices["patient"]})
    assert found["groups"] == {"by": "patient", "count": count}
    assert "Each row is one group" in found.slices.describe()
    learner.calibrate()
    learner.save(tmp_path / "run")
    for given in (None, data):
        loaded = ktl.Learner.load(tmp_path / "run", data=given, verbose=False)
        again = loaded.evaluations["test"]
        assert again.describe() == learner.evaluations["test"].describe()
        np.testing.assert_array_equal(again.raw.groups, found.raw.groups)
        # Another temperature computes the intervals again, from the stored groups.
        other = dataclasses.replace(again.task, temperature=3.0)
        assert again.under(other)["intervals"] == found.under(other)["intervals"]
    report = learner.report(tmp_path / "report.html").read_text()
    assert f"Intervals of the test split treat the {count} groups (patient)" in report


def test_a_ranking_heeds_groups():
    learner = make_small_learner(grouped_data())
    found = ktl.rank_backbones(learner.data, [learner], verbose=False)
    expected = learner.cross_validate(splits=["train"])
    assert found.best.interval == pytest.approx(expected["intervals"]["accuracy"])
    assert found.grouping.by == "patient"
    assert found.describe().endswith(found.grouping.describe())


WRONG = {
    "one-fold": ({"folds": 1}, ConfigError, "folds must be a whole number from 2"),
    "no-column": (
        {"groups": "patient"},
        ConfigError,
        "groups='patient' must be a stored column of the items",
    ),
    "too-few-groups": ({"groups": [0] * 60}, DataError, "at least as many groups as folds"),
    "other-length": ({"groups": [0, 1]}, DataError, "Expected a group for each of the 60 items"),
    "no-split": ({"splits": ["training"]}, ConfigError, "Unknown split"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_gets_one_sentence(name):
    options, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        make_small_learner(hard_data()).cross_validate(**options)


@pytest.mark.parametrize("count", [2, 5])
def test_folds_are_stratified_and_of_equal_size(count):
    classes = np.repeat([0, 1, 2], [30, 20, 3])
    numbers = folds(classes, None, 53, count, seed=0)
    sizes = np.bincount(numbers)
    assert len(sizes) == count
    assert np.ptp(sizes) <= 1
    for klass, items in ((0, 30), (1, 20), (2, 3)):
        there = np.bincount(numbers[classes == klass], minlength=count)
        assert np.ptp(there) <= 1
        assert there.sum() == items
    assert np.array_equal(numbers, folds(classes, None, 53, count, seed=0))
    assert not np.array_equal(numbers, folds(classes, None, 53, count, seed=1))
