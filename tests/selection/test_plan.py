"""The plan of `fit`: what a budget cuts, and what the user reads."""

import pytest

from keras_tl.selection.plan import (
    NO_EVIDENCE,
    OUT_OF_FOLD,
    VALIDATION,
    TimeBudget,
    make_plan,
)
from keras_tl.training.timing import Costs

# A training of 100 steps takes 110 s.
COSTS = Costs(step=1.0, start=10.0, item=0.0, measured=True)


@pytest.mark.parametrize(
    ("validation_items", "refit", "seconds_left", "expected"),
    [
        # evidence, folds, trainings, steps, seconds
        (49, False, None, (OUT_OF_FOLD, 3, 4, 100, 440)),
        (50, False, None, (VALIDATION, 0, 1, 100, 110)),
        (0, True, None, (OUT_OF_FOLD, 3, 4, 100, 440)),
        (50, True, None, (OUT_OF_FOLD, 3, 4, 100, 440)),
        (0, False, 440, (OUT_OF_FOLD, 3, 4, 100, 440)),
        (0, False, 439, (NO_EVIDENCE, 0, 1, 100, 110)),
        (50, True, 439, (VALIDATION, 0, 2, 100, 220)),
        (0, False, 60, (NO_EVIDENCE, 0, 1, 50, 60)),
        (50, False, 60, (VALIDATION, 0, 1, 50, 60)),
        (50, True, 80, (VALIDATION, 0, 2, 30, 80)),
        (0, False, 29, (NO_EVIDENCE, 0, 0, 0, 0)),
        (50, False, 0, (NO_EVIDENCE, 0, 0, 0, 0)),
    ],
)
def test_a_budget_cuts_the_comparison_then_steps_then_fine_tuning(
    validation_items, refit, seconds_left, expected
):
    budget = None if seconds_left is None else TimeBudget(5, seconds_left, 10)
    plan = make_plan(COSTS, 100, 300, validation_items, refit, budget)
    found = (plan.evidence, plan.folds, plan.trainings, plan.steps, plan.seconds)
    assert found == expected
    assert seconds_left is None or plan.seconds <= seconds_left
    is_cut = seconds_left is not None and seconds_left < 440
    assert bool(plan.cuts) == is_cut
    assert all("5 min " in cut for cut in plan.cuts)


def test_the_plan_in_words():
    plan = make_plan(COSTS, 100, 300, 0, False)
    assert plan.describe("image") == (
        "Plan: fine-tune 4 times for 100 steps, 7 min. Each of 3 trainings leaves out a part of "
        "the 300 images. Predictions for this part compare the head with the fine-tuned model."
    )
    assert "minutes=10" not in plan.describe()
    plan = make_plan(COSTS, 200, 300, 0, False)
    assert plan.describe().endswith("For a shorter plan, pass a time budget, such as minutes=10.")
    plan = make_plan(COSTS, 200, 300, 0, False, TimeBudget(60, 3600, 10))
    assert "minutes=10" not in plan.describe()
    plan = make_plan(COSTS, 100, 300, 60, False, TimeBudget(1, 59, 10))
    assert plan.describe("text") == (
        "Plan: fine-tune 1 time for 40 steps, 50 s. Predictions for the 60 validation texts "
        "compare the head with the fine-tuned model. The budget of 1 min is too short for 100 "
        "steps."
    )
    plan = make_plan(COSTS, 100, 300, 0, False, TimeBudget(0.1, 5, 10))
    assert plan.describe() == (
        "Plan: keep the head. The budget of 0.1 min is too short for 4 trainings. The budget of "
        "0.1 min is too short for fine-tuning."
    )
