"""Phases: the best weights are kept, histories span them, one seed repeats everything."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_tl as ktl
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import ConfigError, DataError
from keras_tl.training.out_of_fold import HeadTraining
from keras_tl.training.phases import BestWeights
from keras_tl.training.policies import FEWEST_STEPS, HEADS, POLICIES, phases_of
from tests.conftest import make_small_learner, make_tiny_data
from tests.training.test_head_optimum import hard_data

GENTLE = Phase("tune", epochs=2, learning_rate=1e-4, unfreeze="all", optimizer="adamw")
RUINOUS = dataclasses.replace(GENTLE, learning_rate=1.0, optimizer="adam")


@pytest.fixture(scope="module")
def trained():
    """A learner after both phases, and the epochs of which a callback was told."""
    learner, seen = make_small_learner(make_tiny_data()), []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    with eagerly():
        learner.fit_head(epochs=2, callbacks=[callback])
        learner.fine_tune(policy=GENTLE, callbacks=[callback])
    return learner, seen


def test_the_history_spans_the_phases(trained):
    history = trained[0].history
    assert [record.phase.name for record in history] == ["head", "tune"]
    assert [record.cached for record in history] == [True, False]
    for record in history:
        assert len(record.epochs) == 2
        for epoch in record.epochs:
            assert set(epoch) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}


def test_a_phase_that_only_harms_ends_with_the_weights_from_before(capsys):
    small_learner = make_small_learner(hard_data())
    small_learner._state.reporter.console.quiet = False
    with eagerly():
        small_learner.fit_head(epochs=5)
        before = small_learner.model.get_weights()
        (record,) = small_learner.fine_tune(policy=RUINOUS, augment=False)
    assert record.best_epoch == 0
    for was, now in zip(before, small_learner.model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    assert "so the phase kept the earlier weights" in capsys.readouterr().err


def test_without_patience_nothing_stops_and_the_last_weights_are_kept(tiny_data):
    # Whatever is learned makes the validation loss worse.
    validation = tiny_data.split("validation")
    wrong = dataclasses.replace(validation, labels=(validation.labels + 1) % 3)
    data = dataclasses.replace(tiny_data, splits=tiny_data.splits | {"validation": wrong})
    learner = make_small_learner(data)
    with eagerly():
        (record,) = learner.fine_tune(epochs=8, policy="scratch", augment=False)
    losses = [epoch["val_loss"] for epoch in record.epochs]
    assert len(losses) == record.best_epoch == 8
    assert losses[-1] > min(losses)
    assert learner.evaluate("validation")["loss"] == pytest.approx(losses[-1], rel=1e-4)


def test_the_best_epoch_is_kept():
    small_learner = make_small_learner(harder_data(50), head=ktl.HeadConfig(hidden=(4,)))
    with eagerly():
        record = small_learner.fit_head(epochs=8, learning_rate=0.1)
    losses = [epoch["val_loss"] for epoch in record.epochs]
    assert record.best_epoch == int(np.argmin(losses)) + 1
    validation = small_learner.evaluate("validation")
    assert validation["loss"] == pytest.approx(min(losses), rel=1e-4)


def with_wrong_labels(data):
    """The same data with other labels in validation: all that is learned makes it worse."""
    validation = data.split("validation")
    classes = len(data.class_names)
    wrong = dataclasses.replace(validation, labels=(validation.labels + 1) % classes)
    return dataclasses.replace(data, splits=data.splits | {"validation": wrong})


def test_no_epoch_makes_a_solved_head_worse():
    data = with_wrong_labels(harder_data(50))
    learner, longer = make_small_learner(data), make_small_learner(data)
    with eagerly():
        solved = learner.fit_head()
        longer.fit_head(epochs=9, learning_rate=0.1)
    assert solved.best_epoch == 1
    loss = longer.evaluate("validation")["loss"]
    assert loss <= learner.evaluate("validation")["loss"] * 1.001


def test_without_validation_all_epochs_run(tiny_data):
    data = dataclasses.replace(tiny_data, splits={"train": tiny_data.split("train")})
    with eagerly():
        record = make_small_learner(data).fit_head(epochs=7, learning_rate=2.0)
    assert len(record.epochs) == record.best_epoch == 7
    assert set(record.epochs[0]) == {"loss", "accuracy", "learning_rate"}


def test_fine_tuning_an_untrained_head_trains_it_first(small_learner, capsys):
    small_learner._state.reporter.console.quiet = False
    with eagerly():
        small_learner.fine_tune(policy=GENTLE, augment=False)
    assert [record.phase.name for record in small_learner.history] == ["head", "tune"]
    assert "fit_head() runs first" in capsys.readouterr().err


def test_callbacks_are_called_in_both_phases(trained):
    assert trained[1] == [0, 1, 0, 1]


@pytest.mark.slow
def test_one_seed_repeats_head_and_augmented_fine_tuning():
    def train(seed):
        learner = make_small_learner(make_tiny_data(4), seed=seed)
        learner.fit_head(epochs=1, cache="memory")
        learner.fine_tune(epochs=2, batch_size=4)
        return learner.model.get_weights()

    first, again, other = train(0), train(0), train(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_given_values_are_always_honoured():
    for policy in POLICIES:
        for phase in phases_of(policy, "image", learning_rate=0.123, unfreeze=2, batch_size=7):
            assert (phase.learning_rate, phase.unfreeze, phase.batch_size) == (0.123, 2, 7)
    (phase,) = phases_of("standard", "text", epochs=11, learning_rate=None)
    standard = POLICIES["standard"]["text"][0]
    assert phase == dataclasses.replace(standard, epochs=11)
    (phase,) = phases_of("standard", "text")
    assert phase == dataclasses.replace(standard, min_steps=FEWEST_STEPS["standard"]["text"])
    assert phases_of(standard, "text") == (standard,)
    assert phases_of(HEADS["image"], "image") == (HEADS["image"],)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": "magic"}, "Unknown policy 'magic'. Expected one of: 'standard'"),
        ({"policy": [GENTLE, GENTLE], "epochs": 2}, "epochs= needs a policy with one phase"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1. Received: 0"),
        ({"learning_rate": -1}, "learning_rate must be a number from 0"),
        ({"augment": "upside-down"}, "Unknown augmentation 'upside-down'"),
    ],
)
def test_wrong_arguments_of_fine_tune(small_learner, arguments, message):
    with pytest.raises(ConfigError, match=message):
        small_learner.fine_tune(**arguments)
    assert small_learner.history == ()


@pytest.mark.slow
def test_a_broken_file_is_named_in_both_phases(tmp_path, small_learner):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(4):
            pixels = np.full((20, 20, 3), 60 * number, np.uint8)
            (tmp_path / name / f"{number}.png").write_bytes(tf.io.encode_png(pixels).numpy())
    (tmp_path / "b" / "2.png").write_bytes(b"not an image")
    options = {"validation_split": 0, "test_split": 0, "check_files": False}
    data = ktl.ImageData.from_folder(tmp_path, **options)
    learner = ktl.Learner("efficientnet_lite0", data, image_size=32, verbose=False)
    for train in (
        learner.fit_head,
        lambda: learner.fit_head(augment=True),
        learner.lr_find,
        lambda: learner.lr_find("fine-tune", policy="scratch"),
    ):
        with pytest.raises(DataError, match=r"Cannot decode .*b/2.png.*Repair the file or remove"):
            train()
    assert learner.history == ()


def harder_data(validation_items):
    """Data on which a wide head is best after a few epochs, with so many validation items."""
    data = hard_data(count=120)
    splits, known = {"train": data.split("train")}, data.split("validation")
    if validation_items:
        splits["validation"] = known.take(np.resize(np.arange(len(known)), validation_items))
    return dataclasses.replace(data, splits=splits)


def wide_learner(validation_items):
    head = ktl.HeadConfig(hidden=(64,))
    return make_small_learner(harder_data(validation_items), as_made=True, head=head)


@pytest.mark.slow
def test_with_few_validation_items_the_loss_out_of_fold_stops_the_head(capsys):
    few, none, enough = wide_learner(49), wide_learner(0), wide_learner(50)
    for learner in (few, none, enough):
        learner._state.reporter.console.quiet = False
    record = few.fit_head(learning_rate=0.05, batch_size=8)
    assert len(record.epochs) == record.best_epoch < record.phase.epochs
    said = f"trains for {record.best_epoch} epochs, the number with the lowest out-of-fold loss"
    assert said in capsys.readouterr().err
    assert record.phase.patience == HEADS["image"].patience
    # The validation items have no say in it.
    same = none.fit_head(learning_rate=0.05, batch_size=8)
    assert [epoch["loss"] for epoch in same.epochs] == [epoch["loss"] for epoch in record.epochs]
    assert said in capsys.readouterr().err
    enough.fit_head(learning_rate=0.05, batch_size=8)
    few.fit_head(epochs=3)
    assert "out-of-fold" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_epoch_chosen_out_of_fold_has_the_lowest_mean_loss_of_held_out_items():
    learner = wide_learner(0)
    train = learner.data.split("train")
    features = learner.features(learner.data.split("train"))
    phase = dataclasses.replace(HEADS["image"], learning_rate=0.05, min_steps=0, epochs=6)
    numbers = np.arange(len(train)) % 3

    def mean_loss(epochs):
        shorter = dataclasses.replace(phase, epochs=epochs, schedule="constant")
        training = learner.trainer.out_of_fold(shorter, len(train), seed=0)
        logits = training.logits(train.labels, features, numbers)
        return learner.task.item_losses(train.labels, logits).mean()

    constant = dataclasses.replace(phase, schedule="constant")
    training = learner.trainer.out_of_fold(constant, len(train), seed=0)
    found = training.best_epoch(train.labels, features, numbers)
    losses = [mean_loss(epochs) for epochs in range(1, 7)]
    assert losses[found - 1] == pytest.approx(min(losses), rel=1e-3)


def test_the_search_for_the_best_epoch_trains_for_exactly_the_epochs_of_the_phase(monkeypatch):
    learner, steps, fit = wide_learner(0), [], keras.Model.fit
    train = learner.data.split("train")
    features = learner.features(train)

    def counted(model, batches, **options):
        steps.append(int(batches.cardinality()) * options.get("epochs", 1))
        return fit(model, batches, **options)

    monkeypatch.setattr(keras.Model, "fit", counted)
    phase = dataclasses.replace(HEADS["image"], min_steps=0, epochs=11)
    training = learner.trainer.out_of_fold(phase, len(train), seed=0)
    found = training.best_epoch(train.labels, features, np.arange(len(train)) % 2)
    in_a_pass = -(-len(train) // 2 // phase.batch_size)
    assert sum(steps) == 2 * 11 * in_a_pass
    assert found in {2, 4, 6, 8, 10, 11}


def in_files(data, folder):
    """The same images as PNG files."""
    splits = {}
    for name, split in data.splits.items():
        paths = [folder / f"{name} {row}.png" for row in range(len(split))]
        for path, pixels in zip(paths, split.images, strict=True):
            path.write_bytes(tf.io.encode_png(tf.cast(pixels, tf.uint8)).numpy())
        splits[name] = ImageSplit(tuple(map(str, paths)), split.labels)
    return dataclasses.replace(data, splits=splits)


def test_a_file_that_has_gone_since_the_start_is_named(tmp_path):
    learner = make_small_learner(in_files(make_tiny_data(), tmp_path))
    with eagerly():
        learner.fit_head(1, cache="memory")
        (tmp_path / "train 5.png").unlink()
        with pytest.raises(DataError, match=r"Cannot read .*train 5\.png.*No such file"):
            learner.fine_tune(1)
    assert [record.phase.name for record in learner.history] == ["head"]


class OneWeight:
    """As much of a model as a callback that restores weights needs."""

    value, stop_training = 0.0, False

    def get_weights(self):
        return self.value

    def set_weights(self, value):
        self.value = value


NAN = float("nan")


@pytest.mark.parametrize("more_is_better", [False, True])
@pytest.mark.parametrize(
    ("before", "losses", "best"),
    [
        (None, [NAN, 0.5, 0.7], 2),
        (NAN, [0.7, 0.5, NAN], 2),
        (0.6, [NAN, 0.5, NAN], 2),
        (0.4, [NAN, 0.5, NAN], 0),
        (None, [NAN, NAN, NAN], 1),
    ],
)
def test_a_loss_that_is_not_a_number_is_never_the_best(more_is_better, before, losses, best):
    sign = -1 if more_is_better else 1
    before = None if before is None else sign * before
    callback, model = BestWeights(9, before, "value", more_is_better), OneWeight()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.value = epoch + 1.0
        callback.on_epoch_end(epoch, {"val_value": sign * loss})
    callback.on_train_end()
    assert (callback.epoch_of([0, 1, 2]), model.value) == (best, best)


def test_an_epoch_after_which_a_fold_diverged_is_never_the_best(monkeypatch):
    phase = dataclasses.replace(HEADS["image"], min_steps=0, epochs=3)
    training = wide_learner(0).trainer.out_of_fold(phase, 8, seed=0)
    losses = [0.5, 0.4, float("nan")]
    monkeypatch.setattr(HeadTraining, "_fit", lambda *arguments: (None, losses))
    numbers = np.arange(8) % 2
    assert training.best_epoch(numbers, np.zeros((8, 2)), numbers) == 2


# How a head is made and trained; whether the validation items say which epoch is kept.
HEADS_OF_FEW = {
    "solved": ((), {}, False),
    "solved-epochs": ((), {"epochs": 4, "learning_rate": 0.1}, True),
    "hidden-epochs": ((4,), {"epochs": 4, "learning_rate": 0.1}, True),
    "hidden-live": ((4,), {"epochs": 4, "learning_rate": 0.1, "cache": "off"}, True),
    "hidden-augmented": ((4,), {"epochs": 4, "learning_rate": 0.1, "augment": "no-flip"}, True),
}


# Without validation items all heads are alike: the fast tier has one of them.
@pytest.mark.parametrize(
    ("name", "items"),
    [
        pytest.param(
            name, items, marks=[pytest.mark.slow] * (not items and name != "hidden-epochs")
        )
        for name in HEADS_OF_FEW
        for items in (0, 49, 50)
    ],
)
def test_few_validation_items_choose_no_epoch_of_a_head(name, items, capsys):
    hidden, options, is_chosen = HEADS_OF_FEW[name]
    data = with_wrong_labels(harder_data(items)) if items else harder_data(0)
    learner = make_small_learner(data, as_made=True, head=ktl.HeadConfig(hidden=hidden))
    learner._state.reporter.console.quiet = False
    with eagerly():
        record = learner.fit_head(**options)
    is_stopped = is_chosen and items == 50
    assert (record.best_epoch < record.phase.epochs) == is_stopped
    assert is_stopped or record.best_epoch == len(record.epochs) == record.phase.epochs
    said = capsys.readouterr().err
    assert ("the last weights are kept" in said) == (is_chosen and items == 49)


def test_a_phase_of_the_users_own_chooses_by_any_validation_split():
    learner = make_small_learner(with_wrong_labels(harder_data(9)), as_made=True)
    phase = Phase("own", epochs=4, learning_rate=0.1, patience=1)
    assert learner.fit_head(policy=phase).best_epoch < 4


@pytest.mark.parametrize("items", [0, pytest.param(49, marks=pytest.mark.slow), 50])
def test_with_few_validation_items_a_policy_keeps_its_last_weights(capsys, items):
    learner = make_small_learner(harder_data(items), as_made=True)
    learner._state.reporter.console.quiet = False
    with eagerly():
        learner.fit_head()
        (record,) = learner.fine_tune(epochs=2, learning_rate=1.0, augment=False)
    assert record.best_epoch == (0 if items == 50 else record.phase.epochs)
    assert learner.trainer.features.is_original == (items == 50)
    said = capsys.readouterr().err
    assert ("the last weights are kept" in said) == (items == 49)
