"""Heads: which layers, in which order, and BatchNorm whose statistics the cached features move."""

import keras
import numpy as np
import pytest

from keras_tl.base.config import HeadConfig, ModelConfig, Phase
from keras_tl.base.keras_compat import eagerly
from tests.conftest import make_small_learner, make_tiny_data

NORM, DROP, DENSE = "BatchNormalization", "Dropout", "Dense"
# The head, and its layers.
HEADS = {
    "plain": (HeadConfig(), [DROP, DENSE]),
    "hidden": (HeadConfig(hidden=(5,)), [DROP, DENSE, DROP, DENSE]),
    "norm": (HeadConfig(batch_norm=True), [NORM, DROP, DENSE]),
    "norms": (HeadConfig("max", hidden=(5, 4), batch_norm=True), [NORM, DROP, DENSE] * 3),
    "flat": (HeadConfig("flatten", batch_norm=True), ["Flatten", NORM, DROP, DENSE]),
}


@pytest.mark.parametrize("name", HEADS)
def test_what_each_dense_layer_takes_is_normalised_then_dropped(name):
    config, expected = HEADS[name]
    learner = make_small_learner(make_tiny_data(), head=config)
    layers = learner.trainer.parts.head.layers[1:]
    assert [type(layer).__name__ for layer in layers] == expected
    # The graph has the order of the list, and ReLU is between two Dense layers only.
    dense = [layer for layer in layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [*config.hidden, 3]
    assert [layer.activation.__name__ for layer in dense] == [
        *["relu"] * len(config.hidden),
        "linear",
    ]
    assert {layer.compute_dtype for layer in layers} == {"float32"}
    features = np.random.default_rng(0).normal(
        size=(2, *learner.trainer.parts.extractor.output_shape[1:])
    )
    through = features.astype(np.float32)
    for layer in layers:
        through = layer(through)
    np.testing.assert_allclose(learner.trainer.parts.head(features), through, rtol=1e-6)


def statistics_of(model):
    return [weight.numpy() for weight in model.weights if "moving_" in weight.path]


def test_the_statistics_of_a_head_move_on_cached_features_and_in_fine_tuning():
    learner = make_small_learner(
        make_tiny_data(), head=HeadConfig(hidden=(6,), dropout=0.0, batch_norm=True)
    )
    images = learner.data.split("train").images
    features = learner.features(images)
    before, backbone = statistics_of(learner.trainer.parts.head), statistics_of(learner.backbone)
    assert len(before) == 4
    with eagerly():
        record = learner.fit_head(epochs=10, cache="memory", batch_size=8)
    assert record.cached
    moved = statistics_of(learner.trainer.parts.head)
    # With a momentum of 0.9 they are those of the features in the end.
    np.testing.assert_allclose(moved[0], features.mean(0), atol=0.3 * features.std(0).max())
    assert all((old != new).any() for old, new in zip(before, moved, strict=True))
    # The head on cached features and the whole model are one network.
    cached = learner.trainer.parts.head(learner.features(images))
    np.testing.assert_allclose(learner.model(images), cached, atol=1e-5)
    tune = Phase("tune", epochs=1, learning_rate=1e-4, unfreeze="all", patience=None)
    with eagerly():
        learner.fine_tune(policy=tune, augment=False)
    again = statistics_of(learner.trainer.parts.head)
    assert all((old != new).any() for old, new in zip(moved, again, strict=True))
    for old, new in zip(backbone, statistics_of(learner.backbone), strict=True):
        np.testing.assert_array_equal(old, new)


def test_configurations_from_before_there_was_batch_norm_have_none():
    head = {"pooling": "avg", "hidden": [8], "dropout": 0.2}
    assert HeadConfig.from_json(head) == HeadConfig(hidden=(8,), dropout=0.2)
    old = ModelConfig(
        "vgg16", (32, 32), "crop", "binary", ("a", "b"), HeadConfig(hidden=(8,), dropout=0.2)
    )
    values = old.to_json()
    values["head"] = head
    assert ModelConfig.from_json(values) == old
