"""The loss of every item, and the items with the largest."""

import json

import numpy as np
import pytest
from sklearn.metrics import log_loss

from keras_tl.evaluation.losses import top_losses
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.tasks import TASKS
from tests.made_outcomes import NAMES, make_outcomes, make_task


@pytest.mark.parametrize("task", TASKS)
def test_their_mean_is_the_loss(task):
    outcomes = make_outcomes(task)
    losses = make_task(task).item_losses(outcomes.labels, outcomes.logits)
    assert losses.shape == (len(outcomes),)
    shares = None if task == "regression" else make_task(task).probabilities(outcomes.logits)
    expected = {
        "multiclass": lambda: log_loss(outcomes.labels, shares),
        "binary": lambda: log_loss(outcomes.labels, shares[:, 0]),
        "multilabel": lambda: np.mean(
            [log_loss(outcomes.labels[:, c], shares[:, c]) for c in range(3)]
        ),
        "regression": lambda: np.mean((outcomes.labels - outcomes.logits[:, 0]) ** 2),
    }[task]()
    assert losses.mean() == pytest.approx(expected)
    metrics = make_task(task).measure(outcomes.labels, outcomes.logits)
    assert metrics["loss"] == pytest.approx(expected)


@pytest.mark.parametrize("task", TASKS)
def test_a_sure_mistake_has_a_finite_loss(task):
    outcomes = make_outcomes(task)
    logits = outcomes.scaled(1e-4).logits
    assert np.isfinite(make_task(task).item_losses(outcomes.labels, logits)).all()


def test_the_largest_come_first():
    record = PredictionRecord(np.zeros(4), np.array([[1.0], [3], [2], [3]]))
    found = top_losses(make_task("regression"), record, None, "test", 3)
    assert [item.loss for item in found.items] == [9, 9, 4]
    assert found.rows.tolist() == [1, 3, 2]


@pytest.mark.parametrize("task", TASKS)
def test_what_is_shown_is_true_of_the_rows(task):
    outcomes, sources = make_outcomes(task), [f"<{n}>.png" for n in range(40)]
    found = top_losses(make_task(task), outcomes, sources, "test", 5)
    losses = make_task(task).item_losses(outcomes.labels, outcomes.logits)
    np.testing.assert_array_equal(found.rows, np.argsort(-losses)[:5])
    for item in found.items:
        assert (item.source, item.loss) == (sources[item.row], losses[item.row])
        label = outcomes.labels[item.row]
        if task == "multiclass":
            assert item.true == NAMES[task][label]
            assert item.true_probability == pytest.approx(np.exp(-item.loss))
            assert item.predicted_probability >= item.true_probability
        elif task == "binary":
            assert item.true_probability == pytest.approx(np.exp(-item.loss))
            # Of two classes a large loss is a wrong answer.
            assert item.predicted_probability == pytest.approx(1 - item.true_probability)
            assert {item.true, item.predicted} == set(NAMES[task])
        elif task == "multilabel":
            names = [name for name, is_on in zip(NAMES[task], label, strict=True) if is_on]
            assert item.true == (", ".join(names) or "no label")
            assert item.true_probability == pytest.approx(np.exp(-3 * item.loss))
        else:
            assert item.true_probability is None
            assert (float(item.true) - float(item.predicted)) ** 2 == pytest.approx(
                item.loss, rel=0.01
            )
    json.dumps(found.to_json())
    assert len(found.describe().splitlines()) == 5
    assert "&lt;" in found._repr_html_()
    assert "<" + f"{found.rows[0]}" + ">" not in found._repr_html_()


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_the_answer_is_that_of_the_thresholds(task):
    outcomes, names = make_outcomes(task), NAMES[task]
    thresholds = (0.95,) if task == "binary" else (0.95, 0.9, 0.1)
    deciding = make_task(task, thresholds)
    found = top_losses(deciding, outcomes, None, "test", 40).items
    decided = deciding.decisions(outcomes.logits)
    expected = [
        names[decided[one.row]]
        if task == "binary"
        else ", ".join(np.array(names)[decided[one.row] == 1]) or "no label"
        for one in found
    ]
    assert [one.predicted for one in found] == expected
    halves = top_losses(make_task(task), outcomes, None, "test", 40).items
    assert expected != [one.predicted for one in halves]


def test_a_long_text_of_many_lines_is_one_line_that_ends():
    outcomes, texts = make_outcomes("binary"), ["first\nsecond " + "long " * 999] * 40
    found = top_losses(make_task("binary"), outcomes, texts, "test", 3)
    lines = found.describe().splitlines()
    assert len(lines) == 3
    assert all("first second" in line and line.endswith("…") and len(line) < 700 for line in lines)
    assert found.items[0].source == texts[0]


def test_pairs_and_pixels_are_named():
    outcomes = make_outcomes("binary")
    pairs = [("a", "b")] * 40
    assert ": a | b" in top_losses(make_task("binary"), outcomes, pairs, "test").describe()
    shown = top_losses(make_task("binary"), outcomes, None, "test", 1)
    assert shown.describe().endswith(f": row {shown.rows[0]}")
