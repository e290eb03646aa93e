"""Shared fixtures: two logical CPUs, a feature cache for the test session, tiny data."""

import contextlib
import gc
import os
import tempfile

# oneDNN is TensorFlow's default on newer CPUs. On other CPUs, oneDNN makes training several times
# as fast. Set the variable before TensorFlow is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# oneDNN's own allocator never frees memory: a process with hundreds of networks grew to 13 GiB.
os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.utils import file_utils

import keras_tl as ktl
from keras_tl.backbones.loading import seeded
from keras_tl.export import saved_model
from keras_tl.export.verification import Verification
from keras_tl.testing.cases import randomise_head

pytest_plugins = ["tests.sharding"]

# Make two devices for two replicas, before TensorFlow initialises its devices.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Fast tests run graphs as they were traced; slow tests optimise them, as users do.

    TensorFlow takes longer to optimise a graph than a test takes to run it.
    """
    is_slow = item.get_closest_marker("slow") is not None
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not is_slow})


@pytest.fixture(autouse=True, scope="session")
def feature_cache_folder(tmp_path_factory):
    """Set a temporary folder for the feature cache, so that tests do not use the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("KERAS_TL_CACHE", str(folder))
        yield folder


@pytest.fixture(autouse=True, scope="session")
def folder_of_tfds(tmp_path_factory):
    """Collect the temporary folders that TensorFlow Datasets never removes in one folder."""
    folder, make = str(tmp_path_factory.mktemp("tfds")), tempfile.mkdtemp

    def mkdtemp(suffix=None, prefix=None, dir=None):
        return make(suffix, prefix, folder if suffix == "tfds" and dir is None else dir)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "mkdtemp", mkdtemp)
        yield folder


@pytest.fixture(autouse=True, scope="module")
def old_objects_are_not_searched_again():
    """Exclude TensorFlow's old graphs from garbage collection, which would take minutes."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture
def unchecked_files(monkeypatch):
    """Turn off the file check, so that tests can use empty image files."""
    monkeypatch.setattr("keras_tl.data.image_data.check_splits", lambda *arguments: ({}, None))


@pytest.fixture
def failed_downloads(monkeypatch):
    """Make each download of Keras fail. Return a list that gets the names of the files."""
    names = []

    def get_file(fname=None, origin=None, **options):
        names.append(fname)
        raise Exception(f"URL fetch failure on {origin}: None -- no route to host")

    monkeypatch.setattr(file_utils, "get_file", get_file)
    return names


@contextlib.contextmanager
def without_verification():
    """Export without the process that verifies exports, because it takes most of the time."""
    right = Verification("", (), differences={"pixels": {"probabilities": 0.0}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_model, "verify", lambda folder, **_: right)
        yield


def export_unverified(learner, *arguments, **options):
    """Export without verification, for tests that check the outputs of the export themselves."""
    with without_verification():
        return learner.export(*arguments, **options)


@pytest.fixture
def tiny_data():
    """Images of 32 x 32 in three classes of noisy colours, which any network can learn."""
    return make_tiny_data()


def make_tiny_data(per_class=12, size=32):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), per_class)
    pixels = rng.uniform(0, 80, (len(labels), size, size, 3))
    pixels[np.arange(len(labels)), :, :, labels] += 150
    return ktl.ImageData.from_arrays(
        pixels.astype(np.float32), labels, class_names=["red", "green", "blue"]
    )


def small_network():
    """Return a user's network with BatchNorm and dropout, which trains fast."""
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="first_norm")(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(inputs, keras.layers.Conv2D(16, 3, name="second")(x), name="small")


def make_small_learner(data, as_made=False, **options):
    """Return a learner whose backbone is the small network, always with the same weights.

    The head gets random weights, so that predictions differ from item to item. With `as_made`, the
    head keeps its initial weights. There are no checks before training: other tests run these
    checks.
    """
    with seeded(0):
        network = small_network()
    settings = {
        "image_size": 32,
        "preprocess": "tf",
        "seed": 0,
        "verbose": False,
        "preflight": False,
    }
    learner = ktl.Learner(network, data, **(settings | options))
    if not as_made:
        randomise_head(learner)
    return learner


@pytest.fixture
def small_learner(tiny_data):
    """Learner on the tiny data, with the small network as backbone."""
    return make_small_learner(tiny_data)
