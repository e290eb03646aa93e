"""From which probability on the answer is yes: curves, and a threshold by a rule."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from keras_tl.base.config import check_range
from keras_tl.errors import ConfigError, quoted
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.tasks import Task

# Enough to draw a curve by.
_POINTS = 200


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a threshold is to reach on the validation split.

    Attributes:
        precision: the smallest threshold with at least this precision; it finds most.
        recall: the largest threshold with at least this recall; it is right most often.
            With neither of them, the threshold with the largest F1.

    Raises:
        ConfigError: both are given, or one is not in (0, 1].
    """

    precision: float | None = None
    recall: float | None = None

    def __post_init__(self):
        if self.precision is not None and self.recall is not None:
            raise ConfigError(
                "A threshold has one aim: give precision=, recall=, or neither for the largest F1. "
                f"Received: precision={quoted(self.precision)}, recall={quoted(self.recall)}."
            )
        for name in ("precision", "recall"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 1e-9, 1)

    def __str__(self) -> str:
        if self.precision is not None:
            return f"precision of at least {self.precision:g}"
        return "largest F1" if self.recall is None else f"recall of at least {self.recall:g}"


@dataclasses.dataclass(frozen=True)
class Rates:
    """What a threshold gives on a split; `None`: there is nothing to measure it on."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A threshold of one label.

    Attributes:
        label: its name; of a binary task that of the second class.
        threshold: a probability above it is answered with yes.
        reached: whether the rule is kept on the validation split. Where it cannot be, the
            threshold is the one with the largest F1, or 0.5 if the split has no such item.
        rates: by split, what it gives; the test split had no part in the choice.
    """

    label: str
    threshold: float
    reached: bool
    rates: dict[str, Rates]


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """The thresholds of a model, and how they were chosen.

    Attributes:
        rule: what they were to reach on the validation split.
        labels: one a label; of a binary task one.
    """

    rule: str
    labels: tuple[Threshold, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """The thresholds in the order of the labels."""
        return tuple(one.threshold for one in self.labels)

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return dataclasses.asdict(self)

    def describe(self) -> str:
        """A line a label and split, for people."""
        lines = [f"Chosen on the validation split for the {self.rule}:"]
        for one in self.labels:
            missed = "" if one.reached else "  (not to be reached: see `Threshold.reached`)"
            lines.append(f"{one.label}: {one.threshold:.4f}{missed}")
            lines += [f"  {split}: {_row(rates)}" for split, rates in one.rates.items()]
        return "\n".join(lines)


def _row(rates: Rates) -> str:
    values = dataclasses.asdict(rates).items()
    return "  ".join(f"{k} {'-' if v is None else format(v, '.3f')}" for k, v in values)


def precision_recall(task: Task, outcomes: Outcomes) -> dict[str, list[list[float]]]:
    """Points of the precision-recall curve of each label, at most 200, from low recall to high.

    Args:
        task: of the model; of two classes the curve is that of the second.
        outcomes: of a split, as calibrated.

    Returns:
        By label [recall, precision, threshold]: a probability of at least the threshold counts
        as yes. No points of a label that no item has.
    """
    return {
        name: _points(labels, shares)
        for name, labels, shares in task.label_columns(outcomes.labels, outcomes.logits)
    }


def _points(labels: np.ndarray, shares: np.ndarray) -> list[list[float]]:
    if not labels.any():
        return []
    precision, recall, thresholds = precision_recall_curve(labels, shares)
    # Without scikit-learn's last point, which has no threshold.
    return _thinned(np.stack([recall[:-1], precision[:-1], thresholds], axis=1)[::-1])


def roc_curves(task: Task, outcomes: Outcomes) -> dict[str, list[list[float]]]:
    """Points of the ROC curve of each label, at most 200, from (0, 0) to (1, 1).

    Args:
        task: as in `precision_recall`.
        outcomes: as there.

    Returns:
        By label [false positive rate, true positive rate]. No points of a label that all of the
        items have, or none.
    """
    return {
        name: _thinned(np.stack(roc_curve(labels, shares)[:2], axis=1))
        if 0 < labels.mean() < 1
        else []
        for name, labels, shares in task.label_columns(outcomes.labels, outcomes.logits)
    }


def _thinned(points: np.ndarray) -> list[list[float]]:
    """At most as many rows as a curve needs, the first and the last among them."""
    kept = np.unique(np.linspace(0, len(points) - 1, _POINTS).round().astype(int))
    return points[kept].tolist()


def choose_thresholds(task: Task, outcomes: dict[str, Outcomes], rule: Rule) -> Thresholds:
    """Chooses a threshold for each label on the validation split.

    Args:
        task: of the model.
        outcomes: by split, as calibrated; `"validation"` among them, the others are measured.
        rule: what the thresholds are to reach.

    Raises:
        ConfigError: the task has no thresholds.
    """
    check_has_thresholds(task)
    by_split = {
        split: task.label_columns(found.labels, found.logits) for split, found in outcomes.items()
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
    """Raise `ConfigError` unless a task answers with yes or no."""
    if not task.threshold_count:
        raise ConfigError(
            f"Thresholds are for two classes or for several labels; {task.no_thresholds}."
        )


def _choose(labels: np.ndarray, shares: np.ndarray, rule: Rule) -> tuple[float, bool]:
    """The threshold, and whether it keeps the rule."""
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
        # At the lowest threshold the recall is 1.
        best = int(np.flatnonzero(recall >= rule.recall)[-1])
    # Between this probability, which is a yes, and the next lower one.
    below = at[best - 1] if best else 0.0
    return float((below + at[best]) / 2), reached


def _rates(labels: np.ndarray, answers: np.ndarray) -> Rates:
    right, items, answered = ((labels & answers).sum(), labels.sum(), answers.sum())
    return Rates(
        float(right / answered) if answered else None,
        float(right / items) if items else None,
        float(2 * right / (items + answered)) if items else None,
    )
