"""Means over seeds and test items, with intervals for the random variation of both.

Every seed trains a network, and every network predicts the same items: a crossed design. Let
value = mean + seed + item + rest, each a random draw. The mean of S seeds and n items has the
variance

    (seeds + items * S / n + rest / n) / S        (variance components of seeds, items, rest)

A t interval over the seeds' means ignores the variation of the items. A bootstrap of the items
ignores the variation of the networks. Radiology has the same design, with readers for seeds and
cases for items. This module uses its test (Obuchowski and Rockette, "Hypothesis testing of
diagnostic accuracy for multiple readers and multiple tests", Communications in Statistics 24,
1995), for the difference of two tests. The degrees of freedom by Hillis ("A comparison of
denominator degrees of freedom methods for multiple observer ROC analysis", Statistics in Medicine
26, 2007, `ddf_H`) made too many false claims: up to 0.071 at the level 0.05, with three seeds in
the simulation of `benchmarks/false_claims.py`. This module takes the geometric mean of `ddf_H` and
the seeds' own degrees of freedom, S - 1. This mean keeps the level.
"""

import dataclasses

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
# Probability of a false claim, shared by all tests of a comparison.
LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and its confidence interval.

    Attributes:
        mean: The estimate.
        low: Lower end of the interval. `None` with one seed: its variation is unknown.
        high: Upper end of the interval. `None` with one seed.
        confidence: Share of such intervals that contain the true mean, in (0, 1).
    """

    mean: float
    low: float | None = None
    high: float | None = None
    confidence: float = CONFIDENCE

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low is not None and (self.low > 0 or self.high < 0)

    def is_within(self, limit: float) -> bool:
        """Return whether the interval lies between -limit and limit."""
        return self.low is not None and self.low >= -limit and self.high <= limit

    def __str__(self) -> str:
        ends = "" if self.low is None else f" [{self.low:+.3f}, {self.high:+.3f}]"
        return f"{self.mean:+.3f}{ends}"


@dataclasses.dataclass(frozen=True)
class Components:
    """A mean over seeds and items, with its variance components.

    Attributes:
        mean: The mean.
        seeds: Number of seeds.
        items: Number of items.
        of_seeds: Variance between seeds. `nan` with one seed.
        of_items: Variance between items, common to all seeds.
        of_rest: Residual variance. `nan` with one seed.
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
        """Return half the width of the interval, optionally with more seeds or items.

        Args:
            confidence: Confidence, in (0, 1).
            seeds: Number of seeds, at least 2. `None`: the present number.
            items: Number of items, at least 2. `None`: the present number.
        """
        error, freedom = self._error(seeds or self.seeds, items or self.items)
        return float(stats.t.ppf((1 + confidence) / 2, freedom) * error)

    def interval(self, confidence: float = CONFIDENCE) -> Estimate:
        """Return the mean with its interval."""
        if self.seeds < 2:
            return Estimate(self.mean, confidence=confidence)
        half = self.half_width(confidence)
        return Estimate(self.mean, self.mean - half, self.mean + half, confidence)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that the true mean is 0. It is 1 with one seed."""
        if self.seeds < 2:
            return 1.0
        error, freedom = self._error(self.seeds, self.items)
        return float(2 * stats.t.sf(abs(self.mean) / error, freedom))

    def _error(self, seeds: int, items: int) -> tuple[float, float]:
        """Return the standard error and its degrees of freedom."""
        by_seed = self.of_rest + items * self.of_seeds
        by_item = seeds * self.of_items
        # The mean square of the seeds has few degrees of freedom. The other mean squares have so
        # many that they do not count. Hillis squares the quotient, see the module's docstring.
        freedom = (seeds - 1) * (by_seed + by_item) / by_seed if by_seed else np.inf
        return np.sqrt((by_seed + by_item) / (seeds * items)), min(freedom, items - 1)


def components(values: np.ndarray, largest: float = 1.0) -> Components:
    """Return the mean over seeds and items with its variance components (analysis of variance).

    Negative components become 0. The sum of squares of the items includes two artificial items of
    half weight with the largest possible values, one positive and one negative (Agresti and Min,
    "Simple improved confidence intervals for comparing matched proportions", Statistics in Medicine
    24, 2005, for one seed). Without them, a difference in four or five items would look certain,
    and a difference in no item would have an interval of width 0.

    Args:
        values: Values, float array (seeds, items), with at least two items.
        largest: Largest possible absolute difference in one item.
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


def level_of(look: int) -> float:
    """Return the error probability shared by the tests of one look at a growing comparison.

    A user who adds seeds after no verdict, and tests at 5% again, makes a false claim in far more
    than 5% of cases. The first look has 5%, and each later look half the level before it. Any
    number of looks has less than 10% in sum.

    Args:
        look: Number of the look, from 1.
    """
    return LEVEL / 2 ** (look - 1)
