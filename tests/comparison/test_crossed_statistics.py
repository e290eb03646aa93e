"""Intervals over seeds and items keep their level, by brute force; Holm's levels."""

import numpy as np
import pytest

from keras_tl.comparison.power import power_of
from keras_tl.comparison.statistics import Components, components, level_of

DRAWS = 400


def differences(random, seeds, items, of_seed, of_item, difference=0.0):
    """Right and wrong answers of two arms, subtracted."""
    easy = random.normal(0.5, 2.0, items)
    arms = []
    for more in (difference, 0.0):
        logits = easy + random.normal(0, of_item, items) + random.normal(0, of_seed, (seeds, 1))
        arms.append(random.random((seeds, items)) < 1 / (1 + np.exp(-logits - more)))
    return arms[0].astype(float) - arms[1]


# The luck of the seeds, and what an arm does to an item, in logits.
@pytest.mark.parametrize(("of_seed", "of_item"), [(0, 0), (0, 0.7), (0.3, 0), (0.3, 0.7)], ids=str)
@pytest.mark.parametrize("seeds", [3, 5])
def test_false_claims_are_rare_whatever_the_variances(seeds, of_seed, of_item):
    random = np.random.default_rng(0)
    found = [components(differences(random, seeds, 150, of_seed, of_item)) for _ in range(DRAWS)]
    claimed = sum(one.p_value <= 0.05 for one in found)
    # The 99.5% point of Binomial(400, 0.05).
    assert claimed <= 32
    assert all((one.p_value <= 0.05) == one.interval().excludes_zero for one in found)


@pytest.mark.parametrize("plan", [(3, 5, 8, 12, 20), (5, 10, 20, 40)])
def test_adding_seeds_until_something_is_claimed_would_claim_too_much(plan):
    random = np.random.default_rng(0)
    always, halved = 0, 0
    for _ in range(DRAWS):
        values = differences(random, plan[-1], 150, 0.5, 0)
        p_values = [components(values[:seeds]).p_value for seeds in plan]
        always += min(p_values) <= 0.05
        halved += any(p <= level_of(look) for look, p in enumerate(p_values, 1))
    assert always > 40
    # Of Binomial(400, 0.1), which is the bound, half are above it.
    assert halved < 40


@pytest.mark.parametrize("counted", ["seeds", "items"])
def test_counting_only_one_kind_of_luck_would_claim_too_much(counted):
    random = np.random.default_rng(0)
    claimed = 0
    for _ in range(DRAWS):
        values = differences(random, 5, 150, *((0, 1.5) if counted == "seeds" else (0.5, 0)))
        means = values.mean(axis=1 if counted == "seeds" else 0)
        error = means.std(ddof=1) / np.sqrt(len(means))
        claimed += abs(means.mean()) > error * (2.776 if counted == "seeds" else 1.976)
    assert claimed > 60


def test_a_difference_of_five_points_is_found():
    random = np.random.default_rng(0)
    found = [components(differences(random, 5, 1000, 0.05, 0.3, 0.36)) for _ in range(100)]
    assert np.mean([one.mean for one in found]) == pytest.approx(0.05, abs=0.005)
    assert sum(one.p_value <= 0.05 for one in found) >= 80


def test_the_components_are_those_that_the_values_were_made_of():
    random = np.random.default_rng(0)
    found = []
    for _ in range(200):
        seed, item = random.normal(0, 0.3, (6, 1)), random.normal(0, 0.5, 20)
        found.append(components(1 + seed + item + random.normal(0, 0.7, (6, 20)), largest=0))
    for name, expected in {"of_seeds": 0.09, "of_items": 0.25, "of_rest": 0.49}.items():
        assert np.mean([getattr(one, name) for one in found]) == pytest.approx(expected, rel=0.1)
    errors = [one.mean - 1 for one in found]
    inside = [one.interval().low <= 1 <= one.interval().high for one in found]
    assert np.std(errors) == pytest.approx((0.09 / 6 + 0.25 / 20 + 0.49 / 120) ** 0.5, rel=0.15)
    assert np.mean(inside) > 0.9


# Of 3 seeds and 100 items: the variances, the standard error, and the 97.5% point of t with the
# degrees of freedom, by hand: twice the quotient of all to what the seeds have, at most 99.
@pytest.mark.parametrize(
    ("of_seeds", "of_items", "of_rest", "error", "point"),
    [
        pytest.param(0.01, 0, 0.5, 0.005**0.5, 4.3027, id="seeds-alone-2"),
        pytest.param(0.01, 0.5, 0.5, 0.1, 2.7764, id="both-4"),
        pytest.param(0, 1, 0.01, 0.0301**0.5 / 3**0.5, 1.9842, id="items-alone-99"),
        pytest.param(0, 1, 0, 0.1, 1.9842, id="nothing-of-seeds-99"),
    ],
)
def test_the_width_by_hand(of_seeds, of_items, of_rest, error, point):
    found = Components(0.2, 3, 100, of_seeds, of_items, of_rest)
    assert found.half_width() == pytest.approx(error * point, rel=1e-4)


# What the half width has to come below: the difference, or what is left of what matters.
@pytest.mark.parametrize(("mean", "enough"), [(0, 0.05), (0.04, 0.04), (-0.01, 0.04)])
def test_what_is_said_to_be_needed_is_the_least_that_would_do(mean, enough):
    found = Components(mean, 4, 150, of_seeds=0.002, of_items=0.02, of_rest=0.1)
    power = power_of(found, 0.05, 0.05)
    # More seeds are another look, at half the level.
    widths = [found.half_width(0.975, seeds=power.seeds - fewer) for fewer in (0, 1)]
    assert widths[0] < enough <= widths[1]
    assert power.items is None
    found = Components(mean, 4, 150, of_seeds=0.0001, of_items=0.3, of_rest=0.1)
    power = power_of(found, 0.05, 0.05)
    # In steps of a tenth, rounded up to two digits.
    assert found.half_width(items=power.items) < enough
    assert found.half_width(items=round(power.items / 1.2)) >= enough
    assert power.seeds is None


def test_more_seeds_and_items_narrow_the_interval_as_far_as_their_luck_goes():
    found = components(differences(np.random.default_rng(0), 4, 200, 0.3, 0.7, 0.5))
    widths = [found.half_width(seeds=n) for n in (4, 8, 16, 10**6)]
    assert widths == sorted(widths, reverse=True)
    only_items = (found.of_items / 200) ** 0.5
    assert widths[-1] == pytest.approx(1.972 * only_items, rel=0.01)
    assert found.half_width(items=10**6) > 3.18 * (found.of_seeds / 4) ** 0.5 * 0.99


@pytest.mark.parametrize("seeds", [2, 5])
def test_where_no_item_differs_the_interval_still_has_a_width(seeds):
    found = components(np.zeros((seeds, 50))).interval()
    assert found.low < -0.01
    assert found.high > 0.01
    assert abs(found.low) < 0.3


def test_few_items_that_differ_are_not_a_sure_difference():
    values = np.zeros((5, 300))
    values[:, :3] = 1
    assert not components(values).interval().excludes_zero
    values[:, :12] = 1
    assert components(values).interval().excludes_zero


def test_one_seed_has_no_interval():
    found = components(np.array([[1, 0, 1, 1]]))
    assert (found.interval().mean, found.interval().low, found.p_value) == (0.75, None, 1)
