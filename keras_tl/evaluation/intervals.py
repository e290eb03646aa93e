"""What chance alone would allow: intervals of means, of shares, and of any metric of items."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import stats

from keras_tl.errors import ConfigError
from keras_tl.tasks.resampling import Statistic

# Numbers of a bootstrap's weights that are in memory at a time.
_AT_A_TIME = 2_000_000


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


def f1_interval(right: int, items: int, answered: int, confidence: float = 0.95) -> Interval:
    """The F1 of a class, and its confidence interval.

    F1 is 2 s / (1 + s) of the share s of right items among those that are of the class, or were
    answered so, or both; the interval is the Wilson interval of that share (Lam et al., 2023,
    arXiv:2309.14621, the indirect Wilson method).

    Args:
        right: items of the class that were answered so.
        items: items of the class.
        answered: items that were answered so; not 0 if `items` is.
        confidence: see `mean_interval`.
    """
    share = share_interval(right, items + answered - right, confidence)
    return Interval(*(2 * s / (1 + s) for s in (share.mean, share.low, share.high)))


def bootstrap_interval(
    statistic: Statistic, items: int, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Interval | None:
    """A metric of items that are a sample of all that there could be, and its interval.

    The percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, sec.
    13.3): the items are drawn again, with replacement. A metric that is at its best, such as an
    area of 1, is so in every resample: its interval says nothing then.

    Args:
        statistic: the metric, as a function of the items' weights.
        items: how many there are.
        resamples: how often they are drawn.
        confidence: see `mean_interval`.
        seed: of the draws.

    Returns:
        `None` where the metric is not defined, or not in most of the resamples.
    """
    value = float(statistic(np.ones((1, items)))[0])
    rng = np.random.default_rng(seed)
    found = []
    step = max(1, _AT_A_TIME // items)
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        rows = rng.integers(items, size=(count, items)) + np.arange(count)[:, None] * items
        found.append(statistic(np.bincount(rows.ravel(), minlength=rows.size).reshape(rows.shape)))
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    if not np.isfinite(value) or items < 2 or len(values) < resamples / 2:
        return None
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))
