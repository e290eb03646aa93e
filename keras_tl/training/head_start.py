"""Prepare a head's training: standardise the features, and solve for a linear head's weights."""

import dataclasses

import numpy as np

from keras_tl.base.config import ModelConfig, Phase
from keras_tl.data.labelled_data import Split
from keras_tl.data.splits import draw
from keras_tl.features.store import Features
from keras_tl.models.heads import TransferModel
from keras_tl.tasks import Task
from keras_tl.training.head_solver import Problem, Standardisation, solve
from keras_tl.training.standardised_head import StandardisedHead, first_dense


@dataclasses.dataclass(frozen=True)
class HeadStart:
    """Head that is ready for training.

    Attributes:
        head: Copy of the model's head that also standardises the features. Training changes the
            weights of the copied head.
        l2: Strength of the L2 penalty in the head's training.
        is_trained: Whether the solver has already set the weights of the copied head.
        solved: Whether the solver's weights are already the optimum of the head's training.
    """

    head: StandardisedHead
    l2: float
    is_trained: bool
    solved: bool


def head_problem(
    task: Task,
    labels: np.ndarray,
    features: np.ndarray,
    phase: Phase,
    groups: np.ndarray | None = None,
) -> Problem:
    """Return the training data and the loss of a linear head as a `Problem` for `solve`.

    Args:
        labels: Labels of n training items, see `keras_tl.data.labelled_data.Split`.
        features: Features of the n training items, float32 (n, ...).
        phase: Phase that sets the label smoothing and the class weights.
        groups: Group of each item, (n,). A group is never split between folds. `None`: no groups.
    """
    by_class = task.class_weights(labels, phase.class_weight)
    return Problem(
        features=features.reshape(len(features), -1),
        targets=task.dense_targets(labels, phase.label_smoothing),
        loss=task.convex_loss,
        curvature=task.curvature,
        enough=task.enough,
        classes=labels if labels.dtype.kind in "iu" else None,
        weights=None if by_class is None else by_class[labels],
        groups=groups,
    )


def start_head(
    parts: TransferModel,
    config: ModelConfig,
    task: Task,
    split: Split,
    features: Features,
    phase: Phase,
    live: bool,
    seed: int,
    most_bytes: int,
    groups: np.ndarray | None = None,
) -> HeadStart | None:
    """Standardise a head's features, and compute the optimal weights if the head is linear.

    Returns `None` if the phase has no `l2`, or if the head normalises the features itself.

    Args:
        phase: Phase that trains the head. The phase's `l2` is a number, `"auto"` or `None`.
        live: Whether the backbone runs in every epoch. If `live` is false, training reads the
            features from the cache.
        seed: Seed of the cross-validation that chooses `l2`, and of the random sample (see
            `most_bytes`).
        most_bytes: Maximum size of the features in memory, in bytes. If the features need more than
            `most_bytes`, the function uses a random sample of the items.
        groups: Group of each item, (n,). A group is never split between folds. `None`: no groups.
    """
    if phase.l2 is None or first_dense(parts.head) is None:
        return None
    rows = np.arange(len(split))
    size = 4 * int(np.prod(features.shape[1:]))
    if size * len(rows) > most_bytes:
        rows = draw(split.labels, max(2, most_bytes // size), seed)
    given = features.read(rows)
    if config.head.hidden:
        standardisation = Standardisation.of(given.reshape(len(given), -1))
        l2 = 0.0 if phase.l2 == "auto" else phase.l2
        return HeadStart(StandardisedHead.of(parts, standardisation, live), l2, False, False)
    groups = None if groups is None else groups[rows]
    problem = head_problem(task, split.labels[rows], given, phase, groups)
    solution = solve(problem, None if phase.l2 == "auto" else phase.l2, seed)
    solved = config.head.is_linear and not live and len(rows) == len(split)
    copy = StandardisedHead.of(parts, solution.standardisation, live)
    copy.begin_at(solution)
    return HeadStart(copy, solution.l2, True, solved)
