"""`Task`: base class of tasks. All code that depends on the task is in the class of the task."""

import abc
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_tl.base.config import Phase
from keras_tl.base.results import MultilabelPredictions, Predictions, RegressionPredictions
from keras_tl.errors import ConfigError
from keras_tl.tasks.labels.label_encoder import LabelEncoder
from keras_tl.tasks.resampling import Statistic

THRESHOLD = 0.5
Metrics = dict[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Confidences:
    """Predicted probabilities of events, and whether the events occurred: input of calibration.

    Attributes:
        shares: Predicted probabilities of n events, float64 (n,).
        hits: Whether each of the n events occurred, bool (n,).
        brier: Mean squared error of the probabilities (Brier score), see
            `keras_tl.evaluation.calibration.Calibration`.
    """

    shares: np.ndarray
    hits: np.ndarray
    brier: float


@dataclasses.dataclass(frozen=True, eq=False)
class Question:
    """For each of n items, the output that Grad-CAM explains.

    Attributes:
        outputs: Column of the logits to explain, int array (n,).
        signs: 1, or -1 if a lower logit supports the explained class, float32 array (n,).
        names: Name of the explained class or label of each image.
    """

    outputs: np.ndarray
    signs: np.ndarray
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Task(abc.ABC):
    """Task of a model, such as binary classification, with the names of its classes.

    `keras_tl.data.labelled_data.Split` describes the form of labels. Logits are the outputs of the
    head, float (n, outputs). Calibrated logits are logits already divided by the temperature.

    Attributes:
        class_names: Names of the classes or labels, in the order of the outputs.
        target_mean: Regression: mean of the training targets, in their unit.
        target_scale: Regression: standard deviation of the training targets, in their unit.
        temperature: Number that divides the logits in prediction, but not in training, see
            `ModelConfig`.
        thresholds: Decision thresholds, see `ModelConfig`.
        kind: Name of the task, such as `"binary"`.
        primary_metric: Name of the primary metric of `evaluate()`.
        monitor: Name of the metric that training monitors in addition to the loss.
        more_is_better: Whether higher values of `primary_metric` and of `monitor` are better.
        exact: Whether a prediction can only be right or wrong. `False`: a prediction is a number,
            which can be close to the label.
        enough: Mean loss below which further training makes a head only more confident. The loss is
            in nats (regression: in variances of the targets).
        has_one_class: Whether each item has exactly one class.
        has_several_labels: Whether an item may have any number of labels.
        is_number: Whether labels and predictions are numbers, as in a regression.
        has_probabilities: Whether the model predicts probabilities.
        has_known_guessing: Whether `guessing_loss` is the loss of a model that only guesses.
            `False`: if labels are rare, a model that only guesses has a loss below `guessing_loss`.
        loss_unit: Unit of `item_losses`, such as `"nats"`.
        names_are: Word for `class_names` in messages: `"classes"` or `"labels"`.
        answer_is: Word for the prediction of one item in messages, such as `"class"`.
        probabilities_of: Event whose probability the model predicts. Empty: no probabilities.
        no_thresholds: Reason why the task has no decision thresholds. Empty: thresholds exist.
        item_metric: Name of the metric whose value is the mean of `item_scores`.
        skill_name: Name of the metric whose value is the mean of `skills`.
        lowest_skill: Smallest value that `skills` can return. The largest value of `skills` is 1.
        primary_metric_text: Sentence about the primary metric, with `{}` in place of its value.
        primary_metric_format: Format specification of the value of the primary metric, as in
            Python's `format()`, such as `".3f"`.
        interval_format: Format specification of the ends of the primary metric's 95% interval.
        answers_with: Words for the form of each prediction, such as `"a number"`.

    Example:
        >>> task = ktl.tasks.get_task("binary")(class_names=("no", "yes"))
        >>> task.kind, task.outputs, task.primary_metric
        ('binary', 1, 'accuracy')
    """

    class_names: tuple[str, ...] = ()
    target_mean: float = 0.0
    target_scale: float = 1.0
    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()

    kind: ClassVar[str]
    primary_metric: ClassVar[str] = "accuracy"
    monitor: ClassVar[str] = "accuracy"
    more_is_better: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    enough: ClassVar[float] = 0.01
    has_one_class: ClassVar[bool] = False
    has_several_labels: ClassVar[bool] = False
    is_number: ClassVar[bool] = False
    has_probabilities: ClassVar[bool] = True
    has_known_guessing: ClassVar[bool] = True
    loss_unit: ClassVar[str] = "nats"
    names_are: ClassVar[str] = "classes"
    answer_is: ClassVar[str] = "class"
    probabilities_of: ClassVar[str] = ""
    no_thresholds: ClassVar[str] = ""
    item_metric: ClassVar[str] = "accuracy"
    skill_name: ClassVar[str] = "accuracy"
    lowest_skill: ClassVar[float] = 0.0
    primary_metric_text: ClassVar[str] = "{} of the predictions are right"
    primary_metric_format: ClassVar[str] = ".1%"
    interval_format: ClassVar[str] = ".1%"
    answers_with: ClassVar[str]

    @property
    def undecided(self) -> "Task":
        """Copy of this task with a temperature of 1 and the default decision thresholds."""
        return dataclasses.replace(self, temperature=1.0, thresholds=())

    # Labels.

    @classmethod
    @abc.abstractmethod
    def encoder(
        cls, y: Sequence[Any] | np.ndarray, class_names: Sequence[str] | None = None
    ) -> LabelEncoder:
        """Create the label encoder from training labels, see `labels.task_choice.read_labels`.

        Raises:
            DataError: The task cannot use these labels.
        """

    @classmethod
    def target_fields(cls, labels: np.ndarray) -> dict[str, Any]:
        """Compute the fields of `ModelConfig` that depend on the training labels."""
        return {}

    @property
    @abc.abstractmethod
    def expected_labels(self) -> str:
        """Description of valid encoded labels, for messages."""

    @abc.abstractmethod
    def strange_rows(self, labels: np.ndarray) -> np.ndarray:
        """Return the row numbers of the encoded labels that are invalid for the task."""

    @abc.abstractmethod
    def class_counts(self, labels: np.ndarray) -> np.ndarray:
        """Return the number of items of each class or label, int64 (classes,)."""

    @classmethod
    @abc.abstractmethod
    def target_columns(cls, labels: np.ndarray) -> np.ndarray:
        """Return targets for LogME, float64 (n, columns). A column may have n equal values."""

    @abc.abstractmethod
    def name_of(self, label: np.ndarray) -> str:
        """Return the name of a true label, in the same form as the names in predictions."""

    # Head and training.

    @property
    def outputs(self) -> int:
        """Number of values that the head outputs per item."""
        return len(self.class_names)

    @property
    def output_layers(self) -> list[keras.layers.Layer]:
        """Layers that follow the last Dense layer of the head."""
        return []

    @property
    def loss_weight(self) -> float:
        """Factor by which Keras multiplies the training loss."""
        return 1.0

    @abc.abstractmethod
    def loss(self, smoothing: float = 0.0, soft: bool = False) -> keras.losses.Loss:
        """Return the Keras loss for the head's outputs and the targets `targets(labels, soft)`.

        Args:
            smoothing: Label smoothing, in [0, 1) (Szegedy et al., 2016, arXiv:1512.00567, sec. 7).
            soft: Whether targets are class probabilities instead of class numbers.
        """

    @abc.abstractmethod
    def metrics(self, soft: bool = False) -> list[keras.metrics.Metric]:
        """Return the Keras metrics for training, one of them with the name in `Task.monitor`."""

    @abc.abstractmethod
    def targets(self, labels: np.ndarray, soft: bool = False) -> np.ndarray:
        """Return the targets of the loss for a split's labels, with one row per item."""

    @abc.abstractmethod
    def dense_targets(self, labels: np.ndarray, smoothing: float = 0.0) -> np.ndarray:
        """Return targets of the last Dense layer: probabilities or values, float64 (n, outputs)."""

    @abc.abstractmethod
    def convex_loss(
        self, outputs: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of every item, (n,), and its gradient, (n, outputs), in float64.

        The loss of an item is the Keras loss times `loss_weight`, and is convex in `outputs`.

        Args:
            outputs: Outputs of the last Dense layer, float64 (n, outputs).
            targets: Targets from `dense_targets`.
        """

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Turn outputs of the last Dense layer into outputs of the head, float32 (n, outputs)."""
        return outputs.astype(np.float32)

    @property
    @abc.abstractmethod
    def curvature(self) -> float:
        """Largest eigenvalue of the Hessian of `convex_loss` where all outputs are 0."""

    def check(self, phase: Phase) -> None:
        """Raise `ConfigError` if the task does not support a setting of the phase."""
        if phase.class_weight is not None:
            raise ConfigError(
                f"class_weight= needs exactly one class per item. The task is {self.kind}. Leave "
                "class_weight= out."
            )

    def class_weights(
        self, labels: np.ndarray, asked: str | Mapping[str, float] | None
    ) -> np.ndarray | None:
        """Return the weight of each class in training, float32 array (classes,), or `None`.

        Args:
            labels: Labels of the training split.
            asked: Weights of classes by class name. `"balanced"`: the weight of a class is items /
                (classes * items of the class). `None`: all classes count equally.
        """
        return None

    # Predictions.

    @abc.abstractmethod
    def answers(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Compute the named outputs of a served model from the head's outputs, in TensorFlow."""

    def calibrated(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the logits divided by the temperature."""
        return logits if self.temperature == 1 else logits / self.temperature

    @property
    def standard(self) -> tuple[str, str]:
        """Name and method of the signature for the Classify or Regress API of TF Serving."""
        return "classify", tf.compat.v1.saved_model.CLASSIFY_METHOD_NAME

    def standard_answers(self, answers: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the outputs of the `standard` signature: `classes` and `scores`."""
        scores = answers["probabilities"]
        classes = tf.tile(tf.constant([self.class_names]), [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": tf.identity(scores, "scores")}

    @abc.abstractmethod
    def predictions(
        self, answers: Mapping[str, np.ndarray], sources: tuple[str, ...] | None
    ) -> Predictions | MultilabelPredictions | RegressionPredictions:
        """Return the predictions object of the task, from the named outputs of `answers`."""

    @abc.abstractmethod
    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return the probability of each class or label from calibrated logits, float64 (n, k).

        A binary task returns only the probability of the second class, float64 (n, 1).
        """

    @abc.abstractmethod
    def decisions(self, logits: np.ndarray) -> np.ndarray:
        """Return the predicted label of each item, from calibrated logits and `thresholds`."""

    @property
    def threshold_count(self) -> int:
        """Number of decision thresholds of the task."""
        return 0

    # Evaluation.

    @abc.abstractmethod
    def item_losses(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return the loss of each item, float64 (n,). The mean loss is the metric `"loss"`."""

    @abc.abstractmethod
    def measure(self, labels: np.ndarray, logits: np.ndarray) -> Metrics:
        """Return the metrics of a split by name as JSON types, computed by scikit-learn."""

    @abc.abstractmethod
    def statistics(self, labels: np.ndarray, logits: np.ndarray) -> dict[str, Statistic]:
        """Return functions that compute metrics of `measure` from item weights, by metric name.

        The weight of an item is its number of copies in a resample. Weights of 1 in a group of
        items and 0 elsewhere give the metric of the group.
        """

    def hits(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Return whether each prediction is right, bool (n,). The task must have `exact=True`."""
        return answers == labels

    @abc.abstractmethod
    def class_masks(
        self, labels: np.ndarray, answers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return true and predicted classes: two bool arrays (n, classes). Regression: `None`."""

    def label_columns(
        self, labels: np.ndarray, logits: np.ndarray
    ) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """For each label with a threshold, return name, bool labels (n,), probabilities (n,)."""
        return []

    @abc.abstractmethod
    def confidences(self, labels: np.ndarray, logits: np.ndarray) -> Confidences:
        """Return the input of calibration metrics, for a task that has probabilities."""

    @abc.abstractmethod
    def in_words(self, label: np.ndarray, logits: np.ndarray) -> tuple[str, float | None]:
        """Return a label's name, and its probability from an item's logits (regression: `None`)."""

    @abc.abstractmethod
    def item_scores(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Return the value of the metric `item_metric` for each single item, float64 (n,)."""

    @classmethod
    def skill_fields(cls, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
        """Compute fields of `keras_tl.comparison.skill.Skill` from training and test labels."""
        return {}

    @abc.abstractmethod
    def skills(self, labels: np.ndarray, logits: np.ndarray, *, reference: float) -> np.ndarray:
        """Return the skill of each item, (n,), see `keras_tl.comparison.skill.Skill`."""

    @abc.abstractmethod
    def baseline_text(self, labels: np.ndarray) -> str:
        """Return a phrase with the metric of a model that only guesses. Empty: unknown metric."""

    @property
    @abc.abstractmethod
    def choices(self) -> int:
        """Number of classes. Multi-label: 2, for yes and no. Regression: 2, without a meaning."""

    @property
    def guessing_loss(self) -> float:
        """Mean loss in nats of a model that only guesses. Regression: 1 (always the mean)."""
        return math.log(self.choices)

    def loss_of_guessing(self, labels: np.ndarray) -> float:
        """Return the mean training loss on `labels` for a last Dense layer that outputs only 0."""
        return self.guessing_loss

    @abc.abstractmethod
    def question(self, labels: np.ndarray, logits: np.ndarray) -> Question:
        """Return each item's output for Grad-CAM. Multi-label: the label with the highest loss."""
