"""`Evaluation`: a mapping, which belongs to weights and items; nothing shows other weights."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError
from keras_tl.learner.reporting import facts, report_context
from tests.conftest import make_small_learner, make_tiny_data


@pytest.fixture(scope="module")
def data():
    return make_tiny_data(per_class=24)


@pytest.fixture(scope="module")
def unchanged(data):
    """A trained learner for tests that leave its weights as they were."""
    made = make_small_learner(data)
    with eagerly():
        made.fit_head(1, cache="memory")
        made.fine_tune(1, augment=False)
    return made


@pytest.fixture(scope="module")
def run(unchanged, tmp_path_factory):
    return unchanged.save(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def learner(run, data):
    """The trained learner, loaded, to be changed."""
    return ktl.Learner.load(run, data=data, verbose=False)


def set_weights(learner):
    learner.model.set_weights([1.01 * value for value in learner.model.get_weights()])


def fit(learner):
    train = learner.data.split("train")
    images = train.images.astype(np.float32)
    learner.model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with eagerly():
        learner.model.fit(images, train.labels, epochs=1, verbose=0)


def step(learner):
    train = learner.data.split("train")
    with tf.GradientTape() as tape:
        logits = learner.model(train.images[:8].astype(np.float32), training=True)
        loss = tf.reduce_mean(tf.square(logits))
    variables = learner.model.trainable_variables
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(0.01 * gradient)


def interrupted(learner):
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    with pytest.raises(KeyboardInterrupt), eagerly():
        learner.fine_tune(1, learning_rate=0.01, augment=False, callbacks=[callback])


@pytest.mark.parametrize("change", [fit, step])
def test_any_change_of_the_weights_is_noticed(unchanged, change):
    unchanged.evaluate()
    before = unchanged.model.get_weights()
    change(unchanged)
    assert unchanged.evaluations == {}
    assert not unchanged.trainer.is_as_trained
    unchanged.model.set_weights(before)


CHANGES = {"set_weights": set_weights, "interrupted": interrupted}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_shows_a_number_of_other_weights(learner, tmp_path, change):
    known = learner.evaluate()
    learner.report(tmp_path / "before.html")
    learner.save(tmp_path / "run")
    CHANGES[change](learner)
    assert learner.evaluations == {}
    shown = report_context(learner._state)
    assert (shown.test, shown.overfitting) == (None, None)
    assert shown.artifacts.top_items() is None
    assert not facts(learner._state).evaluations
    with pytest.raises(
        ConfigError, match="The learning curves do not describe the current weights"
    ):
        ktl.overfitting(learner)
    assert "learning_curves.png" not in [
        path.name for path in ktl.figures.save(learner, tmp_path / "plots")
    ]
    # What was made afterwards is of the new weights; the old object still is what it was.
    now = learner.evaluations["test"]
    assert now.weights != known.weights
    assert now["loss"] != known["loss"]
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), verbose=False)
    assert loaded.evaluations == learner.evaluations
    assert not loaded.trainer.is_as_trained
    for one in (learner, loaded):
        assert "weights were changed after" in one._repr_html_()


def test_weights_that_come_back_are_not_guessed(unchanged):
    unchanged.evaluate()
    before = unchanged.model.get_weights()
    set_weights(unchanged)
    assert unchanged.evaluations == {}
    unchanged.model.set_weights(before)
    assert unchanged.trainer.is_as_trained
    # A new call measures them again.
    assert unchanged.evaluate()["accuracy"] is not None


def test_an_evaluation_is_a_mapping_of_json_types(unchanged):
    found = unchanged.evaluate("validation")
    assert {**found} == found == found.metrics
    assert json.loads(json.dumps(found.metrics))["accuracy"] == found["accuracy"]
    assert len(found) == len([*found])
    assert f"accuracy: {found['accuracy']:.4g}" in repr(found)
    assert "<table>" in found._repr_html_()
    assert found is not unchanged.evaluate("validation")
    assert unchanged.evaluations["validation"].raw.are_of(unchanged.data.split("validation"))


def test_a_data_frame_has_a_row_for_each_item(unchanged):
    found = unchanged.evaluate()
    frame, split = found.to_dataframe(), unchanged.data.split("test")
    assert [*frame.columns] == ["item", "label", "prediction", "probability", "loss"]
    assert [*frame["label"]] == [unchanged.config.class_names[label] for label in split.labels]
    assert (frame["label"] == frame["prediction"]).mean() == pytest.approx(found["accuracy"])
    assert frame["loss"].mean() == pytest.approx(found["loss"])
    worst = found.top_losses(1).items[0]
    assert frame["loss"].idxmax() == worst.row


def test_other_answers_of_the_same_logits(unchanged):
    groups = ["ab"[row % 2] for row in range(len(unchanged.data.split("validation")))]
    found = unchanged.evaluate("validation", by=groups)
    warmer = dataclasses.replace(found.task, temperature=2.0)
    changed = found.under(warmer)
    assert found.under(found.task) is found
    assert changed.raw is found.raw
    assert changed["accuracy"] == found["accuracy"]
    assert changed["loss"] != found["loss"]
    # No answer changes by a temperature.
    assert changed.slices == found.slices is not None
