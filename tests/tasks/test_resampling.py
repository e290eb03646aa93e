"""Metrics of weighted items are scikit-learn's of the items so many times."""

import dataclasses

import numpy as np
import pytest

from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.tasks import TASKS
from tests.made_outcomes import make_outcomes, make_task

THRESHOLDS = {"binary": (0.7,), "multilabel": (0.2, 0.5, 0.9)}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_they_are_those_of_the_items_so_many_times(task, ties):
    outcomes = make_outcomes(task, 60)
    if ties:
        outcomes = dataclasses.replace(outcomes, logits=outcomes.logits.round())
    weights = np.random.default_rng(1).integers(0, 4, (5, 60))
    deciding = make_task(task, THRESHOLDS.get(task, ()))
    statistics = deciding.statistics(outcomes.labels, outcomes.logits)
    for name, statistic in statistics.items():
        for row, found in zip(weights, statistic(weights), strict=True):
            many = outcomes.take(np.repeat(np.arange(60), row))
            expected = deciding.measure(many.labels, many.logits)
            assert found == pytest.approx(expected[name]), name


def test_what_is_not_defined_is_no_number_and_says_nothing():
    labels = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 0]], np.float32)
    outcomes = PredictionRecord(labels, np.arange(9, dtype=np.float32).reshape(3, 3) % 4)
    found = make_task("multilabel").statistics(labels, outcomes.logits)
    ones = np.ones((1, 3))
    expected = make_task("multilabel").measure(labels, outcomes.logits)
    # Of the first and last label nothing can be said.
    for name, statistic in found.items():
        assert statistic(ones)[0] == pytest.approx(expected[name]), name
    # Of no item that has no label nothing at all.
    alone = np.array([[1.0, 0, 0]])
    assert np.isnan(found["mean_average_precision"](alone)[0])
    assert np.isnan(found["auc"](alone)[0])
