"""Whether groups of items differ by more than chance, with many of them at once."""

from collections.abc import Sequence

import numpy as np

from keras_tl.tasks.resampling import Statistic

# At least, and so many for each group that the smallest corrected p-value there can be is 0.025.
_PERMUTATIONS, _OF_EACH_GROUP = 1000, 40
# Numbers of a test's weights that are in memory at a time.
_AT_A_TIME = 2_000_000


def permutation_p_values(
    statistic: Statistic, codes: np.ndarray, more_is_better: bool
) -> list[float | None]:
    """Of each group of items: the chance to be so much worse than the rest, if it were not.

    That is how often a group of as many items drawn at random is as much worse than the others (a
    permutation test, with the p-value of Phipson and Smyth, 2010, arXiv:1603.05766).

    Args:
        statistic: the metric, as a function of the items' weights.
        codes: int (n,), the group of each item; groups count from 0.
        more_is_better: whether more of the metric is.

    Returns:
        A p-value a group; `None` where the metric of the group or of the rest is not defined.
    """
    sign = 1.0 if more_is_better else -1.0
    groups = range(int(codes.max()) + 1)
    observed = [_differences(statistic, (codes == group)[None], sign)[0] for group in groups]
    rng = np.random.default_rng(0)
    step, as_bad = max(1, _AT_A_TIME // len(codes)), np.zeros(len(groups), int)
    # The groups as they are count as one.
    draws = max(_PERMUTATIONS, _OF_EACH_GROUP * len(groups)) - 1
    for start in range(0, draws, step):
        count = min(step, draws - start)
        drawn = rng.permuted(np.tile(codes, (count, 1)), axis=1)
        for group in groups:
            found = _differences(statistic, drawn == group, sign)
            # Equal differences differ by rounding; one that is not defined speaks for chance.
            as_bad[group] += np.count_nonzero(~(found > observed[group] + 1e-12))
    shares = (as_bad + 1) / (draws + 1)
    return [
        float(share) if np.isfinite(seen) else None
        for share, seen in zip(shares, observed, strict=True)
    ]


def _differences(statistic: Statistic, masks: np.ndarray, sign: float) -> np.ndarray:
    """How much better the groups are than the rest; negative where they are worse."""
    return sign * (statistic(masks.astype(float)) - statistic((~masks).astype(float)))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for their number; `None` stands for no test.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979: with those of at most 5% taken for true, the chance of any false one is at
    most 5%.
    """
    corrected, largest = list(p_values), 0.0
    for number, left in _in_turn(p_values):
        largest = max(largest, min(1.0, left * p_values[number]))
        corrected[number] = largest
    return corrected


def holm_levels(p_values: Sequence[float], level: float) -> list[float]:
    """The level at which each of several tests decides by `holm`, for their intervals.

    In the order of their p-values they are tested at level / m, level / (m - 1), ...; from the
    first that is not significant on, all are not. Those are given that one's level, so that a test
    is significant exactly if its p-value is at most its level.

    Args:
        p_values: one a test.
        level: probability of a false claim, among all the tests.
    """
    levels, own, is_significant = [level] * len(p_values), level, True
    for number, left in _in_turn(p_values):
        if is_significant:
            own = level / left
            is_significant = p_values[number] <= own
        levels[number] = own
    return levels


def _in_turn(p_values: Sequence[float | None]) -> list[tuple[int, int]]:
    """The tests by their p-values, the smallest first, and how many are left at its turn."""
    known = [number for number, p_value in enumerate(p_values) if p_value is not None]
    order = sorted(known, key=lambda number: p_values[number])
    return [(number, len(known) - place) for place, number in enumerate(order)]
