"""Answers, and items without an answer, in words and as JSON."""

import json

import numpy as np
import pytest

from keras_tl.base.results import MultilabelPredictions, Predictions, RegressionPredictions

ROWS, NAMES = np.array([[0.1, 0.2], [0.3, 0.2]], np.float32), ("a", "b")
ABSENT = np.zeros((2, 2), bool)
# Of each kind: two answers, and the first in words where it is one.
BATCHES = {
    "classes": (Predictions(ROWS, NAMES, ("x", "y")), "b (20.0%)"),
    "labels": (MultilabelPredictions(ROWS, ABSENT, NAMES, ("x", "y")), "no label"),
    "values": (RegressionPredictions(np.float32([1.5, 2]), ("x", "y")), "1.5"),
}
# The reasons of a batch, and the first item in words.
REASONS = {
    "known": (("not an image", None), "no prediction (not an image)"),
    "not": (None, "no prediction"),
}


@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize("known", REASONS)
def test_an_item_without_an_answer_says_so_and_why(kind, known):
    answered, text = BATCHES[kind]
    assert str(answered[0]) == text
    reasons, said = REASONS[known]
    fields = vars(answered) | {"valid": np.array([False, True]), "reasons": reasons}
    found = type(answered)(**fields)
    assert [str(found[0]), found[0].name] == [said, "no prediction"]
    assert str(found[1]) == str(answered[1])
    rows = json.loads(json.dumps(found.to_json()))
    reason = {"reason": "not an image"} if reasons else {}
    assert rows[0] == {"source": "x", "valid": False} | reason
    assert rows[1] == answered.to_json()[1]
    kept = found.only_valid()
    assert (len(kept), kept.valid, kept.reasons) == (1, None, None)
    assert kept.only_valid() is kept
    assert answered[0].name == {"classes": "b", "labels": "no label", "values": "1.5"}[kind]
