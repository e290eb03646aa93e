"""Features of an unusual scale are noted, and those of ordinary backbones are not."""

import types

import numpy as np
import pytest

from keras_tl.data.texts.text_split import TextSplit
from keras_tl.preflight.checks import CHECKS
from keras_tl.preflight.feature_scale import feature_scale
from keras_tl.preflight.findings import NotChecked

ITEMS, WIDTH = 200, 100


def make_features():
    """Sparse and positive with a standard deviation of 1, as after a ReLU."""
    rng = np.random.default_rng(0)
    features = np.maximum(rng.normal(size=(ITEMS, WIDTH)), 0)
    return features / features.std()


def subject_of(features, precision="float32"):
    rows = np.arange(len(features)) + 5
    texts = tuple(f"text {row}" for row in range(len(features) + 5))
    split = TextSplit(texts, None, np.zeros(len(texts), np.int64))
    data = types.SimpleNamespace(splits={"train": split})
    return types.SimpleNamespace(
        sample=(features.astype(np.float32), None),
        sample_rows=rows,
        model=types.SimpleNamespace(config=types.SimpleNamespace(precision=precision)),
        data=data,
    )


def plus(shift, columns=WIDTH):
    """These columns vary by far less than they are."""
    return make_features() + np.where(np.arange(WIDTH) < columns, shift, 0)


def with_column(factor, column=3):
    features = make_features()
    features[:, column] *= factor
    return features


def with_far(distance, items=(7, 20)):
    features = make_features()
    typical = np.median(np.linalg.norm(features - features.mean(axis=0), axis=1))
    features[list(items), 0] += distance * typical
    return features


# The features, the precision of the backbone; what is said, `None`: nothing.
CASES = {
    "usual": (make_features(), "float32", None),
    "twice": (2 * make_features(), "float32", None),
    "as-of-vgg16": (
        8 * make_features(),
        "float32",
        "a standard deviation of 8 (usual: 0.003 to 4)",
    ),
    "unit-vectors-of-4096": (make_features() / 64, "float32", None),
    "dead": (1e-6 * make_features(), "float32", "a standard deviation of 1e-06"),
    "maps": (8 * make_features().reshape(ITEMS, 2, 2, -1), "float32", "a standard deviation of 8"),
    "one-larger": (with_column(5), "float32", None),
    "one-huge": (with_column(35), "float32", "one of 100 features has 9"),
    "one-of-two": (make_features()[:, :2] * [1.0, 0.01], "float32", None),
    "constant-columns": (with_column(0), "float32", None),
    "large-means": (plus(10), "mixed_bfloat16", None),
    "lost-in-bfloat16": (
        plus(200),
        "mixed_bfloat16",
        "100 of 100 features differ between items by no more",
    ),
    "not-in-float16": (plus(200), "mixed_float16", None),
    "lost-in-float16": (
        plus(1000),
        "mixed_float16",
        "no more than the rounding errors of mixed_float16",
    ),
    "not-in-float32": (plus(1000), "float32", None),
    "lost-in-float32": (plus(1e7), "float32", "no more than the rounding errors of float32"),
    "one-column-lost": (plus(200, columns=1), "mixed_bfloat16", None),
    "a-tenth-lost": (
        plus(200, columns=10),
        "mixed_bfloat16",
        "10 of 100 features differ between items",
    ),
    "a-bit-far": (with_far(6), "float32", None),
    "far": (
        with_far(40),
        "float32",
        "2 items more than 10 times as far from the mean as the median",
    ),
    "very-far": (with_far(300, [7]), "float32", "1 item more than 10 times"),
}


@pytest.mark.parametrize("name", CASES)
def test_wild_scales_are_noted(name):
    features, precision, says = CASES[name]
    found = feature_scale(subject_of(features, precision))
    assert (found is not None) == bool(says)
    if says:
        assert found.severity == "note"
        assert says in found.what
        start = f"The features of {ITEMS} training items have an unusual scale: "
        assert found.what.startswith(start)


# The features, the precision; what is to be done.
ACTIONS = {
    "too-high": (8 * make_features(), "float32", "learning rates are too high"),
    "too-low": (1e-6 * make_features(), "float32", "learning rates are too low"),
    "half": (plus(200), "mixed_bfloat16", 'Use precision="float32".'),
    "single": (plus(1e7), "float32", "Check the backbone's weights and preprocess=."),
    "far": (with_far(40), "float32", "Look at these items"),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_what_is_to_be_done(name):
    features, precision, action = ACTIONS[name]
    assert action in feature_scale(subject_of(features, precision)).action


def test_the_farthest_items_are_named_first():
    features = with_far(40)
    features[20] += 10
    assert "('text 25', 'text 12')" in feature_scale(subject_of(features)).what


def test_several_findings_are_one():
    found = feature_scale(subject_of(8 * with_far(40)))
    assert "a standard deviation of" in found.what
    assert "; 2 items more than" in found.what
    assert found.action.count("standardises") == 1


def test_constant_features_have_no_scale():
    with pytest.raises(NotChecked, match="constant"):
        feature_scale(subject_of(np.full((ITEMS, WIDTH), 0.1)))


def test_it_is_one_of_the_checks():
    assert CHECKS["feature-scale"] is feature_scale
