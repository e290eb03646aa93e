"""The solved head: scikit-learn's optimum, a penalty that items out of fold choose."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression, Ridge

from keras_tl.tasks import TASKS
from keras_tl.training.head_solver import Problem, Standardisation, choose_l2, solve

NAMES = ("a", "b", "c")


def features_of(count, width, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, width)) * rng.uniform(0.1, 30, width) + 5).astype(np.float32)


def labels_of(features, kind, seed=1):
    """Labels that follow the features, with noise."""
    rng = np.random.default_rng(seed)
    x = Standardisation.of(features).apply(features)
    scores = x @ rng.normal(size=(x.shape[1], 3)) / 2 + rng.normal(size=(len(x), 3))
    return {
        "multiclass": scores.argmax(axis=1),
        "binary": (scores[:, 0] > 0).astype(np.int64),
        "multilabel": (scores > 0).astype(np.float32),
        "regression": (7 * scores[:, 0] + 100).astype(np.float32),
    }[kind]


def task_of(kind, labels):
    if kind != "regression":
        return TASKS[kind](NAMES[:2] if kind == "binary" else NAMES)
    return TASKS[kind]((), float(labels.mean()), float(labels.std()))


def problem_of(kind, features, labels, **options):
    task = task_of(kind, labels)
    classes = labels if labels.dtype.kind == "i" else None
    targets = task.dense_targets(labels)
    return Problem(features, targets, task.convex_loss, task.curvature, classes=classes, **options)


def answers_by_scikit_learn(kind, x, labels, l2):
    """Probabilities, or standardised values, of the same penalised optimum."""
    strength = 1 / (l2 * len(x))
    if kind == "regression":
        target = (labels - labels.mean()) / labels.std()
        return Ridge(alpha=l2 * len(x) / 2).fit(x, target).predict(x)[:, None]
    columns = labels.T if kind == "multilabel" else [labels]
    # The loss of several labels is their mean.
    strength /= len(columns)
    fitted = [LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(x, y) for y in columns]
    found = [one.predict_proba(x) for one in fitted]
    return found[0] if kind == "multiclass" else np.stack([p[:, 1] for p in found], axis=1)


@pytest.mark.parametrize("shape", [(120, 10), (40, 90)], ids=["tall", "wide"])
@pytest.mark.parametrize("kind", TASKS)
def test_the_optimum_is_scikit_learns(kind, shape):
    features = features_of(*shape)
    labels = labels_of(features, kind)
    found = solve(problem_of(kind, features, labels), l2=0.03)
    outputs = found.outputs(features)
    answer = {"multiclass": lambda z: softmax(z, axis=1), "regression": lambda z: z}.get(
        kind, expit
    )
    x = found.standardisation.apply(features)
    np.testing.assert_allclose(
        answer(outputs), answers_by_scikit_learn(kind, x, labels, 0.03), atol=2e-4
    )


@pytest.mark.parametrize("kind", TASKS)
def test_the_loss_is_that_of_keras_and_its_gradient_is_right(kind):
    features = features_of(6, 3)
    labels = labels_of(features, kind)
    task = task_of(kind, labels)
    outputs = np.random.default_rng(3).normal(size=(6, task.outputs))
    smoothing = 0.0 if kind == "regression" else 0.2
    targets = task.dense_targets(labels, smoothing)
    losses, gradient = task.convex_loss(outputs, targets)
    given = task.from_outputs(outputs)
    keras_loss = task.loss(smoothing, soft=True)(task.targets(labels, soft=True), given)
    assert losses.mean() == pytest.approx(float(keras_loss) * task.loss_weight, rel=1e-5)
    step = 1e-6 * np.random.default_rng(4).normal(size=outputs.shape)
    change = (
        task.convex_loss(outputs + step, targets)[0] - task.convex_loss(outputs - step, targets)[0]
    )
    np.testing.assert_allclose(change, 2 * (gradient * step).sum(axis=1), rtol=1e-4, atol=1e-12)


def test_weights_count_as_items_do():
    features = features_of(30, 5)
    labels = labels_of(features, "multiclass")
    weights = np.arange(30) % 3
    rows = np.repeat(np.arange(30), weights)
    weighted = solve(problem_of("multiclass", features, labels, weights=weights.astype(float)), 0.1)
    repeated = problem_of("multiclass", features[rows], labels[rows])
    # The standardisation is of the features as they are given: compare in the weighted one's.
    plain = problem_of("multiclass", features, labels)
    assert not np.allclose(solve(plain, 0.1).kernel, weighted.kernel, atol=1e-3)
    outputs = weighted.outputs(repeated.features)
    _, gradient = repeated.loss(outputs, repeated.targets)
    x = weighted.standardisation.apply(repeated.features)
    kernel = weighted.kernel * weighted.standardisation.scale[:, None]
    np.testing.assert_allclose(x.T @ gradient / 30 + 0.1 * kernel, 0, atol=1e-4)
    np.testing.assert_allclose(gradient.mean(axis=0), 0, atol=1e-4)


def test_a_feature_that_is_nearly_constant_by_chance_is_not_blown_up():
    features = np.random.default_rng(0).normal(size=(20, 50)).astype(np.float32)
    features[:, 0] = 0
    features[3, 0] = 1e-3
    found = Standardisation.of(features)
    variances = features.var(axis=0, dtype=np.float64)
    expected = np.sqrt((20 * variances + 10 * variances.mean()) / 30)
    np.testing.assert_allclose(found.scale, expected, rtol=1e-6)
    assert abs(found.apply(features + 1)[0, 0]) < 3


def test_constant_features_are_no_trouble():
    features = np.ones((10, 4), np.float32)
    labels = np.arange(10) % 2
    found = solve(problem_of("binary", features, labels))
    np.testing.assert_allclose(found.outputs(features), 0, atol=1e-5)


def test_noise_is_penalised_away_and_a_signal_is_not():
    features = features_of(80, 30)
    signal = labels_of(features, "multiclass")
    noise = np.random.default_rng(5).permutation(signal)
    strengths = [choose_l2(problem_of("multiclass", features, x)) for x in (signal, noise)]
    assert strengths[1] > 5 * strengths[0]


# With more than 500 items, a random sample of them chooses.
@pytest.mark.parametrize(
    ("kind", "count"), [("multiclass", 100), ("multiclass", 700), ("regression", 700)]
)
def test_the_chosen_penalty_is_better_on_new_items_than_others(kind, count):
    features = features_of(count + 1000, 2 * count // 5)
    labels = labels_of(features, kind)
    known, new = problem_of(kind, features[:count], labels[:count]), slice(count, None)
    targets = task_of(kind, labels).dense_targets(labels)[new]

    def loss(l2):
        outputs = solve(known, l2).outputs(features[new])
        return known.loss(outputs, targets)[0].mean()

    chosen = choose_l2(known)
    assert loss(chosen) < min(loss(chosen * 30), loss(chosen / 30))


def test_items_of_a_group_do_not_choose_for_each_other():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 6)
    # Each group has features of its own, and a label by chance: nothing carries over.
    features = (rng.normal(size=(20, 30))[groups] + rng.normal(size=(120, 30)) / 100).astype("f4")
    labels = rng.integers(0, 2, 20)[groups]
    free = choose_l2(problem_of("binary", features, labels))
    grouped = choose_l2(problem_of("binary", features, labels, groups=groups))
    assert grouped > 100 * free


def test_a_perfect_fit_does_not_end_in_boundless_certainty():
    features = np.repeat(np.eye(2, dtype=np.float32), 30, axis=0) * 10
    found = solve(problem_of("binary", features, np.repeat([0, 1], 30)))
    assert np.abs(found.outputs(features)).max() < 20


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_head(seed):
    features = features_of(60, 8)
    problem = problem_of("multiclass", features, labels_of(features, "multiclass"))
    first, second = (solve(problem, seed=seed) for _ in range(2))
    assert first.l2 == second.l2
    np.testing.assert_array_equal(first.kernel, second.kernel)
