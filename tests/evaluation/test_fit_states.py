"""The state of a phase and what is said of it: a table of curves from both sides of every line."""

import dataclasses
import json
import math

import numpy as np
import pytest

from keras_tl.evaluation.convergence import still_falls
from keras_tl.runs.history import PhaseRecord
from tests.made_phases import (
    BETTER,
    CLOSE,
    ERRORS,
    FALLING,
    HEAD,
    HIGH,
    LATE,
    RISING,
    SCRATCH,
    TEXT,
    TUNE,
    WIDE,
    WORSE,
    find,
    record,
)


def phase(epochs, base=HEAD, **changes):
    return {"phase": dataclasses.replace(base, epochs=epochs, **changes)}


def cosine(epochs, peak=1e-3):
    """The learning rates at the ends of the epochs."""
    return [peak * (1 + math.cos(math.pi * n / epochs)) / 2 for n in range(1, epochs + 1)]


# Measured: VGG16 with its ImageNet weights at 64 pixels, 60 photos of each of 10 classes, the head
# with random weights and without standardisation: `fit_head(epochs=20)`, 300 validation items.
VGG16 = {
    "loss": [
        *(16.431, 11.941, 8.145, 6.343, 5.401, 4.405, 4.016, 3.806, 2.785, 2.859),
        *(2.474, 2.384, 2.103, 2.149, 1.942, 1.932, 1.789, 1.904, 2.074, 1.746),
    ],
    "val_loss": [
        *(12.017, 9.208, 7.707, 6.917, 6.532, 6.121, 5.792, 5.601, 5.469, 5.357),
        *(5.267, 5.165, 5.178, 5.184, 5.125, 5.107, 5.089, 5.085, 5.081, 5.081),
    ],
    "accuracy": [
        *(0.125, 0.222, 0.330, 0.397, 0.468, 0.522, 0.562, 0.570, 0.633, 0.623),
        *(0.653, 0.647, 0.687, 0.678, 0.695, 0.693, 0.708, 0.708, 0.690, 0.697),
    ],
    "val_accuracy": [
        *(0.113, 0.220, 0.303, 0.333, 0.350, 0.387, 0.420, 0.427, 0.447, 0.447),
        *(0.457, 0.463, 0.470, 0.470, 0.467, 0.467, 0.470, 0.470, 0.470, 0.470),
    ],
    "rates": cosine(20),
    "kept": 20,
    **phase(20),
}
# Measured: the same with a head that begins at 0, `fit_head(epochs=10)`; a large part of the fall
# of the training loss is in the epochs in which validation stands still.
FROM_ZERO = {
    "loss": [1.566, 0.696, 0.480, 0.367, 0.282, 0.262, 0.225, 0.222, 0.197, 0.217],
    "val_loss": [1.236, 1.164, 1.153, 1.180, 1.153, 1.159, 1.158, 1.172, 1.171, 1.169],
    "accuracy": [0.442, 0.775, 0.848, 0.900, 0.940, 0.957, 0.947, 0.958, 0.975, 0.958],
    "val_accuracy": [0.630, 0.607, 0.637, 0.623, 0.623, 0.640, 0.637, 0.637, 0.637, 0.633],
    "rates": cosine(10),
    "kept": 5,
    **phase(10),
}
# Measured: EfficientNet-Lite0 at 96 pixels, 30 photos a class, a learning rate of 1e-5.
SLOW = {
    "loss": [2.298, 2.280, 2.265, 2.252, 2.241, 2.233, 2.227, 2.223, 2.221, 2.221],
    "val_loss": [2.290, 2.278, 2.267, 2.258, 2.251, 2.246, 2.243, 2.241, 2.240, 2.240],
    "accuracy": [0.267, 0.617, 0.723, 0.753, 0.743, 0.740, 0.753, 0.777, 0.743, 0.757],
    "val_accuracy": [0.420, 0.533, 0.537, 0.543, 0.550, 0.553, 0.550, 0.547, 0.550, 0.550],
    "rates": cosine(10, 1e-5),
    "kept": 10,
    **phase(10, learning_rate=1e-5),
}
TEN = {"classes": 10, "items": 300}
# As in issue 21: 0.994 in training, 0.867 on 30 validation items, the loss was still falling.
THIRTY = {
    "loss": [0.9, 0.4, 0.2, 0.1],
    "val_loss": [0.8, 0.6, 0.5, 0.45],
    "accuracy": [0.7, 0.9, 0.96, 0.994],
    "val_accuracy": [0.767, 0.833, 0.867, 0.867],
}
# Neither near perfect nor apart; both losses fall.
LEARNING = CLOSE | {"accuracy": [0.6, 0.7, 0.75, 0.8], "val_accuracy": [0.6, 0.68, 0.72, 0.75]}
APART = LEARNING | {"val_accuracy": [0.5, 0.55, 0.58, 0.6]}
FLAT = {"loss": [0.7, 0.52, 0.5, 0.5], "val_loss": [0.9, 0.82, 0.8, 0.8]}
ONE = {"loss": [1.0], "val_loss": [0.9], "accuracy": [0.6], "val_accuracy": [0.6], **phase(1)}
SOLVED = {"solved": True}

# The curves of the last phase, other arguments; the state, and its reason if it has one.
STATES = {
    # A gap.
    "a-wide-gap": (WIDE, {}, "overfits"),
    "a-wide-gap-in-fine-tuning": (WIDE | {"phase": TUNE}, {}, "overfits"),
    "a-wide-gap-at-a-flat-loss": (APART | FLAT, {}, "overfits"),
    "a-wide-gap-while-both-losses-fall": (APART, {}, "unconverged"),
    "a-wide-gap-while-training-alone-falls": (
        APART | {"val_loss": [0.9, 0.85, 0.84, 0.84]},
        {},
        "overfits",
    ),
    "a-wide-gap-when-stopped-early": (APART | phase(9), {}, "overfits"),
    "a-wide-gap-near-perfection": (APART | {"accuracy": [0.8, 0.9, 0.94, 0.95]}, {}, "overfits"),
    "a-wide-gap-after-one-epoch": (
        ONE | {"accuracy": [0.8]},
        {},
        ("unknown", "one-epoch"),
    ),
    "a-wide-gap-after-one-perfect-epoch": (ONE | {"accuracy": [0.99]}, {}, "overfits"),
    "a-gap-that-chance-may-make": (WIDE, {"items": 10}, ("unknown", "few-items")),
    "a-gap-that-chance-does-not-make": (WIDE, {"items": 1000}, "overfits"),
    "a-small-gap-of-few-items": (LATE, {"items": 10}, "fits"),
    "0.994-and-0.867-of-30": (THIRTY, {"items": 30}, ("unknown", "few-items")),
    "0.994-and-0.867-of-300": (THIRTY, {"items": 300}, "overfits"),
    "vgg16": (VGG16, TEN, "unconverged"),
    "vgg16-from-zero": (FROM_ZERO, TEN, "overfits"),
    # Not converged.
    "both-losses-fall": (LEARNING, {}, "unconverged"),
    "both-losses-fall-near-perfection": (CLOSE, {}, "fits"),
    "both-losses-fall-but-stopped": (LEARNING | phase(9), {}, "fits"),
    "training-alone-falls": (LEARNING | {"val_loss": [0.4, 0.34, 0.33, 0.33]}, {}, "fits"),
    "training-alone-falls-from-high": (
        LEARNING | {"loss": [1.3, 1.1, 0.9, 0.8], "val_loss": [0.9, 0.81, 0.8, 0.8]},
        {},
        "unconverged",
    ),
    "validation-alone-falls": (LEARNING | {"loss": [0.51, 0.5, 0.5, 0.5]}, {}, "fits"),
    "a-low-rate": (SLOW, TEN, "unconverged"),
    "mixed-labels-have-no-gap": (WIDE | {"augment": ("mixup",)}, {}, "unconverged"),
    "worse-and-back": (
        {"loss": FALLING, "val_loss": [0.3, 0.5, 0.5, 0.3001], "kept": 1},
        {},
        "unconverged",
    ),
    "not-yet-better-than-before": (LEARNING | {"kept": 0, "phase": TUNE}, {}, "unconverged"),
    # High losses.
    "high-on-both": (HIGH, {}, "underfits"),
    "high-and-falling": (
        {"loss": [1.35, 1.3, 1.2, 1.1], "val_loss": [1.35, 1.3, 1.2, 1.1]},
        {},
        "unconverged",
    ),
    "high-and-falling-but-stopped": (
        {"loss": [1.35, 1.3, 1.2, 1.1], "val_loss": [1.35, 1.3, 1.2, 1.1], **phase(9)},
        {},
        "fits",
    ),
    "high-in-training-only": (HIGH | {"val_loss": [0.7, 0.6, 0.6, 0.6]}, {}, "fits"),
    "high-in-validation-only": (HIGH | {"loss": [0.7, 0.61, 0.6, 0.6]}, {}, "fits"),
    "high-but-near-perfect": (
        HIGH | {"accuracy": [0.96] * 4, "val_accuracy": [0.95] * 4},
        {},
        "fits",
    ),
    "high-after-one-epoch": ({"loss": [1.2], "val_loss": [1.2]}, {}, ("unknown", "one-epoch")),
    "not-high-after-one-epoch": (ONE | {"loss": [0.6]}, {}, "fits"),
    "high-with-mixed-labels": (HIGH | {"augment": ("cutmix",)}, {}, ("unknown", "mixed-labels")),
    "high-and-falling-with-mixed-labels": (
        {"loss": [1.3, 1.2, 1.1, 1.0], "val_loss": [0.9, 0.81, 0.8, 0.8], "augment": ("mixup",)},
        {},
        ("unknown", "mixed-labels"),
    ),
    "high-for-two-classes-only": (
        {"loss": [0.5, 0.4], "val_loss": [0.4, 0.4], **phase(2)},
        {"task": "binary"},
        "unconverged",
    ),
    "high-and-flat-for-two-classes": (
        {"loss": [0.41, 0.4, 0.4], "val_loss": [0.4] * 3},
        {"task": "binary"},
        "underfits",
    ),
    "low-for-four": ({"loss": [0.41, 0.4, 0.4], "val_loss": [0.4] * 3}, {}, "fits"),
    # Of two labels that are smoothed by 0.4 no loss is below 0.5.
    "high-for-smoothed-labels-only": (
        {"loss": [0.53, 0.52, 0.52], "val_loss": [0.52] * 3, **phase(3, label_smoothing=0.4)},
        {"task": "binary"},
        "fits",
    ),
    "high-for-smoothed-labels": (
        {"loss": [0.66, 0.65, 0.65], "val_loss": [0.65] * 3, **phase(3, label_smoothing=0.4)},
        {"task": "binary"},
        "underfits",
    ),
    # Validation gets worse.
    "stopped-in-time": (WORSE, {}, "spared"),
    "not-stopped": (WORSE | {"phase": SCRATCH, "kept": 4}, {}, "overfits"),
    "worse-at-a-wide-gap": (WORSE | {"accuracy": [0.95, 0.96, 0.97, 0.99]}, {}, "overfits"),
    "one-worse-epoch": (CLOSE | {"val_loss": [0.9, 0.5, 0.3, 0.4]}, {}, "fits"),
    "a-little-worse": (CLOSE | {"val_loss": [0.9, 0.3, 0.312, 0.312]}, {}, "fits"),
    "markedly-worse": (CLOSE | {"val_loss": [0.9, 0.3, 0.32, 0.32]}, {}, "spared"),
    "never-better-than-before": (WORSE | {"kept": 0}, {}, "spared"),
    "never-better-and-flat": (
        CLOSE | {"loss": [0.5] * 4, "val_loss": [0.6] * 4, "kept": 0},
        {},
        "fits",
    ),
    "never-better-while-training-fell": (
        CLOSE | {"val_loss": [0.3, 0.31, 0.3, 0.3], "kept": 0},
        {},
        ("unknown", "nothing-better"),
    ),
    "by-the-metric": (
        CLOSE | {"val_loss": RISING, "phase": TEXT, "kept": 4},
        {"text": True},
        "fits",
    ),
    "by-the-metric-worse": (
        {"loss": FALLING, "val_loss": RISING, "accuracy": [0.9] * 4}
        | {"val_accuracy": [0.9, 0.87, 0.88, 0.87], "phase": TEXT, "kept": 1},
        {"text": True},
        "spared",
    ),
    "by-the-metric-worse-by-chance": (
        {"loss": FALLING, "val_loss": RISING, "accuracy": [0.9] * 4}
        | {"val_accuracy": [0.9, 0.87, 0.88, 0.87], "phase": TEXT, "kept": 1},
        {"text": True, "items": 100},
        "fits",
    ),
    "by-the-metric-a-little-worse": (
        {"loss": FALLING, "val_loss": RISING, "accuracy": [0.9] * 4}
        | {"val_accuracy": [0.9, 0.89, 0.89, 0.89], "phase": TEXT, "kept": 1},
        {"text": True},
        "fits",
    ),
    # Training does harm.
    "training-gets-worse-too": (
        WORSE | {"loss": [0.5, 0.6, 0.7, 0.8]},
        {},
        ("diverged", "rose"),
    ),
    "training-stands-still": (WORSE | {"loss": [0.5, 0.5, 0.5, 0.501]}, {}, "fits"),
    "training-gets-worse-alone": (LATE | {"loss": [0.3, 0.3, 0.3, 0.35]}, {}, "fits"),
    "only-harm": (
        {"loss": [9.0], "val_loss": [9.0], "kept": 0},
        {},
        ("diverged", "above-guessing"),
    ),
    "only-epoch-no-better": (ONE | {"kept": 0}, {}, ("unknown", "nothing-better")),
    "not-a-number": (CLOSE | {"loss": [0.9, 0.3, 0.2, np.nan]}, {}, ("diverged", "not-finite")),
    "never-a-number": (
        {"loss": [np.nan] * 2, "val_loss": [np.nan] * 2, "kept": 0},
        {},
        ("diverged", "not-finite"),
    ),
    "once-not-a-number": (LATE | {"loss": [np.nan, 0.3, 0.2, 0.1]}, {}, "fits"),
    # Nothing to compare with.
    "no-validation": (
        {"loss": FALLING, "val_loss": None, "accuracy": BETTER},
        {},
        ("unknown", "no-validation"),
    ),
    "no-number-without-validation": (
        {"loss": [1.0, np.nan], "val_loss": None},
        {},
        ("diverged", "not-finite"),
    ),
    "converged": (LATE, {}, "fits"),
    # A head that began at its optimum.
    "solved-apart": (APART | SOLVED, {}, "overfits"),
    "solved-apart-in-one-epoch": (ONE | SOLVED | {"accuracy": [0.8]}, {}, "overfits"),
    "solved-apart-by-chance": (APART | SOLVED, {"items": 20}, ("unknown", "few-items")),
    "solved-close": (LEARNING | SOLVED, {}, "fits"),
    "solved-close-in-one-epoch": (ONE | SOLVED | {"loss": [0.6]}, {}, "fits"),
    "solved-high": (HIGH | SOLVED, {}, "underfits"),
    "solved-high-in-one-epoch": (
        {"loss": [1.2], "val_loss": [1.2], **phase(1), **SOLVED},
        {},
        "underfits",
    ),
    "solved-drifts": (WORSE | SOLVED | {"loss": [0.5, 0.6, 0.7, 0.8]}, {}, "fits"),
    "solved-worse": (WORSE | SOLVED, {}, "fits"),
    "solved-no-better-than-before": (WORSE | SOLVED | {"kept": 0}, {}, "fits"),
    "solved-not-a-number": (HIGH | SOLVED | {"loss": [np.nan] * 4}, {}, ("diverged", "not-finite")),
    # Errors and several labels.
    "regression": (
        ERRORS | {"accuracy": [0.4] * 4, "val_accuracy": [0.58] * 4},
        {"task": "regression"},
        "fits",
    ),
    "regression-wide": (
        ERRORS | {"accuracy": [0.4] * 4, "val_accuracy": [0.62] * 4},
        {"task": "regression"},
        "overfits",
    ),
    "regression-wide-while-both-fall": (
        ERRORS | {"val_loss": FALLING, "accuracy": [0.4] * 4, "val_accuracy": [0.62] * 4},
        {"task": "regression"},
        "unconverged",
    ),
    "regression-wide-near-perfection": (
        ERRORS | {"val_loss": FALLING, "accuracy": [0.1] * 4, "val_accuracy": [0.2] * 4},
        {"task": "regression"},
        "overfits",
    ),
    # A gap of 0.3 is 0.06, then 0.04 of the targets' standard deviation.
    "regression-wide-in-its-unit": (
        ERRORS | {"accuracy": [0.4] * 4, "val_accuracy": [0.7] * 4},
        {"task": "regression", "scale": 5.0},
        "overfits",
    ),
    "regression-of-no-matter-in-its-unit": (
        ERRORS | {"accuracy": [0.4] * 4, "val_accuracy": [0.7] * 4},
        {"task": "regression", "scale": 7.5},
        "fits",
    ),
    "regression-high": (
        {"name": "mae", "loss": [0.61, 0.6, 0.6], "val_loss": [0.6] * 3},
        {"task": "regression"},
        "underfits",
    ),
    "regression-of-no-matter": (
        ERRORS | {"accuracy": [0.01] * 4, "val_accuracy": [0.02] * 4},
        {"task": "regression"},
        "fits",
    ),
    "regression-not-a-number": (
        {"name": "mae", "loss": [1.0, np.nan], "val_loss": [1.0, np.nan], "kept": 1}
        | {"accuracy": [np.nan] * 2, "val_accuracy": [np.nan] * 2},
        {"task": "regression"},
        ("diverged", "not-finite"),
    ),
    "multilabel": (
        LATE | {"name": "auc", "val_accuracy": [0.7] * 4},
        {"task": "multilabel"},
        "overfits",
    ),
    "multilabel-of-rare-labels": (
        {"name": "auc", "loss": [0.41, 0.4, 0.4], "val_loss": [0.4] * 3},
        {"task": "multilabel"},
        "fits",
    ),
}
SENTENCES = {
    "overfits": "the model overfits",
    "spared": "the model got worse on the validation split while the training loss fell, so",
    "unconverged": "training has not converged (the training loss was still falling)",
    "underfits": "the model underfits (the training and validation losses are high and do not",
    "fits": "no sign that the model overfits or underfits",
    ("unknown", "no-validation"): "without a validation split the curves do not show whether",
    ("unknown", "few-items"): "validation items are too few to tell whether the model overfits",
    ("unknown", "one-epoch"): "one epoch does not show whether training has converged",
    ("unknown", "mixed-labels"): "the augmentation mixed the training labels, so the curves do",
    ("unknown", "nothing-better"): "no epoch was better than the earlier weights, so the phase",
    ("diverged", "not-finite"): "training diverged (the loss is not a finite number)",
    ("diverged", "rose"): "training made the model worse and the training loss rose, a sign of",
    (
        "diverged",
        "above-guessing",
    ): "the loss of the only epoch is higher than the loss of guessing,",
}


@pytest.mark.parametrize("name", STATES)
def test_the_state_and_its_sentence(name):
    curves, options, expected = STATES[name]
    state, reason = expected if isinstance(expected, tuple) else (expected, "")
    found = find(record(**curves), **options)
    assert (found.state, found.phases[0].reason) == (state, reason)
    assert found.phases[0].state == state
    assert SENTENCES[expected] in found.statement
    json.dumps(found.to_json(), allow_nan=False)
    assert found.statement in found.describe() == str(found)
    solved_number = curves.get("solved") and reason == "not-finite"
    count = {"fits": 0, "unknown": 1}.get(state, 2)
    assert len(found.remedies) == (1 if solved_number else count)


def test_every_sentence_has_its_cases():
    assert {expected for _, _, expected in STATES.values()} == {*SENTENCES}


@pytest.mark.parametrize("name", STATES)
def test_a_head_at_its_optimum_is_never_told_of_epochs_and_rates(name):
    curves, options, _ = STATES[name]
    found = find(record(**curves | SOLVED), **options)
    assert found.state not in ("diverged", "spared", "unconverged") or (
        found.phases[0].reason == "not-finite"
    )
    for remedy in found.remedies:
        assert "rate" not in remedy.what
        assert "epochs" not in remedy.what
    assert found.phases[0].trend is None


@pytest.mark.parametrize("name", STATES)
def test_near_perfect_training_is_never_called_underfitting_or_unfinished(name):
    curves, options, _ = STATES[name]
    perfect = 0.01 if options.get("task") == "regression" else 0.994
    epochs = len(curves["loss"])
    changes = {"accuracy": [perfect] * epochs, "augment": ()}
    if curves.get("val_loss") is not None:
        changes["val_accuracy"] = [0.867] * epochs
    found = find(record(**curves | changes), **options)
    assert found.state not in ("underfits", "unconverged")


def test_what_few_items_show_by_chance_is_said():
    statement = find(record(**THIRTY), items=30).statement
    assert statement == (
        "head: 30 validation items are too few to tell whether the model overfits: accuracy 0.994 "
        "in training, 0.867 on the validation split (difference: at least 0.127; chance alone can "
        "cause 0.183)."
    )


def test_a_phase_that_changed_nothing_leaves_the_judgement_to_the_one_before():
    idle = record(**STATES["never-better-and-flat"][0] | {"phase": TUNE})
    found = find(record(**HIGH), idle)
    assert found.state == "underfits"
    assert found.statement.startswith("head: ")
    assert [one.state for one in found.phases] == ["underfits", "fits"]


# Losses, learning rates; whether the training loss still falls.
FALLS = {
    "one": ([1.0], None, None),
    "two": ([1.0, 0.8], None, True),
    "two-nearly-equal": ([1.0, 0.97], None, False),
    "constant-rate": ([1.0, 0.8, 0.7, 0.63], None, True),
    "constant-rate-flat": ([1.0, 0.7, 0.63, 0.62], None, False),
    "hardly-a-rate-at-the-end": ([1.0, 0.9, 0.8, 0.79], [1e-3, 1e-3, 1e-4, 0.0], True),
    "flat-for-want-of-a-rate": ([1.0, 0.8, 0.77, 0.765, 0.763], [1e-3, 1e-4, 1e-5, 1e-6, 0], True),
    "rising": ([0.5, 0.6, 0.7], None, False),
    "near-guessing": ([1.38, 1.37, 1.36, 1.35], None, True),
    "at-guessing": ([1.385, 1.384, 1.383, 1.382], None, False),
    "not-a-number": ([1.0, float("nan")], None, None),
}


@pytest.mark.parametrize("name", FALLS)
def test_whether_a_loss_still_falls_is_seen_through_the_schedule(name):
    losses, rates, expected = FALLS[name]
    made = record(losses, None, rates=rates, **phase(len(losses)))
    assert still_falls(made, "loss", math.log(4)) is expected


def test_records_of_earlier_runs_were_not_solved():
    made = record(**CLOSE | SOLVED)
    values = made.to_json()
    assert PhaseRecord.from_json(values) == made
    del values["solved"]
    assert PhaseRecord.from_json(values).solved is False
