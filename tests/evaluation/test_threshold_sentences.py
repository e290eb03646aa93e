"""A chosen threshold is named beside the answers that it decides; a worse calibration is told."""

import dataclasses

import numpy as np
import pytest

from keras_tl.base.results import MultilabelPredictions, Predictions
from keras_tl.evaluation.calibration import Calibrated, measure_calibration
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import thresholds_text
from keras_tl.tasks.binary import Binary
from keras_tl.tasks.multiclass import Multiclass
from keras_tl.tasks.multilabel import Multilabel

NAMES = ("negative", "positive")
ROWS = np.array([[0.894, 0.106], [0.02, 0.98]], np.float32)


def answered(threshold, rows=ROWS):
    """The answers of a task with this threshold."""
    thresholds = () if threshold is None else (threshold,)
    task = dataclasses.replace(Binary(NAMES), thresholds=thresholds)
    chosen = rows.argmax(1) if threshold is None else (rows[:, 1] > threshold).astype(int)
    return task.predictions({"probabilities": rows, "class_id": chosen}, None)


# The threshold, and the answers in words.
TEXTS = {
    "none": (None, ["negative (89.4%)", "positive (98.0%)"]),
    "low": (
        0.05,
        [
            "positive (10.6%; decision threshold for positive: 5.0%)",
            "positive (98.0%; decision threshold for positive: 5.0%)",
        ],
    ),
    "high": (
        0.99,
        [
            "negative (89.4%; decision threshold for positive: 99.0%)",
            "negative (2.0%; decision threshold for positive: 99.0%)",
        ],
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_answers_of_two_classes_name_the_threshold(name):
    threshold, texts = TEXTS[name]
    found = answered(threshold)
    assert [str(one) for one in found] == texts
    json = found.to_json()[0]
    assert json.get("thresholds") == (None if threshold is None else {"positive": threshold})
    assert ("thresholds=()" in repr(found)) == (threshold is None)


def test_a_client_that_knows_no_threshold_says_that_there_is_one():
    found = Predictions(ROWS, NAMES, chosen=np.array([1, 1]))
    assert [str(one) for one in found] == [
        "positive (10.6%; by a decision threshold of the model)",
        "positive (98.0%)",
    ]


@pytest.mark.parametrize(
    ("thresholds", "text"),
    [((), "b (60.0%)"), ((0.2, 0.5), "a (30.0%; decision threshold 20.0%), b (60.0%")],
)
def test_answers_of_several_labels_name_theirs(thresholds, text):
    rows = np.array([[0.3, 0.6], [0.1, 0.1]], np.float32)
    mask = rows > np.array(thresholds or (0.5, 0.5))
    task = dataclasses.replace(Multilabel(("a", "b")), thresholds=thresholds)
    found = task.predictions({"probabilities": rows, "labels_mask": mask}, None)
    assert isinstance(found, MultilabelPredictions)
    assert str(found[0]).startswith(text)
    assert str(found[1]) == "no label"
    assert found.to_json()[0].get("thresholds", {}) == dict(zip("ab", thresholds, strict=False))


def test_several_classes_have_none():
    task = Multiclass(("a", "b", "c"))
    rows = np.array([[0.2, 0.5, 0.3]], np.float32)
    (one,) = task.predictions({"probabilities": rows, "class_id": np.array([1])}, None)
    assert str(one) == "b (50.0%)"


def test_thresholds_in_words():
    assert thresholds_text(NAMES, ()) == ""
    assert thresholds_text(NAMES, (0.106,)) == "positive above 0.1060"
    assert thresholds_text(("a", "b"), (0.1, 0.2)) == "a above 0.1000, b above 0.2000"


def calibration(sure):
    """Answers of which half are right, said with a probability of so much."""
    logit = np.log(sure / (1 - sure))
    outcomes = PredictionRecord(np.array([0, 1] * 20), np.array([[0.0, logit]] * 40))
    return measure_calibration(Multiclass(("a", "b")), outcomes)


@pytest.mark.parametrize(
    ("before", "after", "worse"), [(0.9, 0.6, ()), (0.6, 0.9, ("test",)), (0.8, 0.8, ())]
)
def test_a_calibration_error_that_grows_is_told(before, after, worse):
    same = calibration(0.7)
    found = Calibrated(
        1.5,
        {"validation": same, "test": calibration(before)},
        {"validation": same, "test": calibration(after)},
    )
    assert found.worse == worse
    assert found.to_json()["worse"] == list(worse)
    assert ("larger than before on: test." in found.describe()) == bool(worse)
