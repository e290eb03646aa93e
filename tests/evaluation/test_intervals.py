"""Intervals hold the true mean as often as they say."""

import numpy as np
import pytest

from keras_tl.errors import ConfigError
from keras_tl.evaluation.intervals import mean_interval, share_interval


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_they_hold_the_true_mean_as_often_as_they_say(confidence):
    draws = np.random.default_rng(0).normal(3, 2, (2000, 5))
    found = [mean_interval(row, confidence) for row in draws]
    held = np.mean([interval.low <= 3 <= interval.high for interval in found])
    assert held == pytest.approx(confidence, abs=0.03)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_those_of_shares_hold_the_true_share_as_often_as_they_say(share):
    counts = np.random.default_rng(0).binomial(40, share, 2000)
    found = [share_interval(count, 40) for count in range(41)]
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
