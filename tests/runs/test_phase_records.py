"""Records of phases have what code for Keras's `History` reads."""

import math

import keras
import pytest

from keras_tl.base.config import Phase
from keras_tl.runs.history import PhaseRecord, PhaseRecords


def made_record(name, *epochs):
    phase = Phase(name, epochs=len(epochs), learning_rate=1e-3)
    return PhaseRecord(phase, epochs, seconds=1.0, best_epoch=1, cached=False)


HEAD = made_record("head", {"loss": 1.0, "accuracy": 0.5}, {"loss": 0.5, "accuracy": 0.75})
TUNED = made_record("fine-tune", {"loss": 0.25, "val_loss": 0.5})


def test_a_phase_has_the_values_of_each_epoch():
    assert HEAD.history == {"loss": [1.0, 0.5], "accuracy": [0.5, 0.75]}
    assert HEAD.epoch == [0, 1]


def test_phases_follow_each_other_and_a_missing_value_is_nan():
    records = PhaseRecords([HEAD, TUNED])
    assert records == (HEAD, TUNED)
    assert records.epoch == [0, 1, 2]
    assert records.history["loss"] == [1.0, 0.5, 0.25]
    assert records.history["val_loss"] == pytest.approx([math.nan, math.nan, 0.5], nan_ok=True)
    assert records.history["accuracy"] == pytest.approx([0.5, 0.75, math.nan], nan_ok=True)


def test_no_phases_have_no_values():
    assert PhaseRecords().history == {}
    assert PhaseRecords().epoch == []


def test_values_are_those_that_keras_records():
    history = keras.callbacks.History()
    history.set_model(keras.Sequential())
    history.on_train_begin()
    for number, row in enumerate(HEAD.epochs):
        history.on_epoch_end(number, row)
    assert (HEAD.history, HEAD.epoch) == (history.history, history.epoch)
