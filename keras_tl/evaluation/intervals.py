"""Confidence intervals of means, of proportions, and of any other metric."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import stats

from keras_tl.errors import ConfigError
from keras_tl.evaluation.grouping import group_numbers, if_several
from keras_tl.tasks.resampling import Statistic

# Maximum number of bootstrap weights in memory at a time.
_AT_A_TIME = 2_000_000


@dataclasses.dataclass(frozen=True)
class Interval:
    """A value with its confidence interval from `low` to `high`.

    Example:
        >>> print(ktl.Interval(mean=0.9, low=0.85, high=0.95))
        0.900 [0.850, 0.950]
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of a value over several random seeds, with its confidence interval.

    Student's t interval (Student, "The probable error of a mean", Biometrika 6, 1908) assumes
    that the values are independent and roughly normal.

    Args:
        values: The results of at least two seeds, one value per seed.
        confidence: Confidence level in (0, 1): fraction of such intervals that hold the true mean.

    Raises:
        ConfigError: `values` holds fewer than two values.

    Example:
        >>> interval = ktl.mean_interval([0.7, 0.8, 0.9])
        >>> interval.low < interval.mean < interval.high
        True
    """
    if len(values) < 2:
        raise ConfigError(
            f"A confidence interval needs at least two values. Received: {len(values)}."
        )
    mean = float(np.mean(values))
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values))
    return Interval(mean, mean - half, mean + half)


def proportion_interval(count: int, items: int) -> Interval:
    """Return the proportion of items with some property, with its 95% confidence interval.

    The interval is the score interval of Wilson ("Probable inference, the law of succession, and
    statistical inference", JASA 22, 1927). The interval stays within [0, 1] and is wider than 0.

    Args:
        count: Number of items with the property, such as a right prediction.
        items: Number of all items, at least 1.
    """
    found = stats.binomtest(count, items).proportion_ci(0.95, "wilson")
    return Interval(count / items, float(found.low), float(found.high))


def share_interval(hits: np.ndarray, groups: np.ndarray | None = None) -> Interval:
    """Return the proportion of items with some property, with its 95% confidence interval.

    Without groups, the interval is that of `proportion_interval`. If items have groups, the score
    interval of Wilson uses the effective number of items (`effective_items`) in place of the number
    of items. Franco et al. recommend Wilson's interval for an effective number of items, and show
    that it is somewhat too narrow with few groups ("Comparative study of confidence intervals for
    proportions in complex sample surveys", Journal of Survey Statistics and Methodology 7, 2019).

    Args:
        hits: Whether each item has the property, bool (n,), with at least one item.
        groups: Number of the group of each item, int (n,), if items of a group are dependent.
    """
    if groups is None:
        return proportion_interval(int(hits.sum()), len(hits))
    share, items = float(hits.mean()), effective_items(hits, groups)
    z = float(stats.norm.ppf(0.975))
    centre = share + z**2 / (2 * items)
    half = z * np.sqrt(share * (1 - share) / items + (z / (2 * items)) ** 2)
    ends = (float((centre + sign * half) / (1 + z**2 / items)) for sign in (-1, 1))
    low, high = (min(max(end, 0.0), 1.0) for end in ends)
    return Interval(share, low, high)


def effective_items(hits: np.ndarray, groups: np.ndarray) -> float:
    """Return the number of independent items that give as precise a proportion as n items.

    The effective number of items is n divided by the design effect (Rao and Scott, "A simple method
    for the analysis of clustered binary data", Biometrics 48, 1992). The design effect is the
    variance of the proportion for items in groups, divided by the variance for independent items.
    A design effect below 1 counts as 1.

    If all items belong to one group, or if all items have the same value, the items do not show how
    much groups differ, and the function treats all items of a group as equal. With equal items in
    groups of the same size, the effective number of items is the number of groups.

    Args:
        hits, groups: See `share_interval`.
    """
    items, share = len(hits), hits.mean()
    sizes = np.bincount(groups)
    between = np.sum((np.bincount(groups, hits) - share * sizes) ** 2)
    alone = items * share * (1 - share)
    if alone == 0 or np.count_nonzero(sizes) < 2:
        return float(items**2 / np.sum(sizes**2))
    return float(items / max(between / alone, 1.0))


def f1_interval(right: int, items: int, answered: int) -> Interval:
    """Return the F1 score of a class, with its 95% confidence interval, see `f1_of_share`.

    Args:
        right: Number of items of the class with the right prediction.
        items: Number of items of the class.
        answered: Number of items predicted as the class. `answered` and `items` are not both 0.
    """
    return f1_of_share(proportion_interval(right, items + answered - right))


def f1_of_share(share: Interval) -> Interval:
    """Return the F1 score of a class, with its 95% confidence interval.

    If s is the value of `share`, F1 is 2 s / (1 + s). The formula 2 s / (1 + s) also turns the
    Wilson interval of `share` into the interval of F1 (the indirect Wilson method of Lam et al.,
    2023, arXiv:2309.14621).

    Args:
        share: Proportion of right predictions among the items that are of the class or predicted as
            the class, with the interval of the proportion.
    """
    return Interval(*(2 * s / (1 + s) for s in (share.mean, share.low, share.high)))


def bootstrap_interval(
    statistic: Statistic,
    items: int,
    resamples: int = 1000,
    confidence: float = 0.95,
    groups: np.ndarray | None = None,
) -> Interval | None:
    """Return the value of a metric on n items, with its bootstrap confidence interval.

    The percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, sec.
    13.3) draws items with replacement. If a metric is at its optimum, such as an AUC of 1, the
    interval is meaningless, because every resample has the same value.

    If items have groups, the bootstrap draws whole groups with replacement (the cluster bootstrap,
    Field and Welsh, "Bootstrapping clustered data", J. R. Stat. Soc. B 69, 2007). With fewer than
    about 10 groups, the intervals are too narrow.

    Args:
        statistic: Function that computes the metric from item weights.
        items: Number n of the items.
        resamples: Number of resamples. Each resample draws n items with replacement. If items
            have groups, each resample draws groups with replacement, as many as there are groups.
        confidence: Confidence level in (0, 1), see `mean_interval`.
        groups: Group of each item, (n,), if items of a group are dependent. `None`, or fewer
            than two groups: the bootstrap draws items.

    Returns:
        Value and interval. `None`: there is only one item, or the metric is undefined on the items
        or on most resamples.
    """
    value = float(statistic(np.ones((1, items)))[0])
    several = if_several(groups)
    numbers = None if several is None else group_numbers(several)
    units = items if numbers is None else int(numbers.max()) + 1
    rng = np.random.default_rng(0)
    found = []
    step = max(1, _AT_A_TIME // items)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        rows = rng.integers(units, size=(count, units)) + np.arange(count)[:, None] * units
        weights = np.bincount(rows.ravel(), minlength=rows.size).reshape(rows.shape)
        found.append(statistic(weights if numbers is None else weights[:, numbers]))
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    if not np.isfinite(value) or items < 2 or len(values) < resamples / 2:
        return None
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))
