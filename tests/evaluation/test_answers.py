"""Temperature and thresholds: everything that answers has them, until the next training."""

import dataclasses
import json

import numpy as np
import pytest
from scipy.special import expit, softmax

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError, DataError
from keras_tl.export.runtimes.numeric_model import NumericModel
from keras_tl.serving.answers import read_answers
from tests.conftest import make_small_learner

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3)).astype(np.uint8)
# Labels that have nothing to do with the pixels, so that a trained head is too sure.
DRAWN = np.random.default_rng(1)
LABELS = {
    "multiclass": DRAWN.integers(0, 3, 40),
    "binary": DRAWN.integers(0, 2, 40),
    "multilabel": DRAWN.integers(0, 2, (40, 3)),
    "regression": DRAWN.normal(5, 3, 40),
}


def make_learner(task, **options):
    data = ktl.ImageData.from_arrays(PIXELS, LABELS[task], task=task, verbose=False, **options)
    return make_small_learner(data)


@pytest.fixture(scope="module")
def learners():
    return {task: make_learner(task, test_split=0.3, validation_split=0.3) for task in LABELS}


@pytest.fixture
def learner(learners, request):
    """An untrained learner of a task, and afterwards as it was."""
    found = learners[request.param]
    config, state = found.config, found._state
    yield found
    state.config = config
    state.measured.evaluations = {}


def set_answers(learner, temperature, thresholds=()):
    """What `calibrate` and `choose_thresholds` set, to known values."""
    learner._state.config = dataclasses.replace(
        learner.config, temperature=temperature, thresholds=thresholds
    )


def expected_shares(learner, temperature):
    logits = learner.model(PIXELS.astype(np.float32), training=False).numpy() / temperature
    return {
        "multiclass": lambda: softmax(logits, axis=1),
        "binary": lambda: np.concatenate([expit(-logits), expit(logits)], axis=1),
        "multilabel": lambda: expit(logits),
    }[learner.config.task]()


PROBABLE = ["multiclass", "binary", "multilabel"]
for_all_tasks = pytest.mark.parametrize("learner", PROBABLE, indirect=True)


@for_all_tasks
def test_a_temperature_is_in_every_answer_at_once(learner):
    built = learner.serving_model
    before = learner.predict(PIXELS)
    set_answers(learner, 2.0)
    expected = expected_shares(learner, 2.0)
    assert not np.allclose(before.probabilities, expected, atol=1e-3)
    after = learner.predict(PIXELS)
    np.testing.assert_allclose(after.probabilities, expected, atol=1e-6)
    assert after.labels == before.labels
    assert learner.serving_model is not built
    # What is built once is used again.
    assert learner.serving_model is learner.serving_model
    numeric = NumericModel(
        learner.serving_model, learner._state.twin, learner.task, learner.trainer.parts.modality
    )
    answers = numeric.function(fixed=False)(PIXELS.astype(np.float32))
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-6)
    metrics = learner.evaluate()
    split = learner.data.split("test")
    np.testing.assert_allclose(
        learner.evaluations["test"].record.logits * 2,
        learner.model(split.images, training=False),
        atol=1e-5,
    )
    assert learner.evaluations["test"].raw.scaled(2.0).logits == pytest.approx(
        learner.evaluations["test"].record.logits
    )
    assert metrics["loss"] == pytest.approx(metrics["calibration"]["nll"])


@pytest.mark.parametrize("learner", ["binary", "multilabel"], indirect=True)
def test_thresholds_are_in_every_answer(learner):
    is_binary = learner.config.task == "binary"
    shares = learner.predict(PIXELS).probabilities[:, is_binary * 1 :]
    # All the answers are alike but for small differences.
    thresholds = tuple(map(float, np.median(shares, axis=0)))
    set_answers(learner, 1.0, thresholds)
    found, metrics = learner.predict(PIXELS), learner.evaluate()
    expected = shares > np.float32(thresholds)
    assert 0.3 < expected.mean() < 0.7
    truths = learner.data.split("test").labels
    answered = learner.task.probabilities(learner.evaluations["test"].record.logits) > thresholds
    answers = learner.serving_model.ask("pixels", {"pixels": PIXELS})
    names = {"probabilities", "class_id", "labels_mask"} & set(answers)
    served = read_answers({n: answers[n].numpy() for n in names}, learner.config.class_names, None)
    assert served.labels == found.labels
    if is_binary:
        ids = expected[:, 0].astype(int)
        assert not np.array_equal(ids, found.probabilities.argmax(axis=1))
        np.testing.assert_array_equal(found.class_ids, ids)
        assert found.labels == [learner.config.class_names[i] for i in ids]
        assert [item.label for item in found] == found.labels
        for item, row, number in zip(found, found.probabilities, ids, strict=True):
            assert item.probability == row[number]
        assert metrics["accuracy"] == np.mean(answered[:, 0] == truths)
    else:
        np.testing.assert_array_equal(found.mask, expected)
        assert metrics["accuracy"] == np.mean((answered == truths).all(axis=1))


@pytest.mark.parametrize("learner", ["multilabel"], indirect=True)
def test_what_is_fitted_is_kept_until_the_next_training(learner, tmp_path, capsys):
    learner.evaluate()
    by = np.arange(len(learner.data.split("validation"))) % 2
    slices = learner.evaluate("validation", by=by)["slices"]
    before = {split: metrics["loss"] for split, metrics in learner.evaluations.items()}
    fitted = learner.calibrate()
    assert fitted.temperature == learner.config.temperature != 1
    assert set(fitted.after) == {"validation", "test"}
    assert fitted.before["test"].nll == pytest.approx(before["test"])
    # It was measured again, without running the model.
    assert learner.evaluations["test"]["ece"] == fitted.after["test"].ece
    assert learner.evaluations["validation"]["loss"] <= before["validation"]
    assert learner.evaluations["validation"]["slices"] == slices
    # The logits are those of the model: to fit again changes nothing.
    assert learner.calibrate().temperature == fitted.temperature
    chosen = learner.choose_thresholds(min_recall=0.8)
    assert learner.config.thresholds == chosen.values
    for one in chosen.labels:
        measured = learner.evaluations["test"]["per_class"][one.label]
        assert measured["recall"] == pytest.approx(one.rates["test"].recall)
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), verbose=False)
    assert loaded.config == learner.config
    known = {split: found.metrics for split, found in learner.evaluations.items()}
    assert {**loaded.evaluations} == json.loads(json.dumps(known))
    answered = (one.predict(PIXELS[:5]) for one in (learner, loaded))
    assert next(answered).to_json() == next(answered).to_json()
    with pytest.raises(ConfigError, match="class_weight"):
        learner.fine_tune(1, class_weight="balanced")
    assert learner.config.thresholds == chosen.values
    learner._state.reporter.console.quiet = False
    with eagerly():
        learner.fit_head(1)
    learner._state.reporter.console.quiet = True
    assert (learner.config.temperature, learner.config.thresholds) == (1.0, ())
    assert "Training resets the temperature to 1" in capsys.readouterr().err


def test_what_cannot_be_calibrated_is_said(learners):
    with pytest.raises(ConfigError, match="Calibration needs probabilities"):
        learners["regression"].calibrate()
    with pytest.raises(ConfigError, match="a regression has no probabilities"):
        learners["regression"].choose_thresholds()
    alone = make_learner("binary", validation_split=0)
    for call in (alone.calibrate, alone.choose_thresholds):
        with pytest.raises(DataError, match="There is no validation split"):
            call()
    assert alone.config.temperature == 1


@pytest.mark.parametrize("learner", list(LABELS), indirect=True)
def test_top_losses_are_items_of_the_split(learner):
    found = learner.evaluate().top_losses(count=3)
    split = learner.data.split("test")
    labels = [learner.task.name_of(split.labels[row]) for row in found.rows]
    assert [item.true for item in found.items] == labels
    assert learner.evaluations["test"]["loss"] <= found.items[0].loss
    with pytest.raises(ConfigError, match="count must be a whole number of at least 1"):
        learner.evaluate().top_losses(count=0)
