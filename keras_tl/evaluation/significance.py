"""Permutation tests and Holm's correction for slices (groups of items)."""

from collections.abc import Sequence

import numpy as np

from keras_tl.evaluation.grouping import group_numbers
from keras_tl.tasks.resampling import Statistic

# The number of permutations is 1,000, or 40 for each group if this is more. With 40 for each group,
# a p-value corrected for the number of groups can be as low as 0.025.
_PERMUTATIONS, _OF_EACH_GROUP = 1000, 40
# Maximum size of an array of item weights (permutations x items) in memory.
_AT_A_TIME = 2_000_000


def permutation_p_values(
    statistic: Statistic,
    codes: np.ndarray,
    more_is_better: bool,
    groups: np.ndarray | None = None,
) -> list[float | None]:
    """Test for each group whether the group has a worse metric than the rest. Return p-values.

    The one-sided permutation test draws random groups of the same size as the tested group. The
    p-value is the fraction of the random groups whose difference from the rest is at least as bad
    as the difference of the tested group (Phipson and Smyth, 2010, arXiv:1603.05766).

    A group has `None` instead of a p-value if the metric of the group or of the rest is undefined.

    If items are dependent (`groups`), a permutation of single items finds too many differences.
    With `groups`, the test permutes only exchangeable blocks (Winkler et al., "Permutation
    inference for the general linear model", NeuroImage 92, 2014). If all items of each group of
    dependent items have the same code, the test permutes whole groups of dependent items. If at
    least one group of dependent items has several codes, the test permutes the codes only within
    the groups of dependent items.

    Args:
        statistic: Function that computes the metric from a weight for each item (0: not counted).
        codes: Index of the group of each item, int (n,). The first group has the index 0.
        more_is_better: Whether higher values of the metric are better.
        groups: Group of dependent items to which each item belongs, (n,). `None`: all items are
            independent.
    """
    sign = 1.0 if more_is_better else -1.0
    tested = range(int(codes.max()) + 1)
    observed = [_differences(statistic, (codes == group)[None], sign)[0] for group in tested]
    rng = np.random.default_rng(0)
    step, as_bad = max(1, _AT_A_TIME // len(codes)), np.zeros(len(tested), int)
    # The observed groups count as one permutation, so draw one permutation less.
    draws = max(_PERMUTATIONS, _OF_EACH_GROUP * len(tested)) - 1
    for start in range(0, draws, step):
        count = min(step, draws - start)
        drawn = _permuted(codes, count, rng, groups)
        for group in tested:
            found = _differences(statistic, drawn == group, sign)
            # 1e-12 allows for rounding. A random group with an undefined metric counts as worse.
            as_bad[group] += np.count_nonzero(~(found > observed[group] + 1e-12))
    shares = (as_bad + 1) / (draws + 1)
    known = np.isfinite(observed)
    return [share if here else None for share, here in zip(shares.tolist(), known, strict=True)]


def _permuted(
    codes: np.ndarray, count: int, rng: np.random.Generator, groups: np.ndarray | None
) -> np.ndarray:
    """Return `count` random permutations of the codes, see `permutation_p_values`, (count, n)."""
    if groups is None:
        return rng.permuted(np.tile(codes, (count, 1)), axis=1)
    numbers = group_numbers(groups)
    _, first = np.unique(numbers, return_index=True)
    own = codes[first]
    if np.array_equal(own[numbers], codes):
        return rng.permuted(np.tile(own, (count, 1)), axis=1)[:, numbers]
    drawn = np.tile(codes, (count, 1))
    for number in np.unique(numbers[own[numbers] != codes]):
        rows = np.flatnonzero(numbers == number)
        drawn[:, rows] = rng.permuted(drawn[:, rows], axis=1)
    return drawn


def _differences(statistic: Statistic, masks: np.ndarray, sign: float) -> np.ndarray:
    """Return by how much each group is better than the rest. A worse group has a value below 0."""
    return sign * (statistic(masks.astype(float)) - statistic((~masks).astype(float)))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for the number of tests. `None` (no test) remains `None`.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979. If all corrected p-values up to 5% count as significant, the probability
    that chance alone makes one or more tests significant is at most 5%.
    """
    corrected, largest = list(p_values), 0.0
    for number, left in _in_turn(p_values):
        largest = max(largest, min(1.0, left * p_values[number]))
        corrected[number] = largest
    return corrected


def holm_levels(p_values: Sequence[float], level: float) -> list[float]:
    """Return the significance level of each test by Holm's method, for confidence intervals.

    In the order of rising p-values, the m tests have the significance levels level / m, level /
    (m - 1), and so on. A test is significant if its p-value is at most its level. After the
    first test that is not significant, no test is significant, and each later test has the
    significance level of this first test. The probability that chance alone makes one or
    more tests significant is at most `level`.
    """
    levels, own, is_significant = [level] * len(p_values), level, True
    for number, left in _in_turn(p_values):
        if is_significant:
            own = level / left
            is_significant = p_values[number] <= own
        levels[number] = own
    return levels


def _in_turn(p_values: Sequence[float | None]) -> list[tuple[int, int]]:
    """Return pairs (index of a test, 1 + number of later tests), by rising p-value."""
    known = [number for number, p_value in enumerate(p_values) if p_value is not None]
    order = sorted(known, key=lambda number: p_values[number])
    return [(number, len(known) - place) for place, number in enumerate(order)]
