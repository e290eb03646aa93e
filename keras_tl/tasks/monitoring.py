"""The value (loss or metric) that a training phase monitors on the validation split."""

import numpy as np

from keras_tl.base.config import Phase
from keras_tl.tasks.base import Task


def monitored(task: Task, phase: Phase) -> tuple[str, bool]:
    """Return the name of the value that a phase monitors, and whether higher values are better.

    Example:
        >>> phase = ktl.Phase(name="head", epochs=1, learning_rate=1e-3, monitor="metric")
        >>> ktl.tasks.monitored(learner.task, phase)
        ('accuracy', True)
    """
    if phase.monitor == "loss":
        return "loss", False
    return task.monitor, task.more_is_better


def monitored_value(task: Task, phase: Phase, *, labels: np.ndarray, logits: np.ndarray) -> float:
    """Compute the value that a phase monitors, from the labels and logits of a split.

    Example:
        >>> phase = ktl.Phase(name="head", epochs=1, learning_rate=1e-3, monitor="loss")
        >>> task, raw = learner.task, learner.evaluate().raw
        >>> ktl.tasks.monitored_value(task, phase, labels=raw.labels, logits=raw.logits) >= 0
        True
    """
    soft = needs_class_probabilities(phase)
    targets = task.targets(labels, soft)
    if phase.monitor == "loss":
        return float(task.loss(phase.label_smoothing, soft)(targets, logits)) * task.loss_weight
    metric = next(metric for metric in task.metrics(soft) if metric.name == task.monitor)
    metric.update_state(targets, logits)
    return float(metric.result())


def needs_class_probabilities(phase: Phase, mixed: bool = False) -> bool:
    """Return whether targets in a phase must be class probabilities instead of class numbers.

    Example:
        >>> phase = ktl.Phase(name="head", epochs=1, learning_rate=1e-3, label_smoothing=0.1)
        >>> ktl.tasks.needs_class_probabilities(phase)
        True
    """
    return mixed or phase.label_smoothing > 0
