"""The backbone layer: what the guide's recipe does to BatchNorm statistics, and what ours does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import backbone_of
from keras_tl.backbones.rebuilding import cut_short
from keras_tl.backbones.user_models import network_of
from keras_tl.base.keras_compat import eagerly
from keras_tl.errors import BackboneError
from keras_tl.training.layer_learning_rates import learning_rate_factors


@pytest.fixture
def network():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.5, seed=0)(x)
    return keras.Model(inputs, x, name="network")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0, 255, (16, 8, 8, 3)).astype(np.float32)


def blocks_of(network):
    return [(name, [network.get_layer(name)]) for name in ("conv", "norm")]


def train(model, images):
    model.compile(keras.optimizers.SGD(1e-4), "mse", jit_compile=False)
    model.fit(images, np.zeros((len(images), 1)), epochs=1, verbose=0)


def on_top(features):
    return keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(features))


def statistics(network):
    norm = network.get_layer("norm")
    return norm.moving_mean.numpy(), norm.moving_variance.numpy()


def test_the_guide_moves_the_statistics_and_we_do_not(network, images):
    """keras-team/keras#20285: fit overrides the training=False of the functional model."""
    before = statistics(network)
    inputs = keras.Input((8, 8, 3))
    ours = Backbone(network, blocks_of(network))
    train_ours = keras.Model(inputs, on_top(ours(inputs)))
    ours.trainable = True
    train(train_ours, images)
    for was, now in zip(before, statistics(network), strict=True):
        np.testing.assert_array_equal(was, now)
    assert not np.array_equal(network.get_layer("norm").beta.numpy(), np.zeros(4))

    guide = keras.models.clone_model(network)
    guide.trainable = False
    inputs = keras.Input((8, 8, 3))
    train_guide = keras.Model(inputs, on_top(guide(inputs, training=False)))
    guide.trainable = True
    train(train_guide, images)
    for was, now in zip(before, statistics(guide), strict=True):
        assert not np.array_equal(was, now)


@pytest.mark.parametrize("where", ["layer", "network", "norm"])
def test_statistics_stay_whatever_is_set_trainable(network, images, where):
    backbone = Backbone(network, blocks_of(network))
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, on_top(backbone(inputs)))
    backbone.trainable = True
    target = {"layer": backbone, "network": network, "norm": network.get_layer("norm")}[where]
    target.trainable = False
    target.trainable = True
    before = statistics(network)
    train(model, images)
    for was, now in zip(before, statistics(network), strict=True):
        np.testing.assert_array_equal(was, now)


def test_live_statistics_are_the_data_s_after_a_short_training(network, images):
    backbone = Backbone(network, blocks_of(network))
    # The convolution stays as it is, so the statistics have one value to arrive at.
    backbone.unfreeze(("norm",), "live")
    for _ in range(60):
        backbone(images, training=True)
    outputs = network.get_layer("conv")(images).numpy()
    mean, variance = statistics(network)
    np.testing.assert_allclose(mean, outputs.mean((0, 1, 2)), rtol=0.01)
    np.testing.assert_allclose(variance, outputs.var((0, 1, 2)), rtol=0.01)


def test_dropout_is_off_when_frozen_and_live_when_not(network, images):
    backbone = Backbone(network, blocks_of(network))
    still = network(images, training=False)
    np.testing.assert_array_equal(backbone(images, training=True), still)
    backbone.trainable = True
    assert not np.array_equal(backbone(images, training=True), still)
    np.testing.assert_array_equal(backbone(images, training=False), still)
    np.testing.assert_array_equal(backbone(images), still)


def test_the_head_after_a_frozen_backbone_still_drops(network, images):
    backbone = Backbone(network, blocks_of(network))
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.Dropout(0.5, seed=0)(backbone(inputs)))
    dropped = np.mean(model(images, training=True).numpy() == 0)
    assert 0.4 < dropped < 0.6


@pytest.mark.parametrize(
    ("blocks", "batch_norm", "expected"),
    [
        ((), "affine", set()),
        (("norm",), "affine", {"gamma", "beta"}),
        (("norm",), "frozen", set()),
        (("conv", "norm"), "affine", {"kernel", "bias", "gamma", "beta"}),
        (("conv", "norm"), "frozen", {"kernel", "bias"}),
    ],
)
def test_unfreezing_after_any_earlier_state(network, blocks, batch_norm, expected):
    backbone = Backbone(network, blocks_of(network))
    for earlier in ((), ("norm",), ("conv", "norm")):
        backbone.unfreeze(earlier)
        backbone.unfreeze(blocks, batch_norm)
        assert {v.name for v in backbone.trainable_variables} == expected


def test_pixels_reach_the_network_unrounded():
    inputs = keras.Input((1, 1, 3), dtype="float32")
    outputs = keras.layers.Rescaling(1.0, dtype="float32")(inputs)
    backbone = Backbone(keras.Model(inputs, outputs), [], dtype="mixed_bfloat16")
    pixels = tf.constant(200.3, shape=(1, 1, 1, 3))
    np.testing.assert_array_equal(backbone(pixels), pixels)


def test_a_model_with_it_is_an_ordinary_keras_file(network, images, tmp_path):
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, Backbone(network, blocks_of(network))(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images))
    assert [layer.blocks for layer in loaded.layers if isinstance(layer, Backbone)] == [
        ("conv", "norm")
    ]


@pytest.mark.parametrize("batch_norm", ["affine", "frozen", "live"])
@pytest.mark.parametrize("blocks", [(), ("norm",), ("conv", "norm")])
def test_a_keras_file_knows_what_is_trainable(network, images, tmp_path, blocks, batch_norm):
    """The optimizer in it fits nothing else."""
    inputs = keras.Input((8, 8, 3))
    backbone = Backbone(network, blocks_of(network))
    model = keras.Model(inputs, keras.layers.Dense(2)(backbone(inputs)))
    backbone.unfreeze(blocks, batch_norm)
    model.compile("adam", "mse")
    with eagerly():
        targets = np.zeros(model.compute_output_shape(images.shape), np.float32)
        model.train_on_batch(images, targets)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    names = [variable.path for variable in model.trainable_variables]
    assert [variable.path for variable in loaded.trainable_variables] == names
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)


def nested():
    """Two models in a model, whose layers have equal names."""

    def part(name, width):
        inputs = keras.Input((None, None, width))
        hidden = keras.layers.Conv2D(4, 1, name="conv")(inputs)
        return keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(hidden), name=name)

    inputs = keras.Input((8, 8, 3))
    hidden = part("lower", 3)(inputs)
    hidden = keras.layers.Conv2D(4, 1, name="conv")(hidden)
    return keras.Model(inputs, part("upper", 4)(hidden), name="whole")


def test_keras_does_not_track_the_facts(network, tmp_path):
    """A model's checkpoint would hold the tables of the preprocessor, its export them twice."""
    preprocessor = tf.Module()
    preprocessor.table = tf.Variable(1.0)
    backbone = Backbone(network, blocks_of(network)).set_facts(preprocessor=preprocessor)
    tf.train.Checkpoint(backbone=backbone).write(tmp_path / "all")
    names = [name for name, _ in tf.train.list_variables(tmp_path / "all")]
    assert any("network" in name for name in names)
    assert not any("table" in name for name in names)
    assert backbone.facts["preprocessor"] is preprocessor


NAMES = ("lower/conv", "lower/norm", "whole/conv", "upper/conv", "upper/norm")


def test_layers_of_equal_names_are_told_apart(images, tmp_path):
    backbone = backbone_of(network_of(nested(), "none", None))
    assert backbone.blocks == NAMES
    owned = [layer for name in NAMES for layer in backbone.block_layers(name)]
    assert len(set(owned)) == len(owned) == len(NAMES)
    trainable = []
    for count in range(1, len(NAMES) + 1):
        backbone.unfreeze(NAMES[-count:])
        trainable.append(len(backbone.trainable_variables))
    assert trainable == [2, 4, 6, 8, 10]
    backbone.unfreeze(NAMES[-1:])
    assert {id(w) for w in backbone.trainable_variables} < {id(w) for w in owned[-1].weights}
    # The weights of the layers below change more slowly by a factor a block.
    factors = learning_rate_factors(
        [backbone.block_layers(name) for name in NAMES], backbone.weights, factor=2.0
    )
    weights = {id(w): f for w, f in zip(backbone.weights, factors, strict=True)}
    by_layer = [{weights[id(w)] for w in layer.weights} for layer in owned]
    assert by_layer == [{2.0**-n} for n in (5, 4, 3, 2, 1)]
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, backbone(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [w.path for w in again.trainable_variables] == [
        w.path for w in model.trainable_variables
    ]
    np.testing.assert_array_equal(again(images), model(images))


def test_a_network_with_equal_names_is_cut_at_the_right_layer():
    backbone = backbone_of(network_of(nested(), "none", None))
    short = cut_short(backbone, "whole/conv")
    assert short.blocks == NAMES[:3]
    assert len(short.network.weights) == 2 + 4 + 2
    with pytest.raises(BackboneError, match="is inside a nested model"):
        cut_short(backbone, "upper/conv")
