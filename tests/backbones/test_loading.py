"""Weights files, right and wrong, and names of backbones."""

import random

import keras
import numpy as np
import pytest

from keras_tl import backbones
from keras_tl.backbones.building import behind_scaling
from keras_tl.backbones.loading import load_spec, seeded
from keras_tl.errors import WeightsError


@pytest.mark.usefixtures("failed_downloads")
def test_a_failed_download_names_the_way_without_a_network():
    message = (
        r"Could not download the ImageNet weights of vgg16 \(URL fetch failure on https://.*"
        r"vgg16.*notop.h5.*pass weights='PATH'\. Or use 'efficientnet_lite0'"
    )
    with pytest.raises(WeightsError, match=message):
        backbones.load("vgg16", weights="imagenet", image_size=32)


def write_garbage(path):
    path.write_bytes(b"not a weights file")


def write_another_network(path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save_weights(path)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.h5"])
def test_garbage_is_refused(tmp_path, name):
    write_garbage(tmp_path / name)
    with pytest.raises(WeightsError, match=r"do not fit vgg16 without its classifier: "):
        backbones.load("vgg16", weights=str(tmp_path / name), image_size=32)


def test_weights_of_another_network_are_refused(tmp_path):
    write_another_network(tmp_path / "w.weights.h5")
    with pytest.raises(WeightsError, match=r"do not fit vgg16 without its classifier: "):
        backbones.load("vgg16", weights=str(tmp_path / "w.weights.h5"), image_size=32)


def test_a_missing_file_says_what_is_accepted(tmp_path):
    with pytest.raises(WeightsError, match=r"Expected 'imagenet', the path of .* or None"):
        backbones.load("vgg16", weights=str(tmp_path / "gone.h5"), image_size=32)


@pytest.mark.parametrize("size", [None, 64, (32, 48)])
def test_the_image_size(size):
    network = backbones.load("vgg16", weights=None, image_size=size)
    height, width = (224, 224) if size is None else (size, size) if size == 64 else size
    assert network.input_shape == (None, height, width, 3)
    assert network.output_shape == (None, height // 32, width // 32, 512)


@pytest.mark.parametrize(
    ("block", "shape"),
    [("block1", (16, 16, 64)), ("block4", (2, 2, 512)), ("block5", (1, 1, 512))],
)
def test_output_block_cuts_after_the_block(block, shape):
    spec = backbones.get_spec("vgg16")
    loaded = load_spec(spec, None, (32, 32), output_block=block)
    assert loaded.network.output_shape[1:] == shape
    assert loaded.blocks[-1] == block


MEAN = (0.485, 0.456, 0.406)


@pytest.mark.parametrize(
    ("mean", "variance", "fits"),
    [
        ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), True),
        (MEAN, (0.229, 0.224, 0.225), True),
        (MEAN, (0.229**2, 0.224**2, 0.225**2), True),
        ((0.2, 0.2, 0.2), (0.1, 0.1, 0.1), False),
    ],
    ids=["as-made", "published", "corrected", "adapted"],
)
def test_a_normalisation_of_its_own_is_refused(mean, variance, fits):
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Normalization(axis=-1, name="norm")(keras.layers.Rescaling(1 / 255)(inputs))
    network = keras.Model(inputs, keras.layers.Conv2D(4, 3)(x))
    norm = network.get_layer("norm")
    norm.set_weights([np.array(mean), np.array(variance), np.array(0)])
    norm.finalize_state()
    spec = backbones.get_spec("efficientnet_b0")
    if fits:
        assert behind_scaling(network, spec) is norm.output
    else:
        with pytest.raises(WeightsError, match=r"efficientnet_b0 were trained with a norm"):
            behind_scaling(network, spec)


def test_a_network_without_its_scaling_layers_is_an_ordinary_keras_file(tmp_path):
    network = backbones.load("mobilenet_v3_small", weights=None, image_size=32)
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded(pixels), network(pixels))
    # Only a `Backbone` freezes what it holds.
    assert network.trainable_variables


def test_seeding_leaves_the_global_state_alone():
    random.seed(1)
    expected = random.random()
    random.seed(1)
    made = []
    for _ in range(2):
        with seeded(5):
            made.append(keras.initializers.GlorotUniform()((3, 3)).numpy())
    assert random.random() == expected
    np.testing.assert_array_equal(*made)
