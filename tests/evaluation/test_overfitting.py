"""Overfitting: what is read off the phases of a training, and the remedies that fit them."""

import dataclasses
import re

import keras
import numpy as np
import pytest
from click.core import ParameterSource

import keras_tl as ktl
from keras_tl.base.config import HeadConfig, Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.data.images.augmentation import names_of
from keras_tl.errors import ConfigError, DataError
from keras_tl.training.policies import HEADS, POLICIES, phases_of
from tests.conftest import make_small_learner, make_tiny_data
from tests.made_phases import (
    CLOSE,
    ERRORS,
    FALLING,
    HEAD,
    HIGH,
    LATE,
    RISING,
    SCRATCH,
    TUNE,
    WIDE,
    WORSE,
    find,
    record,
)


def test_what_early_stopping_saved_and_avoided():
    phase = dataclasses.replace(HEAD, epochs=10)
    (found,) = find(record(**(WORSE | {"phase": phase}))).phases
    assert (found.planned, found.ran, found.saved) == (10, 4, 6)
    assert (found.kept_epoch, found.best_epoch, found.monitor) == (1, 1, "loss")
    assert found.avoided == pytest.approx(0.3)
    text = find(record(**(WORSE | {"phase": phase}))).describe()
    assert "early stopping saved 6 epochs, last epoch worse by 0.3000 in loss" in text
    phase = dataclasses.replace(HEAD, epochs=5)
    text = find(record(**(WORSE | {"phase": phase}))).describe()
    assert "early stopping saved 1 epoch, last epoch worse by" in text


def test_the_gap_is_that_of_the_kept_epoch_and_its_trend_that_of_all():
    (found,) = find(record(**(WIDE | {"kept": 2}))).phases
    assert (found.train, found.validation) == (0.9, 0.7)
    assert found.gap == pytest.approx(0.2)
    # 0.1, 0.2, 0.25, 0.29
    assert found.trend == pytest.approx(0.062)
    (short,) = find(record([1, 0.5], [1, 0.5], [0.5, 0.6], [0.5, 0.6])).phases
    assert short.trend is None
    assert "difference: at least 0.200" in find(record(**(WIDE | {"kept": 2}))).statement


def test_what_was_measured_comes_before_what_was_logged():
    measured = {"train": {"accuracy": 0.9}, "validation": {"accuracy": 0.5}}
    found = find(record(**LATE), measured=measured)
    assert found.state == "overfits"
    assert (found.phases[0].gap, found.phases[0].is_measured) == (pytest.approx(0.4), True)
    said = "accuracy 0.900 in training, 0.500 on the validation split (difference: 0.400"
    assert said in found.statement
    no_curves = {"loss": FALLING, "val_loss": None, "accuracy": [0.8, 0.9, 0.95, 0.99]}
    assert find(record(**no_curves), measured=measured).state == "overfits"
    close = {"train": {"accuracy": 0.9}, "validation": {"accuracy": 0.9}}
    assert find(record(**no_curves), measured=close).state == "fits"


def test_the_weights_decide_which_phase_is_spoken_of():
    harm = record(**(WORSE | {"kept": 0, "phase": TUNE}))
    found = find(record(**WIDE), harm)
    assert (found.state, found.statement[:5]) == ("overfits", "head:")
    found = find(record(**LATE), harm)
    assert (found.state, found.statement[:10]) == ("spared", "fine-tune:")
    found = find(record(**WIDE), record(**(LATE | {"phase": TUNE})))
    assert (found.state, [phase.state for phase in found.phases]) == ("fits", ["overfits", "fits"])


def tuned(**changes):
    return WIDE | {"phase": TUNE} | changes


SMOOTH = dataclasses.replace(TUNE, label_smoothing=0.1)
DROPPED = {"head": HeadConfig(dropout=0.5)}
NEW = "learner = ktl.Learner(backbone, {}); "
TUNED = "learner.fine_tune(epochs=4, learning_rate=0.0001, {})"
AT = "learner.fine_tune(epochs=4, {})"
OWN = dataclasses.replace(SMOOTH, unfreeze=1, weight_decay=0.1)
# What `OWN` is in full: no policy's name stands for its decay.
WRITTEN = (
    'ktl.Phase(name="fine-tune", epochs=4, learning_rate={}, unfreeze=1, optimizer="adamw", '
    'weight_decay=0.1, schedule="cosine", warmup=0.1, patience=3, label_smoothing=0.1)'
)


# Not near perfect yet; a phase of one epoch.
LEARNING = CLOSE | {"accuracy": [0.6, 0.7, 0.75, 0.8], "val_accuracy": [0.6, 0.68, 0.72, 0.75]}
ONE = {"loss": [1.2], "val_loss": [1.1], "phase": dataclasses.replace(HEAD, epochs=1)}
SOLVED = {"solved": True}


def policy(name, **changes):
    return dataclasses.replace(POLICIES[name]["image"][0], **changes)


# The curves, other arguments; the calls.
REMEDIES = {
    "head": (
        WIDE,
        {},
        [
            "learner.fit_head(epochs=4, augment=True)",
            NEW.format("data, head=ktl.HeadConfig(dropout=0.5)") + "learner.fit_head(epochs=4)",
        ],
    ),
    "head-with-hidden-layers": (
        WIDE,
        {"head": HeadConfig(hidden=(64,), dropout=0.3)},
        [
            NEW.format("data, head=ktl.HeadConfig(dropout=0.3)") + "learner.fit_head(epochs=4)",
            "learner.fit_head(epochs=4, augment=True)",
        ],
    ),
    "head-of-texts": (
        WIDE | {"phase": dataclasses.replace(HEADS["text"], epochs=4, min_steps=0)},
        {"text": True},
        [
            NEW.format("data, head=ktl.HeadConfig(dropout=0.5)") + "learner.fit_head(epochs=4)",
            "learner.fit_head(epochs=4, label_smoothing=0.1)",
        ],
    ),
    "regression-of-texts": (
        ERRORS
        | {"accuracy": [0.4] * 4, "val_accuracy": [0.7] * 4}
        | {"phase": dataclasses.replace(HEADS["text"], epochs=4, min_steps=0)},
        {"text": True, "task": "regression"},
        [
            NEW.format("data, head=ktl.HeadConfig(dropout=0.5)") + "learner.fit_head(epochs=4)",
            NEW.format("more_data") + "learner.fit_head(epochs=4)",
        ],
    ),
    "not-augmented": (
        tuned(),
        {},
        [TUNED.format("augment=True"), TUNED.format("unfreeze=2, augment=False")],
    ),
    "augmented": (
        tuned(augment=("standard",)),
        {},
        [TUNED.format('augment="randaugment"'), TUNED.format("unfreeze=2")],
    ),
    "first-epoch-best": (
        tuned(kept=1),
        {},
        [AT.format("learning_rate=3e-05, augment=False"), TUNED.format("augment=True")],
    ),
    "few-unfrozen": (
        tuned(phase=dataclasses.replace(TUNE, unfreeze=1), augment=("no-flip",)),
        DROPPED,
        [
            TUNED.format('label_smoothing=0.1, unfreeze=1, augment="no-flip"'),
            'learner.fine_tune(policy=ktl.Phase(name="fine-tune", epochs=4, learning_rate=0.0001, '
            'unfreeze=1, optimizer="adamw", weight_decay=0.1, schedule="cosine", warmup=0.1, '
            'patience=3), augment="no-flip")',
        ],
    ),
    "all-used": (
        tuned(phase=OWN, augment=("randaugment",)),
        DROPPED,
        [
            NEW.format("more_data, head=ktl.HeadConfig(dropout=0.5)")
            + f'learner.fine_tune(policy={WRITTEN.format("0.0001")}, augment="randaugment")',
            f'learner.fine_tune(policy={WRITTEN.format("3e-05")}, augment="randaugment")',
        ],
    ),
    "discriminative": (
        tuned(phase=policy("discriminative", batch_size=8), augment=("standard",), kept=1),
        {},
        [
            'learner.fine_tune(policy="discriminative", epochs=3, learning_rate=0.0003, '
            "batch_size=8)",
            'learner.fine_tune(policy="discriminative", epochs=3, batch_size=8, '
            'augment="randaugment")',
        ],
    ),
    "ulmfit": (
        tuned(phase=policy("ulmfit"), augment=("no-flip",), kept=1),
        {},
        [
            'learner.fine_tune(policy="ulmfit", epochs=3, learning_rate=0.0003, augment="no-flip")',
            'learner.fine_tune(policy="ulmfit", epochs=3, unfreeze=2, augment="no-flip")',
        ],
    ),
    "scratch": (
        WORSE | {"phase": SCRATCH, "kept": 4},
        {},
        [
            'learner.fine_tune(policy="scratch", epochs=4, augment=True)',
            'learner.fine_tune(policy="scratch", epochs=4, unfreeze=2, augment=False)',
        ],
    ),
    "head-still-falling": (
        LEARNING,
        {},
        ["learner.fit_head(epochs=8)", "learner.fit_head(epochs=4, learning_rate=0.003)"],
    ),
    "tuned-still-falling": (
        LEARNING | {"phase": TUNE},
        {},
        [
            "learner.fine_tune(epochs=8, learning_rate=0.0001, augment=False)",
            "learner.fine_tune(epochs=4, learning_rate=0.0003, augment=False)",
        ],
    ),
    "head-of-mixed-labels": (
        HIGH | {"augment": ("mixup",)},
        {},
        ["keras_tl.overfitting(learner, measure=True)"],
    ),
    "head-of-mixed-labels-measured": (
        HIGH | {"augment": ("mixup",)},
        {"measured": {"train": {"accuracy": 0.6}, "validation": {"accuracy": 0.58}}},
        ["learner.fine_tune()", "learner.fit_head(epochs=4, augment=True)"],
    ),
    "head-high": (
        HIGH,
        {},
        ["learner.fine_tune()", "learner.fit_head(epochs=4, learning_rate=0.003)"],
    ),
    "tuned-high": (
        HIGH | {"phase": dataclasses.replace(TUNE, unfreeze=2), "augment": ("no-flip",)},
        {},
        [
            TUNED.format('unfreeze="all", augment="no-flip"'),
            AT.format('learning_rate=0.0003, unfreeze=2, augment="no-flip"'),
        ],
    ),
    "all-tuned-high": (
        HIGH | {"phase": TUNE},
        {},
        [
            AT.format("learning_rate=0.0003, augment=False"),
            "learner.fine_tune(epochs=8, learning_rate=0.0001, augment=False)",
        ],
    ),
    "diverged": (
        {
            "loss": [9.0],
            "val_loss": [9.0],
            "kept": 0,
            "phase": dataclasses.replace(TUNE, unfreeze=2),
        },
        {},
        [
            AT.format("learning_rate=1e-05, unfreeze=2, augment=False"),
            "learner.fit_head(); "
            + AT.format(
                'learning_rate=learner.lr_find(phase="fine-tune", unfreeze=2).suggestion, '
                "unfreeze=2, augment=False"
            ),
        ],
    ),
    "diverged-head": (
        {"loss": [9.0], "val_loss": [9.0], "kept": 0},
        {},
        [
            "learner.fit_head(epochs=4, learning_rate=0.0001)",
            'learner.fit_head(epochs=4, learning_rate=learner.lr_find(phase="head").suggestion)',
        ],
    ),
    "diverged-own": (
        {"loss": [9.0], "val_loss": [9.0], "kept": 0, "phase": OWN},
        {},
        [
            f"learner.fine_tune(policy={WRITTEN.format('1e-05')}, augment=False)",
            f"learner.fit_head(); phase = {WRITTEN.format('0.0001')}; learner.fine_tune("
            "policy=phase, augment=False, learning_rate=learner.lr_find(phase).suggestion)",
        ],
    ),
    "no-validation": (
        {"loss": FALLING, "val_loss": None},
        {},
        ["ktl.ImageData.from_folder(path, validation_split=0.15)"],
    ),
    "few-items": (
        WIDE,
        {"items": 10},
        ["ktl.ImageData.from_folder(path, validation_split=0.3)"],
    ),
    "one-epoch": (ONE, {}, ["learner.fit_head(epochs=2)"]),
    "nothing-better": (
        CLOSE | {"val_loss": [0.3, 0.31, 0.3, 0.3], "kept": 0, "phase": TUNE},
        {},
        [AT.format("learning_rate=3e-05, augment=False")],
    ),
    "solved-overfits": (
        WIDE | SOLVED,
        {},
        ["learner.fine_tune()", NEW.format("more_data") + "learner.fit_head(epochs=4)"],
    ),
    "solved-underfits": (
        HIGH | SOLVED,
        {},
        [
            "learner.fine_tune()",
            "ktl.rank_backbones(data, "
            "['efficientnet_lite0', 'efficientnet_v2_b0', 'convnext_tiny'])",
        ],
    ),
    "solved-text-underfits": (
        HIGH | SOLVED | {"phase": dataclasses.replace(HEADS["text"], epochs=4, min_steps=0)},
        {"text": True},
        ["learner.fine_tune()", NEW.format("more_data") + "learner.fit_head(epochs=4)"],
    ),
    "solved-not-a-number": (
        HIGH | SOLVED | {"loss": [float("nan")] * 4},
        {},
        ["learner.check()"],
    ),
}


@pytest.mark.parametrize("name", REMEDIES)
def test_the_remedies_fit_the_situation(name):
    curves, options, calls = REMEDIES[name]
    found = find(record(**curves), **options)
    assert [remedy.python for remedy in found.remedies] == calls
    assert all(call in found.describe() for call in calls)


def test_every_command_is_one_that_the_command_line_knows():
    from keras_tl.cli import cli

    parsed = set()
    for curves, options, _ in REMEDIES.values():
        for remedy in find(record(**curves), **options).remedies:
            if remedy.command is None:
                continue
            program, command, *arguments = remedy.command.split()
            assert (program, command, arguments.pop(0)) == ("keras-tl", "train", "...")
            rest = [] if "--data" in arguments else ["--data", "digits"]
            with cli.commands["train"].make_context("train", [*arguments, *rest]) as context:
                given = [
                    name
                    for name in context.params
                    if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
                ]
            parsed |= {*given}
    assert len(parsed) > 8


def test_without_training_there_is_nothing_to_read():
    with pytest.raises(ConfigError, match="untrained: there are no curves"):
        find()


def plain_network():
    """Where a Dense layer sees every pixel, so that anything can be learned by heart."""
    inputs = keras.Input((8, 8, 3))
    outputs = keras.layers.Reshape((1, 1, 192))(inputs)
    return keras.Model(inputs, outputs, name="plain")


def pixel_learner(random):
    """Two classes by chance, or by their reds."""
    rng = np.random.default_rng(5)
    pixels = rng.uniform(0, 255, (150, 8, 8, 3)).astype(np.float32)
    labels = rng.permutation(np.arange(150) % 2)
    if not random:
        pixels[..., 0] = pixels[..., 0] / 2 + 127 * labels[:, None, None]
    data = ktl.ImageData.from_arrays(pixels, labels, validation_split=0.3, verbose=False)
    # A linear head would begin at an optimum that is chosen not to overfit.
    head = HeadConfig(hidden=(64,), dropout=0.0)
    options = {"preprocess": "tf", "head": head, "seed": 0, "preflight": False}
    return ktl.Learner(plain_network(), data, **options)


def test_random_labels_are_overfitted_unless_that_is_stopped(capsys):
    learner = pixel_learner(random=True)
    # A phase of one's own stops by any validation split, however small.
    with eagerly():
        learner.fit_head(policy=Phase("head", epochs=12, learning_rate=0.01), cache="memory")
    assert ktl.overfitting(learner).state == "spared"
    assert "overfits" not in capsys.readouterr().err
    phase = Phase("longer", epochs=12, learning_rate=0.01, patience=None)
    with eagerly():
        learner.fine_tune(policy=phase, augment=False)
    assert "longer: the model overfits: accuracy " in capsys.readouterr().err
    found = ktl.overfitting(learner, measure=True)
    assert (found.state, ktl.overfitting(learner).state) == ("overfits", "overfits")
    logged, measured = ktl.overfitting(learner).phases[1], found.phases[1]
    assert measured.train > 0.9
    assert measured.validation == learner.evaluate("validation")["accuracy"]
    assert measured.validation < 0.7
    assert logged.gap < measured.gap + 0.01
    assert not ktl.overfitting(learner).phases[0].is_measured


def test_labels_that_can_be_learned_are_not(capsys):
    learner = pixel_learner(random=False)
    with eagerly():
        learner.fit_head(epochs=12, learning_rate=0.01, cache="memory")
    assert "overfits" not in capsys.readouterr().err
    found = ktl.overfitting(learner, measure=True)
    assert found.state == "fits"
    assert found.phases[0].validation > 0.9


def test_a_learner_without_data_or_training(capsys):
    # A linear head would be solved anew, whatever its weights.
    head = HeadConfig(hidden=(4,))
    learner = make_small_learner(make_tiny_data(), verbose=True, head=head)
    with pytest.raises(ConfigError, match="untrained: there are no curves"):
        ktl.overfitting(learner)
    learner.trainer.remember([record(**WIDE)], are_as_trained=True)
    # So few validation items may show that gap by chance.
    found = ktl.overfitting(learner)
    assert (found.state, found.phases[0].reason) == ("unknown", "few-items")
    kernel = learner.trainer.parts.head.layers[-1].kernel
    before = kernel.numpy()
    kernel.assign(np.nan * before)
    with pytest.raises(
        ConfigError, match="The learning curves do not describe the current weights"
    ):
        ktl.overfitting(learner)
    learner.trainer.remember([], are_as_trained=True)
    for measure in (learner.evaluate, lambda: ktl.overfitting(learner, measure=True)):
        with pytest.raises(ConfigError, match=r"\d+ images of the (test|train) split are not"):
            measure()
    learner.fit_head(1, cache="memory")
    said = capsys.readouterr().err
    assert "head: training diverged (the loss is not a finite number)" in said
    assert "keras_tl.overfitting(learner) lists remedies" in said
    del learner.trainer.history[1:]
    kernel.assign(before)
    learner.trainer.remember([], are_as_trained=True)
    learner._state.data = None
    assert ktl.overfitting(learner).state == "overfits"
    with pytest.raises(DataError, match="without data"):
        ktl.overfitting(learner, measure=True)


def test_a_phase_of_ones_own_is_judged_by_what_it_watches():
    phase = Phase("own", epochs=3, learning_rate=1e-3, monitor="metric", patience=2)
    rows = record(FALLING[:3], RISING[:3], [0.9] * 3, [0.9, 0.87, 0.86], phase=phase, kept=1)
    (found,) = find(rows).phases
    assert (found.monitor, found.state) == ("accuracy", "spared")
    assert found.avoided == pytest.approx(0.04)


# How each is given on the command line, by the curves of `REMEDIES`; `None`: not at all.
COMMANDS = {
    "discriminative": ["--policy discriminative --learning-rate 0.0003"],
    "scratch": ["--policy scratch --augment standard", "--policy scratch --unfreeze 2"],
    "not-augmented": ["--augment standard", "--unfreeze 2"],
    "head-still-falling": ["--head-epochs 8", "--head-learning-rate 0.003"],
    "solved-overfits": ["--fine-tune-epochs 3", "--data MORE"],
    "solved-underfits": ["--fine-tune-epochs 3", None],
    "all-used": ["--data MORE", None],
    "few-unfrozen": ["--label-smoothing 0.1", None],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_keep_the_policy(name):
    curves, options, _ = REMEDIES[name]
    found = find(record(**curves), **options).remedies
    for remedy, expected in zip(found, COMMANDS[name], strict=False):
        assert remedy.command == (expected and f"keras-tl train ... {expected}")


def test_a_notebook_shows_all_of_it():
    found = find(record(**WIDE))
    assert repr(found) == found.describe()
    page = found._repr_html_()
    assert found.statement in page
    assert "<li>head: 4 of 4 epochs, kept epoch 4" in page
    for remedy in found.remedies:
        assert f"<td>{remedy.what}</td><td><code>{remedy.python}</code></td>" in page
    assert "<table>" not in find(record(**LATE))._repr_html_()


@pytest.fixture(scope="module")
def saved():
    """A learner of a network of four blocks, and a run of it, which needs no arguments."""
    inputs = x = keras.Input((32, 32, 3))
    for number in range(4):
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name=f"block{number}")(x)
    network = keras.Model(inputs, x)
    return ktl.Learner(network, make_tiny_data(), preprocess="tf", seed=0, verbose=False)


def as_recorded(phase):
    """A phase with a number for its learning rate, as records have it."""
    rate = 1e-4 if phase.learning_rate == "auto" else phase.learning_rate
    return dataclasses.replace(phase, learning_rate=rate)


@pytest.mark.slow
@pytest.mark.parametrize("name", [x for x in REMEDIES if "text" not in x])
def test_the_calls_run_and_change_one_thing_only(name, saved, tmp_path, monkeypatch):
    """All but the training itself, the finder of rates included."""
    curves, options, _ = REMEDIES[name]
    before, data, ran = record(**curves), saved.data, []

    def run(trainer, phase, data, augment, *rest):
        changes = {"phase": as_recorded(phase), "augment": names_of(augment)}
        # The curves of a solved head are not diagnosed after the phase.
        ran.append(dataclasses.replace(before, **changes, solved=True))
        trainer.history.append(ran[-1])
        return ran[-1]

    monkeypatch.setattr("keras_tl.training.trainer.Trainer.run", run)
    backbone = f"run:{saved.save(tmp_path / 'run')}"
    for remedy in find(before, **options).remedies:
        if not {"fit_head", "fine_tune"} & {*re.split(r"\W", remedy.python)}:
            continue  # It trains nothing.
        saved.trainer.history.clear()
        names = {"ktl": ktl, "learner": saved, "backbone": backbone, "data": data}
        exec(remedy.python, names | {"more_data": data})
        one, other = ({**r.phase.to_json(), "augment": r.augment} for r in (before, ran[-1]))
        changed = {field for field in one if one[field] != other[field]}
        if remedy.what == "fine-tuning":
            assert ran[-1].phase == as_recorded(*phases_of("standard", "image"))
        elif "ktl.Learner" in remedy.python:
            assert not changed, remedy
        else:
            assert len(changed) == 1, remedy


def test_the_remedies_are_for_the_phase_that_is_judged():
    judged = record(**tuned(phase=OWN, augment=("randaugment",)))
    harm = record(**(WORSE | {"kept": 0, "phase": SCRATCH}))
    found = find(judged, harm, **DROPPED)
    assert found.phases[1].kept_epoch == 0
    assert found.remedies == find(judged, **DROPPED).remedies
