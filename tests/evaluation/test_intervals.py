"""Intervals hold the true mean as often as they say."""

import numpy as np
import pytest

from keras_tl.errors import ConfigError
from keras_tl.evaluation.intervals import (
    bootstrap_interval,
    f1_interval,
    mean_interval,
    proportion_interval,
)
from keras_tl.tasks.resampling import mean_of


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_they_hold_the_true_mean_as_often_as_they_say(confidence):
    draws = np.random.default_rng(0).normal(3, 2, (500, 5))
    found = [mean_interval(row, confidence) for row in draws]
    held = np.mean([interval.low <= 3 <= interval.high for interval in found])
    assert held == pytest.approx(confidence, abs=0.03)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_those_of_shares_hold_the_true_share_as_often_as_they_say(share):
    counts = np.random.default_rng(0).binomial(40, share, 2000)
    found = [proportion_interval(count, 40) for count in range(41)]
    assert all(0 <= i.low <= i.mean <= i.high <= 1 and i.low < i.high for i in found)
    held = np.mean([found[count].low <= share <= found[count].high for count in counts])
    assert held == pytest.approx(0.95, abs=0.03)


def test_equal_values_leave_no_doubt():
    interval = mean_interval([0.25] * 3)
    assert (interval.low, interval.mean, interval.high) == (0.25, 0.25, 0.25)
    assert str(interval) == "0.250 [0.250, 0.250]"


def test_one_value_is_refused():
    with pytest.raises(ConfigError, match=r"at least two values\. Received: 1"):
        mean_interval([0.5])


@pytest.mark.parametrize("precision", [0.5, 0.95])
def test_those_of_f1_hold_the_true_f1_as_often_as_they_say(precision):
    """Of a class that a third of the items have, with a recall of 0.8 and this precision."""
    rng = np.random.default_rng(0)
    recall, share = 0.8, 1 / 3
    false = recall * share * (1 - precision) / precision
    cells = [share * recall, share * (1 - recall), false, 1 - share - false]
    true = 2 * precision * recall / (precision + recall)
    draws = rng.multinomial(200, cells, 500)
    found = [f1_interval(right, right + missed, right + wrong) for right, missed, wrong, _ in draws]
    held = np.mean([interval.low <= true <= interval.high for interval in found])
    assert held == pytest.approx(0.95, abs=0.03)
    right, missed, wrong, _ = draws[0]
    assert found[0].mean == pytest.approx(2 * right / (2 * right + missed + wrong))


def test_the_bootstrap_is_that_of_a_mean():
    values = np.random.default_rng(0).normal(3, 2, 200)
    found, expected = bootstrap_interval(mean_of(values), 200), mean_interval(values)
    assert found.mean == pytest.approx(expected.mean)
    # By 1,000 draws their ends are known to about a twentieth of the width.
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.1 * width)
    assert found.high == pytest.approx(expected.high, abs=0.1 * width)
    assert bootstrap_interval(mean_of(values), 200) == found


@pytest.mark.parametrize("groups", [None, ["only"] * 200], ids=str)
def test_less_than_two_groups_change_no_bootstrap(groups):
    values = np.random.default_rng(0).normal(3, 2, 200)
    names = groups and np.array(groups)
    assert bootstrap_interval(mean_of(values), 200, groups=names) == bootstrap_interval(
        mean_of(values), 200
    )


def test_the_bootstrap_of_equal_items_is_that_of_their_groups():
    own = np.random.default_rng(0).normal(3, 2, 40)
    values, groups = np.repeat(own, 25), np.repeat(np.arange(40), 25)
    grouped = bootstrap_interval(mean_of(values), 1000, groups=groups)
    assert grouped.low == pytest.approx(bootstrap_interval(mean_of(own), 40).low)
    alone = bootstrap_interval(mean_of(values), 1000)
    assert grouped.high - grouped.low > 4 * (alone.high - alone.low)


def test_what_is_not_defined_has_no_bootstrap():
    assert bootstrap_interval(lambda weights: np.full(len(weights), np.nan), 5) is None
    assert bootstrap_interval(mean_of(np.ones(1)), 1) is None
    # Of ten thousand items not all resamples fit into memory at once.
    assert bootstrap_interval(mean_of(np.ones(10_000)), 10_000).low == pytest.approx(1)
