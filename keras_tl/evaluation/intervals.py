"""Means of a few repetitions, and shares of items, with what chance alone would allow."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import stats

from keras_tl.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval, from `low` to `high`."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of repetitions with other seeds, and its confidence interval.

    Student's t (Student, "The probable error of a mean", Biometrika 6, 1908): it assumes that
    the values are independent and roughly normal.

    Args:
        values: at least two.
        confidence: share of such intervals that hold the true mean, in (0, 1).

    Raises:
        ConfigError: there are fewer than two values.
    """
    if len(values) < 2:
        raise ConfigError(f"An interval needs at least two values. Received: {len(values)}.")
    mean = float(np.mean(values))
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values))
    return Interval(mean, mean - half, mean + half)


def share_interval(count: int, items: int, confidence: float = 0.95) -> Interval:
    """A share of items that are a sample of all that there could be, and its confidence interval.

    The score interval (Wilson, "Probable inference, the law of succession, and statistical
    inference", JASA 22, 1927): it stays within [0, 1] and has a width where the share is 0 or 1.

    Args:
        count: how many of the items.
        items: how many there are, at least one.
        confidence: see `mean_interval`.
    """
    found = stats.binomtest(count, items).proportion_ci(confidence, "wilson")
    return Interval(count / items, float(found.low), float(found.high))
