"""Compute all metrics of a split, as `evaluate()` returns them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_tl.evaluation.calibration import measure_calibration
from keras_tl.evaluation.grouping import if_several
from keras_tl.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    f1_interval,
    f1_of_share,
    proportion_interval,
    share_interval,
)
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.thresholds import precision_recall, roc_curves
from keras_tl.tasks.base import Metrics, Task

# For more than 20 labels, `measure` computes no curves, because nobody would read so many curves.
_CURVES = 20
# The number of bootstrap resamples is `_DRAWN` divided by the number of logits, but at least
# `_FEWEST` and at most `_MOST`.
_FEWEST, _MOST, _DRAWN = 200, 1000, 20_000_000


class MetricMapping(Mapping[str, Any]):
    """Mapping from the names of metrics to their values.

    Attributes:
        metrics: Metrics by name as JSON types, see `measure`.
    """

    metrics: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)


def measure(task: Task, record: PredictionRecord) -> Metrics:
    """Return the metrics of a split, their confidence intervals and the calibration.

    Returns:
        Metrics by name as JSON types: the metrics of `task.measure`, and

        * `"intervals"`: 95% confidence intervals, see `metric_intervals`.
        * If the task has probabilities: `"ece"`, `"brier"` and `"calibration"`, see
          `keras_tl.evaluation.calibration.Calibration`.
        * If the task has decision thresholds and at most 20 labels, two curves per label.
          `"precision_recall"`: points (recall, precision, threshold). `"roc"`: points (false
          positive rate, true positive rate), unless `task.measure` already returns `"roc"`. See
          `precision_recall` and `roc_curves` in `keras_tl.evaluation.thresholds`.
        * If known, `"fingerprint"`: text that identifies the items.
        * If the items have groups, `"groups"`: column of the groups (`"by"`) and number of groups
          (`"count"`), see `keras_tl.evaluation.grouping.Grouping`.
    """
    metrics = task.measure(record.labels, record.logits)
    metrics["intervals"] = metric_intervals(task, record)
    if task.has_probabilities:
        found = measure_calibration(task, record)
        metrics |= {"ece": found.ece, "brier": found.brier, "calibration": found.to_json()}
    if task.threshold_count and len(task.class_names) <= _CURVES:
        metrics["precision_recall"] = precision_recall(task, record)
        if "roc" not in metrics:
            metrics["roc"] = roc_curves(task, record)
    if record.fingerprint is not None:
        metrics["fingerprint"] = record.fingerprint
    if record.grouping is not None:
        metrics["groups"] = record.grouping.to_json()
    return metrics


def metric_intervals(task: Task, record: PredictionRecord) -> dict[str, Any]:
    """Return 95% confidence intervals: how far metrics depend on the random choice of items.

    `share_interval` computes the intervals of the accuracy, and of each class's precision and
    recall. `f1_of_share` computes the intervals of each class's F1. `bootstrap_interval` computes
    the intervals of all other metrics, with the same resamples for every metric. There are 1,000
    resamples, or fewer (at least 200) if there are more than 20,000 logits.

    If the record has two or more groups, all intervals count whole groups as independent. With one
    group, the intervals count items.

    Returns:
        For each metric the pair (low, high), or `None` if the metric is undefined. `"per_class"`
        holds, for each class, the intervals of precision, recall and F1.
    """
    labels, answers = record.labels, task.decisions(record.logits)
    groups = if_several(record.groups)
    draws = int(np.clip(_DRAWN // record.logits.size, _FEWEST, _MOST))
    found = {
        name: _ends(bootstrap_interval(statistic, len(labels), draws, groups=groups))
        for name, statistic in task.statistics(labels, record.logits).items()
        if name != "accuracy"
    }
    masks = task.class_masks(labels, answers)
    if masks is None:
        return found
    truths, said = masks
    found["accuracy"] = _ends(share_interval(task.hits(labels, answers), groups))
    if groups is not None:
        columns = zip(task.class_names, truths.T, said.T, strict=True)
        found["per_class"] = {name: _of_class_in_groups(*two, groups) for name, *two in columns}
        return found
    counts = [mask.sum(axis=0).tolist() for mask in (truths & said, truths, said)]
    rows = zip(task.class_names, *counts, strict=True)
    found["per_class"] = {name: _of_class(*three) for name, *three in rows}
    return found


def _of_class(right: int, items: int, answered: int) -> dict[str, list[float] | None]:
    return {
        "precision": _ends(proportion_interval(right, answered)) if answered else None,
        "recall": _ends(proportion_interval(right, items)) if items else None,
        "f1": _ends(f1_interval(right, items, answered)) if items else None,
    }


def _of_class_in_groups(
    truth: np.ndarray, said: np.ndarray, groups: np.ndarray
) -> dict[str, list[float] | None]:
    def share(among: np.ndarray) -> Interval:
        return share_interval((truth & said)[among], groups[among])

    return {
        "precision": _ends(share(said)) if said.any() else None,
        "recall": _ends(share(truth)) if truth.any() else None,
        "f1": _ends(f1_of_share(share(truth | said))) if truth.any() else None,
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
