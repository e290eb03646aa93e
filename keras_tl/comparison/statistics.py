"""Means over seeds and test items, with intervals that cover the random variation of both.

Every seed trains a network, and every network predicts the same items: a crossed design. In the
model value = mean + seed effect + item effect + rest, all terms except the mean are random. The
mean over S seeds and n items has the variance

    (v_seed + v_item * S / n + v_rest / n) / S    (v: variance components)

A t interval over the seed means ignores the variation of the items. A bootstrap of the items
ignores the variation of the networks. Studies in radiology also have a crossed design, with readers
in place of seeds and cases in place of items. This module uses the significance test with which
studies in radiology compare two diagnostic methods (Obuchowski and Rockette, "Hypothesis testing of
diagnostic accuracy for multiple readers and multiple tests", Communications in Statistics 24,
1995). Hillis gives a formula for the degrees of freedom of Obuchowski and Rockette's test, `ddf_H`
("A comparison of denominator degrees of freedom methods for multiple observer ROC analysis",
Statistics in Medicine 26, 2007). With `ddf_H`, the simulation in `benchmarks/false_claims.py` had
too many false claims: up to 7.1% with three seeds, at a significance level of 5%. This module uses,
instead of `ddf_H`, the geometric mean of `ddf_H` and S - 1, the degrees of freedom between seeds.
With the geometric mean of `ddf_H` and S - 1, the rate of false claims does not measurably exceed
the significance level.

If test items have groups, such as all photos of one patient, the items of a group are dependent.
For such data, the tests use one value for each group in place of each item, see `by_group`.
"""

import dataclasses

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
# Significance level: probability of any false claim in all tests of a comparison together.
LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and its confidence interval.

    Attributes:
        mean: Estimated mean.
        low: Lower end of the confidence interval, or `None` with one seed, because one seed does
            not show how much seeds vary.
        high: Upper end of the confidence interval, or `None` with one seed.
        confidence: Confidence level: fraction of such intervals that contain the true mean.

    Example:
        >>> print(Estimate(mean=0.1, low=0.05, high=0.15))
        +0.100 [+0.050, +0.150]
    """

    mean: float
    low: float | None = None
    high: float | None = None
    confidence: float = CONFIDENCE

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0.

        Example:
            >>> Estimate(mean=0.1, low=0.05, high=0.15).excludes_zero
            True
        """
        return self.low is not None and (self.low > 0 or self.high < 0)

    def is_within(self, limit: float) -> bool:
        """Return whether the interval lies between -limit and limit.

        Example:
            >>> Estimate(mean=0.0, low=-0.02, high=0.02).is_within(0.05)
            True
        """
        return self.low is not None and self.low >= -limit and self.high <= limit

    def __str__(self) -> str:
        ends = "" if self.low is None else f" [{self.low:+.3f}, {self.high:+.3f}]"
        return f"{self.mean:+.3f}{ends}"


@dataclasses.dataclass(frozen=True)
class Components:
    """A mean over seeds and items, with its variance components.

    Attributes:
        mean: Mean over seeds and test items.
        seeds: Number of seeds.
        items: Number of test items.
        of_seeds: Variance between seeds, or `nan` with one seed.
        of_items: Variance of the item effect: the part of an item's value that all seeds share.
        of_rest: Residual variance, or `nan` with one seed.
    """

    mean: float
    seeds: int
    items: int
    of_seeds: float
    of_items: float
    of_rest: float

    def half_width(
        self, confidence: float = CONFIDENCE, seeds: int | None = None, items: int | None = None
    ) -> float:
        """Return half the width of the confidence interval with `seeds` seeds and `items` items.

        `seeds` and `items` must be at least 2. `None` means the number in `self`.
        """
        error, freedom = self._error(seeds or self.seeds, items or self.items)
        return float(stats.t.ppf((1 + confidence) / 2, freedom) * error)

    def interval(self, confidence: float = CONFIDENCE) -> Estimate:
        """Return the mean with its confidence interval."""
        if self.seeds < 2:
            return Estimate(self.mean, confidence=confidence)
        half = self.half_width(confidence)
        return Estimate(self.mean, self.mean - half, self.mean + half, confidence)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that the true mean is 0, or 1 with one seed."""
        if self.seeds < 2:
            return 1.0
        error, freedom = self._error(self.seeds, self.items)
        return float(2 * stats.t.sf(abs(self.mean) / error, freedom))

    def _error(self, seeds: int, items: int) -> tuple[float, float]:
        """Return the standard error and its degrees of freedom."""
        by_seed = self.of_rest + items * self.of_seeds
        by_item = seeds * self.of_items
        # Only the mean square of the seeds has few degrees of freedom: the other mean squares do
        # not matter here. `ddf_H` is (seeds - 1) * ((by_seed + by_item) / by_seed) ** 2. Without
        # the square, the result is the geometric mean of `ddf_H` and seeds - 1, see the docstring
        # of the module.
        freedom = (seeds - 1) * (by_seed + by_item) / by_seed if by_seed else np.inf
        return np.sqrt((by_seed + by_item) / (seeds * items)), min(freedom, items - 1)


def components(values: np.ndarray, largest: float = 1.0) -> Components:
    """Return the mean over seeds and items with its variance components (analysis of variance).

    Negative variance components become 0. The sum of squares over the items includes two artificial
    items with the values `largest` and -`largest`, each with half weight. For one seed, the two
    artificial items are the method of Agresti and Min ("Simple improved confidence intervals for
    comparing matched proportions", Statistics in Medicine 24, 2005). Without the two artificial
    items, the mean would differ significantly from 0 (5% level) if only four items had the value 1
    and all others the value 0. The confidence interval of values that are all 0 would have width 0.

    Args:
        values: Value for each seed and item, float array (seeds, items), with at least two items.
        largest: Largest possible absolute value in `values`.
    """
    seeds, items = values.shape
    values = values.astype(np.float64)
    mean = values.mean()
    by_item = values.mean(axis=0) - mean
    square_items = seeds * (np.sum(by_item**2) + largest**2) / (items - 1)
    if seeds == 1:
        return Components(float(mean), 1, items, np.nan, float(square_items), np.nan)
    by_seed = values.mean(axis=1) - mean
    rest = values - mean - by_item - by_seed[:, None]
    square_rest = np.sum(rest**2) / ((seeds - 1) * (items - 1))
    square_seeds = items * np.sum(by_seed**2) / (seeds - 1)
    return Components(
        mean=float(mean),
        seeds=seeds,
        items=items,
        of_seeds=float(max(square_seeds - square_rest, 0) / items),
        of_items=float(max(square_items - square_rest, 0) / seeds),
        of_rest=float(square_rest),
    )


def by_group(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return one value for each group in place of each item, with the same mean over the last axis.

    The mean over the items is a ratio: the sum of all values, divided by the sum of the group
    sizes. The variance of a ratio is the variance of the mean of its linearised values (Cochran,
    "Sampling Techniques", 1977, ch. 6). The linearised value of a group is m + d / s: m is the mean
    over all items, d the sum of the group's differences from m, and s the mean size of a group. If
    all groups have the same size and all items of a group are equal, the linearised value of the
    group is the value of its items.

    Args:
        values: Values of n items, float array (..., n).
        groups: Number of the group of each item, int (n,), from 0 to the number of groups - 1.

    Returns:
        float64 array (..., number of groups).
    """
    order, sizes = np.argsort(groups, kind="stable"), np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    sums = np.add.reduceat(values[..., order].astype(np.float64), starts, axis=-1)
    mean = values.mean(axis=-1, keepdims=True, dtype=np.float64)
    return mean + (sums - mean * sizes) / sizes.mean()


def level_of(look: int) -> float:
    """Return the significance level of all tests together in one analysis of a comparison.

    A user who adds seeds until the test at the 5% level gives a verdict makes a false claim in far
    more than 5% of cases. The first analysis has a significance level of 5%, and each
    later analysis has half the level of the previous analysis. The sum of the significance levels
    of all analyses stays below 10%.

    Args:
        look: Number of the analysis of the comparison, from 1.
    """
    return LEVEL / 2 ** (look - 1)
