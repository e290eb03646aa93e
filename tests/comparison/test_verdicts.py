"""Verdicts on constructed outcomes: what is decided, what is said, what is shipped."""

import numpy as np
import pytest

from keras_tl.comparison.model_selection import Choice, choose
from keras_tl.comparison.verdict import Verdict, decide
from keras_tl.comparison.wording import choice_text, measures_text, verdict_text

EPOCHS = 9


def outcomes(start, end, seeds=5, items=500, deviation=0.004, seed=0):
    """Right and wrong answers of an arm whose skill rises for a third of the epochs."""
    random = np.random.default_rng(seed)
    hard = np.random.default_rng(99).random(items)
    rise = np.minimum(np.arange(EPOCHS) / (EPOCHS // 3), 1)
    values = []
    for _ in range(seeds):
        luck = random.normal(0, deviation)
        shares = start + (end - start) * rise + luck
        noise = random.normal(0, 0.03, items)
        values.append([hard + noise < share for share in shares])
    return np.array(values, dtype=np.float32)


CASES = {
    "helps": {
        "arms": {"scratch": outcomes(0.2, 0.6), "fine-tuned": outcomes(0.5, 0.8, seed=1)},
        "outcome": "helps",
        "says": [
            "fine-tuned: transfer helps: accuracy 0.796",
            "against 0.568",
            "5 seeds, 500 test",
            "reaches the final skill of training from scratch after epoch 2",
        ],
    },
    "higher-start-only": {
        "arms": {"scratch": outcomes(0.2, 0.8), "fine-tuned": outcomes(0.6, 0.8, seed=1)},
        "outcome": "no difference",
        "says": ["makes no measurable difference", "within ±0.05", "start +0.4", "slope -0.0"],
    },
    "seeds-share-their-luck": {
        "arms": {
            "scratch": outcomes(0.2, 0.6, deviation=0.1),
            "fine-tuned": outcomes(0.3, 0.65, deviation=0.1),
        },
        "outcome": "helps",
        "says": ["fine-tuned: transfer helps"],
    },
    "worse-at-the-end-only": {
        "arms": {"scratch": outcomes(0.2, 0.6), "fine-tuned": outcomes(0.8, 0.4, seed=1)},
        "outcome": "hurts",
        "says": ["accuracy 0.391 against 0.568", "after epoch 1"],
    },
    "hurts": {
        "arms": {"scratch": outcomes(0.2, 0.8), "frozen": outcomes(0.4, 0.5, seed=1)},
        "outcome": "hurts",
        "says": [
            "frozen: transfer hurts (negative transfer)",
            "never reaches the final skill of training from scratch",
        ],
    },
    "too-few-items": {
        "arms": {
            "scratch": outcomes(0.2, 0.6, items=25),
            "fine-tuned": outcomes(0.3, 0.65, items=25, seed=1),
        },
        "outcome": "undecided",
        "says": [
            "fine-tuned: no verdict",
            "reaches beyond ±0.05",
            "test items would give a verdict",
        ],
    },
    "unlucky-seeds": {
        "arms": {
            "scratch": outcomes(0.2, 0.6, deviation=0.1, seeds=3),
            "fine-tuned": outcomes(0.3, 0.65, deviation=0.1, seeds=3, seed=1),
        },
        "outcome": "undecided",
        "says": ["no verdict", "seeds would give a verdict"],
    },
    "one-seed": {
        "arms": {
            "scratch": outcomes(0.2, 0.3, seeds=1),
            "fine-tuned": outcomes(0.3, 0.9, seeds=1),
        },
        "outcome": "undecided",
        "says": ["no verdict", "+0.596", "1 seed,", "run 3 or more"],
    },
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict_and_its_words(name):
    case = CASES[name]
    (verdict,) = decide({None: case["arms"]}, min_difference=0.05)
    assert verdict.outcome == case["outcome"]
    scratch, arm = (values.mean(axis=(0, 2), dtype=float) for values in case["arms"].values())
    gap, found = arm - scratch, (verdict.start, verdict.slope, verdict.area, verdict.final)
    expected = (gap[0], np.polyfit(range(EPOCHS), gap, 1)[0], gap.mean(), gap[-1])
    assert [one.mean for one in found] == pytest.approx(expected)
    text = f"{verdict_text(verdict, 'accuracy', 0.05)} {measures_text(verdict)}"
    for part in case["says"]:
        assert part in text
    assert (verdict.power is not None) == (verdict.outcome == "undecided")
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_an_asymptote_is_called_so_only_where_both_curves_are_flat():
    flat, scratch = outcomes(0.5, 0.8, items=2000, seed=1), outcomes(0.2, 0.7, items=2000)
    (verdict,) = decide({None: {"scratch": scratch, "frozen": flat}}, 0.05)
    assert verdict.is_asymptote
    assert "at the plateau of both" in verdict_text(verdict, "accuracy", 0.05)
    # From the third last on they differ by 0.035: less than what matters, more than half of it.
    drifting = outcomes(0.2, 0.735, items=2000)
    drifting[:, -2] = outcomes(0.2, 0.7175, items=2000)[:, -2]
    drifting[:, -3] = scratch[:, -3]
    (verdict,) = decide({None: {"scratch": drifting, "frozen": flat}}, 0.05)
    assert not verdict.is_asymptote
    rising = scratch.copy()
    rising[:, -3:-1] = outcomes(0.2, 0.6, items=2000)[:, -3:-1]
    (verdict,) = decide({None: {"scratch": rising, "frozen": flat}}, 0.05)
    assert not verdict.is_asymptote
    assert "skill at budget" in measures_text(verdict)


def test_what_is_said_to_be_needed_would_decide():
    arms = CASES["too-few-items"]["arms"]
    (verdict,) = decide({None: arms}, 0.05)
    assert verdict.power.items > 2 * 25
    # The same items over and over have the same variances.
    times = -(-verdict.power.items // 25)
    more = {name: np.tile(values, times) for name, values in arms.items()}
    (verdict,) = decide({None: more}, 0.05)
    assert verdict.outcome != "undecided"


def test_as_many_seeds_as_are_said_to_be_needed_would_decide_at_the_next_look():
    arms = CASES["unlucky-seeds"]["arms"]
    (verdict,) = decide({None: arms}, 0.05)
    times = -(-verdict.power.seeds // verdict.seeds)
    more = {name: np.tile(values, (times, 1, 1)) for name, values in arms.items()}
    (verdict,) = decide({None: more}, 0.05, look=2)
    assert verdict.outcome != "undecided"


def test_the_tests_of_all_sizes_share_the_probability_of_a_false_claim():
    arms = {"scratch": outcomes(0.2, 0.6), "frozen": outcomes(0.3, 0.6, seed=3)}
    (alone,) = decide({None: arms}, 0.05)
    many = decide(dict.fromkeys((10, 20, 30, None), arms), 0.05)
    assert [verdict.size for verdict in many] == [10, 20, 30, None]
    assert alone.final.confidence == pytest.approx(0.95)
    assert min(verdict.final.confidence for verdict in many) == pytest.approx(1 - 0.05 / 4)
    assert many[0].final.high > alone.final.high
    unsure = CASES["too-few-items"]["arms"]
    (alone,), many = (decide(dict.fromkeys(sizes, unsure), 0.05) for sizes in ((None,), (1, 2, 3)))
    assert many[0].power.items > alone.power.items


GOOD, BAD = outcomes(0.4, 0.8), outcomes(0.2, 0.5, seed=1)
SHIPPED = {
    "frozen-is-best": (
        {"scratch": BAD, "frozen": GOOD, "fine-tuned": outcomes(0.4, 0.6, seed=2)},
        Choice("frozen", "frozen", True),
        "the best arm, and the cheapest to train",
    ),
    "the-dearer-is-better": (
        {"scratch": BAD, "frozen": outcomes(0.4, 0.7, seed=2), "fine-tuned": GOOD},
        Choice("fine-tuned", "fine-tuned", True),
        "cheaper to train are measurably worse",
    ),
    "the-cheaper-is-as-good": (
        {"scratch": BAD, "frozen": GOOD, "fine-tuned": outcomes(0.4, 0.81, seed=2)},
        Choice("frozen", "fine-tuned", True),
        "as good as the best arm, fine-tuned",
    ),
    "scratch-is-better": (
        {"scratch": GOOD, "frozen": BAD, "fine-tuned": outcomes(0.4, 0.6, seed=2)},
        Choice("scratch", "scratch", True),
        "measurably worse",
    ),
    "scratch-is-dearer-than-fine-tuning": (
        {"scratch": outcomes(0.4, 0.81, seed=2), "frozen": BAD, "fine-tuned": GOOD},
        Choice("fine-tuned", "scratch", True),
        "as good as the best arm, scratch",
    ),
    "the-end-counts": (
        {"scratch": outcomes(0.0, 0.8), "frozen": outcomes(0.7, 0.72, seed=1)},
        Choice("scratch", "scratch", True),
        "measurably worse",
    ),
    "of-one-nothing-is-known": (
        {
            "scratch": outcomes(0.2, 0.75, deviation=0.2, seed=3),
            "frozen": GOOD,
            "fine-tuned": outcomes(0.4, 0.81, seed=2),
        },
        Choice("frozen", "fine-tuned", False),
        "as good as fine-tuned, the best arm. For other arms",
    ),
    "nothing-is-known": (
        {
            "scratch": BAD[:, :, :20],
            "frozen": outcomes(0.4, 0.75, items=20, deviation=0.1, seed=5),
            "fine-tuned": outcomes(0.4, 0.85, items=20, deviation=0.1, seed=6),
        },
        Choice("fine-tuned", "fine-tuned", False),
        "not settled",
    ),
    "one-seed": (
        {"scratch": BAD[:1], "frozen": GOOD[:1]},
        Choice(None, "frozen", False),
        "one seed is not enough",
    ),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_which_arm_to_ship(name):
    arms, expected, said = SHIPPED[name]
    found = choose(arms, min_difference=0.05)
    assert found == expected
    assert said in choice_text(found)
