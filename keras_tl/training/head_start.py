"""Where the training of a head begins: on standardised features, at the optimum if it is linear."""

import dataclasses

import numpy as np

from keras_tl.base.config import ModelConfig, Phase
from keras_tl.data.labelled_data import Split
from keras_tl.data.splits import draw
from keras_tl.features.rows import Features
from keras_tl.models.heads import TransferModel
from keras_tl.tasks import Task
from keras_tl.training.head_solver import Problem, Standardisation, solve
from keras_tl.training.standardised_head import StandardisedHead, first_dense


@dataclasses.dataclass(frozen=True)
class HeadStart:
    """A head that is ready to be trained.

    Attributes:
        head: the copy to train.
        l2: strength of its L2 penalty.
        is_trained: whether it begins at a solution.
        solved: whether that is the optimum of what it will be trained on.
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
    """The training of a linear head as `keras_tl.training.head_solver` takes it.

    Args:
        task: decides the loss.
        labels: of n items, see `keras_tl.data.labelled_data.Split`.
        features: float32 (n, ...) of them.
        phase: its label smoothing and class weights count.
        groups: (n,), see `Problem`.
    """
    weights = None
    by_class = task.class_weights(labels, phase.class_weight)
    if by_class is not None:
        weights = by_class[labels]
    return Problem(
        features=features.reshape(len(features), -1),
        targets=task.dense_targets(labels, phase.label_smoothing),
        loss=task.convex_loss,
        curvature=task.curvature,
        enough=task.enough,
        classes=labels if labels.dtype.kind in "iu" else None,
        weights=weights,
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
    """Standardises and, if the head is linear, solves; `None`: the phase asks for neither.

    Args:
        parts: the model.
        config: of the model.
        task: of the model.
        split: the training items.
        features: of these.
        phase: with `l2`.
        live: whether the backbone will run in every epoch.
        seed: of the folds that choose `l2`.
        most_bytes: of features that may be in memory at once: of more a sample decides.
        groups: (n,), items of one group stay in one fold.
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
