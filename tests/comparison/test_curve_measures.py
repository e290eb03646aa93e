"""What is read from learning curves."""

import numpy as np
import pytest

from keras_tl.comparison.curve_measures import (
    curve,
    epochs_to_reach,
    has_plateau,
    measured,
    weights_of,
)
from keras_tl.comparison.statistics import components


def answers(shares, seeds=5, items=800, seed=0):
    """Right and wrong answers, so many right at each evaluation; items are hard or easy."""
    random = np.random.default_rng(seed)
    hard = random.random(items)
    return np.stack(
        [[hard + random.normal(0, 0.05, items) < share for share in shares] for _ in range(seeds)]
    ).astype(float)


@pytest.mark.parametrize(
    ("measure", "expected"), [("start", 0.2), ("slope", 0.1), ("final", 0.7), ("area", 0.45)]
)
def test_measures_of_a_line(measure, expected):
    values = answers([0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    found = measured(values, weights_of(measure, 6))
    assert found.mean == pytest.approx(expected, abs=0.03)
    means = values.mean(axis=(0, 2))
    by_hand = {
        "start": means[0],
        "slope": np.polyfit(range(6), means, 1)[0],
        "final": means[-1],
        "area": means.mean(),
    }
    assert found.mean == pytest.approx(by_hand[measure])


FLAT, RISING = [0.1, 0.3, 0.5, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7], np.linspace(0.2, 0.8, 9)


@pytest.mark.parametrize(
    ("shares", "seeds", "is_one"),
    [
        pytest.param(FLAT, 5, True, id="flat"),
        pytest.param(RISING, 5, False, id="rising"),
        pytest.param(RISING[::-1], 5, False, id="falling"),
        pytest.param(FLAT[-5:], 5, False, id="too-short"),
        pytest.param(FLAT, 1, False, id="one-seed"),
    ],
)
def test_a_plateau_has_to_be_shown(shares, seeds, is_one):
    assert has_plateau(answers(shares, seeds), limit=0.025) == is_one


def test_a_plateau_is_shown_by_the_last_third_and_at_90_percent():
    values = answers([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.71], items=400)
    # Over three evaluations the line rises by the last less the first of them.
    interval = components(values[:, -1] - values[:, -3], largest=2).interval(0.9)
    limit = max(abs(interval.low), abs(interval.high))
    assert has_plateau(values, 1.001 * limit)
    assert not has_plateau(values, 0.999 * limit)


def test_a_flat_curve_of_few_items_shows_nothing():
    values = np.random.default_rng(0).integers(2, size=(5, 9, 20))
    assert not has_plateau(values.astype(float), limit=0.025)


def test_the_time_to_a_threshold():
    values = answers([0.2, 0.5, 0.4, 0.9])
    assert epochs_to_reach(values, 0.45) == 2
    assert epochs_to_reach(values, 0.8) == 4
    assert epochs_to_reach(values, 0.99) is None
    # As good is good enough.
    assert epochs_to_reach(values, values[:, 1].mean()) == 2


def test_the_band_of_a_curve_stays_where_the_skill_can_be():
    found = curve(answers([0.02, 0.99], items=30), lowest=0.0)
    assert found[0].low == 0
    assert found[1].high == 1
    assert all(one.low < one.mean < one.high for one in found)
    assert curve(answers([0.5], seeds=1), 0.0)[0].low is None
