"""Thresholds against all that could be chosen."""

import json

import numpy as np
import pytest
from sklearn.metrics import auc, f1_score, precision_score, recall_score, roc_auc_score

from keras_tl.errors import ConfigError
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.thresholds import Rule, choose_thresholds, precision_recall, roc_curves
from keras_tl.tasks import TASKS
from tests.made_outcomes import NAMES, make_outcomes, make_task

RULES = {"f1": Rule(), "precision": Rule(precision=0.9), "recall": Rule(recall=0.9)}


def columns(task, outcomes):
    shares = make_task(task).probabilities(outcomes.logits)
    return zip(outcomes.labels.reshape(shares.shape).T, shares.T, strict=True)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_no_other_threshold_is_better(task, rule):
    given = {"validation": make_outcomes(task, 150), "test": make_outcomes(task, 80, seed=1)}
    found = choose_thresholds(make_task(task), given, RULES[rule])
    assert [one.label for one in found.labels] == [*NAMES[task][task == "binary" :]]
    for one, (labels, shares) in zip(found.labels, columns(task, given["validation"]), strict=True):
        assert one.reached
        # Every threshold there is: just below each of the probabilities.
        answers = shares >= np.sort(shares)[:, None]
        right, said, true = (answers @ labels, answers.sum(axis=1), labels.sum())
        scores = {
            "f1": 2 * right / (said + true),
            "precision": right / said,
            "recall": right / true,
        }
        if rule == "f1":
            best = scores["f1"].argmax()
        else:
            kept = np.flatnonzero(scores[rule] >= 0.9)
            best = kept[0] if rule == "precision" else kept[-1]
        chosen = one.rates["validation"]
        for name in scores:
            assert getattr(chosen, name) == pytest.approx(scores[name][best])
    for one, (labels, shares) in zip(found.labels, columns(task, given["test"]), strict=True):
        expected = f1_score(labels, shares > one.threshold)
        assert one.rates["test"].f1 == pytest.approx(expected)
    decided = make_task(task, found.values).decisions(given["test"].logits).reshape(80, -1)
    for column, (_, shares) in enumerate(columns(task, given["test"])):
        np.testing.assert_array_equal(decided[:, column], shares > found.values[column])
    json.dumps(found.to_json())
    assert found.describe().startswith(
        "Decision thresholds, chosen on the validation split. Goal: "
    )


def test_only_the_validation_split_decides():
    given = {"validation": make_outcomes("binary", 90), "test": make_outcomes("binary", 90, seed=1)}
    others = given | {"test": make_outcomes("binary", 90, 5, seed=2)}
    chosen = [choose_thresholds(make_task("binary"), g, Rule()) for g in (given, others)]
    assert chosen[0].values == chosen[1].values


def test_what_cannot_be_reached_is_said():
    labels = np.array([[0, 0], [1, 0], [0, 0], [0, 0]], np.float32)
    logits = np.array([[3, 0], [2, 1], [1, 0], [0, 0]], np.float32)
    given = {"validation": PredictionRecord(labels, logits)}
    found = choose_thresholds(TASKS["multilabel"](("some", "none")), given, Rule(precision=0.9))
    assert [one.reached for one in found.labels] == [False, False]
    # The largest F1 is that of the two highest; of nothing 0.5.
    assert found.labels[0].rates["validation"].f1 == pytest.approx(2 / 3)
    assert found.values[1] == 0.5
    assert found.labels[1].rates["validation"].recall is None
    assert "goal not reached" in found.describe()


@pytest.mark.parametrize("count", [50, 3000])
def test_the_points_of_a_curve_are_those_of_its_thresholds(count):
    outcomes = make_outcomes("multilabel", count)
    curves = precision_recall(make_task("multilabel"), outcomes)
    for points, (labels, shares) in zip(
        curves.values(), columns("multilabel", outcomes), strict=True
    ):
        assert 10 < len(points) <= 200
        assert points[-1][0] == 1
        assert np.all(np.diff([recall for recall, _, _ in points]) >= 0)
        for recall, precision, threshold in points[::20]:
            answers = shares >= threshold
            assert recall == pytest.approx(recall_score(labels, answers))
            assert precision == pytest.approx(precision_score(labels, answers))


@pytest.mark.parametrize("count", [50, 3000])
def test_a_roc_curve_is_of_all_thresholds(count):
    outcomes = make_outcomes("multilabel", count)
    metrics = make_task("multilabel").measure(outcomes.labels, outcomes.logits)
    curves = roc_curves(make_task("multilabel"), outcomes)
    for (name, points), (labels, shares) in zip(
        curves.items(), columns("multilabel", outcomes), strict=True
    ):
        assert 10 < len(points) <= 200
        assert (points[0], points[-1]) == ([0, 0], [1, 1])
        wrongly, rightly = np.transpose(points)
        area = roc_auc_score(labels, shares)
        assert metrics["per_class"][name]["auc"] == pytest.approx(area)
        assert auc(wrongly, rightly) == pytest.approx(area, abs=1e-3)
        answers = shares >= np.sort(shares)[:, None]
        reached = [answers @ one / one.sum() for one in (1 - labels, labels)]
        for point in points[1::20]:
            assert np.isclose(np.transpose(reached), point).all(axis=1).any()


WRONG = {
    "multiclass": (
        lambda: choose_thresholds(make_task("multiclass"), {}, Rule()),
        "most probable of several classes",
    ),
    "regression": (
        lambda: choose_thresholds(make_task("regression"), {}, Rule()),
        "no probabilities",
    ),
    "both": (lambda: Rule(0.5, 0.5), "not both"),
    "range": (lambda: Rule(precision=1.5), "precision must be a number from"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes(name):
    function, message = WRONG[name]
    with pytest.raises(ConfigError, match=message):
        function()
