"""Metrics against definitions written out."""

import numpy as np
import pytest

from keras_tl.tasks import TASKS

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


def test_rows_are_true_classes(metrics):
    assert metrics["confusion_matrix"] == [[1, 1, 0], [1, 2, 0], [0, 0, 0]]


def test_per_class(metrics):
    assert metrics["per_class"]["a"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "items": 2}
    assert metrics["per_class"]["b"]["recall"] == pytest.approx(2 / 3)
    assert metrics["per_class"]["absent"]["items"] == 0
