"""Which model `fit` keeps: the default, unless another one is better beyond chance."""

import json

import numpy as np
import pytest

from keras_tl.evaluation.calibration import fit_temperature
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.runs.history import name_of
from keras_tl.selection.candidates import (
    HEAD,
    TUNED,
    Candidate,
    choose,
    default_or_end,
    is_right_on_all,
    mean_losses,
    measure_candidates,
)
from keras_tl.tasks import TASKS


def outcomes_of(logits_by_share, labels):
    return {
        share: PredictionRecord(labels, logits.astype(np.float32))
        for share, logits in logits_by_share.items()
    }


def three_classes(count, strengths, seed=0):
    """Outcomes of models whose true logit stands out by so much; all share the same noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    noise = rng.normal(size=(count, 3))
    right = np.eye(3)[labels]
    return outcomes_of({s: noise + strength * right for s, strength in strengths.items()}, labels)


@pytest.mark.parametrize(
    ("strengths", "default", "kept"),
    [
        ({HEAD: 1, TUNED: 3}, HEAD, TUNED),
        ({HEAD: 3, TUNED: 1}, TUNED, HEAD),
        ({HEAD: 1, 0.5: 3, TUNED: 1.2}, TUNED, 0.5),
        ({HEAD: 2, TUNED: 2}, TUNED, TUNED),
        ({HEAD: 2, TUNED: 2}, HEAD, HEAD),
    ],
    ids=str,
)
def test_a_clearly_better_model_is_kept_and_else_the_default(strengths, default, kept):
    found = measure_candidates(TASKS["multiclass"](), three_classes(300, strengths), default)
    assert choose(found, default).share == kept


@pytest.mark.parametrize(
    ("kind", "labels", "logits", "expected"),
    [
        ("multiclass", [0, 2], [[1, 0, 0], [0, 0, 1]], True),
        ("multiclass", [0, 2], [[1, 0, 0], [0, 1, 0]], False),
        ("multiclass", [0, 2], [[1, 0, 0], [0, 0, np.nan]], False),
        ("binary", [0, 1], [[-1], [1]], True),
        ("binary", [0, 1], [[-1], [-1]], False),
        ("multilabel", [[0, 1], [1, 1]], [[-1, 1], [1, 1]], True),
        # One label is wrong, although the mean loss of the labels is below log 2.
        ("multilabel", [[0, 1], [1, 1]], [[-9, 9], [9, -0.1]], False),
        ("regression", [1.0, 2.0], [[1], [2]], False),
    ],
    ids=str,
)
def test_right_on_all_items_means_every_label(kind, labels, logits, expected):
    record = PredictionRecord(np.array(labels), np.array(logits, np.float32))
    assert is_right_on_all(TASKS[kind](), record) is expected


def test_a_difference_within_its_interval_does_not_overturn_the_default():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 12)
    own = {share: rng.normal(size=(12, 3)) for share in (HEAD, TUNED)}
    own[TUNED] += 0.8 * np.eye(3)[labels]
    outcomes = outcomes_of(own, labels)
    found = measure_candidates(TASKS["multiclass"](), outcomes, HEAD)
    better = {candidate.share: candidate.better for candidate in found}[TUNED]
    assert better.mean > 0 > better.low
    assert choose(found, HEAD).share == HEAD


def test_equal_models_overturn_the_default_in_at_most_one_of_twenty_cases():
    rng = np.random.default_rng(0)
    shares, count, overturned = (HEAD, 0.25, 0.5, 0.75, TUNED), 60, 0
    for _ in range(200):
        labels = rng.integers(0, 3, count)
        common = rng.normal(size=(count, 3)) + np.eye(3)[labels]
        own = {share: common + rng.normal(size=(count, 3)) for share in shares}
        found = measure_candidates(TASKS["multiclass"](), outcomes_of(own, labels), 0.5)
        overturned += choose(found, 0.5).share != 0.5
    assert overturned <= 10


@pytest.mark.parametrize(
    ("task", "labels", "logits"),
    [
        ("binary", [0, 1, 1, 0], [[-1.0], [2.0], [-0.5], [1.0]]),
        ("regression", [1.0, 2.0, 3.0, 4.0], [[1.5], [2.5], [2.0], [4.0]]),
        (
            "multilabel",
            [[0, 1], [1, 0], [1, 1], [0, 0]],
            [[-1.0, 1.0], [1.0, 0.5], [2.0, 1.0], [0.0, -1.0]],
        ),
    ],
)
def test_every_task(task, labels, logits):
    labels, logits = np.array(labels), np.array(logits, np.float32)
    labels = labels.astype(np.float32) if task != "binary" else labels
    outcomes = {
        HEAD: PredictionRecord(labels, logits),
        TUNED: PredictionRecord(labels, logits * 0.5),
    }
    found = measure_candidates(TASKS[task](), outcomes, HEAD)
    for candidate in found:
        # How sure a model is does not count: half as large logits of classes are as good.
        own = outcomes[candidate.share]
        kind = TASKS[task]()
        temperature = fit_temperature(kind, own) if kind.has_probabilities else 1.0
        losses = kind.item_losses(labels, own.scaled(temperature).logits)
        assert candidate.loss == pytest.approx(losses.mean())
    assert found[0].difference is None
    assert found[0].better is None
    assert found[1].better.mean == pytest.approx(found[0].loss - found[1].loss)
    for candidate in found:
        assert Candidate.from_json(json.loads(json.dumps(candidate.to_json()))) == candidate


def test_names():
    assert [name_of(s) for s in (0.0, 0.5, 1.0)] == [
        "head",
        "average, 50% fine-tuned",
        "fine-tuned",
    ]


@pytest.mark.parametrize(
    ("losses", "default", "expected"),
    [
        ({HEAD: 0.5, 0.5: 0.4, TUNED: 0.3}, 0.5, 0.5),
        ({HEAD: 0.5, 0.5: 0.49, TUNED: 0.3}, 0.5, 0.5),
        ({HEAD: 0.5, 0.5: 0.51, TUNED: 0.3}, 0.5, TUNED),
        ({HEAD: 0.5, 0.5: 0.8, TUNED: 0.9}, 0.5, 0.5),
        ({HEAD: 0.5, TUNED: 0.9}, TUNED, TUNED),
        ({HEAD: 0.5, TUNED: 0.4}, HEAD, HEAD),
    ],
)
def test_weights_worse_than_both_ends_are_no_default(losses, default, expected):
    assert default_or_end(losses, default) == expected


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel", "regression"])
def test_a_model_that_diverged_is_never_kept(task):
    labels = {
        "multiclass": np.arange(20) % 3,
        "binary": np.arange(20) % 2,
        "multilabel": np.arange(40).reshape(20, 2) % 2,
        "regression": np.linspace(0, 1, 20, dtype=np.float32),
    }[task]
    outputs = {"multiclass": 3, "multilabel": 2}.get(task, 1)
    good = PredictionRecord(labels, np.zeros((20, outputs), np.float32))
    bad = PredictionRecord(labels, np.full((20, outputs), np.nan, np.float32))
    outcomes = {HEAD: good, 0.5: bad, TUNED: bad}
    default = default_or_end(mean_losses(TASKS[task](), outcomes), 0.5)
    assert default == HEAD
    found = measure_candidates(TASKS[task](), outcomes, default)
    assert choose(found, default).share == HEAD
    assert json.loads(json.dumps([one.to_json() for one in found], allow_nan=False))


def test_items_of_a_group_count_as_one():
    rng = np.random.default_rng(0)
    labels = np.zeros(400, int)
    # Four groups: the fine-tuned model is a little better in three of them, and worse in one.
    gain = np.repeat([0.5, 0.4, 0.6, -0.9], 100)
    logits = {HEAD: rng.normal(size=(400, 1)) - 1, TUNED: None}
    logits[TUNED] = logits[HEAD] - gain[:, None]
    outcomes = outcomes_of(logits, labels)
    alone = measure_candidates(TASKS["binary"](), outcomes, HEAD)[1].better
    groups = np.repeat(["a", "b", "c", "d"], 100)
    grouped = measure_candidates(TASKS["binary"](), outcomes, HEAD, groups)[1].better
    assert grouped.mean == pytest.approx(alone.mean)
    assert grouped.high - grouped.low > 3 * (alone.high - alone.low)


def test_the_difference_of_the_metrics_also_counts_a_group_as_one():
    labels, groups = np.zeros(400, int), np.repeat(["a", "b", "c", "d"], 100)
    # The fine-tuned model is right in three groups, and the head in the fourth group.
    wrong = np.repeat([-1.0, -1.0, -1.0, 1.0], 100)[:, None]
    outcomes = outcomes_of({HEAD: -wrong, TUNED: wrong}, labels)
    alone = measure_candidates(TASKS["binary"](), outcomes, HEAD)[1].difference
    grouped = measure_candidates(TASKS["binary"](), outcomes, HEAD, groups)[1].difference
    assert grouped.mean == alone.mean == 0.5
    assert alone.low > 0 > grouped.low
