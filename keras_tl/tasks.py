"""Tasks: what a head puts out, how it is trained, what it answers. One class a task."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, log_softmax
from sklearn.utils.class_weight import compute_class_weight

from keras_tl.config import ModelConfig, Phase
from keras_tl.errors import ConfigError, unknown
from keras_tl.results import (
    NO_LABEL,
    MultilabelPredictions,
    Predictions,
    RegressionPredictions,
)

THRESHOLD = 0.5


@dataclasses.dataclass(frozen=True)
class Task(abc.ABC):
    """A task for given classes.

    Attributes:
        class_names: the classes' or labels' names, in the order of the outputs.
        target_mean: regression: mean of the training targets, in their unit.
        target_scale: regression: their standard deviation, in their unit.
        temperature: see `ModelConfig`; answers only, nothing is trained or watched with it.
        thresholds: see `ModelConfig`.
        headline: the metric of `evaluate()` that says most.
        watched: the metric that is watched while training, beside the loss.
        more_is_better: whether more of it is.
        exact: whether an answer is right or wrong, not more or less so.
        enough: a mean loss (nats; of a regression in units of the variance) below which a head
            only becomes more sure of itself.
    """

    class_names: tuple[str, ...] = ()
    target_mean: float = 0.0
    target_scale: float = 1.0
    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()

    headline = "accuracy"
    watched = "accuracy"
    more_is_better = True
    exact = True
    enough = 0.01

    @property
    def outputs(self) -> int:
        """How many numbers the head gives for an item."""
        return len(self.class_names)

    @property
    def output_layers(self) -> list[keras.layers.Layer]:
        """Layers after the last Dense layer."""
        return []

    @property
    def loss_weight(self) -> float:
        """What Keras multiplies the loss by."""
        return 1.0

    @abc.abstractmethod
    def loss(self, smoothing: float = 0.0, soft: bool = False) -> keras.losses.Loss:
        """The loss that matches the head's outputs and `targets(labels, soft)`.

        Args:
            smoothing: label smoothing, in [0, 1) (Szegedy et al., 2016, arXiv:1512.00567, sec. 7).
            soft: whether targets are shares of the classes.
        """

    @abc.abstractmethod
    def metrics(self, soft: bool = False) -> list[keras.metrics.Metric]:
        """The metrics watched while training; `watched` is among them."""

    @abc.abstractmethod
    def targets(self, labels: np.ndarray, soft: bool = False) -> np.ndarray:
        """What the loss compares with: from a split's labels, as an array of as many rows."""

    @abc.abstractmethod
    def dense_targets(self, labels: np.ndarray, smoothing: float = 0.0) -> np.ndarray:
        """float64 (n, outputs): what the last Dense layer should give, as shares or values.

        Args:
            labels: see `keras_tl.data.labelled.Split`.
            smoothing: as in `loss`.
        """

    @abc.abstractmethod
    def convex_loss(
        self, outputs: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The loss of every item, and its gradient by the last Dense layer's outputs; in NumPy.

        It equals `loss` times `loss_weight`, and is convex in `outputs`.

        Args:
            outputs: float64 (n, outputs) of the last Dense layer.
            targets: see `dense_targets`.

        Returns:
            float64 (n,) and (n, outputs).
        """

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """float32 (n, outputs): what the head gives where its last Dense layer gives `outputs`."""
        return outputs.astype(np.float32)

    @property
    @abc.abstractmethod
    def curvature(self) -> float:
        """The size of the second derivative of `convex_loss` where nothing is known yet."""

    @abc.abstractmethod
    def answers(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """The head's outputs as the named outputs that a server gives; TensorFlow only."""

    def calibrated(self, logits: tf.Tensor) -> tf.Tensor:
        """The logits that probabilities are made of."""
        return logits if self.temperature == 1 else logits / self.temperature

    @property
    def standard(self) -> tuple[str, str]:
        """Name and method of the signature that answers as TF Serving's own API names things."""
        return "classify", tf.compat.v1.saved_model.CLASSIFY_METHOD_NAME

    def standard_answers(self, answers: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The answers of that signature: `classes` and `scores`, each (batch, outputs)."""
        scores = answers["probabilities"]
        classes = tf.tile(tf.constant([self.class_names]), [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": tf.identity(scores, "scores")}

    @abc.abstractmethod
    def predictions(self, answers: Mapping[str, np.ndarray], sources: tuple[str, ...] | None):
        """Those named outputs as something to work with in Python."""

    @abc.abstractmethod
    def name_of(self, label: np.ndarray) -> str:
        """A true label as predictions name it."""

    def check(self, phase: Phase) -> None:
        """Raises `ConfigError` if a phase asks for what the task has not."""
        if phase.class_weight is not None:
            raise ConfigError(
                f"class_weight= is for data with one class an item; these are for {self.kind}. "
                "Leave it out."
            )

    def class_weights(
        self, labels: np.ndarray, asked: str | Mapping[str, float] | None
    ) -> np.ndarray | None:
        """float32 array (classes,): what each class's items weigh in training, or `None`.

        Args:
            labels: the training labels.
            asked: `"balanced"`: items / (classes * items of the class); or weights by name.
        """
        return None

    @property
    def kind(self) -> str:
        """The task's name for messages."""
        return NAMES[type(self)]


class _Classes(Task):
    """One class an item."""

    @abc.abstractmethod
    def sample_weights(self, targets: tf.Tensor, class_weights: np.ndarray) -> tf.Tensor:
        """float32 (batch,): the weights of the classes, shared out by each item's targets."""

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

    def name_of(self, label):
        return self.class_names[label]

    def predictions(self, answers, sources):
        return Predictions(
            answers["probabilities"],
            self.class_names,
            sources,
            chosen=answers["class_id"],
            thresholds=self.thresholds,
        )

    def _answers(self, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
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


class Multiclass(_Classes):
    """One of several classes: a logit each, softmax."""

    def loss(self, smoothing=0.0, soft=False):
        if soft:
            return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def metrics(self, soft=False):
        if soft:
            return [keras.metrics.CategoricalAccuracy(name="accuracy")]
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def targets(self, labels, soft=False):
        return np.eye(self.outputs, dtype=np.float32)[labels] if soft else labels

    def dense_targets(self, labels, smoothing=0.0):
        return np.eye(self.outputs)[labels] * (1 - smoothing) + smoothing / self.outputs

    def convex_loss(self, outputs, targets):
        logarithms = log_softmax(outputs, axis=1)
        return -(targets * logarithms).sum(axis=1), np.exp(logarithms) - targets

    @property
    def curvature(self) -> float:
        return 1 / self.outputs

    def sample_weights(self, targets, class_weights):
        if targets.dtype.is_integer:
            return tf.gather(tf.constant(class_weights), targets)
        return tf.linalg.matvec(targets, tf.constant(class_weights))

    def answers(self, logits):
        return self._answers(tf.nn.softmax(self.calibrated(logits)))


class _Sigmoid(Task):
    """Answers of yes or no, each from one logit."""

    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)

    def dense_targets(self, labels, smoothing=0.0):
        return self.targets(labels).astype(np.float64) * (1 - smoothing) + smoothing / 2

    def convex_loss(self, outputs, targets):
        losses = np.logaddexp(0, outputs) - targets * outputs
        return losses.mean(axis=1), (expit(outputs) - targets) / self.outputs

    @property
    def curvature(self) -> float:
        return 1 / (4 * self.outputs)


class Binary(_Sigmoid, _Classes):
    """One of two classes: one logit, that of the second class; sigmoid."""

    @property
    def outputs(self) -> int:
        return 1

    def metrics(self, soft=False):
        return [
            keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0),
            keras.metrics.AUC(name="auc", from_logits=True),
        ]

    def targets(self, labels, soft=False):
        return labels.astype(np.float32)[:, None]

    def sample_weights(self, targets, class_weights):
        first, second = map(float, class_weights)
        return first + (second - first) * targets[:, 0]

    def answers(self, logits):
        logits = self.calibrated(logits)
        # Both from the logit: 1 - sigmoid would round a small probability to 0.
        return self._answers(tf.nn.sigmoid(tf.concat([-logits, logits], axis=-1)))


class Multilabel(_Sigmoid):
    """Any number of the labels at once: a logit each, sigmoid."""

    headline = "mean_average_precision"
    watched = "auc"

    def metrics(self, soft=False):
        return [
            keras.metrics.AUC(
                name="auc", from_logits=True, multi_label=True, num_labels=self.outputs
            )
        ]

    def targets(self, labels, soft=False):
        return labels.astype(np.float32)

    def answers(self, logits):
        probabilities = tf.nn.sigmoid(self.calibrated(logits), name="probabilities")
        mask = tf.greater(probabilities, self.thresholds or THRESHOLD, name="labels_mask")
        return {"probabilities": probabilities, "labels_mask": mask}

    def name_of(self, label):
        return ", ".join(self.class_names[i] for i in np.flatnonzero(label)) or NO_LABEL

    def predictions(self, answers, sources):
        return MultilabelPredictions(
            answers["probabilities"],
            answers["labels_mask"],
            self.class_names,
            sources,
            thresholds=self.thresholds,
        )


class Regression(Task):
    """A number: standardised inside the head, so that its unit does not matter to the rates."""

    headline = "mae"
    watched = "mae"
    more_is_better = False
    exact = False
    enough = 0.0

    @property
    def outputs(self) -> int:
        return 1

    @property
    def output_layers(self) -> list[keras.layers.Layer]:
        return [
            keras.layers.Rescaling(
                self.target_scale, self.target_mean, dtype="float32", name="value"
            )
        ]

    @property
    def loss_weight(self) -> float:
        """The loss is the squared error in units of the targets' variance."""
        return self.target_scale**-2

    def loss(self, smoothing=0.0, soft=False):
        return keras.losses.MeanSquaredError()

    def metrics(self, soft=False):
        return [keras.metrics.MeanAbsoluteError(name="mae")]

    def targets(self, labels, soft=False):
        return labels.astype(np.float32)[:, None]

    def dense_targets(self, labels, smoothing=0.0):
        return ((labels.astype(np.float64) - self.target_mean) / self.target_scale)[:, None]

    def from_outputs(self, outputs):
        return (outputs * self.target_scale + self.target_mean).astype(np.float32)

    def convex_loss(self, outputs, targets):
        errors = outputs - targets
        return (errors**2)[:, 0], 2 * errors

    @property
    def curvature(self) -> float:
        return 2.0

    def answers(self, logits):
        return {"value": tf.squeeze(logits, axis=-1, name="value")}

    @property
    def standard(self) -> tuple[str, str]:
        return "regress", tf.compat.v1.saved_model.REGRESS_METHOD_NAME

    def standard_answers(self, answers):
        return {"outputs": tf.identity(answers["value"], "outputs")}

    def name_of(self, label):
        return f"{label:.4g}"

    def predictions(self, answers, sources):
        return RegressionPredictions(answers["value"], sources)

    def check(self, phase: Phase) -> None:
        super().check(phase)
        if phase.label_smoothing:
            raise ConfigError("label_smoothing= is for classes; these data are for regression.")


TASKS: dict[str, type[Task]] = {
    "multiclass": Multiclass,
    "binary": Binary,
    "multilabel": Multilabel,
    "regression": Regression,
}
NAMES = {task: name for name, task in TASKS.items()}


def task_of(config: ModelConfig) -> Task:
    """The task of a model."""
    return TASKS[config.task](
        config.class_names,
        config.target_mean,
        config.target_scale,
        config.temperature,
        config.thresholds,
    )


def monitored(task: Task, phase: Phase) -> tuple[str, bool]:
    """What a phase watches on the validation split: its name, and whether more is better."""
    if phase.monitor == "loss":
        return "loss", False
    return task.watched, task.more_is_better


def monitored_value(task: Task, phase: Phase, labels: np.ndarray, logits: np.ndarray) -> float:
    """What a phase watches, of a split."""
    soft = needs_shares(phase)
    targets = task.targets(labels, soft)
    if phase.monitor == "loss":
        return float(task.loss(phase.label_smoothing, soft)(targets, logits)) * task.loss_weight
    metric = next(metric for metric in task.metrics(soft) if metric.name == task.watched)
    metric.update_state(targets, logits)
    return float(metric.result())


def needs_shares(phase: Phase, mixed: bool = False) -> bool:
    """Whether the targets must be shares of the classes, not their numbers."""
    return mixed or phase.label_smoothing > 0


def standardisation(task: str, labels: np.ndarray) -> dict[str, Any]:
    """The fields of `ModelConfig` that regression takes from its training targets."""
    if task != "regression":
        return {}
    # A constant target has no spread to divide by; its standard deviation is rounding.
    scale = float(labels.std()) if np.ptp(labels) else 1.0
    return {"target_mean": float(labels.mean()), "target_scale": scale}
