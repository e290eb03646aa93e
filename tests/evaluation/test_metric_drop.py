"""The harm of fine-tuning on the validation split: what counts, and what is said of it."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import keras_tl as ktl
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.cli import cli
from keras_tl.evaluation.metric_drop import describe_metric_drop, find_metric_drop
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.report.sections.training import metric_drops
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import TASKS
from keras_tl.training.policies import POLICIES
from tests.conftest import make_small_learner, small_network
from tests.training.test_head_optimum import hard_data

# Items that change: from right to wrong, from wrong to right; whether that is beyond chance.
CHANGES = {
    "six-of-nine": (6, 0, True),
    "five": (5, 0, True),
    "four": (4, 0, False),
    "none": (0, 0, False),
    "better": (0, 9, False),
    "as-many": (5, 5, False),
    "seven-of-eight": (7, 1, True),
    "six-of-eight": (6, 2, False),
}


def pair(task, worse, better, count=20):
    """Outcomes of the same items, of which so many get worse, and better."""
    labels = np.arange(count) % 2
    wrong = np.zeros((2, count), bool)
    wrong[1, :worse] = wrong[0, worse : worse + better] = True
    if task == "regression":
        return [PredictionRecord(labels.astype(float), (labels + x)[:, None]) for x in wrong * 3.0]
    answers = [np.where(x, 1 - labels, labels) for x in wrong]
    if task == "multiclass":
        return [PredictionRecord(labels, np.eye(2)[answer]) for answer in answers]
    if task == "binary":
        return [PredictionRecord(labels, 2.0 * answer[:, None] - 1) for answer in answers]
    both = np.stack([labels, labels], 1)
    return [PredictionRecord(both, np.stack([2.0 * x - 1, 2.0 * labels - 1], 1)) for x in answers]


@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel", "regression"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_fall_is_told_if_chance_does_not_explain_it(name, task):
    worse, better, is_told = CHANGES[name]
    found = find_metric_drop(TASKS[task](), *pair(task, worse, better), "photo")
    assert (found is not None) == is_told
    if is_told:
        assert (found.worse, found.better, found.items, found.unit) == (worse, better, 20, "photo")
        assert (found.after < found.before) == (task != "regression")


def test_without_harm_hardly_any_fall_is_told():
    rng = np.random.default_rng(0)
    labels = np.zeros(30, int)
    told = 0
    for _ in range(1000):
        before, after = (np.eye(2)[rng.integers(2, size=30)] for _ in range(2))
        told += (
            find_metric_drop(
                TASKS["multiclass"](),
                PredictionRecord(labels, before),
                PredictionRecord(labels, after),
                "x",
            )
            is not None
        )
    assert told <= 50


def test_items_of_one_group_count_once():
    outcomes = pair("multiclass", 6, 0)
    groups = np.array([0] * 6 + [*range(1, 15)])
    assert find_metric_drop(TASKS["multiclass"](), *outcomes, "photo", groups) is None
    found = find_metric_drop(TASKS["multiclass"](), *outcomes, "photo", np.arange(20) // 1)
    assert (found.unit, found.worse) == ("group", 6)


def test_answers_that_are_no_numbers_are_told_elsewhere():
    before, after = pair("multiclass", 6, 0)
    after = dataclasses.replace(after, logits=after.logits * np.nan)
    assert find_metric_drop(TASKS["multiclass"](), before, after, "photo") is None


# The learning rate of one epoch of fine-tuning; whether it does harm.
RATES = {"ruinous": (1.0, True), "gentle": (1e-6, False)}


@pytest.mark.parametrize("name", RATES)
def test_fine_tuning_tells_its_harm_and_the_run_keeps_it(name, capsys, tmp_path):
    rate, is_told = RATES[name]
    learner = make_small_learner(hard_data(count=150))
    with eagerly():
        learner.fit_head()
        learner._state.reporter.console.quiet = False
        (record,) = learner.fine_tune(epochs=1, learning_rate=rate, augment=False)
    said = capsys.readouterr().err
    assert (record.metric_drop is not None) == is_told
    assert learner.history[-1] == record
    assert ("fine-tune: the accuracy on the 24 validation items went from" in said) == is_told
    assert ("Make a new Learner and call fit()" in said) == is_told
    learner.save(tmp_path / "run")
    assert ktl.Learner.load(tmp_path / "run", verbose=False).history[-1] == record


def test_a_command_tells_the_harm_itself(capsys):
    learner = make_small_learner(hard_data(count=150))
    with eagerly():
        learner.fit_head()
        learner._state.reporter.console.quiet = False
        learner._state.reporter.writes_results = False
        (record,) = learner.fine_tune(epochs=1, learning_rate=RATES["ruinous"][0], augment=False)
    assert record.metric_drop is not None
    assert "went from" not in capsys.readouterr().err


def test_a_ruinous_phase_that_the_validation_split_undoes_has_no_drop():
    learner = make_small_learner(hard_data(count=150))
    phase = Phase("own", epochs=1, learning_rate=RATES["ruinous"][0], unfreeze="all", patience=1)
    with eagerly():
        learner.fit_head()
        (record,) = learner.fine_tune(policy=phase, augment=False)
    assert (record.best_epoch, record.metric_drop) == (0, None)


def test_the_cure_is_a_call_or_options():
    metric_drop = find_metric_drop(TASKS["multiclass"](), *pair("multiclass", 6, 0), "photo")
    phase = POLICIES["standard"]["image"][0]
    record = PhaseRecord(dataclasses.replace(phase, learning_rate=2e-4), (), 0.0, 1, False)
    assert describe_metric_drop(record) is None
    record = dataclasses.replace(record, metric_drop=metric_drop)
    assert describe_metric_drop(record).endswith(
        "6 photos got worse, 0 got better. Chance alone causes such a change in 1.6% of cases. The "
        "model keeps the fine-tuned weights. Make a new Learner and call fit(), which keeps the "
        "head unless fine-tuning is better. Or call fine_tune(learning_rate=2e-05) on the new "
        "Learner."
    )
    (told,) = metric_drops([dataclasses.replace(record, metric_drop=None), record])
    assert told.text == describe_metric_drop(record)
    assert describe_metric_drop(record, is_command=True).endswith("--learning-rate 2e-05.")


@pytest.mark.slow
def test_the_command_line_warns_of_the_harm(tmp_path):
    rate, _ = RATES["ruinous"]
    items = hard_data(count=150).joined(["train", "validation", "test"])
    for number, (pixels, label) in enumerate(zip(items.images, items.labels, strict=True)):
        path = tmp_path / "photos" / "rgb"[label] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    small_network().save(tmp_path / "small.keras")
    options = {
        "--data": f"folder:{tmp_path / 'photos'}",
        "--backbone": tmp_path / "small.keras",
        "--preprocess": "tf",
        "--image-size": 32,
        "--fine-tune-epochs": 1,
        "--learning-rate": rate,
        "--out": tmp_path / "run",
    }
    arguments = ["train", "--no-augment", "--no-preflight", "--seed", "0"]
    arguments += [str(part) for option in options.items() for part in option]
    done = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    assert found["warning"].startswith("fine-tune: the accuracy on the 19 validation items")
    assert found["warning"].endswith("--learning-rate 1e-01.")
    said = CliRunner().invoke(cli, [*arguments, "--overwrite"], catch_exceptions=False).output
    assert said.count("the accuracy on the 19 validation items went from") == 1
    assert "Make a new Learner" not in said
