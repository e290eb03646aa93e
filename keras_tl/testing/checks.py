"""The checks. Each takes a case and a temporary folder, and raises AssertionError.

Where tracing is not the point they run eagerly: a traced training step of a deep network costs
more than all that is checked.
"""

import contextlib
import importlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from keras_tl import backbones
from keras_tl.backbones.layer import leaf_layers
from keras_tl.backbones.loading import assign_blocks
from keras_tl.config import Phase
from keras_tl.export.verification import verify
from keras_tl.learner import Learner
from keras_tl.testing.cases import Case
from keras_tl.training.freezing import unfreeze

_SCALING = (keras.layers.Rescaling, keras.layers.Normalization)
CHECKS: list[Callable[[Case, Path], None]] = []


def _check(applies: Callable[[Case], bool] = lambda case: True):
    def add(function):
        function.applies = applies
        CHECKS.append(function)
        return function

    return add


@contextlib.contextmanager
def eagerly() -> Iterator[None]:
    """Runs TensorFlow functions as plain Python inside the block."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # tf.data stays traced, as it should.
            warnings.filterwarnings("ignore", ".*does not apply to tf.data functions")
            yield
    finally:
        tf.config.run_functions_eagerly(before)


def _values(weights) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in weights}


def _changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    return {path for path in before if not np.array_equal(before[path], after[path])}


def _pixels(case: Case) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.uniform(0, 255, (2, case.image_size, case.image_size, 3)).astype(np.float32)


def _step(case: Case, which: str | int) -> Phase:
    """One plain update on all images: what has a gradient moves, and nothing else can."""
    return Phase(
        "step", epochs=1, learning_rate=1e-3, unfreeze=which, optimizer="adam", batch_size=1000
    )


def _with_gradient(learner: Learner) -> set[str]:
    """Paths of the trainable variables that one batch gives a gradient other than zero."""
    split = learner.data.split("train")
    with tf.GradientTape() as tape:
        logits = learner.model(tf.constant(split.images), training=False)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(split.labels, logits)
    variables = learner.model.trainable_variables
    gradients = tape.gradient(loss, [v.value for v in variables])
    return {
        v.path
        for v, g in zip(variables, gradients, strict=True)
        if g is not None and np.abs(g.numpy()).max() > 1e-12
    }


@_check(lambda case: case.in_catalogue)
def check_record(case: Case, tmp_path: Path) -> None:
    """The record tells the truth: features, parameters, and a block for every weight."""
    spec = backbones.get_spec(case.backbone)
    network = backbones.load(case.backbone, None, spec.min_size)
    assert network.output_shape[-1] == spec.features
    assert network.count_params() == spec.parameters
    owners = [name for _, names in assign_blocks(network, spec.blocks) for name in names]
    assert len(owners) == len(set(owners))
    assert {layer.name for layer in leaf_layers(network) if layer.weights} <= set(owners)


@_check(lambda case: case.reference is not None)
def check_preprocessing(case: Case, tmp_path: Path) -> None:
    """The embedded preprocessing equals the one of the weights' authors."""
    network = backbones.load(case.backbone, case.weights, case.image_size)
    embedded = keras.Model(network.input, network.get_layer("preprocessing").output)
    module, function = case.reference.split(":")
    reference = getattr(importlib.import_module(module), function)
    pixels = _pixels(case)
    np.testing.assert_allclose(embedded(pixels), reference(pixels.copy()), rtol=1e-5, atol=1e-4)


@_check(lambda case: case.in_catalogue)
def check_preprocessed_once(case: Case, tmp_path: Path) -> None:
    """There is one scaling layer, it comes first, and it computes in float32."""
    network = backbones.load(case.backbone, None, case.image_size)
    scaling = [layer for layer in leaf_layers(network) if isinstance(layer, _SCALING)]
    assert [layer.name for layer in scaling] == ["preprocessing"]
    assert scaling[0].compute_dtype == "float32"


@_check(lambda case: case.in_catalogue)
def check_weights_file(case: Case, tmp_path: Path) -> None:
    """A weights file gives the same network as `weights="imagenet"` with these weights does."""
    spec = backbones.get_spec(case.backbone)
    pixels = _pixels(case)
    module, function = spec.builder.split(":")
    build = getattr(importlib.import_module(module), function)
    shape = (case.image_size, case.image_size, 3)
    file = tmp_path / "some.weights.h5"
    build(include_top=False, weights=None, input_shape=shape).save_weights(file)
    from_file = backbones.load(case.backbone, str(file), case.image_size)(pixels)
    if spec.weights.bundled:
        bundled = Path(backbones.__file__).parent / "weights" / spec.weights.bundled
        from_file = backbones.load(case.backbone, str(bundled), case.image_size)(pixels)
        imagenet = backbones.load(case.backbone, "imagenet", case.image_size)(pixels)
    else:
        # Only the download is replaced; Keras builds the graph it builds for "imagenet".
        home = importlib.import_module(build.__module__)
        with mock.patch.object(home.file_utils, "get_file", return_value=str(file)):
            published = build(include_top=False, weights="imagenet", input_shape=shape)
            ours = backbones.load(case.backbone, "imagenet", case.image_size)
        module, function = case.reference.split(":")
        reference = getattr(importlib.import_module(module), function)
        imagenet = published(reference(pixels.copy()))
        np.testing.assert_array_equal(ours(pixels), from_file)
    scale = np.abs(imagenet).max()
    np.testing.assert_allclose(from_file / scale, imagenet / scale, atol=1e-5)


@_check()
def check_frozen_phase(case: Case, tmp_path: Path) -> None:
    """A frozen phase, live or cached, leaves the backbone bit-identical and moves the head."""
    for cache in ("off", "memory"):
        learner = case.learner()
        before, head = _values(learner.backbone.variables), _values(learner.head.weights)
        with eagerly():
            learner.fit_head(epochs=1, cache=cache)
        assert _changed(before, _values(learner.backbone.variables)) == set()
        assert _changed(head, _values(learner.head.weights)) == set(head)


@_check()
def check_fine_tuning(case: Case, tmp_path: Path) -> None:
    """Fine-tuning moves every variable with a gradient; the BatchNorm statistics stay."""
    learner = case.learner()
    unfreeze(learner.backbone, "all")
    expected = _with_gradient(learner)
    before = _values(learner.model.weights)
    with eagerly():
        learner.fit_head(epochs=1, cache="memory")
        learner.fine_tune(policy=_step(case, "all"), augment=False)
    changed = _changed(before, _values(learner.model.weights))
    assert expected <= changed
    assert changed <= {variable.path for variable in learner.model.trainable_variables}
    assert not {path for path in changed if "moving_" in path}


@_check()
def check_unfreeze(case: Case, tmp_path: Path) -> None:
    """Unfreezing some blocks moves weights in exactly these."""
    for count in {1, max(len(case.learner().blocks) // 2, 1)}:
        learner = case.learner()
        chosen = learner.blocks[-count:]
        before = _values(learner.backbone.weights)
        with eagerly():
            learner.fit_head(epochs=1, cache="memory")
            learner.fine_tune(policy=_step(case, count), augment=False)
        changed = _changed(before, _values(learner.backbone.weights))
        for block in learner.blocks:
            paths = {w.path for x in learner.backbone.block_layers(block) for w in x.weights}
            assert bool(paths & changed) == (block in chosen), block


@_check()
def check_cached_features(case: Case, tmp_path: Path) -> None:
    """Cached features equal those that the frozen backbone gives inside a training step."""
    learner = case.learner()
    split = learner.data.split("train")
    cached = learner.features(split.images)
    live = learner.extractor(tf.constant(split.images), training=True)
    scale = np.abs(cached).max()
    assert scale > 0
    np.testing.assert_allclose(cached / scale, np.reshape(live, cached.shape) / scale, atol=1e-5)


@_check(lambda case: case.in_catalogue)
def check_mixed_precision(case: Case, tmp_path: Path) -> None:
    """Under mixed precision the backbone computes in half, preprocessing and logits do not."""
    before = keras.config.dtype_policy().name
    learner = case.learner(precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == before
    assert {v.dtype for v in learner.model.weights} == {"float32"}
    network = learner.backbone.network
    assert {x.compute_dtype for x in leaf_layers(network) if x.weights} == {"bfloat16"}
    embedded = keras.Model(network.input, network.get_layer("preprocessing").output)
    in_float32 = backbones.load(case.backbone, None, case.image_size)
    exact = keras.Model(in_float32.input, in_float32.get_layer("preprocessing").output)
    np.testing.assert_array_equal(embedded(_pixels(case)), exact(_pixels(case)))
    logits = learner.model(_pixels(case))
    assert logits.dtype == tf.float32
    served = learner.serving_model.model_variables
    assert {variable.dtype for variable in served if "seed" not in variable.name} == {tf.float32}


@_check()
def check_save_and_load(case: Case, tmp_path: Path) -> None:
    """A saved run gives back every weight and the same answers."""
    learner = case.learner()
    with eagerly():
        learner.fit_head(epochs=1, cache="memory")
    learner.save(tmp_path / "run")
    loaded = Learner.load(tmp_path / "run", learner.data, verbose=False)
    assert _changed(_values(learner.model.weights), _values(loaded.model.weights)) == set()
    assert loaded.history == learner.history
    assert loaded.config == learner.config
    pixels = _pixels(case)
    np.testing.assert_array_equal(loaded.model(pixels), learner.model(pixels))


@_check()
def check_export(case: Case, tmp_path: Path) -> None:
    """The export answers as `predict` does, in a process without Keras."""
    version = case.learner().export(tmp_path / "model")
    found = verify(version)
    assert found.ok, found.problems
    assert set(found.differences) == {"serving_default", "pixels"}


@_check()
def check_same_seed(case: Case, tmp_path: Path) -> None:
    """The same seed gives the same weights, another seed gives others."""

    def train(seed: int) -> dict[str, np.ndarray]:
        learner = case.learner(seed=seed)
        with eagerly():
            learner.fit_head(epochs=1, cache="memory")
            learner.fine_tune(policy=_step(case, 1))
        return _values(learner.model.weights)

    first = train(0)
    assert _changed(first, train(0)) == set()
    assert _changed(first, train(1))
