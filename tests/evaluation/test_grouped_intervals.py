"""Confidence intervals count whole groups of dependent items, not single items."""

import json

import numpy as np
import pytest

from keras_tl.comparison.statistics import by_group, components
from keras_tl.evaluation.cross_validation import CrossValidation
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.grouping import Grouping, group_numbers
from keras_tl.evaluation.intervals import (
    bootstrap_interval,
    effective_items,
    proportion_interval,
    share_interval,
)
from keras_tl.evaluation.metrics import measure
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.ranking import RankedBackbone, Ranking
from keras_tl.evaluation.significance import permutation_p_values
from keras_tl.evaluation.slices import Slices, measure_slices
from keras_tl.report.split_metrics import SplitMetrics
from keras_tl.tasks import TASKS
from keras_tl.tasks.resampling import mean_of
from tests.made_outcomes import make_outcomes, make_task

COUNT, COPIES = 60, 5
SENTENCE = "treat the 60 groups (patient) as independent, not the single items."


def same(one, other):
    """Whether two JSON values are equal, up to rounding."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == (pytest.approx(other, abs=1e-9) if isinstance(other, float) else other)


def copied(record, copies=COPIES):
    """Return a record with several copies of each item. The copies of an item are a group."""
    rows = np.repeat(np.arange(len(record)), copies)
    return record.take(rows).in_groups(rows, "patient")


def bins_of(task, metrics):
    """Return the intervals of the reliability diagram. With several labels: none to compare."""
    if not task.has_probabilities or task.kind == "multilabel":
        return []
    return [one["interval"] for one in metrics["calibration"]["bins"]]


@pytest.mark.parametrize("name", TASKS)
def test_copies_of_an_item_add_nothing(name):
    task, single = make_task(name), make_outcomes(name, COUNT)
    copies = copied(single)
    alone, grouped = measure(task, single), measure(task, copies)
    assert same(grouped["intervals"], alone["intervals"])
    assert same(bins_of(task, grouped), bins_of(task, alone))
    # Without groups, the interval of the primary metric is too narrow.
    careless = measure(task, copies.in_groups(None))["intervals"][task.primary_metric]
    low, high = alone["intervals"][task.primary_metric]
    assert careless[1] - careless[0] < 0.6 * (high - low)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("order", [1, -1], ids=["sorted", "reversed"])
def test_a_group_for_each_item_changes_nothing(name, order):
    task, single = make_task(name), make_outcomes(name, COUNT)
    alone = measure(task, single)
    grouped = measure(task, single.in_groups(np.arange(COUNT)[::order], "patient"))
    assert grouped["groups"] == {"by": "patient", "count": COUNT}
    assert same(grouped["intervals"], alone["intervals"])
    assert same(bins_of(task, grouped), bins_of(task, alone))


@pytest.mark.parametrize("name", TASKS)
def test_one_group_counts_items_and_says_so(name):
    task, single = make_task(name), make_outcomes(name, COUNT)
    grouped = measure(task, single.in_groups(["only"] * COUNT, "patient"))
    assert grouped["intervals"] == measure(task, single)["intervals"]
    said = Grouping.among(grouped).describe()
    assert said.startswith(
        "All items belong to 1 group (patient). Intervals hold for further items"
    )


@pytest.mark.parametrize("name", TASKS)
def test_without_groups_metrics_name_none(name):
    assert "groups" not in measure(make_task(name), make_outcomes(name))


# Right predictions in groups, and the effective number of items.
EFFECTIVE = {
    "all-right": ([[1] * 5] * 4, 4),
    "all-wrong": ([[0] * 5] * 4, 4),
    "right-in-groups-of-two-sizes": ([[1] * 2, [1] * 4], 36 / 20),
    "one-group": ([[1, 0, 1, 1]], 1),
    "alike": ([[1] * 5, [0] * 5, [1] * 5, [1] * 5], 4),
    "independent": ([[1], [0], [1], [1]], 4),
    "equal-groups-are-no-better-than-items": ([[1, 0]] * 10, 20),
}


@pytest.mark.parametrize("name", EFFECTIVE)
def test_the_effective_number_of_items(name):
    parts, expected = EFFECTIVE[name]
    groups = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    hits = np.concatenate(parts).astype(bool)
    assert effective_items(hits, groups) == pytest.approx(expected)
    found = share_interval(hits, groups)
    assert 0 <= found.low <= found.mean <= found.high <= 1
    if expected == int(expected):
        wilson = proportion_interval(round(hits.mean() * expected), int(expected))
        if wilson.mean == pytest.approx(found.mean):
            assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high))


def test_shares_of_groups_hold_the_true_share_about_as_often_as_they_say():
    rng, held, careless = np.random.default_rng(0), 0, 0
    for _ in range(400):
        groups = np.repeat(np.arange(40), rng.integers(5, 26, 40))
        hits = rng.random(len(groups)) < rng.beta(3.2, 0.8, 40)[groups]
        found, wrong = share_interval(hits, groups), share_interval(hits)
        held += found.low <= 0.8 <= found.high
        careless += wrong.low <= 0.8 <= wrong.high
    assert held > 0.9 * 400
    assert careless < 0.8 * 400


def test_names_of_groups_do_not_matter():
    values = np.random.default_rng(0).normal(3, 2, 120)
    names = np.array(["d", "b", "a", "c"])[np.arange(120) // 30]
    found = bootstrap_interval(mean_of(values), 120, groups=names)
    assert found == bootstrap_interval(mean_of(values), 120, groups=np.arange(120) // 30)
    assert group_numbers(["b", "a", "b"]).tolist() == [0, 1, 0]


@pytest.mark.parametrize("name", TASKS)
def test_slices_heed_groups(name):
    task, single = make_task(name), make_outcomes(name, COUNT)
    values = np.array(["a", "b", "c"])[np.arange(COUNT) % 3]
    alone = measure_slices(task, single, "camera", values)
    own = measure_slices(task, single.in_groups(np.arange(COUNT), "patient"), "camera", values)
    many = measure_slices(task, copied(single), "camera", np.repeat(values, COPIES))
    assert alone.note is None
    assert many.note == f"Intervals and p-values {SENTENCE}"
    assert many.describe().endswith(many.note)
    assert many.note in many._repr_html_()
    assert Slices.from_json(json.loads(json.dumps(many.to_json()))) == many
    for first, second, third in zip(alone.slices, own.slices, many.slices, strict=True):
        for one in (second, third):
            assert same([one.interval, one.p_value], [first.interval, first.p_value])


@pytest.mark.parametrize("name", ["binary", "regression"])
def test_a_slice_that_is_a_group_counts_its_items(name):
    task, single = make_task(name), make_outcomes(name, COUNT)
    values = np.array(["a", "b", "c"])[np.arange(COUNT) % 3]
    alone = measure_slices(task, single, "patient", values)
    found = measure_slices(task, single.in_groups(values, "patient"), "patient", values)
    assert found.slices == alone.slices
    assert found.note.startswith("Each row is one group of dependent items.")


def test_a_slice_with_one_group_knows_little():
    # The first slice has one group, the second has two groups.
    groups = np.repeat([0, 1, 2], 20)
    values = np.where(groups == 0, "a", "b")
    for name in ("binary", "regression"):
        record = make_outcomes(name, COUNT).in_groups(groups)
        first, second = measure_slices(make_task(name), record, None, values).slices
        if name == "binary":
            assert first.interval[1] - first.interval[0] > 0.6
        else:
            assert first.interval is None
        assert second.interval is not None


def test_a_slice_inside_of_groups_is_compared_within_them():
    """Groups differ much, and within each group the second slice is worse."""
    groups = np.repeat(np.arange(10), 8)
    codes = np.arange(80) % 2
    values = groups / 10 - 0.05 * codes
    found = permutation_p_values(mean_of(values), codes, True, groups)
    assert found[1] < 0.01
    assert found[0] > 0.5


def test_permutations_of_whole_groups_find_chance_as_seldom_as_they_say():
    rng, found, careless = np.random.default_rng(0), 0, 0
    groups = np.repeat(np.arange(12), 20)
    codes = groups % 2
    for _ in range(60):
        statistic = mean_of(rng.normal(size=12)[groups] + rng.normal(size=240))
        found += permutation_p_values(statistic, codes, True, groups)[0] <= 0.05
        careless += permutation_p_values(statistic, codes, True)[0] <= 0.05
    # The 99% point of Binomial(60, 0.05) is 8.
    assert found <= 8 < careless


@pytest.mark.parametrize("by", ["patient", None])
def test_files_keep_groups(by):
    single = make_outcomes("binary", COUNT)
    groups = np.array(["Ann", "Bob", "Cid"])[np.arange(COUNT) % 3]
    record = single.in_groups(groups, by)
    files = record.to_files("test")
    assert not any(b"Ann" in content for content in files.values())
    again = PredictionRecord.from_files("test", files, fingerprint=None, grouped_by=by)
    np.testing.assert_array_equal(again.groups, record.groups)
    assert measure(make_task("binary"), again) == measure(make_task("binary"), record)
    assert again.grouping == Grouping(by, 3)
    # Runs of earlier versions have no groups.
    before = PredictionRecord.from_files("test", single.to_files("test"), fingerprint=None)
    assert before.groups is None
    assert {*files} - {*single.to_files("test")} == {"test_groups.npy"}


def test_rows_and_temperatures_keep_groups():
    record = make_outcomes("binary", COUNT).in_groups(np.arange(COUNT) // 2, "patient")
    assert record.take(np.array([4, 0])).groups.tolist() == [2, 0]
    assert record.scaled(2.0).grouping == record.grouping
    evaluation = Evaluation.of("test", make_task("binary"), raw=record, weights="")
    other = evaluation.under(make_task("binary", thresholds=(0.9,)))
    assert other["groups"] == evaluation["groups"]


# Number of groups, and the end of the sentences.
SAID = {
    1: "of this group, not for other groups.",
    9: "With fewer than 10 groups, intervals are too narrow.",
    10: "Intervals treat the 10 groups (patient) as independent, not the single items.",
    1200: "Intervals treat the 1,200 groups (patient) as independent, not the single items.",
}


@pytest.mark.parametrize("count", SAID)
def test_what_is_said_of_groups(count):
    assert Grouping("patient", count).describe().endswith(SAID[count])
    assert "patient" not in Grouping(None, count).describe()


def test_each_place_that_shows_an_interval_names_the_groups():
    record, task = copied(make_outcomes("binary", COUNT)), make_task("binary")
    evaluation = Evaluation.of("test", task, raw=record, weights="")
    assert evaluation.describe().endswith(f"Intervals {SENTENCE}")
    assert f"Intervals {SENTENCE}" in evaluation._repr_html_()
    numbers = np.zeros((1, len(record)), int)
    crossed = CrossValidation(
        evaluation.metrics, (record,), numbers, numbers[0], None, "accuracy", 1.0
    )
    assert crossed.describe().endswith(f"Intervals {SENTENCE}")
    assert crossed.to_json()["groups"] == {"by": "patient", "count": COUNT}
    rows = (RankedBackbone("a", 0.9, (0.8, 1.0), 0.1, 8, 10, 0.01),)
    shared = (rows, "binary", "accuracy", 300, "image", 0, "a")
    ranking = Ranking(*shared, Grouping("patient", COUNT))
    assert ranking.describe().endswith(f"Intervals {SENTENCE}")
    assert f"Intervals {SENTENCE}" in ranking._repr_html_()
    assert "independent" not in Ranking(*shared).describe()
    assert json.loads(json.dumps(ranking.to_json()))["grouping"]["count"] == COUNT
    assert SplitMetrics.of(evaluation.metrics).grouping == Grouping("patient", COUNT)


def made_values(items=40):
    return np.random.default_rng(0).random((3, 2, items)).astype(np.float32)


def test_a_comparison_of_copies_is_that_of_the_items():
    values = made_values()
    copies = by_group(np.repeat(values, COPIES, axis=2), np.repeat(np.arange(40), COPIES))
    np.testing.assert_allclose(copies, values, rtol=1e-6)
    np.testing.assert_allclose(by_group(values, np.arange(40)), values, rtol=1e-6)


def test_groups_of_other_sizes_keep_the_mean():
    values, groups = made_values(), np.repeat([2, 0, 1], [5, 15, 20])
    found = by_group(values, groups)
    assert found.shape == (3, 2, 3)
    np.testing.assert_allclose(found.mean(axis=2), values.mean(axis=2), rtol=1e-6)
    # If all items have the same value, all groups have this value, whatever their sizes.
    np.testing.assert_allclose(by_group(np.ones((1, 40)), groups), 1)


def test_false_claims_about_items_in_groups_are_rare():
    rng, found, careless = np.random.default_rng(0), 0, 0
    for _ in range(200):
        groups = np.repeat(np.arange(30), rng.integers(5, 16, 30))
        effects = rng.normal(0, 0.7, (2, 30))[:, None, groups]
        logits = rng.normal(0.5, 2, len(groups)) + effects + rng.normal(0, 0.2, (2, 5, 1))
        arms = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)
        differences = arms[0] - arms[1]
        found += components(by_group(differences, groups)).p_value <= 0.05
        careless += components(differences).p_value <= 0.05
    # The 99% point of Binomial(200, 0.05) is 18.
    assert found <= 18 < careless
