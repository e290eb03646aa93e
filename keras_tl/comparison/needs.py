"""What would decide where the data cannot: more seeds, or more test items."""

import dataclasses
import math

from keras_tl.comparison.statistics import Components

# One seed says nothing of the luck of a seed, and two next to nothing.
FEWEST_SEEDS = 3
_MOST_SEEDS, _MOST_ITEMS = 50, 100
# Each number of items that is tried is a tenth larger than the one before.
_STEP = 1.1


@dataclasses.dataclass(frozen=True)
class Needs:
    """How many would decide, if the difference and the variances stay what they are.

    Attributes:
        seeds: with the same test items, at the next look; `None`: not even 50.
        items: with the same seeds; `None`: not even a hundred times as many.
    """

    seeds: int | None
    items: int | None


def needs_of(found: Components, level: float, min_difference: float) -> Needs:
    """What narrows the interval until it excludes 0, or lies within +-`min_difference`.

    More seeds are another look at the same comparison, at half the level
    (`keras_tl.comparison.statistics.level_of`); other test items are another comparison.

    Args:
        found: a difference about which nothing can be said.
        level: at which it was tested.
        min_difference: the smallest difference that matters.
    """
    if found.seeds < FEWEST_SEEDS:
        return Needs(FEWEST_SEEDS, None)
    enough = max(abs(found.mean), min_difference - abs(found.mean))
    more_seeds = range(found.seeds + 1, _MOST_SEEDS + 1)
    steps = range(1, round(math.log(_MOST_ITEMS, _STEP)) + 1)
    more_items = (_rounded_up(found.items * _STEP**step) for step in steps)
    return Needs(
        next((n for n in more_seeds if found.half_width(1 - level / 2, seeds=n) < enough), None),
        next((n for n in more_items if found.half_width(1 - level, items=n) < enough), None),
    )


def _rounded_up(number: float) -> int:
    """To two digits."""
    unit = 10 ** max(len(str(int(number))) - 2, 0)
    return int(-(-number // unit) * unit)
