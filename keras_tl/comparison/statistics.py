"""Means over seeds and test items, with intervals that count the luck of both.

Every seed trains a network, and every network answers the same items: a crossed design. With
value = mean + seed + item + rest, each a random draw, the mean of S seeds and n items has the
variance

    (seeds + items * S / n + rest / n) / S        (variance components of seeds, items, rest)

Neither a t interval over the seeds' means (it takes the items as all there are) nor a bootstrap of
the items (it takes the networks as all there are) counts both. Radiology has the same design,
readers for seeds and cases for items, and its test is used here (Obuchowski and Rockette,
"Hypothesis testing of diagnostic accuracy for multiple readers and multiple tests", Communications
in Statistics 24, 1995), for the difference of two tests. Its degrees of freedom by Hillis ("A
comparison of denominator degrees of freedom methods for multiple observer ROC analysis", Statistics
in Medicine 26, 2007, `ddf_H`) claimed up to 0.071 where 0.05 is allowed, with three seeds in the
simulation of `benchmarks/false_claims.py`; the geometric mean of them and of those that the seeds
have by themselves keeps the level.
"""

import dataclasses

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
# Of a false claim, shared by all tests of a comparison.
LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean and its interval.

    Attributes:
        mean: the estimate.
        low: lower end of the interval; `None` with one seed, of whose luck nothing is known.
        high: its upper end.
        confidence: share of such intervals that hold the true mean, in (0, 1).
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
        """Whether the interval lies between -limit and limit."""
        return self.low is not None and self.low >= -limit and self.high <= limit

    def __str__(self) -> str:
        ends = "" if self.low is None else f" [{self.low:+.3f}, {self.high:+.3f}]"
        return f"{self.mean:+.3f}{ends}"


@dataclasses.dataclass(frozen=True)
class Components:
    """A mean over seeds and items, and where its variance comes from.

    Attributes:
        mean: the mean.
        seeds: how many there are.
        items: how many there are.
        of_seeds: variance between seeds; `nan` with one seed.
        of_items: variance between items that all seeds share.
        of_rest: variance of what is left; `nan` with one seed.
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
        """Half the width of the interval, also of one with more seeds or items.

        Args:
            confidence: in (0, 1).
            seeds: at least 2; `None`: as many as there are.
            items: at least 2; `None`: as many as there are.
        """
        error, freedom = self._error(seeds or self.seeds, items or self.items)
        return float(stats.t.ppf((1 + confidence) / 2, freedom) * error)

    def interval(self, confidence: float = CONFIDENCE) -> Estimate:
        """The mean with its interval."""
        if self.seeds < 2:
            return Estimate(self.mean, confidence=confidence)
        half = self.half_width(confidence)
        return Estimate(self.mean, self.mean - half, self.mean + half, confidence)

    @property
    def p_value(self) -> float:
        """Of the hypothesis that the true mean is 0, two-sided; 1 with one seed."""
        if self.seeds < 2:
            return 1.0
        error, freedom = self._error(self.seeds, self.items)
        return float(2 * stats.t.sf(abs(self.mean) / error, freedom))

    def _error(self, seeds: int, items: int) -> tuple[float, float]:
        """Standard error and its degrees of freedom."""
        by_seed = self.of_rest + items * self.of_seeds
        by_item = seeds * self.of_items
        # The mean square of the seeds has few degrees of freedom, the others so many that only its
        # own count. Hillis's have the square of the quotient; see the head of this file.
        freedom = (seeds - 1) * (by_seed + by_item) / by_seed if by_seed else np.inf
        return np.sqrt((by_seed + by_item) / (seeds * items)), min(freedom, items - 1)


def components(values: np.ndarray, largest: float = 1.0) -> Components:
    """The mean over seeds and items with its variance components, by analysis of variance.

    None of them is taken to be negative. To the squares of the items, two halves of an item are
    added that are as different as can be, one in each direction: without them, a difference that
    rests on four or five items would pass for a sure one, and one in which no item differs would
    have an interval without a width (Agresti and Min, "Simple improved confidence intervals for
    comparing matched proportions", Statistics in Medicine 24, 2005, for one seed).

    Args:
        values: float array (seeds, items), of at least two items.
        largest: the most that an item's value can be from 0, as a difference.
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
    """The probability of a false claim that the tests of one look at a growing comparison share.

    Who adds seeds because there was no verdict, and tests again at 5%, claims what is not in far
    more than 5% of cases. The first look has 5%, and each one after it half of what the one before
    had, so that all together have less than 10%, however many they are.

    Args:
        look: 1 for the first.
    """
    return LEVEL / 2 ** (look - 1)
