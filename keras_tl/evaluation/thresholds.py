"""Decision thresholds: precision-recall and ROC curves, and the choice of a threshold by a rule."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from keras_tl.base.config import check_range
from keras_tl.errors import ConfigError, quoted
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.tasks import Task
from keras_tl.tasks.scores import thinned


@dataclasses.dataclass(frozen=True)
class Rule:
    """Goal of a decision threshold on the validation split. Default: the largest F1.

    Attributes:
        precision: Minimum precision, in (0, 1]. The rule chooses the smallest threshold that
            reaches `precision`, because a smaller threshold never has a lower recall.
        recall: Minimum recall, in (0, 1]. The rule chooses the largest threshold that reaches
            `recall`, because a larger threshold usually has a higher precision.

    Raises:
        ConfigError: `precision` and `recall` are both given, or a value is not in (0, 1].

    Example:
        >>> str(Rule())
        'largest F1'
    """

    precision: float | None = None
    recall: float | None = None

    def __post_init__(self) -> None:
        if self.precision is not None and self.recall is not None:
            raise ConfigError(
                "Expected min_precision= or min_recall=, not both. With neither, the goal is the "
                f"largest F1. Received: min_precision={quoted(self.precision)}, "
                f"min_recall={quoted(self.recall)}."
            )
        for name in ("precision", "recall"):
            if getattr(self, name) is not None:
                check_range(f"min_{name}", getattr(self, name), 1e-9, 1)

    def __str__(self) -> str:
        if self.precision is not None:
            return f"precision of at least {self.precision:g}"
        return "largest F1" if self.recall is None else f"recall of at least {self.recall:g}"


@dataclasses.dataclass(frozen=True)
class Rates:
    """Precision, recall and F1 of a threshold on a split. `None`: undefined.

    Example:
        >>> rates = thresholds.labels[0].rates["validation"]
        >>> 0 <= rates.f1 <= 1
        True
    """

    precision: float | None
    recall: float | None
    f1: float | None


@dataclasses.dataclass(frozen=True)
class Threshold:
    """Decision threshold of one label.

    Attributes:
        label: Name of the label. Binary task: name of the second class.
        threshold: An item gets the label if the probability of the label is above this number.
        reached: Whether the threshold reaches the goal on the validation split. If the goal is not
            reached, `threshold` has the largest F1, or is 0.5 if no item of the split has the
            label.
        rates: Precision, recall and F1 of the threshold on each split. Only the validation split
            was used to choose the threshold.

    Example:
        >>> threshold = thresholds.labels[0]
        >>> threshold.label, 0 <= threshold.threshold <= 1
        ('yes', True)
    """

    label: str
    threshold: float
    reached: bool
    rates: dict[str, Rates]


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Decision thresholds of a model, and the rule that chose them.

    Attributes:
        rule: Goal of the thresholds on the validation split, in words.
        labels: Decision thresholds, one per label. A binary task has only one threshold.

    Example:
        >>> thresholds.rule, [one.label for one in thresholds.labels]
        ('largest F1', ['yes'])
    """

    rule: str
    labels: tuple[Threshold, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """Decision thresholds as numbers, in the order of the labels.

        Example:
            >>> [0 <= value <= 1 for value in thresholds.values]
            [True]
        """
        return tuple(one.threshold for one in self.labels)

    def to_json(self) -> dict[str, Any]:
        """Return the thresholds as JSON types.

        Example:
            >>> thresholds.to_json()["rule"]
            'largest F1'
        """
        return dataclasses.asdict(self)

    def describe(self) -> str:
        """Return text: the threshold of each label, and its precision, recall and F1 by split.

        Example:
            >>> thresholds.describe().splitlines()[0]
            'Decision thresholds, chosen on the validation split. Goal: largest F1.'
        """
        lines = [f"Decision thresholds, chosen on the validation split. Goal: {self.rule}."]
        for one in self.labels:
            missed = "" if one.reached else "  (goal not reached, see `Threshold.reached`)"
            lines.append(f"{one.label}: {one.threshold:.4f}{missed}")
            lines += [f"  {split}: {_row(rates)}" for split, rates in one.rates.items()]
        return "\n".join(lines)


def _row(rates: Rates) -> str:
    values = dataclasses.asdict(rates).items()
    return "  ".join(f"{k} {'-' if v is None else format(v, '.3f')}" for k, v in values)


def precision_recall(task: Task, record: PredictionRecord) -> dict[str, list[list[float]]]:
    """Return the precision-recall curve of each label: at most 200 points, by rising recall.

    A binary task has only the curve of the second class. If no item has a label, the curve of the
    label has no points.

    Returns:
        For each label the points [recall, precision, threshold] of its curve. At a point, an item
        gets the label if the item's probability is at least the threshold of the point.
    """
    return {
        name: _points(labels, shares)
        for name, labels, shares in task.label_columns(record.labels, record.logits)
    }


def _points(labels: np.ndarray, shares: np.ndarray) -> list[list[float]]:
    if not labels.any():
        return []
    precision, recall, thresholds = precision_recall_curve(labels, shares)
    # Leave out scikit-learn's last point, which has no threshold.
    return thinned(np.stack([recall[:-1], precision[:-1], thresholds], axis=1)[::-1])


def roc_curves(task: Task, record: PredictionRecord) -> dict[str, list[list[float]]]:
    """Return the ROC curve of each label: at most 200 points, from (0, 0) to (1, 1).

    A binary task has only the curve of the second class. If all items or no item have a label, the
    curve of the label has no points.

    Returns:
        For each label the points [false positive rate, true positive rate].
    """
    curves: dict[str, list[list[float]]] = {}
    for name, labels, shares in task.label_columns(record.labels, record.logits):
        curves[name] = []
        if 0 < labels.mean() < 1:
            curves[name] = thinned(np.stack(roc_curve(labels, shares)[:2], axis=1))
    return curves


def choose_thresholds(task: Task, records: dict[str, PredictionRecord], rule: Rule) -> Thresholds:
    """Choose a decision threshold for each label on the validation split.

    Args:
        records: Prediction record of each split. The function chooses the thresholds on the split
            `"validation"`, and evaluates the thresholds on every split.

    Raises:
        ConfigError: The task has no decision thresholds.
    """
    check_has_thresholds(task)
    by_split = {
        split: task.label_columns(found.labels, found.logits) for split, found in records.items()
    }
    found = []
    for number, (name, labels, shares) in enumerate(by_split["validation"]):
        threshold, reached = _choose(labels, shares, rule)
        rates = {
            split: _rates(columns[number][1], columns[number][2] > threshold)
            for split, columns in by_split.items()
        }
        found.append(Threshold(name, threshold, reached, rates))
    return Thresholds(str(rule), tuple(found))


def check_has_thresholds(task: Task) -> None:
    """Raise `ConfigError` if the task has no decision thresholds."""
    if not task.threshold_count:
        raise ConfigError(
            f"Decision thresholds need a binary or multi-label task, but {task.no_thresholds}."
        )


def _choose(labels: np.ndarray, shares: np.ndarray, rule: Rule) -> tuple[float, bool]:
    """Return the threshold, and whether it reaches the goal of the rule."""
    if not labels.any():
        return 0.5, False
    precision, recall, at = precision_recall_curve(labels, shares)
    precision, recall = precision[:-1], recall[:-1]
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    best = int(f1.argmax())
    reached = True
    if rule.precision is not None:
        kept = np.flatnonzero((precision >= rule.precision) & (recall > 0))
        reached = len(kept) > 0
        best = int(kept[0]) if reached else best
    elif rule.recall is not None:
        # The lowest threshold has a recall of 1, so at least one threshold reaches the goal.
        best = int(np.flatnonzero(recall >= rule.recall)[-1])
    # The threshold is midway between the lowest probability above it and the highest below it.
    below = at[best - 1] if best else 0.0
    return float((below + at[best]) / 2), reached


def _rates(labels: np.ndarray, answers: np.ndarray) -> Rates:
    right, items, answered = (labels & answers).sum(), labels.sum(), answers.sum()
    return Rates(
        float(right / answered) if answered else None,
        float(right / items) if items else None,
        float(2 * right / (items + answered)) if items else None,
    )
