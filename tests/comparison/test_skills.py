"""The skill on each item: its mean is the metric it stands for."""

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    label_ranking_average_precision_score,
    mean_absolute_error,
)

from keras_tl.comparison.skill import Skill

RANDOM = np.random.default_rng(0)


def test_classes_are_right_or_wrong():
    labels, logits = RANDOM.integers(4, size=50), RANDOM.normal(size=(50, 4))
    found = Skill("multiclass").of_items(labels, logits)
    assert found.dtype == np.uint8
    assert found.mean() == accuracy_score(labels, logits.argmax(axis=1))
    labels, logit = RANDOM.integers(2, size=50), RANDOM.normal(size=(50, 1))
    found = Skill("binary").of_items(labels, logit)
    assert found.mean() == accuracy_score(labels, logit[:, 0] > 0)


def test_several_labels_are_ranked():
    labels = RANDOM.integers(2, size=(200, 4)).astype(np.float32)
    assert {0, 4} <= set(labels.sum(axis=1))
    # Rounded, so that there are ties.
    logits = RANDOM.normal(size=(200, 4)).round(1)
    found = Skill("multilabel").of_items(labels, logits)
    expected = label_ranking_average_precision_score(labels, logits)
    assert found.mean(dtype=float) == pytest.approx(expected)
    assert (found.min() > 0, found.max()) == (True, 1)


def test_numbers_are_measured_by_always_answering_the_median():
    train, test = RANDOM.normal(3, 2, 40), RANDOM.normal(3, 2, 60)
    skill = Skill.of("regression", train, test)
    assert np.all(skill.of_items(test, test[:, None]) == 1)
    constant = np.full((60, 1), np.median(train))
    assert skill.of_items(test, constant).mean() == pytest.approx(0, abs=1e-6)
    answers = test + RANDOM.normal(0, 1, 60)
    expected = 1 - mean_absolute_error(test, answers) / mean_absolute_error(test, constant)
    assert skill.of_items(test, answers[:, None]).mean() == pytest.approx(expected)
    assert Skill.of("regression", np.ones(3), np.ones(3)).reference == 1


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel"])
def test_only_a_regression_takes_something_of_the_labels(task):
    assert Skill.of(task, np.zeros(3), np.ones(3)) == Skill(task)
    assert Skill.from_json(Skill(task).to_json()) == Skill(task)
