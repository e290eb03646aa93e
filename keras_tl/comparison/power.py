"""Statistical power: the number of seeds or test items that would give a verdict."""

import dataclasses
import math

from keras_tl.comparison.statistics import Components

# One seed shows no variation between seeds, and two seeds show almost none.
FEWEST_SEEDS = 3
_MOST_SEEDS, _MOST_ITEMS = 50, 100
# The search multiplies the number of items by this factor in each step.
_STEP = 1.1


@dataclasses.dataclass(frozen=True)
class Power:
    """Number of seeds, and number of test items, that would each be enough for a verdict.

    `seeds` and `items` assume that the variances and the difference between the arms stay the same.

    Attributes:
        seeds: Number of seeds that would give a verdict in the next analysis, with the same test
            items, or `None` if 50 seeds would not be enough.
        items: Number of test items that would give a verdict with the same seeds. `None` if 100
            times as many items as now would not be enough, or if there are fewer than 3 seeds. If
            the test items have groups: number of groups.
    """

    seeds: int | None
    items: int | None


def power_of(found: Components, level: float, min_difference: float) -> Power:
    """Return how many seeds, or how many test items, would give a verdict.

    There is a verdict if the confidence interval excludes 0 or lies within +-`min_difference`. A
    test with more seeds is a new analysis of the same comparison, at half the significance `level`
    (`keras_tl.comparison.statistics.level_of`). A test with other test items is the first analysis
    of a new comparison, at the significance `level`.
    """
    if found.seeds < FEWEST_SEEDS:
        return Power(FEWEST_SEEDS, None)
    enough = max(abs(found.mean), min_difference - abs(found.mean))
    more_seeds = range(found.seeds + 1, _MOST_SEEDS + 1)
    steps = range(1, round(math.log(_MOST_ITEMS, _STEP)) + 1)
    more_items = (_rounded_up(found.items * _STEP**step) for step in steps)
    return Power(
        next((n for n in more_seeds if found.half_width(1 - level / 2, seeds=n) < enough), None),
        next((n for n in more_items if found.half_width(1 - level, items=n) < enough), None),
    )


def _rounded_up(number: float) -> int:
    """Round up to two significant digits."""
    unit = 10 ** max(len(str(int(number))) - 2, 0)
    return int(-(-number // unit) * unit)
