"""Calibration against definitions written out, and temperatures that are known."""

import dataclasses
import json

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from keras_tl.base.config import ModelConfig
from keras_tl.errors import ConfigError
from keras_tl.evaluation.calibration import (
    BINS,
    Calibration,
    calibrate,
    check_has_probabilities,
    fit_temperature,
    measure_calibration,
    with_temperature,
)
from keras_tl.tasks import task_of
from tests.made_outcomes import NAMES, make_outcomes, make_task

PROBABLE = [task for task in NAMES if task != "regression"]


def confidences_and_hits(task, outcomes):
    shares = make_task(task).probabilities(outcomes.logits)
    if task == "multiclass":
        return shares.max(axis=1), shares.argmax(axis=1) == outcomes.labels
    return shares.ravel(), outcomes.labels.ravel() == 1


@pytest.mark.parametrize("task", PROBABLE)
def test_the_error_is_that_of_the_definition(task):
    outcomes = make_outcomes(task, 300, sureness=2)
    found = measure_calibration(make_task(task), outcomes)
    confidences, hits = confidences_and_hits(task, outcomes)
    expected = 0.0
    assert len(found.bins) == 15
    for number in range(BINS):
        inside = (confidences > number / BINS) & (confidences <= (number + 1) / BINS)
        assert found.bins[number].items == inside.sum()
        if inside.any():
            confidence, frequency = confidences[inside].mean(), hits[inside].mean()
            assert found.bins[number].confidence == pytest.approx(confidence)
            assert found.bins[number].frequency == pytest.approx(frequency)
            low, high = found.bins[number].interval
            assert 0 <= low <= frequency <= high <= 1
            expected += inside.mean() * abs(confidence - frequency)
    assert found.ece == pytest.approx(expected)
    losses = make_task(task).item_losses(outcomes.labels, outcomes.logits)
    assert found.nll == pytest.approx(losses.mean())
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_brier_score_is_scikit_learns():
    outcomes = make_outcomes("binary", 300)
    shares = make_task("binary").probabilities(outcomes.logits)[:, 0]
    found = measure_calibration(make_task("binary"), outcomes).brier
    assert found == pytest.approx(brier_score_loss(outcomes.labels, shares))
    # Of several classes it is the sum over them: with two it is twice as large.
    both = np.concatenate([np.zeros_like(outcomes.logits), outcomes.logits], axis=1)
    same = dataclasses.replace(outcomes, logits=both)
    assert measure_calibration(make_task("multiclass"), same).brier == pytest.approx(2 * found)


def test_probabilities_at_the_ends_are_in_the_outer_bins():
    outcomes = make_outcomes("binary", 100, sureness=1e4)
    bins = measure_calibration(make_task("binary"), outcomes).bins
    assert bins[0].items + bins[-1].items == 100


@pytest.mark.parametrize("task", PROBABLE)
@pytest.mark.parametrize("sureness", [0.5, 1, 3])
def test_the_temperature_is_how_much_too_sure_the_model_is(task, sureness):
    outcomes = make_outcomes(task, 4000, sureness)
    assert fit_temperature(make_task(task), outcomes) == pytest.approx(sureness, rel=0.1)


@pytest.mark.parametrize("task", PROBABLE)
def test_a_model_that_is_too_sure_gets_better_on_other_items_and_answers_the_same(task):
    given = {
        "validation": make_outcomes(task, 1000, 3),
        "test": make_outcomes(task, 1000, 3, seed=1),
    }
    found = calibrate(make_task(task), given)
    for split, outcomes in given.items():
        assert found.after[split].ece < found.before[split].ece / 2
        assert found.after[split].nll < found.before[split].nll
        scaled = outcomes.scaled(found.temperature)
        decide = make_task(task).decisions
        np.testing.assert_array_equal(decide(scaled.logits), decide(outcomes.logits))
    assert f"Temperature {found.temperature:.3f}" in found.describe()
    json.dumps(found.to_json())


def test_only_the_validation_split_is_fitted_to():
    given = {"validation": make_outcomes("binary", 500, 3), "test": make_outcomes("binary", 500)}
    others = given | {"test": make_outcomes("binary", 500, 9)}
    task = make_task("binary")
    assert calibrate(task, given).temperature == calibrate(task, others).temperature


def test_answers_that_are_all_right_give_the_lowest_temperature():
    outcomes = make_outcomes("multiclass", 50)
    task = make_task("multiclass")
    right = dataclasses.replace(outcomes, labels=task.decisions(outcomes.logits))
    assert fit_temperature(task, right) == pytest.approx(0.05, rel=0.01)


def test_a_number_has_no_probability():
    with pytest.raises(ConfigError, match=r"The task regression has none.*mean absolute error"):
        check_has_probabilities(make_task("regression"))


def test_thresholds_decide_as_before():
    config = ModelConfig("x", None, None, "multilabel", NAMES["multilabel"])
    config = dataclasses.replace(config, temperature=2.0, thresholds=(0.2, 0.5, 0.9))
    moved = with_temperature(config, 0.7)
    assert moved.temperature == 0.7
    outcomes = make_outcomes("multilabel", 500)
    before, after = (
        task_of(c).decisions(outcomes.scaled(c.temperature).logits) for c in (config, moved)
    )
    assert moved.thresholds != config.thresholds
    assert before.any(axis=0).all()
    np.testing.assert_array_equal(before, after)
