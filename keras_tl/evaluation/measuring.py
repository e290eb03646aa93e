"""All that is measured on a split, as `evaluate()` gives it."""

from typing import Any

import numpy as np

from keras_tl.evaluation.calibration import measure_calibration
from keras_tl.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    f1_interval,
    share_interval,
)
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.evaluation.thresholds import precision_recall, roc_curves
from keras_tl.tasks.base import Metrics, Task

# Of more labels nobody looks at all the curves.
_CURVES = 20
# Draws of the bootstrap: as many as there is time for, between these. Numbers that are drawn.
_FEWEST, _MOST, _DRAWN = 200, 1000, 20_000_000


def measure(task: Task, outcomes: Outcomes) -> Metrics:
    """The metrics of a split, their intervals and the calibration.

    Args:
        task: of the model.
        outcomes: of the split, as calibrated.

    Returns:
        JSON types: those of `task.measure`, and

        * `"intervals"`: see `metric_intervals`;
        * where there are probabilities, `"ece"` and `"brier"`, and `"calibration"`, see
          `keras_tl.evaluation.calibration.Calibration`;
        * where there are thresholds, and at most 20 labels, `"precision_recall"`: by label the
          points (recall, precision, threshold), see
          `keras_tl.evaluation.thresholds.precision_recall`; and `"roc"`, unless the task has its
          own: by label the points (false positive rate, true positive rate), see
          `keras_tl.evaluation.thresholds.roc_curves`;
        * where it is known, `"fingerprint"`, which says of which items all this is.
    """
    metrics = task.measure(outcomes.labels, outcomes.logits)
    metrics["intervals"] = metric_intervals(task, outcomes)
    if task.has_probabilities:
        found = measure_calibration(task, outcomes)
        metrics |= {"ece": found.ece, "brier": found.brier, "calibration": found.to_json()}
    if task.threshold_count and len(task.class_names) <= _CURVES:
        metrics["precision_recall"] = precision_recall(task, outcomes)
        if "roc" not in metrics:
            metrics["roc"] = roc_curves(task, outcomes)
    if outcomes.fingerprint is not None:
        metrics["fingerprint"] = outcomes.fingerprint
    return metrics


def metric_intervals(task: Task, outcomes: Outcomes) -> dict[str, Any]:
    """95% intervals of metrics, of chance in drawing the items.

    Of accuracy, precision and recall Wilson's (`share_interval`), of F1 `f1_interval`, of the
    others the bootstrap (`bootstrap_interval`, always with the same draws: 1,000, of more than
    20,000 answers fewer, at least 200).

    Args: see `measure`.

    Returns:
        By metric (low, high), or `None` where there is nothing to measure it on; `"per_class"`: by
        class the same of precision, recall and F1.
    """
    labels, answers = outcomes.labels, task.decisions(outcomes.logits)
    draws = int(np.clip(_DRAWN // outcomes.logits.size, _FEWEST, _MOST))
    found = {
        name: _ends(bootstrap_interval(statistic, len(labels), draws))
        for name, statistic in task.statistics(labels, outcomes.logits).items()
        if name != "accuracy"
    }
    masks = task.class_masks(labels, answers)
    if masks is None:
        return found
    truths, said = masks
    found["accuracy"] = _ends(share_interval(int(task.hits(labels, answers).sum()), len(labels)))
    counts = zip(
        task.class_names,
        (truths & said).sum(axis=0),
        truths.sum(axis=0),
        said.sum(axis=0),
        strict=True,
    )
    found["per_class"] = {name: _of_class(*map(int, three)) for name, *three in counts}
    return found


def _of_class(right: int, items: int, answered: int) -> dict[str, list[float] | None]:
    return {
        "precision": _ends(share_interval(right, answered)) if answered else None,
        "recall": _ends(share_interval(right, items)) if items else None,
        "f1": _ends(f1_interval(right, items, answered)) if items else None,
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]
