"""Conformance checks of learners. See `keras_tl.testing.network_checks` for the other checks.

Most checks train eagerly, because tracing a training step of a deep network takes longer than the
rest of a check.
"""

import collections
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from keras_tl import backbones
from keras_tl.backbones.layer import leaf_layers
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly
from keras_tl.export import saved_model
from keras_tl.export.verification import Verification, verify
from keras_tl.learner import Learner
from keras_tl.testing.cases import Case, train_inputs
from keras_tl.testing.network_checks import REGISTERED, pixels_of, random_backbone, register

_NO_GRADIENT = 1e-10
# Minimum gradient that changes a weight. The first step of Adam in Keras changes a weight by
# 1e-3 g / (g + 3e-6) for a gradient g. In float32, the smallest change of a weight of 1 is 6e-8.
_MOVES = 1e-9
# First the checks of `network_checks`, then the checks of this module.
CHECKS = REGISTERED


def _values(weights) -> dict[str, list[np.ndarray]]:
    """Return the values of weights by path. In TF-Hub modules, several weights can share a path."""
    values = collections.defaultdict(list)
    for weight in weights:
        values[weight.path].append(weight.numpy())
    return values


def _changed(before: dict[str, list[np.ndarray]], after: dict[str, list[np.ndarray]]) -> set[str]:
    return {path for path in before if not all(map(np.array_equal, before[path], after[path]))}


def _without_states(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Return the weights of a layer without the integer states of dropout's random generators."""
    return [weight for weight in layer.weights if weight.dtype.startswith("float")]


def _same(first: keras.Model, second: keras.Model) -> bool:
    """Return whether two models have equal weights. Names may differ."""
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def _step(case: Case, which: str | int) -> Phase:
    """Return a phase with one update on all items. Adam changes only variables with a gradient."""
    return Phase(
        "step", epochs=1, learning_rate=1e-3, unfreeze=which, optimizer="adam", batch_size=1000
    )


def _with_gradient(learner: Learner, above: float = _NO_GRADIENT) -> set[str]:
    """Return the paths of the trainable variables whose largest gradient exceeds `above`."""
    (inputs,), order = train_inputs(learner)
    targets = learner.task.targets(learner.data.split("train").labels[order])
    with tf.GradientTape() as tape:
        loss = learner.task.loss()(targets, learner.model(inputs, training=False))
    variables = learner.model.trainable_variables
    gradients = tape.gradient(loss, [v.value for v in variables])
    return {
        v.path
        for v, g in zip(variables, gradients, strict=True)
        if g is not None and np.abs(tf.convert_to_tensor(g)).max() > above
    }


@register()
def check_frozen_phase(case: Case, tmp_path: Path) -> None:
    """Check that a phase with a frozen backbone changes only the head, with and without a cache."""
    learner = case.learner(settled=True)
    head, before = learner.trainer.parts.head, _values(learner.backbone.variables)
    for cache in ("off", "memory"):
        # Change the head first. Otherwise the second training would end at the weights of the first
        # training, and the head would look unchanged.
        head.set_weights([value + 1 for value in head.get_weights()])
        weights = _values(head.weights)
        with eagerly():
            learner.fit_head(epochs=1, cache=cache)
        assert _changed(before, _values(learner.backbone.variables)) == set()
        assert _changed(weights, _values(head.weights)) == set(weights)


@register(lambda case: case.trained and case.tunable)
def check_fine_tuning(case: Case, tmp_path: Path) -> None:
    """Check that fine-tuning changes all variables with a gradient, but no BatchNorm statistics."""
    learner = case.learner(settled=True)
    learner.backbone.unfreeze(learner.backbone.blocks)
    trainable = {variable.path for variable in learner.model.trainable_variables}
    assert len(_with_gradient(learner)) > 0.9 * len(trainable)
    weights = _without_states(learner.model)
    before = _values(weights)
    with eagerly():
        learner.fit_head(epochs=1, cache="memory")
        # Compute the gradients again: the head's training makes gradients smaller. Fine-tuning must
        # change the variables with a gradient above `_MOVES`.
        learner.backbone.unfreeze(learner.backbone.blocks)
        expected = _with_gradient(learner, _MOVES)
        assert expected
        learner.fine_tune(policy=_step(case, "all"), augment=False)
    changed = _changed(before, _values(weights))
    assert expected <= changed
    assert changed <= trainable
    assert not {path for path in changed if "moving_" in path}


def _paths(learner: Learner, block: str) -> set[str]:
    return {w.path for layer in learner.backbone.block_layers(block) for w in layer.weights}


@register(lambda case: case.trained and case.tunable)
def check_unfreeze(case: Case, tmp_path: Path) -> None:
    """Check that fine-tuning with some unfrozen blocks changes weights in exactly these blocks."""
    learner = case.learner(settled=True)
    counts = {1, max(len(learner.backbone.blocks) // 2, 1)}
    while counts:
        count = counts.pop()
        chosen = learner.backbone.blocks[-count:]
        weights = _without_states(learner.backbone)
        before = _values(weights)
        with eagerly():
            learner.fit_head(epochs=1, cache="memory")
            learner.fine_tune(policy=_step(case, count), augment=False)
        changed = _changed(before, _values(weights))
        moved = {block for block in learner.backbone.blocks if _paths(learner, block) & changed}
        assert moved == set(chosen)
        learner = case.learner(settled=True) if counts else None


@register()
def check_cached_features(case: Case, tmp_path: Path) -> None:
    """Check that cached features equal the features that the frozen backbone computes in training.

    The training and the feature cache use different batches, and for texts also different padding.
    """
    learner = case.learner()
    split = learner.data.split("train")
    cached = np.concatenate(list(learner.trainer.features.batches(split)))
    batches, order = train_inputs(learner, parts=2)
    live = np.concatenate(
        [learner.trainer.parts.extractor(inputs, training=True) for inputs in batches]
    )
    scale = np.abs(cached).max()
    assert scale > 0
    np.testing.assert_allclose(cached[order] / scale, live[: len(split)] / scale, atol=1e-5)


@register(lambda case: case.in_catalogue and case.trained)
def check_mixed_precision(case: Case, tmp_path: Path) -> None:
    """Check that mixed precision applies to the backbone, not to preprocessing and logits."""
    before = keras.config.dtype_policy().name
    learner = case.learner(precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == before
    assert {v.dtype for v in learner.model.weights} == {"float32"}
    network = learner.backbone.network
    assert {x.compute_dtype for x in leaf_layers(network) if x.weights} == {"bfloat16"}
    embedded = keras.Model(network.input, network.get_layer("preprocessing").output)
    in_float32 = random_backbone(backbones.get_spec(case.backbone), case.image_size).network
    exact = keras.Model(in_float32.input, in_float32.get_layer("preprocessing").output)
    np.testing.assert_array_equal(embedded(pixels_of(case)), exact(pixels_of(case)))
    logits = learner.model(pixels_of(case))
    assert logits.dtype == tf.float32
    served = learner.serving_model.model_variables
    assert {variable.dtype for variable in served if "seed" not in variable.name} == {tf.float32}


@register()
def check_save_and_load(case: Case, tmp_path: Path) -> None:
    """Check that a loaded run has the weights and the predictions of the saved learner."""
    learner = case.learner()
    with eagerly():
        learner.fit_head(epochs=1, cache="memory")
    learner.save(tmp_path / "run")
    loaded = Learner.load(tmp_path / "run", data=learner.data, verbose=False)
    assert _same(learner.model, loaded.model)
    assert loaded.history == learner.history
    assert loaded.config == learner.config
    (inputs,), _ = train_inputs(learner)
    np.testing.assert_array_equal(loaded.model(inputs), learner.model(inputs))


@register()
def check_export(case: Case, tmp_path: Path) -> None:
    """Check that an export gives the learner's predictions, in a process without Keras."""
    verified = []

    def verify_and_tell(folder: Path, **options: bool) -> Verification:
        verified.append(verify(folder, **options))
        return verified[-1]

    with mock.patch.object(saved_model, "verify", verify_and_tell):
        learner = case.learner(settled=True)
        learner.export(tmp_path / "model")
    (found,) = verified
    assert found.ok, found.problems
    assert set(found.differences) == set(learner.serving_model.signatures)


@register()
def check_same_seed(case: Case, tmp_path: Path) -> None:
    """Check that equal seeds give equal weights, and different seeds give different weights."""
    first, second, other = case.learner(seed=0), case.learner(seed=0), case.learner(seed=1)
    assert not _same(first.model, other.model)
    for learner in (first, second):
        with eagerly():
            learner.fit_head(epochs=1, cache="memory")
            if case.tunable and case.repeatable:
                learner.fine_tune(policy=_step(case, 1))
    assert _same(first.model, second.model), (
        "The same seed gave other weights. If no seed reaches the dropout, set "
        "Case(repeatable=False)."
    )
