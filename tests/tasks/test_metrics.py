"""Metrics against definitions written out."""

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score

from keras_tl.tasks import TASKS
from tests.made_outcomes import make_outcomes, make_task

LABELS = np.array([0, 0, 1, 1, 1])
LOGITS = np.array([[2.0, 0, -1], [0, 1, 0], [0, 3, 0], [0, 2, 1], [5, 0, 0]])
NAMES = ("a", "b", "absent")


@pytest.fixture
def metrics():
    return TASKS["multiclass"](NAMES).measure(LABELS, LOGITS)


def test_accuracy_and_loss(metrics):
    predicted = LOGITS.argmax(axis=1)
    assert metrics["accuracy"] == np.mean(predicted == LABELS)
    shifted = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    assert metrics["loss"] == pytest.approx(-shifted[np.arange(5), LABELS].mean())
    assert metrics["items"] == 5


def test_a_roc_curve_of_many_items_is_thinned_and_keeps_its_area():
    outcomes = make_outcomes("binary", 20_000)
    metrics = make_task("binary").measure(outcomes.labels, outcomes.logits)
    points = metrics["roc"]
    assert len(points) == 200
    assert (points[0], points[-1]) == ([0, 0], [1, 1])
    assert metrics["auc"] == roc_auc_score(outcomes.labels, outcomes.logits[:, 0])
    assert auc(*np.transpose(points)) == pytest.approx(metrics["auc"], abs=5e-4)


def test_rows_are_true_classes(metrics):
    assert metrics["confusion_matrix"] == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]


def test_per_class(metrics):
    assert metrics["per_class"]["a"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "items": 2}
    assert metrics["per_class"]["b"]["recall"] == pytest.approx(2 / 3)
    assert metrics["per_class"]["absent"]["items"] == 0
