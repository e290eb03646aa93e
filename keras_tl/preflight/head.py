"""Checks of features, head and loss: whether the model can learn at all."""

import math

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf

from keras_tl.backbones.loading import seeded
from keras_tl.base.reporting import no_retracing_warnings
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Finding, NotChecked
from keras_tl.tasks import Task

# Largest error that float32 and the clipping of probabilities cause in a loss.
_ROUNDING = 0.01
# Features are constant if their standard deviation is at most 1e-5 times the largest value.
_CONSTANT = 1e-5
# Settings of `one_batch`: maximum number of items, maximum number of L-BFGS steps, and largest
# accepted loss after these steps, as a fraction of the loss of guessing.
BATCH, STEPS, REACHED = 16, 200, 0.1


def non_finite_features(context: CheckContext) -> Finding | None:
    """Find NaN or infinite features, which make every loss NaN."""
    features, _ = context.sample
    bad = int((~np.isfinite(features.reshape(len(features), -1)).all(axis=1)).sum())
    if not bad:
        return None
    return Finding(
        "non-finite-features",
        "error",
        f"Expected finite features of the backbone. Received NaN or infinity for {bad} of "
        f"{len(features)} training items.",
        'Check the weights and preprocess=, and use precision="float32".',
    )


def constant_features(context: CheckContext) -> Finding | None:
    """Find a dead backbone, which computes the same features for all items."""
    features, _ = context.sample
    if len(features) < 2 or not _is_constant(features):
        return None
    return Finding(
        "constant-features",
        "warning",
        f"All {len(features)} training items have the same features: no head can separate them.",
        "Check the backbone's weights, output_block= and preprocess=, or train the backbone from "
        "scratch with fine_tune(policy='scratch').",
    )


def _is_constant(features: np.ndarray) -> bool:
    spread = features.std(axis=0).max()
    return bool(spread <= _CONSTANT * max(float(np.abs(features).max()), 1e-30))


def initial_loss(context: CheckContext) -> Finding | None:
    """Compare the loss of the untrained head with the loss that theory predicts.

    The last layer of an untrained head has zero weights, so all logits are 0. For zero logits, the
    loss is ln C for a softmax over C classes, ln 2 for a sigmoid, and 1 for a regression (the
    variance of standardised targets). A loss that differs from theory shows a fault of the loss
    function or of the targets.
    """
    model, head = context.model, context.model.parts.head
    # Keras's `model.fit` adds no phase to the history, but changes the weights of the last layer.
    if model.trainer.history or any(map(np.any, head.get_layer("logits").get_weights())):
        raise NotChecked("the head is trained")
    features, labels = context.sample
    expected = model.task.loss_of_guessing(labels)
    if not expected:
        raise NotChecked("the targets are constant")
    loss = loss_of(model.task, labels, np.asarray(head(features, training=False)))
    if abs(loss - expected) <= _ROUNDING * (1 + expected):
        return None
    return Finding(
        "initial-loss",
        "warning",
        f"The untrained head has a loss of {loss:.3g}. Expected {expected:.3g}, the loss of "
        "guessing, because all weights of the last layer are 0.",
        "Check that the loss expects logits, not probabilities, and that the targets fit the task.",
    )


def loss_of(task: Task, labels: np.ndarray, logits: np.ndarray) -> float:
    """Return the loss that training would report for these logits."""
    return float(task.loss()(task.targets(labels), logits)) * task.loss_weight


def one_batch(context: CheckContext) -> Finding | None:
    """Check that a copy of the head can memorise a few training items."""
    model = context.model
    features, labels = context.sample
    if _is_constant(features):
        raise NotChecked("the features are constant")
    # A layer with d inputs can separate d items, whatever their labels.
    narrowest = min(features[0].size, *model.config.head.hidden, BATCH)
    rows = _distinct(features, labels, max(2, narrowest))
    if len(rows) < 2:
        raise NotChecked("no two training items have different features")
    goal = REACHED * model.task.loss_of_guessing(labels[rows])
    if not goal:
        raise NotChecked("the targets are constant")
    start, end = overfit(model.parts.head, model.task, features[rows], labels[rows], goal)
    if end <= goal:
        return None
    return Finding(
        "one-batch",
        "warning",
        f"A copy of the head cannot memorise {len(rows)} training items: its loss went from "
        f"{start:.3g} to {end:.3g} in {STEPS} steps. Expected a loss below {goal:.2g}.",
        "Check that the loss expects logits, not probabilities, and that no layer of the head "
        "stops gradients.",
    )


def _distinct(features: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return row numbers of items with distinct features, ordered so that classes alternate."""
    flat = features.reshape(len(features), -1)
    flat = np.round(flat / max(float(np.abs(flat).max()), 1e-30), 5)
    _, first = np.unique(flat, axis=0, return_index=True)
    _, kinds = np.unique(labels[first], axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)
    turns = np.array([np.count_nonzero(kinds[:place] == kind) for place, kind in enumerate(kinds)])
    return first[np.argsort(turns, kind="stable")][:count]


def overfit(
    head: keras.Model, task: Task, features: np.ndarray, labels: np.ndarray, goal: float
) -> tuple[float, float]:
    """Fit a new copy of a head to n items. Return the loss before the fit and the lowest loss.

    The function tests whether the head suits the loss function. The result must not depend on a
    learning rate. Therefore, the function fits the head with L-BFGS, which has no learning rate, on
    standardised features without dropout. Source of L-BFGS: Liu and Nocedal (1989), Mathematical
    Programming 45.

    Args:
        head: Keras model that computes logits from features.
        task: Task that defines the loss function and the targets.
        features: Features of the items, float32 (n, ...).
        labels: Labels of the n items.
        goal: Loss at which the fitting stops.
    """
    with seeded(0):
        copy = keras.models.clone_model(head)
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    inputs, targets = tf.constant(scaled, tf.float32), tf.constant(task.targets(labels))
    weights, loss = copy.trainable_variables, task.loss()
    sizes = [math.prod(w.shape) for w in weights]
    ends = np.cumsum(sizes)[:-1]

    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as tape:
            value = loss(targets, copy(inputs, training=False)) * task.loss_weight
        return value, tape.gradient(value, [w.value for w in weights])

    losses = []

    def evaluate(point: np.ndarray) -> tuple[float, np.ndarray]:
        for weight, values in zip(weights, np.split(point, ends), strict=True):
            weight.assign(values.reshape(weight.shape))
        with no_retracing_warnings():
            value, found = gradients()
        losses.append(float(value))
        parts = [
            np.zeros(size) if part is None else np.ravel(part.numpy())
            for size, part in zip(sizes, found, strict=True)
        ]
        return losses[-1], np.concatenate(parts).astype(np.float64)

    def stop_at_the_goal(point: np.ndarray) -> None:
        if min(losses) <= goal:
            raise StopIteration

    scipy.optimize.minimize(
        evaluate,
        np.concatenate([np.ravel(weight.numpy()) for weight in weights]).astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        callback=stop_at_the_goal,
        options={"maxiter": STEPS},
    )
    return losses[0], float(np.nanmin(losses))
