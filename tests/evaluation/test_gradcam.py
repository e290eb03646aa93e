"""Grad-CAM against what it is known to be, and PCA projections of known shapes."""

import keras
import numpy as np
import pytest

from keras_tl.evaluation.gradcam import grad_cam, overlaid
from keras_tl.evaluation.pca_projection import PcaProjection
from keras_tl.learner.reporting import prepare_report
from keras_tl.tasks import TASKS
from keras_tl.tasks.base import Question
from tests.conftest import make_small_learner, make_tiny_data


@pytest.fixture(scope="module")
def learner():
    """Untrained: its head has random weights."""
    return make_small_learner(make_tiny_data())


def test_with_mean_pooling_and_a_linear_head_it_is_cam(learner):
    """Selvaraju et al., sec. 3.1: the weights are those of the head over the number of places."""
    parts = learner._state.float32_parts()
    pixels = learner.data.split("test").images
    columns = np.arange(len(pixels)) % 3
    # Of every second image: what speaks against.
    signs = np.where(np.arange(len(pixels)) % 2, -1, 1).astype(np.float32)
    asked = Question(columns, signs, ("",) * len(pixels))
    found = grad_cam(parts, pixels, asked)
    maps = np.asarray(parts.backbone(pixels, training=False))
    kernel = np.asarray(parts.head.get_layer("logits").kernel)
    expected = np.maximum(np.einsum("nhwc,nc,n->nhw", maps, kernel.T[columns], signs), 0)
    expected /= np.maximum(expected.max(axis=(1, 2), keepdims=True), 1e-12)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.max() == pytest.approx(1)
    coloured = overlaid(pixels, found)
    assert coloured.shape == pixels.shape
    assert coloured.min() >= 0
    assert coloured.max() <= 255
    np.testing.assert_array_equal(overlaid(pixels, np.zeros_like(found)), pixels)
    # The brightest colour of the map is a yellow.
    most = overlaid(np.zeros_like(pixels), np.ones_like(found))
    np.testing.assert_allclose(most[0, 0, 0], 0.6 * 255 * np.array([0.94, 0.975, 0.131]), atol=0.5)


def test_vectors_have_no_map():
    inputs = keras.Input((16, 16, 3))
    vectors = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs))
    learner = make_small_learner_of(keras.Model(inputs, vectors))
    pixels = learner.data.split("test").images
    asked = Question(np.zeros(len(pixels), int), np.ones(len(pixels), np.float32), ())
    assert grad_cam(learner._state.float32_parts(), pixels, asked) is None
    prepare_report(learner._state)
    assert not any("gradcam" in name for name in learner._state.artifacts.files)
    assert len(learner._state.artifacts.top_items()) == len(pixels)


def make_small_learner_of(network):
    """A learner on a network of one's own."""
    import keras_tl as ktl

    settings = {"image_size": 16, "preprocess": "tf", "seed": 0, "verbose": False}
    return ktl.Learner(network, make_tiny_data(size=16), **settings)


# Labels and logits of one item, the column that is asked about, its sign and its name.
QUESTIONS = {
    "multiclass": ([1], [[3.0, 1.0, 2.0]], 0, 1, "a"),
    "binary": ([1], [[-2.0]], 0, -1, "a"),
    "multilabel": ([[1, 0, 0]], [[2.0, 3.0, -9.0]], 1, 1, "b"),
    "regression": ([1.0], [[3.0]], 0, 1, "a higher value"),
}


@pytest.mark.parametrize("task", QUESTIONS)
def test_what_is_asked_is_the_answer_that_was_given(task):
    labels, logits, column, sign, name = QUESTIONS[task]
    names = {"binary": ("a", "b"), "regression": ()}.get(task, ("a", "b", "c"))
    asked = TASKS[task](names).question(np.array(labels), np.array(logits, np.float32))
    assert (asked.outputs[0], asked.signs[0], asked.names[0]) == (column, sign, name)


def test_a_map_finds_the_plane_and_the_neighbours():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    centres = np.array([[9, 0, 0, 0], [0, 9, 0, 0], [0, 0, 0, 0]])[labels]
    features = centres + rng.normal(0, 0.1, (60, 4))
    found = PcaProjection.of("test", labels, features.reshape(60, 2, 1, 2))
    assert found.neighbours == 1
    assert sum(found.explained) > 0.99
    assert list(np.var(found.points, axis=0) / np.var(features, axis=0).sum()) == pytest.approx(
        found.explained
    )
    # Distances stay what they are.
    assert np.linalg.norm(found.points[0] - found.points[20]) == pytest.approx(9 * 2**0.5, abs=0.5)
    read = PcaProjection.from_bytes(found.to_bytes())
    np.testing.assert_allclose(read.points, found.points, rtol=1e-3)
    assert read.to_bytes() == found.to_bytes()
    several = PcaProjection.of("test", np.eye(3, dtype=np.float32)[labels], features)
    assert several.neighbours == 1
    assert PcaProjection.of("test", rng.normal(size=60), features).neighbours is None


def test_the_nearest_neighbour_is_another_item_by_all_of_the_features():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(80, 6)), rng.integers(0, 2, (80, 3))
    distances = np.linalg.norm(features[:, None] - features[None], axis=2)
    nearest = (distances + 99 * np.eye(80)).argmin(axis=1)
    for found in (labels[:, 0], labels):
        same = (found[nearest] == found).reshape(80, -1).all(axis=1).mean()
        assert PcaProjection.of("test", found, features).neighbours == pytest.approx(same)
        assert 0.05 < same < 0.7


def test_there_is_no_map_of_features_that_are_not_finite():
    features = np.ones((5, 3))
    features[1, 1] = np.nan
    assert PcaProjection.of("test", np.arange(5), features) is None


@pytest.mark.parametrize("shape", [(5, 3), (5, 1), (3, 8)])
def test_a_map_of_what_never_varies(shape):
    found = PcaProjection.of("test", np.arange(shape[0]), np.ones(shape))
    assert not found.points.any()
    assert found.explained == (0, 0)
    assert PcaProjection.of("test", np.arange(2), np.ones((2, 3))) is None
