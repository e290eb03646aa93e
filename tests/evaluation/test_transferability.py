"""LogME: the evidence as it is defined, what it must not depend on, and that it ranks."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, ortho_group

from keras_tl.errors import BackboneError, DataError
from keras_tl.evaluation.transferability import log_evidence, logme
from keras_tl.tasks import TASKS

# Items, features, and how many of the features are there twice.
SHAPES = {"long": (40, 6, 0), "wide": (12, 30, 0), "square": (15, 15, 0), "collinear": (30, 8, 4)}


def example_inputs(n, d, copies=0, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) + 0.3
    if copies:
        features[:, -copies:] = features[:, :copies]
    return features, features @ rng.normal(size=d) + noise * rng.normal(size=n)


def brute_force(features, target):
    """Maximises the density of the target itself, without algebra on the features."""

    def negative(logs):
        alpha, beta = np.exp(np.clip(logs, -30, 30))
        covariance = features @ features.T / alpha + np.eye(len(features)) / beta
        return -multivariate_normal.logpdf(target, cov=covariance, allow_singular=True)

    starts = [(a, b) for a in (-3, 0, 3) for b in (-1, 2)]
    found = [minimize(negative, start, method="Nelder-Mead").fun for start in starts]
    return -min(found) / len(target)


@pytest.mark.parametrize("name", SHAPES)
def test_the_evidence_is_that_of_its_definition(name):
    features, target = example_inputs(*SHAPES[name])
    ours = log_evidence(features, target[:, None])
    assert ours == pytest.approx([brute_force(features, target)], abs=1e-5)


@pytest.mark.parametrize("name", SHAPES)
def test_what_the_evidence_does_not_depend_on(name):
    features, target = example_inputs(*SHAPES[name])
    rotation = ortho_group.rvs(features.shape[1], random_state=0)
    order = np.random.default_rng(1).permutation(len(target))
    same = {
        "rotated": (features @ rotation, target),
        "scaled": (1000 * features, target),
        "reordered": (features[order], target[order]),
        "padded": (np.pad(features, ((0, 0), (0, 3))), target),
        "turned round": (features, -target),
    }
    expected = log_evidence(features, target[:, None])
    for what, (x, y) in same.items():
        assert log_evidence(x, y[:, None]) == pytest.approx(expected, abs=1e-6), what
    # In another unit the density of the target is another one.
    scaled = log_evidence(features, 10 * target[:, None])
    assert scaled == pytest.approx(expected - np.log(10), abs=1e-6)


def test_features_of_no_use_are_worth_what_noise_alone_is():
    target = np.random.default_rng(0).normal(size=50)
    alone = -0.5 * (np.log(2 * np.pi * np.mean(target**2)) + 1)
    assert log_evidence(np.zeros((50, 4)), target[:, None]) == pytest.approx([alone])
    noise = np.random.default_rng(1).normal(size=(50, 4))
    assert alone - 0.01 < log_evidence(noise, target[:, None])[0] < alone + 0.05


def test_features_that_give_the_target_exactly_are_finite_and_best():
    features, target = example_inputs(40, 5, noise=0)
    exact = log_evidence(features, target[:, None])[0]
    noisy = log_evidence(features + 0.01, target[:, None])[0]
    assert np.isfinite(exact)
    assert exact > noisy


def tasks_labels(signal):
    """For each task labels that the first of these features say as much of."""
    return {
        "binary": (signal > 0.5).astype(np.int64),
        "multiclass": np.digitize(signal, [-0.7, 0.3, 1]).astype(np.int64),
        "multilabel": np.stack([signal > 0, signal > 1, np.full(len(signal), 1)], 1).astype("f4"),
        "regression": (1e4 + 3 * signal).astype(np.float32),
    }


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_the_less_noise_in_the_features_the_higher_the_score(task):
    rng = np.random.default_rng(0)
    signal, noise = rng.normal(size=400), rng.normal(size=(400, 20))
    labels = tasks_labels(signal)[task]
    scores = []
    for strength in (30, 3, 1, 0):
        features = np.ones((400, 21))
        features[:, :20] = noise
        features[:, :3] += strength * signal[:, None]
        scores.append(logme(features.astype(np.float32), labels, TASKS[task]))
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1] + 0.1


def test_the_unit_and_zero_of_a_regression_do_not_matter():
    features, target = example_inputs(60, 5)
    expected = logme(features, target, TASKS["regression"])
    fahrenheit = logme(features, 32 + 1.8 * target, TASKS["regression"])
    assert fahrenheit == pytest.approx(expected, abs=1e-6)


def test_a_class_without_items_changes_nothing():
    features, _ = example_inputs(40, 5)
    labels = np.arange(40) % 3
    expected = logme(features, labels, TASKS["multiclass"])
    assert expected == pytest.approx(log_evidence(features, np.eye(3)[labels]).mean())
    assert logme(features, np.array([0, 2, 7])[labels], TASKS["multiclass"]) == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("multiclass", np.zeros(10, np.int64)),
        ("multilabel", np.ones((10, 2), np.float32)),
        ("regression", np.full(10, 3.3, np.float32)),
    ],
)
def test_labels_that_are_all_the_same_are_an_error(task, labels):
    with pytest.raises(DataError, match="have the same label"):
        logme(np.eye(10), labels, TASKS[task])


def test_features_that_are_not_finite_are_an_error():
    features = np.ones((4, 2), np.float32)
    features[1, 1] = np.nan
    with pytest.raises(BackboneError, match="NaN or infinite"):
        logme(features, np.array([0, 1, 0, 1]), TASKS["binary"])
