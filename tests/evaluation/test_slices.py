"""Groups of items: a planted weakness is found, chance is not."""

import html
import json

import numpy as np
import pytest
from scipy import stats

from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.intervals import proportion_interval
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.significance import holm, holm_levels, permutation_p_values
from keras_tl.evaluation.slices import Slices, measure_slices, slice_values
from keras_tl.tasks import TASKS
from tests.made_outcomes import NAMES, make_outcomes

COUNT = 120
VALUES = np.array(["a", "b", "c", "d"])[np.arange(COUNT) % 4]


def measured(task, outcomes, values=VALUES, by=None):
    return measure_slices(TASKS[task](NAMES[task]), outcomes, by, values)


def spoilt(task, outcomes, rows):
    """The same, answered at random in some rows."""
    logits = outcomes.logits.copy()
    logits[rows] = -logits[rows]
    return PredictionRecord(outcomes.labels, logits)


@pytest.mark.parametrize("task", TASKS)
def test_the_group_that_is_worse_is_named_and_no_other(task):
    outcomes = make_outcomes(task, COUNT)
    assert measured(task, outcomes).worse == ()
    found = measured(task, spoilt(task, outcomes, VALUES == "c"), by="camera")
    (worse,) = found.worse
    assert worse.value == "c"
    assert (worse.metric < worse.rest) == found.more_is_better
    assert [one.items for one in found.slices] == [30] * 4
    for one in found.slices:
        low, high = one.interval
        assert low <= one.metric <= high
    assert found.verdict().startswith("Clearly worse than the rest")
    assert "camera" in found.describe().splitlines()[0]
    page = found._repr_html_()
    assert page.count("<tr>") == 5
    assert html.escape(found.verdict()) in page
    assert Slices.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_test_is_fishers_for_accuracy():
    labels = np.zeros(60, int)
    logits = np.zeros((60, 2), np.float32)
    logits[:, 1] = np.where(np.arange(60) % 20 < np.repeat([4, 4, 10], 20), 1, -1)
    values = np.repeat(["x", "y", "z"], 20)
    found = measured("multiclass", PredictionRecord(labels, logits), values)
    table = [[10, 10], [32, 8]]
    exact = stats.fisher_exact(table, alternative="less").pvalue
    assert found.slices[2].p_value == pytest.approx(3 * exact, abs=0.02)
    assert not found.slices[2].is_worse
    assert found.slices[2].metric == 0.5
    assert found.slices[2].rest == 0.8


def test_chance_is_named_as_seldom_as_is_said():
    """At most 5% of splits of equal items into groups name any; 6 of 60 have a chance of 3%."""
    rng = np.random.default_rng(0)
    outcomes = make_outcomes("multiclass", 80)
    named = [
        bool(measured("multiclass", outcomes, rng.integers(0, 4, 80)).worse) for _ in range(60)
    ]
    assert sum(named) <= 6


def test_groups_are_measured_at_the_thresholds():
    outcomes, thresholds = make_outcomes("binary", COUNT), (0.9,)
    task = TASKS["binary"](NAMES["binary"], thresholds=thresholds)
    is_right = task.decisions(outcomes.logits) == outcomes.labels
    assert is_right.sum() < (task.undecided.decisions(outcomes.logits) == outcomes.labels).sum()
    for one in measure_slices(task, outcomes, None, VALUES).slices:
        assert one.metric == pytest.approx(is_right[one.value == VALUES].mean())
        assert one.rest == pytest.approx(is_right[one.value != VALUES].mean())
        wilson = proportion_interval(int(is_right[one.value == VALUES].sum()), one.items)
        assert one.interval == (wilson.low, wilson.high)


def test_one_group_has_nothing_to_be_compared_with():
    (only,) = measured("binary", make_outcomes("binary"), ["a"] * 40).slices
    assert (only.rest, only.p_value, only.is_worse) == (None, None, False)


def test_a_group_without_a_positive_item_has_no_precision():
    outcomes = make_outcomes("multilabel", 40)
    outcomes.labels[:10] = 0
    found = measured("multilabel", outcomes, ["none"] * 10 + ["some"] * 30)
    assert (found.slices[0].metric, found.slices[0].p_value) == (None, None)
    assert found.slices[1].metric is not None
    assert "-" in found.describe()


def test_of_many_groups_the_worst_can_still_be_found():
    codes, values = np.repeat(np.arange(60), 3), np.random.default_rng(0).random(180)
    values[codes == 7] = 0
    found = permutation_p_values(lambda w: w @ values / w.sum(axis=1), codes, more_is_better=True)
    assert 0 < 60 * found[7] <= 0.05
    assert np.argmin(found) == 7


def test_holms_correction():
    # Worked by hand: 3 * 0.01, then 2 * 0.02, then the larger one again.
    assert holm([0.02, 0.03, 0.01, None]) == pytest.approx([0.04, 0.04, 0.03, None])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("p_values", "levels"),
    [
        ([0.04], [0.05]),
        ([0.06, 0.01], [0.05, 0.025]),
        ([0.03, 0.04], [0.025, 0.025]),
        ([0.04, 0.01, 0.03], [0.025, 0.05 / 3, 0.025]),
        ([0.001, 0.002, 0.04], [0.05 / 3, 0.025, 0.05]),
    ],
)
def test_holm_takes_the_smallest_first_and_stops_at_the_first_that_fails(p_values, levels):
    corrected = holm(p_values)
    pairs = zip(p_values, levels, corrected, strict=True)
    assert all((p <= level) == (one <= 0.05) for p, level, one in pairs)
    assert holm_levels(p_values, 0.05) == pytest.approx(levels)


COLUMNS = {"camera": np.array(["x", "y", "x"]), ("a", 1): np.array(["1", "2", "3"])}
# What is given as by=, and the values; or the error and what it says.
GIVEN = {
    "column": ("camera", ("camera", ["x", "y", "x"])),
    "tuple": (("a", 1), ("('a', 1)", ["1", "2", "3"])),
    "values": ([1, 2, 1], (None, ["1", "2", "1"])),
    "array": (np.array([1, 2, 1]), (None, ["1", "2", "1"])),
    "unknown": ("camara", (ConfigError, "Did you mean 'camera'")),
    "short": ([1, 2], (DataError, "one value for each of the 3 items of the split. Received: 2")),
}


@pytest.mark.parametrize("name", GIVEN)
def test_what_groups_are_made_by(name):
    by, (first, second) = GIVEN[name]
    if isinstance(second, str):
        with pytest.raises(first, match=second):
            slice_values(by, COLUMNS, 3)
    else:
        assert slice_values(by, COLUMNS, 3) == (first, second)


def test_columns_that_were_not_kept_and_too_many_groups_are_refused():
    with pytest.raises(
        ConfigError, match=r"Load the data with from_csv or from_dataframe and slices=\['camera'\]"
    ):
        slice_values("camera", {}, 3)
    with pytest.raises(DataError, match=r"at most 100 groups\. Received: 101 different values"):
        slice_values(range(101), {}, 101)
