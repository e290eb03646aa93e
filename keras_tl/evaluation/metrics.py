"""Metrics of a split, by scikit-learn: one function a task."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    f1_score,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    roc_auc_score,
    roc_curve,
    root_mean_squared_error,
)

from keras_tl.evaluation.losses import item_losses
from keras_tl.evaluation.outcomes import Outcomes

Metrics = dict[str, Any]


def multiclass_metrics(
    labels: np.ndarray,
    logits: np.ndarray,
    class_names: tuple[str, ...],
    thresholds: tuple[float, ...] = (),
) -> Metrics:
    """Metrics of one class of several.

    Args:
        labels: int array (n,).
        logits: float array (n, classes).
        class_names: the classes' names, in the order of the columns.
        thresholds: none.

    Returns:
        JSON types: `"accuracy"` in [0, 1]; `"loss"`, the mean cross-entropy in nats;
        `"items"`; `"per_class"`: for each class precision, recall, f1 and items;
        `"confusion_matrix"`: counts, rows are true classes and columns predicted ones.
    """
    return _of_one_class("multiclass", Outcomes(labels, logits), class_names)


def _of_one_class(
    task: str,
    outcomes: Outcomes,
    class_names: tuple[str, ...],
    thresholds: tuple[float, ...] = (),
) -> Metrics:
    numbers = np.arange(len(class_names))
    labels, predicted = outcomes.labels, outcomes.decisions(task, thresholds)
    scores = precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "loss": float(item_losses(task, outcomes).mean()),
        "items": len(labels),
        "per_class": _per_class(class_names, scores),
        "confusion_matrix": confusion_matrix(labels, predicted, labels=numbers).tolist(),
    }


def binary_metrics(
    labels: np.ndarray,
    logits: np.ndarray,
    class_names: tuple[str, ...],
    thresholds: tuple[float, ...] = (),
) -> Metrics:
    """Metrics of one class of two.

    Args:
        labels: int array (n,) of 0 and 1.
        logits: float array (n, 1), that of class 1.
        class_names: the two classes' names.
        thresholds: see `Outcomes.decisions`.

    Returns:
        As `multiclass_metrics`, and of class 1 against class 0: `"auc"`, the area under the ROC
        curve, and `"average_precision"`, both in [0, 1] and `None` where the labels are all of
        one class; `"roc"`: the points (false positive rate, true positive rate) of the curve.
    """
    score = logits[:, 0]
    metrics = _of_one_class("binary", Outcomes(labels, logits), class_names, thresholds)
    both_there = 0 < labels.mean() < 1
    return metrics | {
        "auc": _if_both(labels, roc_auc_score, score),
        "average_precision": _if_both(labels, average_precision_score, score),
        "roc": np.stack(roc_curve(labels, score)[:2], axis=1).tolist() if both_there else [],
    }


def multilabel_metrics(
    labels: np.ndarray,
    logits: np.ndarray,
    class_names: tuple[str, ...],
    thresholds: tuple[float, ...] = (),
) -> Metrics:
    """Metrics of any number of labels an item.

    Args:
        labels: array (n, labels) of 0 and 1.
        logits: float array (n, labels).
        class_names: the labels' names, in the order of the columns.
        thresholds: see `Outcomes.decisions`.

    Returns:
        JSON types: `"mean_average_precision"` and `"auc"`, means over the labels that some
        items have and others have not, in [0, 1] (`None` if there is no such label);
        `"f1_micro"` and `"f1_macro"` at the thresholds; `"accuracy"`: share of the items whose
        labels are all right; `"loss"`: mean binary cross-entropy in nats; `"items"`;
        `"per_class"`: for each label precision, recall, f1, items, average_precision and auc.
    """
    labels = labels.astype(int)
    outcomes = Outcomes(labels, logits)
    predicted = outcomes.decisions("multilabel", thresholds)
    scores = precision_recall_fscore_support(labels, predicted, average=None, zero_division=0)
    columns = range(len(class_names))
    precisions, areas = (
        [_if_both(labels[:, c], measure, logits[:, c]) for c in columns]
        for measure in (average_precision_score, roc_auc_score)
    )
    per_class = _per_class(class_names, scores)
    for name, precision, area in zip(class_names, precisions, areas, strict=True):
        per_class[name] |= {"average_precision": precision, "auc": area}
    return {
        "mean_average_precision": _mean(precisions),
        "auc": _mean(areas),
        "f1_micro": float(f1_score(labels, predicted, average="micro", zero_division=0)),
        "f1_macro": float(f1_score(labels, predicted, average="macro", zero_division=0)),
        "accuracy": float((labels == predicted).all(axis=1).mean()),
        "loss": float(item_losses("multilabel", outcomes).mean()),
        "items": len(labels),
        "per_class": per_class,
    }


def regression_metrics(
    labels: np.ndarray,
    logits: np.ndarray,
    class_names: tuple[str, ...] = (),
    thresholds: tuple[float, ...] = (),
) -> Metrics:
    """Metrics of a number.

    Args:
        labels: float array (n,).
        logits: float array (n, 1), the predicted values.
        class_names: none.
        thresholds: none.

    Returns:
        JSON types: `"mae"` and `"rmse"`, mean absolute and root mean squared error in the
        targets' unit; `"loss"`: the mean squared error; `"r2"`: share of the variance that is
        explained, at most 1 (`None` for fewer than two items); `"items"`; `"values"`: pairs of
        true and predicted value.
    """
    predicted = logits[:, 0].astype(np.float64)
    rmse = float(root_mean_squared_error(labels, predicted))
    return {
        "mae": float(mean_absolute_error(labels, predicted)),
        "rmse": rmse,
        "loss": rmse**2,
        "r2": float(r2_score(labels, predicted)) if len(labels) > 1 else None,
        "items": len(labels),
        "values": np.stack([labels, predicted], axis=1).tolist(),
    }


METRICS: dict[str, Callable[..., Metrics]] = {
    "multiclass": multiclass_metrics,
    "binary": binary_metrics,
    "multilabel": multilabel_metrics,
    "regression": regression_metrics,
}


def _per_class(class_names: tuple[str, ...], scores: tuple) -> dict[str, dict[str, float]]:
    return {
        name: {
            "precision": float(scores[0][i]),
            "recall": float(scores[1][i]),
            "f1": float(scores[2][i]),
            "items": int(scores[3][i]),
        }
        for i, name in enumerate(class_names)
    }


def _if_both(labels: np.ndarray, measure: Callable, score: np.ndarray) -> float | None:
    return float(measure(labels, score)) if 0 < labels.mean() < 1 else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
