"""The user's Keras callbacks: they work, or are refused before training; the record is true."""

import contextlib
import dataclasses

import keras
import numpy as np
import pytest

import keras_tl as ktl
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import ConfigError
from keras_tl.learner.reporting import facts
from keras_tl.training.callbacks import hook_into_steps
from keras_tl.training.optimizers import make_optimizer
from keras_tl.training.schedules import LinearDecay
from tests.conftest import make_small_learner, make_tiny_data
from tests.training.test_head_optimum import hard_data

FAST = Phase(
    "tune",
    epochs=3,
    learning_rate=0.05,
    unfreeze="all",
    optimizer="adam",
    schedule="cosine",
    patience=3,
)
RUINOUS = dataclasses.replace(FAST, learning_rate=1.0)


def tuned(callbacks, phase=FAST, data=None):
    learner = make_small_learner(hard_data() if data is None else data)
    with eagerly():
        learner.fit_head()
        (record,) = learner.fine_tune(policy=phase, augment=False, callbacks=callbacks)
    return learner, record


class Averages(keras.callbacks.Callback):
    """Gives the model the mean of two states at the end."""

    def on_train_begin(self, logs=None):
        self.first = self.model.get_weights()

    def on_train_end(self, logs=None):
        now = self.model.get_weights()
        self.model.set_weights([(a + b) / 2 for a, b in zip(self.first, now, strict=True)])


class Restores(keras.callbacks.Callback):
    """Gives the model the weights of its first epoch at the end."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            self.first = self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.first)


def test_the_record_is_of_the_weights_that_are_in_the_model():
    stopping = keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True)
    learner, record = tuned([stopping], RUINOUS)
    losses = [row["val_loss"] for row in record.epochs]
    assert record.best_epoch == int(np.argmin(losses)) + 1
    assert learner.evaluate("validation")["loss"] == pytest.approx(min(losses), rel=1e-3)
    assert record.kept_values["val_loss"] == min(losses)


@pytest.mark.parametrize("kind", ["early-stopping", "first-epoch"])
def test_what_a_callback_restores_in_a_head_is_recorded(kind):
    callback = {
        "early-stopping": keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True),
        "first-epoch": Restores(),
    }[kind]
    learner = make_small_learner(hard_data(), head=ktl.HeadConfig(hidden=(8,)))
    with eagerly():
        record = learner.fit_head(epochs=4, learning_rate=0.3, callbacks=[callback])
    kept = record.epochs[record.best_epoch - 1]
    assert learner.evaluate("validation")["loss"] == pytest.approx(kept["val_loss"], rel=1e-3)
    assert kind == "early-stopping" or record.best_epoch == 1


def test_weights_of_no_epoch_are_called_so(tmp_path):
    learner, record = tuned([Averages()], dataclasses.replace(FAST, patience=None))
    assert record.of_no_epoch
    assert record.kept_values == {}
    assert record.by_callback
    assert "a callback kept other weights" in str(ktl.overfitting(learner))
    learner.evaluate()
    assert "set by a callback" in learner.report(tmp_path / "report.html").read_text()
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), verbose=False)
    assert loaded.history == learner.history


class PutsBack(keras.callbacks.Callback):
    """Gives the model the weights from before at the end."""

    def on_train_begin(self, logs=None):
        self.first = self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.first)


@pytest.mark.parametrize("with_validation", [True, False])
@pytest.mark.parametrize("hidden", [(), (4,)])
def test_weights_from_before_that_a_callback_puts_back(with_validation, hidden, tmp_path, capsys):
    data = hard_data()
    if not with_validation:
        data = dataclasses.replace(data, splits={"train": data.split("train")})
    learner = make_small_learner(data, head=ktl.HeadConfig(hidden=hidden))
    learner._state.reporter.console.quiet = False
    with eagerly():
        record = learner.fit_head(epochs=3, learning_rate=0.05, callbacks=[PutsBack()])
    assert (record.best_epoch, record.by_callback, record.kept_values) == (0, True, {})
    said = capsys.readouterr().err
    assert "head: a callback restored the weights from before the phase." in said
    assert "no epoch had" not in said
    assert ktl.overfitting(learner).state == "unknown"
    assert (
        "weights from before the phase, by a callback"
        in learner.report(tmp_path / "r.html").read_text()
    )
    assert facts(learner._state).history[0].kept == "weights from before the phase, by a callback"


class Logs(keras.callbacks.Callback):
    """Writes into the logs what is no metric of ours."""

    def on_epoch_end(self, epoch, logs=None):
        logs["text"] = "x"
        logs["number"] = 2
        if epoch == 0:
            logs["once"] = 1.0


def test_what_a_callback_logs_is_kept_where_it_is_a_number_in_every_epoch(tmp_path):
    learner = make_small_learner(make_tiny_data())
    with eagerly():
        record = learner.fit_head(epochs=2, callbacks=[Logs()])
    names = {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert [set(row) for row in record.epochs] == [names | {"number"}] * 2
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), verbose=False)
    assert loaded.history == learner.history


def test_a_training_that_was_cut_off_goes_on(tmp_path):
    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    with pytest.raises(KeyboardInterrupt):
        tuned([backup(), Fails()])
    learner, record = tuned([backup()])
    assert len(record.epochs) == 1
    loss = learner.evaluate("validation")["loss"]
    expected = record.kept_values.get("val_loss")
    if expected is None:  # No epoch was better than the head.
        alone = make_small_learner(hard_data())
        alone.fit_head()
        expected = alone.evaluate("validation")["loss"]
    assert loss == pytest.approx(expected, rel=1e-3)
    # The run can be read by everything that reads a history.
    loaded = ktl.Learner.load(learner.save(tmp_path / "run"), data=hard_data(), verbose=False)
    loaded.history.plot()
    ktl.overfitting(loaded)
    loaded.evaluate()
    assert loaded.report(tmp_path / "report.html").exists()


def test_a_training_that_had_ended_is_refused_and_changes_nothing(tmp_path):
    kept = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
    tuned([kept])
    learner = make_small_learner(hard_data())
    learner.fit_head()
    before, history = learner.model.get_weights(), learner.history
    with pytest.raises(ConfigError, match="tune: no epoch is left to train"), eagerly():
        learner.fine_tune(policy=FAST, augment=False, callbacks=[kept])
    for was, now in zip(before, learner.model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    assert learner.history == history
    assert learner.cross_validate(folds=2)["accuracy"] > 0


@pytest.mark.parametrize(
    ("precision", "discriminative"), [("float32", 1.0), ("mixed_float16", 2.0)]
)
def test_callbacks_that_set_the_learning_rate_work(discriminative, precision):
    rates = iter([0.03, 0.02, 0.01])
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: next(rates))
    learner = make_small_learner(make_tiny_data(), precision=precision)
    phase = dataclasses.replace(FAST, discriminative_factor=discriminative, patience=None)
    # With mixed_float16, the steps are traced, as users train.
    with eagerly() if precision == "float32" else contextlib.nullcontext():
        learner.fit_head()
        (record,) = learner.fine_tune(policy=phase, augment=False, callbacks=[scheduler])
    assert [row["learning_rate"] for row in record.epochs] == pytest.approx([0.03, 0.02, 0.01])


def test_a_plateau_lowers_the_learning_rate_of_a_schedule():
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=1e9)
    phase = dataclasses.replace(FAST, epochs=4, warmup=0.0, patience=None)
    _, record = tuned([plateau], phase)
    rates = [row["learning_rate"] for row in record.epochs]
    # It acts after the second epoch and after each one from then on.
    assert rates[2] == pytest.approx(0.1 * rates[1])
    assert rates[3] == pytest.approx(0.1 * rates[2])


def test_a_schedule_holds_until_a_learning_rate_is_set():
    variable = keras.Variable(np.ones((2, 2), np.float32))
    phase = Phase(
        "p",
        epochs=1,
        learning_rate=0.5,
        schedule="linear",
        warmup=0.0,
        optimizer="sgd",
        patience=None,
    )
    optimizer = make_optimizer(phase, 4, [variable])
    plain = LinearDecay(0.5, 4)
    assert float(optimizer.learning_rate) == pytest.approx(float(plain(0)))
    optimizer.apply([np.ones((2, 2), np.float32)], [variable])
    assert float(optimizer.learning_rate) == pytest.approx(float(plain(1)))
    optimizer.learning_rate = 0.125
    before = np.array(variable)
    optimizer.apply([np.ones((2, 2), np.float32)], [variable])
    assert float(optimizer.learning_rate) == 0.125
    np.testing.assert_allclose(before - np.array(variable), 0.9 * 0.5 + 0.125, rtol=1e-5)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert float(again.learning_rate) == pytest.approx(float(plain(0)))


class OfSteps(keras.callbacks.Callback):
    """Counts the steps it hears of."""

    count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1


HEARING = {
    "nothing-of-its-own": (keras.callbacks.Callback(), False),
    "epochs": (keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None), False),
    "early-stopping": (keras.callbacks.EarlyStopping("loss"), False),
    "its-own-method": (OfSteps(), True),
    "a-function": (
        keras.callbacks.LambdaCallback(on_train_batch_begin=lambda step, logs: None),
        True,
    ),
}


@pytest.mark.parametrize("name", HEARING)
def test_callbacks_of_steps_are_recognised(name):
    callback, expected = HEARING[name]
    assert hook_into_steps([callback]) == expected


def test_a_callback_of_steps_is_called_for_every_step_on_cached_features():
    counted, learner = OfSteps(), make_small_learner(make_tiny_data())
    learner.fit_head(epochs=2, batch_size=1, callbacks=[counted])
    assert counted.count == 2 * len(learner.data.split("train"))


WRONG = {
    "no-list": (keras.callbacks.Callback(), "callbacks must be a list. Received: Callback"),
    "no-callback": ([print], "instances of keras.callbacks.Callback. Received: <built-in"),
    "an-average": ([keras.callbacks.SwapEMAWeights()], "SwapEMAWeights needs an optimizer"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_callbacks_are_refused_before_training(name):
    callbacks, message = WRONG[name]
    learner = make_small_learner(make_tiny_data())
    for train in (learner.fit_head, learner.fine_tune, learner.fit):
        with pytest.raises(ConfigError, match=message):
            train(callbacks=callbacks)
    assert learner.history == ()


def test_no_callbacks_may_be_none():
    assert len(make_small_learner(make_tiny_data()).fit_head(callbacks=None).epochs) == 1


def test_a_negative_learning_rate_is_refused():
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: -0.1)
    with pytest.raises(ConfigError, match="learning_rate must be a number of at least 0"):
        tuned([scheduler])


def test_a_head_is_trained_by_a_phase_of_ones_own():
    own = Phase("mine", epochs=3, learning_rate=0.01, optimizer="sgd", batch_size=4, patience=None)
    learner = make_small_learner(make_tiny_data())
    record = learner.fit_head(policy=own)
    assert record.phase == own
    assert len(record.epochs) == 3
    changed = learner.fit_head(policy=own, epochs=1, learning_rate=0.5)
    assert (changed.phase.epochs, changed.phase.learning_rate) == (1, 0.5)
    with pytest.raises(ConfigError, match=r"needs a phase with unfreeze=None.*fine_tune"):
        learner.fit_head(policy=FAST)
    with pytest.raises(ConfigError, match=r"must be a keras_tl.Phase\. Received: 'standard'"):
        learner.fit_head(policy="standard")
