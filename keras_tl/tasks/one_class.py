"""Base class of tasks with one class per item, and the label encoder of these tasks."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support
from sklearn.utils.class_weight import compute_class_weight

from keras_tl.base.config import Phase
from keras_tl.base.results import Predictions
from keras_tl.errors import ConfigError, DataError, quoted, unknown
from keras_tl.tasks.base import Task
from keras_tl.tasks.labels.label_encoder import (
    SHOWN,
    LabelEncoder,
    check_count,
    distinct_names,
    listing,
)
from keras_tl.tasks.scores import per_class


class OneClass(Task):
    """Base class of tasks with one class per item."""

    has_one_class = True

    @classmethod
    def encoder(cls, y, class_names=None):
        return ClassEncoder(y, class_names, cls.kind)

    @property
    def expected_labels(self) -> str:
        return f"whole numbers from 0 to {len(self.class_names) - 1}"

    def strange_rows(self, labels):
        return np.flatnonzero((labels < 0) | (labels >= len(self.class_names)))

    def class_counts(self, labels):
        return np.bincount(labels, minlength=len(self.class_names))

    @classmethod
    def target_columns(cls, labels):
        return (labels[:, None] == np.unique(labels)).astype(np.float64)

    def name_of(self, label):
        return self.class_names[label]

    def check(self, phase: Phase) -> None:
        if isinstance(phase.class_weight, Mapping):
            for name in phase.class_weight:
                if name not in self.class_names:
                    raise ConfigError(unknown("class in class_weight", name, self.class_names))

    def class_weights(
        self, labels: np.ndarray, asked: str | Mapping[str, float] | None
    ) -> np.ndarray | None:
        if asked is None:
            return None
        if asked == "balanced":
            weights = np.ones(len(self.class_names))
            present = np.unique(labels)
            weights[present] = compute_class_weight("balanced", classes=present, y=labels)
        else:
            weights = np.array([asked.get(name, 1.0) for name in self.class_names])
        return weights.astype(np.float32)

    @abc.abstractmethod
    def sample_weights(self, targets: tf.Tensor, class_weights: np.ndarray) -> tf.Tensor:
        """Return the weight of each item in training, from class weights, float32 (batch,)."""

    def predictions(self, answers, sources):
        return Predictions(
            answers["probabilities"],
            self.class_names,
            sources,
            chosen=answers["class_id"],
            thresholds=self.thresholds,
        )

    def named_answers(self, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the named outputs of a served model from probabilities (batch, classes)."""
        if self.thresholds:
            is_second = tf.greater(probabilities[:, 1], self.thresholds[0])
            class_id = tf.cast(is_second, tf.int64, name="class_id")
        else:
            class_id = tf.argmax(probabilities, axis=-1, name="class_id")
        return {
            "probabilities": tf.identity(probabilities, "probabilities"),
            "class_id": class_id,
            "label": tf.gather(tf.constant(self.class_names), class_id, name="label"),
        }

    def measure(self, labels, logits):
        """Return the metrics of a split as JSON types.

        `"accuracy"`: fraction of right predictions. `"loss"`: mean cross-entropy in nats.
        `"items"`: number of items. `"per_class"`: for each class precision, recall, f1 and items.
        `"confusion_matrix"`: counts, with true classes in rows and predicted classes in columns.
        """
        numbers = np.arange(len(self.class_names))
        predicted = self.decisions(logits)
        scores = precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
        return {
            "accuracy": float(accuracy_score(labels, predicted)),
            "loss": float(self.item_losses(labels, logits).mean()),
            "items": len(labels),
            "per_class": per_class(self.class_names, scores),
            "confusion_matrix": confusion_matrix(labels, predicted, labels=numbers).tolist(),
        }

    def class_masks(self, labels, answers):
        numbers = np.arange(len(self.class_names))
        return labels[:, None] == numbers, answers[:, None] == numbers

    def item_scores(self, labels, answers):
        return (answers == labels).astype(np.float64)

    def skills(self, labels, logits, *, reference):
        return (self.undecided.decisions(logits) == labels).astype(np.uint8)

    def baseline_text(self, labels):
        share = self.class_counts(labels).max() / len(labels)
        return f"always predicting the most frequent class would be right for {share:.1%}"

    @property
    def choices(self) -> int:
        return max(len(self.class_names), 2)


class ClassEncoder(LabelEncoder):
    """Label encoder of one class per item. Labels are class names, or indices of class names.

    Args:
        y: Labels of the training split.
        class_names: Names of the classes: an integer label `i` means `class_names[i]`. `None`: the
            sorted distinct labels.
        task: Name of the task. `None`: binary for two classes, else multiclass.

    Raises:
        DataError: There are fewer than two classes, or a binary task has more than two classes.
    """

    def __init__(
        self,
        y: Sequence[Any] | np.ndarray,
        class_names: Sequence[str] | None = None,
        task: str | None = None,
    ):
        y = np.asarray(y)
        if y.dtype.kind == "f" and np.all(y == np.rint(y)):
            y = y.astype(np.int64)
        if class_names is None:
            try:
                values = np.unique(y).tolist()
            except TypeError as error:
                raise DataError(
                    f"Expected only texts or only numbers as labels, and no missing label. {error}."
                ) from error
            self.class_names = tuple(map(str, values))
        else:
            self.class_names = tuple(map(str, class_names))
            values = range(len(self.class_names)) if y.dtype.kind in "iu" else self.class_names
        if (count := len(set(self.class_names))) < 2:
            amounts = ' If the labels are amounts to predict, pass task="regression" (--task).'
            raise DataError(
                f"Expected at least two classes, found {count}: "
                f"{', '.join(self.class_names)}.{amounts if y.dtype.kind in 'iu' else ''}"
            )
        distinct_names(self.class_names)
        if task == "binary" and len(self.class_names) != 2:
            raise DataError(
                f"task='binary' needs exactly two classes, found {len(self.class_names)}: "
                f"{listing(self.class_names)}. For more classes, pass task='multiclass' (--task)."
            )
        self.task = task or task_of_classes(self.class_names)
        self._numbers = {value: number for number, value in enumerate(values)}

    def code(
        self, y: Sequence[Any] | np.ndarray, items: int, name: str, item: str = "image"
    ) -> np.ndarray:
        y = np.asarray(y)
        check_count(y.shape, items, name, item)
        if strange := sorted(set(y.tolist()) - set(self._numbers), key=str):
            raise DataError(
                f"Unknown {name} labels {quoted(strange[:SHOWN])}. Expected {len(self._numbers)} "
                f"classes: {listing(self._numbers)}."
            )
        return np.array([self._numbers[value] for value in y.tolist()], np.int64)


def task_of_classes(class_names: Sequence[str]) -> str:
    """Return the name of the task for these classes: `"binary"` (two) or `"multiclass"`."""
    return "binary" if len(class_names) == 2 else "multiclass"
