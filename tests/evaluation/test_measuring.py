"""What `evaluate()` gives is JSON, and its intervals are around its metrics."""

import json

import pytest

from keras_tl.evaluation.intervals import proportion_interval
from keras_tl.evaluation.metrics import measure
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.tasks import TASKS
from tests.made_outcomes import NAMES, make_outcomes, make_task

THRESHOLDS = {"binary": (0.7,), "multilabel": (0.2, 0.5, 0.9)}


def around(interval, value):
    return interval[0] <= value <= interval[1]


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_has_an_interval_around_it(task):
    outcomes, thresholds = make_outcomes(task, 80), THRESHOLDS.get(task, ())
    found = measure(make_task(task, thresholds), outcomes)
    plain = make_task(task, thresholds).measure(outcomes.labels, outcomes.logits)
    assert json.loads(json.dumps(found, allow_nan=False)).items() >= plain.items()
    intervals = found["intervals"]
    without = {"loss", "r2", "ece", "brier"}
    metrics = {n for n, value in found.items() if isinstance(value, float)} - without
    assert set(intervals) - {"per_class"} == metrics
    for name in metrics:
        assert around(intervals[name], found[name]), name
    for name, row in found.get("per_class", {}).items():
        for metric, interval in intervals["per_class"][name].items():
            assert around(interval, row[metric])


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel"])
def test_those_of_classes_are_of_the_items_counted(task):
    outcomes, thresholds = make_outcomes(task, 80), THRESHOLDS.get(task, ())
    found = measure(make_task(task, thresholds), outcomes)
    labels, answers = outcomes.labels, make_task(task, thresholds).decisions(outcomes.logits)
    for number, name in enumerate(NAMES[task]):
        if task == "multilabel":
            true, said = labels[:, number] == 1, answers[:, number] == 1
        else:
            true, said = labels == number, answers == number
        expected = proportion_interval(int((true & said).sum()), int(true.sum()))
        interval = found["intervals"]["per_class"][name]["recall"]
        assert interval == [expected.low, expected.high]


def test_what_is_not_there_has_no_interval():
    outcomes = make_outcomes("binary")
    never = PredictionRecord(outcomes.labels * 0, outcomes.logits * 0 - 1)
    intervals = measure(make_task("binary"), never)["intervals"]
    assert intervals["per_class"]["yes"] == {"precision": None, "recall": None, "f1": None}
    assert (intervals["auc"], intervals["average_precision"]) == (None, None)
    assert measure(make_task("binary"), never)["precision_recall"] == {"yes": []}
    several = make_outcomes("multilabel")
    several.labels[:, 0], several.labels[:, 1] = 0, 1
    curves = measure(make_task("multilabel"), several)["roc"]
    assert [name for name, points in curves.items() if points] == ["z"]


def test_of_many_labels_no_curves_are_kept():
    outcomes = make_outcomes("multilabel")
    wide = PredictionRecord(outcomes.labels.repeat(7, axis=1), outcomes.logits.repeat(7, axis=1))
    found = measure(TASKS["multilabel"](tuple(map(str, range(21)))), wide)
    assert not {"precision_recall", "roc"} & found.keys()
