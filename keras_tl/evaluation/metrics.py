"""Metrics of a split, by scikit-learn."""

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
)


def classification_metrics(
    labels: np.ndarray, logits: np.ndarray, class_names: tuple[str, ...]
) -> dict[str, Any]:
    """Metrics of a multiclass model.

    Args:
        labels: int array (n,).
        logits: float array (n, classes).
        class_names: the classes' names, in the order of the columns.

    Returns:
        JSON types: `"accuracy"` in [0, 1]; `"loss"`, the mean cross-entropy in nats;
        `"items"`; `"per_class"`: for each class precision, recall, f1 and items;
        `"confusion_matrix"`: counts, rows are true classes and columns predicted ones.
    """
    numbers = np.arange(len(class_names))
    predicted = logits.argmax(axis=1)
    probabilities = softmax(logits.astype(np.float64), axis=1)
    scores = precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "loss": float(log_loss(labels, probabilities, labels=numbers)),
        "items": len(labels),
        "per_class": {
            name: {
                "precision": float(scores[0][i]),
                "recall": float(scores[1][i]),
                "f1": float(scores[2][i]),
                "items": int(scores[3][i]),
            }
            for i, name in enumerate(class_names)
        },
        "confusion_matrix": confusion_matrix(labels, predicted, labels=numbers).tolist(),
    }
