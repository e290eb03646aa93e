"""Conformance checks. Each check takes a case and a temporary folder, and can raise AssertionError.

Most checks train eagerly, because tracing a training step of a deep network takes longer than the
rest of a check.
"""

import collections
import functools
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from keras_tl import backbones
from keras_tl.backbones.building import build, get_builder
from keras_tl.backbones.layer import Backbone, leaf_layers
from keras_tl.backbones.loading import load_spec
from keras_tl.base.config import Phase
from keras_tl.base.keras_compat import eagerly, giving_download, save_as_published
from keras_tl.export import saved_model
from keras_tl.export.verification import Verification, verify
from keras_tl.learner import Learner
from keras_tl.testing.cases import Case, train_inputs

_NO_GRADIENT = 1e-10
# Minimum gradient that changes a weight. The first step of Adam in Keras changes a weight by
# 1e-3 g / (g + 3e-6) for a gradient g. In float32, the smallest change of a weight of 1 is 6e-8.
_MOVES = 1e-9
_SCALING = (keras.layers.Rescaling, keras.layers.Normalization)
CHECKS: list[Any] = []


def _check(applies: Callable[[Case], bool] = lambda case: case.trained, cheap: bool = False):
    """Register a check function. Cheap checks run a network at most once, without training."""

    def add(function):
        function.applies = applies
        function.cheap = cheap
        CHECKS.append(function)
        return function

    return add


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


def _pixels(case: Case) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.uniform(0, 255, (2, case.image_size, case.image_size, 3)).astype(np.float32)


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


@functools.lru_cache(maxsize=1)
def _loaded(spec: backbones.BackboneSpec, image_size: int) -> Backbone:
    """Return a backbone with random weights, cached because the checks do not change it."""
    return load_spec(spec, None, (image_size, image_size))


def _shapes(layers: list[keras.layers.Layer]) -> list[tuple[int, ...]]:
    """Return the shapes of the weights of some layers, in the order of the layers."""
    return [tuple(weight.shape) for layer in layers for weight in layer.weights]


@_check(lambda case: case.in_catalogue, cheap=True)
def check_record(case: Case, tmp_path: Path) -> None:
    """Check the record's numbers of features and parameters, and that each weight has one block."""
    spec = backbones.get_spec(case.backbone)
    backbone = _loaded(spec, spec.min_size)
    network = backbone.network
    assert network.output_shape[-1] == spec.features
    assert network.count_params() == spec.parameters
    owners = [layer for name in backbone.blocks for layer in backbone.block_layers(name)]
    assert len(owners) == len(set(owners))
    assert {layer for layer in leaf_layers(network) if layer.weights} <= set(owners)


@_check(lambda case: case.in_catalogue, cheap=True)
def check_output_block(case: Case, tmp_path: Path) -> None:
    """Check that a network cut after a block has exactly the weights up to this block.

    The check compares shapes, because Keras gives other names to the second network of a process.
    """
    spec = backbones.get_spec(case.backbone)
    whole = _loaded(spec, case.image_size)
    kept = whole.blocks[: max(len(whole.blocks) // 2, 1)]
    part = load_spec(spec, None, (case.image_size,) * 2, output_block=kept[-1])
    assert part.blocks == kept
    for name in kept:
        assert _shapes(part.block_layers(name)) == _shapes(whole.block_layers(name))
    expected = sum(len(_shapes(whole.block_layers(name))) for name in kept)
    assert len(part.network.weights) == expected


@_check(lambda case: case.in_catalogue, cheap=True)
def check_default_size(case: Case, tmp_path: Path) -> None:
    """Check that the network can be built for the image size in the catalogue."""
    spec = backbones.get_spec(case.backbone)
    network = backbones.load(case.backbone, weights=None)
    assert network.input_shape == (None, *spec.image_size, 3)
    assert network.output_shape[-1] == spec.features
    assert network.count_params() == spec.parameters


def _bare(case: Case, weights: str | None) -> keras.Model:
    """Build the original network with random weights, for `"imagenet"` with its scaling layers."""
    builder = get_builder(backbones.get_spec(case.backbone))
    with (
        giving_download(Path()),
        mock.patch.object(keras.Model, "load_weights"),
        warnings.catch_warnings(),
    ):
        # MobileNet builders warn about image sizes without published weights.
        warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
        shape = (case.image_size, case.image_size, 3)
        network = builder(include_top=False, weights=weights, input_shape=shape)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.set_weights([*map(np.array, case.statistics), np.array(0)])
            layer.finalize_state()
    return network


def _prepared(case: Case, pixels: np.ndarray) -> np.ndarray:
    """Return pixels after the preprocessing function of the weights' authors."""
    module, function = case.reference.split(":")
    return getattr(importlib.import_module(module), function)(pixels.copy())


@_check(lambda case: case.reference is not None, cheap=True)
def check_preprocessing(case: Case, tmp_path: Path) -> None:
    """Check that the preprocessing layer equals the preprocessing of the weights' authors."""
    spec = backbones.get_spec(case.backbone)
    expected = _prepared(case, _pixels(case))
    if spec.scales_inside:
        for layer in _bare(case, "imagenet").layers:
            expected = layer(expected) if isinstance(layer, _SCALING) else expected
    network = _loaded(spec, case.image_size).network
    embedded = keras.Model(network.input, network.get_layer("preprocessing").output)
    np.testing.assert_allclose(embedded(_pixels(case)), expected, rtol=1e-5, atol=1e-4)


@_check(lambda case: case.in_catalogue, cheap=True)
def check_preprocessed_once(case: Case, tmp_path: Path) -> None:
    """Check that the preprocessing layer is the only scaling layer and computes in float32."""
    network = _loaded(backbones.get_spec(case.backbone), case.image_size).network
    scaling = [layer for layer in leaf_layers(network) if isinstance(layer, _SCALING)]
    assert [layer.name for layer in scaling] == ["preprocessing"]
    assert scaling[0].compute_dtype == "float32"


@_check(lambda case: case.in_catalogue and case.trained, cheap=True)
def check_weights_file(case: Case, tmp_path: Path) -> None:
    """Check that weights from a file and from a download give a network with the same features.

    The check also compares these features with the features of the network in `keras.applications`,
    for pixels after the preprocessing of the weights' authors.
    """
    spec = backbones.get_spec(case.backbone)
    pixels = _pixels(case)
    is_packaged = spec.weights is not None and spec.weights.package is not None
    network = build(spec, "imagenet", (case.image_size,) * 2) if is_packaged else _bare(case, None)
    file, as_published = tmp_path / "some.weights.h5", tmp_path / "published.h5"
    network.save_weights(file)
    save_as_published(network, as_published)
    if spec.weights is not None and spec.weights.bundled:
        file = as_published = Path(backbones.__file__).parent / "weights" / spec.weights.bundled
    from_file = backbones.load(case.backbone, weights=str(file), image_size=case.image_size)(pixels)
    published = str(as_published) if spec.weights is None else "imagenet"
    with giving_download(as_published):
        ours = backbones.load(case.backbone, weights=published, image_size=case.image_size)(pixels)
    np.testing.assert_array_equal(ours, from_file)
    scale = np.abs(ours).max()
    assert scale > 0
    if case.reference is not None:
        if spec.scales_inside:
            values, network = network.get_weights(), _bare(case, "imagenet")
            network.set_weights(values)
        expected = network(_prepared(case, pixels))
        np.testing.assert_allclose(ours / scale, expected / scale, atol=1e-5)


@_check()
def check_frozen_phase(case: Case, tmp_path: Path) -> None:
    """Check that a phase with a frozen backbone changes only the head, with and without a cache."""
    learner = case.learner(settled=True)
    head, before = learner.trainer.parts.head, _values(learner.backbone.variables)
    for cache in ("off", "memory"):
        # Change the head first. Otherwise the second training would return the same weights.
        head.set_weights([value + 1 for value in head.get_weights()])
        weights = _values(head.weights)
        with eagerly():
            learner.fit_head(epochs=1, cache=cache)
        assert _changed(before, _values(learner.backbone.variables)) == set()
        assert _changed(weights, _values(head.weights)) == set(weights)


@_check(lambda case: case.trained and case.tunable)
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
        # Compute the gradients again, because gradients are smaller after the head's training.
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


@_check(lambda case: case.trained and case.tunable)
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


@_check()
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


@_check(lambda case: case.in_catalogue and case.trained)
def check_mixed_precision(case: Case, tmp_path: Path) -> None:
    """Check that mixed precision applies to the backbone, not to preprocessing and logits."""
    before = keras.config.dtype_policy().name
    learner = case.learner(precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == before
    assert {v.dtype for v in learner.model.weights} == {"float32"}
    network = learner.backbone.network
    assert {x.compute_dtype for x in leaf_layers(network) if x.weights} == {"bfloat16"}
    embedded = keras.Model(network.input, network.get_layer("preprocessing").output)
    in_float32 = _loaded(backbones.get_spec(case.backbone), case.image_size).network
    exact = keras.Model(in_float32.input, in_float32.get_layer("preprocessing").output)
    np.testing.assert_array_equal(embedded(_pixels(case)), exact(_pixels(case)))
    logits = learner.model(_pixels(case))
    assert logits.dtype == tf.float32
    served = learner.serving_model.model_variables
    assert {variable.dtype for variable in served if "seed" not in variable.name} == {tf.float32}


@_check()
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


@_check()
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


@_check()
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
