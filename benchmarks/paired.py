"""Means of measurements over data sets and draws, with confidence intervals."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats


@dataclasses.dataclass(frozen=True)
class Mean:
    """A mean over data sets, with two 95% confidence intervals.

    Attributes:
        value: Mean over the data sets. The value of a data set is the mean over its draws.
        draws: Half-width of the interval that covers the random draw of training items. `nan` if a
            data set has a single draw.
        sets: Half-width of the interval that covers the choice of data sets, as if it were random.
            `nan` for a single data set.
        count: Number of data sets.
    """

    value: float
    draws: float
    sets: float
    count: int


def mean_over(values: Mapping[str, Sequence[float]]) -> Mean:
    """Average measurements, or paired differences, of several draws of several data sets.

    The interval over draws adds the variances of the data sets' means, with the degrees of freedom
    of Welch and Satterthwaite. The interval over data sets is Student's interval of their means.
    Draws from one pool share items, large draws most of all. So the interval over draws is a little
    too narrow.

    Args:
        values: Measurements of the draws, for each data set.

    Raises:
        ValueError: There are no values.
    """
    if not values or not all(len(draws) for draws in values.values()):
        raise ValueError("Expected at least one measurement of each data set.")
    means = np.array([np.mean(draws) for draws in values.values()])
    count = len(means)
    over_draws = math.nan
    if all(len(draws) > 1 for draws in values.values()):
        variances = np.array([np.var(draws, ddof=1) / len(draws) for draws in values.values()])
        freedom = np.array([len(draws) - 1 for draws in values.values()])
        total = variances.sum()
        over_draws = 0.0
        if total > 0:
            degrees = total**2 / np.sum(variances**2 / freedom)
            over_draws = float(stats.t.ppf(0.975, degrees) * math.sqrt(total) / count)
    over_sets = math.nan
    if count > 1:
        spread = np.std(means, ddof=1) / math.sqrt(count)
        over_sets = float(stats.t.ppf(0.975, count - 1) * spread)
    return Mean(float(means.mean()), over_draws, over_sets, count)
