"""Base class of tasks. All code that depends on the task is in its class."""

import abc
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_tl.base.config import Phase
from keras_tl.errors import ConfigError
from keras_tl.tasks.labels.label_encoder import LabelEncoder
from keras_tl.tasks.resampling import Statistic

THRESHOLD = 0.5
Metrics = dict[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Confidences:
    """Probabilities, and whether the predicted events are true.

    Attributes:
        shares: float64 (n,), probabilities.
        hits: bool (n,), whether the event of each probability is true.
        brier: Mean squared error of the probabilities, see
            `keras_tl.evaluation.calibration.Calibration`.
    """

    shares: np.ndarray
    hits: np.ndarray
    brier: float


@dataclasses.dataclass(frozen=True, eq=False)
class Question:
    """For each of n items, the output that Grad-CAM explains.

    Attributes:
        outputs: int array (n,), column of the logits.
        signs: float32 array (n,), -1 if a lower logit supports the explained name.
        names: Names of the explained classes or labels.
    """

    outputs: np.ndarray
    signs: np.ndarray
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Task(abc.ABC):
    """Task with given classes.

    Labels are those of a `keras_tl.data.labelled_data.Split`. Logits are the outputs of the head,
    float (n, outputs). Methods that ask for calibrated logits take logits already divided by the
    temperature.

    Attributes:
        class_names: Names of the classes or labels, in the order of the outputs.
        target_mean: Regression: mean of the training targets, in their unit.
        target_scale: Regression: standard deviation of the training targets, in their unit.
        temperature: See `ModelConfig`. Only predictions use it, not training or monitoring.
        thresholds: See `ModelConfig`.
        kind: Name of the task.
        primary_metric: Primary metric of `evaluate()`.
        monitor: Metric monitored in training, beside the loss.
        more_is_better: Whether higher values of the metric are better.
        exact: Whether predictions are right or wrong, instead of more or less close.
        enough: Mean loss (nats; regression: in units of the variance) below which a head only
            becomes more confident.
        has_one_class: Whether each item has exactly one class.
        has_several_labels: Whether an item may have any number of labels.
        is_number: Whether labels and predictions are numbers.
        has_probabilities: Whether predictions have probabilities.
        has_known_guessing: Whether `guessing_loss` is the loss of a model without knowledge.
        loss_unit: Unit of `item_losses`.
        names_are: Kind of the names: `"classes"` or `"labels"`.
        answer_is: Name of one item's prediction in messages.
        probabilities_of: Event of a probability. Empty: the task has no probabilities.
        no_thresholds: Reason why the task has no decision thresholds. Empty: it has some.
        item_metric: Name of the mean of `item_scores`.
        skill_name: Name of the mean of `skills`.
        lowest_skill: Minimum of `skills`. The maximum is 1.
        primary_metric_text: Sentence about the primary metric, with `{}` for its value.
        primary_metric_format: Format of the value, for `format`.
        interval_format: Format of the ends of its confidence interval.
        answers_with: Kind of prediction that the model makes for any input.
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
        """The same task without temperature and decision thresholds."""
        return dataclasses.replace(self, temperature=1.0, thresholds=())

    # Labels.

    @classmethod
    @abc.abstractmethod
    def encoder(cls, y: Sequence, class_names: Sequence[str] | None = None) -> LabelEncoder:
        """Return the label encoder of the training labels.

        Args:
            y: Labels of the training split, from `keras_tl.tasks.labels.task_choice.read_labels`.
            class_names: See `keras_tl.tasks.labels.task_choice.read_labels`.

        Raises:
            DataError: The labels do not fit the task.
        """

    @classmethod
    def target_fields(cls, labels: np.ndarray) -> dict[str, Any]:
        """Return the fields of `ModelConfig` that come from the training labels."""
        return {}

    @property
    @abc.abstractmethod
    def expected_labels(self) -> str:
        """Description of valid encoded labels, for messages."""

    @abc.abstractmethod
    def strange_rows(self, labels: np.ndarray) -> np.ndarray:
        """Return the rows of encoded labels that are not valid."""

    @abc.abstractmethod
    def class_counts(self, labels: np.ndarray) -> np.ndarray:
        """Return the number of items of each class or label, int64 (classes,)."""

    @classmethod
    @abc.abstractmethod
    def target_columns(cls, labels: np.ndarray) -> np.ndarray:
        """Return targets of a linear model, float64 (n, columns). Columns may be constant."""

    @abc.abstractmethod
    def name_of(self, label: np.ndarray) -> str:
        """Return the name of a true label, as in predictions."""

    # Head and training.

    @property
    def outputs(self) -> int:
        """Number of outputs of the head per item."""
        return len(self.class_names)

    @property
    def output_layers(self) -> list[keras.layers.Layer]:
        """Layers after the last Dense layer."""
        return []

    @property
    def loss_weight(self) -> float:
        """Factor by which Keras multiplies the loss."""
        return 1.0

    @abc.abstractmethod
    def loss(self, smoothing: float = 0.0, soft: bool = False) -> keras.losses.Loss:
        """Return the loss for the head's outputs and `targets(labels, soft)`.

        Args:
            smoothing: Label smoothing, in [0, 1) (Szegedy et al., 2016, arXiv:1512.00567, sec. 7).
            soft: Whether targets are class probabilities instead of class numbers.
        """

    @abc.abstractmethod
    def metrics(self, soft: bool = False) -> list[keras.metrics.Metric]:
        """Return the metrics computed in training. `monitor` is among them."""

    @abc.abstractmethod
    def targets(self, labels: np.ndarray, soft: bool = False) -> np.ndarray:
        """Return the targets of the loss for a split's labels, with one row per item."""

    @abc.abstractmethod
    def dense_targets(self, labels: np.ndarray, smoothing: float = 0.0) -> np.ndarray:
        """Return targets of the last Dense layer: probabilities or values, float64 (n, outputs).

        Args:
            labels: n labels.
            smoothing: See `loss`.
        """

    @abc.abstractmethod
    def convex_loss(
        self, outputs: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of every item and its gradient with respect to `outputs`, in NumPy.

        The loss is `loss` times `loss_weight`. It is convex in `outputs`.

        Args:
            outputs: float64 (n, outputs), outputs of the last Dense layer.
            targets: See `dense_targets`.

        Returns:
            float64 (n,) and (n, outputs).
        """

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return the head's outputs from those of its last Dense layer, float32 (n, outputs)."""
        return outputs.astype(np.float32)

    @property
    @abc.abstractmethod
    def curvature(self) -> float:
        """Size of the second derivative of `convex_loss` at outputs of 0."""

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
            labels: Training labels.
            asked: `"balanced"`: items / (classes * items of the class). A mapping: weights by name.
        """
        return None

    # Predictions.

    @abc.abstractmethod
    def answers(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the named outputs of a server from the head's outputs. TensorFlow only."""

    def calibrated(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the logits divided by the temperature."""
        return logits if self.temperature == 1 else logits / self.temperature

    @property
    def standard(self) -> tuple[str, str]:
        """Name and method of the signature for the Classify or Regress API of TF Serving."""
        return "classify", tf.compat.v1.saved_model.CLASSIFY_METHOD_NAME

    def standard_answers(self, answers: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the outputs of the `standard` signature: `classes`, `scores`, (batch, outputs)."""
        scores = answers["probabilities"]
        classes = tf.tile(tf.constant([self.class_names]), [tf.shape(scores)[0], 1])
        return {"classes": classes, "scores": tf.identity(scores, "scores")}

    @abc.abstractmethod
    def predictions(self, answers: Mapping[str, np.ndarray], sources: tuple[str, ...] | None):
        """Return the named outputs as a Python object."""

    @abc.abstractmethod
    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return float64 (n, classes) or (n, labels). Two classes: (n, 1), of the second class.

        Args:
            logits: Calibrated logits.
        """

    @abc.abstractmethod
    def decisions(self, logits: np.ndarray) -> np.ndarray:
        """Return the prediction for each item, in the form of labels, by the decision thresholds.

        Args:
            logits: Calibrated logits.
        """

    @property
    def threshold_count(self) -> int:
        """Number of decision thresholds of the task."""
        return 0

    # Evaluation.

    @abc.abstractmethod
    def item_losses(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return the loss of each item, float64 (n,). Their mean is the loss of `evaluate()`."""

    @abc.abstractmethod
    def measure(self, labels: np.ndarray, logits: np.ndarray) -> Metrics:
        """Return the metrics of a split from scikit-learn, as JSON types."""

    @abc.abstractmethod
    def statistics(self, labels: np.ndarray, logits: np.ndarray) -> dict[str, Statistic]:
        """Return metrics of `measure`, by the same names, as functions of item weights.

        A weight is the count of an item: in a resample, or 0 and 1 for a group.
        """

    def hits(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Return bool (n,): whether predictions (see `decisions`) are right. For `exact` tasks."""
        return answers == labels

    @abc.abstractmethod
    def class_masks(
        self, labels: np.ndarray, answers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the true and the predicted classes of the items, bool (n, classes) each."""

    def label_columns(
        self, labels: np.ndarray, logits: np.ndarray
    ) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Return name, bool labels (n,) and probabilities (n,) of each label with a threshold."""
        return []

    @abc.abstractmethod
    def confidences(self, labels: np.ndarray, logits: np.ndarray) -> Confidences:
        """Return the input of calibration metrics. Only for tasks with probabilities."""

    @abc.abstractmethod
    def in_words(self, label: np.ndarray, logits: np.ndarray) -> tuple[str, float | None]:
        """Return a label's name, and its probability by an item's logits (outputs,) or `None`."""

    @abc.abstractmethod
    def item_scores(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Return a simple metric of each item, float64 (n,), see `item_metric`."""

    @classmethod
    def skill_fields(cls, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
        """Return the fields of `keras_tl.comparison.skill.Skill` from the labels of two splits."""
        return {}

    @abc.abstractmethod
    def skills(self, labels: np.ndarray, logits: np.ndarray, reference: float) -> np.ndarray:
        """Return skills (n,), float32 or uint8 (0 and 1), see `keras_tl.comparison.skill.Skill`."""

    @abc.abstractmethod
    def baseline_text(self, labels: np.ndarray) -> str:
        """Return a phrase with the metric of a model without knowledge on these labels, or ""."""

    @property
    @abc.abstractmethod
    def choices(self) -> int:
        """Number of classes or values from which a decision chooses."""

    @property
    def guessing_loss(self) -> float:
        """Mean loss (nats) of equal probabilities. Regression: 1, the loss of the mean."""
        return math.log(self.choices)

    def loss_of_guessing(self, labels: np.ndarray) -> float:
        """Return the mean training loss on these labels if the last Dense layer outputs 0."""
        return self.guessing_loss

    @abc.abstractmethod
    def question(self, labels: np.ndarray, logits: np.ndarray) -> Question:
        """Return the prediction to explain by Grad-CAM. Several labels: the most wrong label."""
