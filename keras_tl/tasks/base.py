"""What a task is: all that depends on what is learned stands in its class and nowhere else."""

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
from keras_tl.tasks.labels.coding import LabelCoder
from keras_tl.tasks.resampling import Statistic

THRESHOLD = 0.5
Metrics = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Confidences:
    """Probabilities, and how often what they are of is true.

    Attributes:
        shares: float64 (n,), the probabilities.
        hits: bool (n,), whether what each of them is of is true.
        brier: mean squared error of the probabilities, see
            `keras_tl.evaluation.calibration.Calibration`.
    """

    shares: np.ndarray
    hits: np.ndarray
    brier: float


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked of each of n items: what in it speaks for this answer.

    Attributes:
        outputs: int array (n,), the column of the logits.
        signs: float32 array (n,): -1 where a lower logit speaks for the answer.
        names: the answers.
    """

    outputs: np.ndarray
    signs: np.ndarray
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Task(abc.ABC):
    """A task for given classes.

    Labels are those of a `keras_tl.data.labelled_data.Split`. Logits are what the head puts out,
    float (n, outputs), already divided by the temperature where a method asks for calibrated ones.

    Attributes:
        class_names: the classes' or labels' names, in the order of the outputs.
        target_mean: regression: mean of the training targets, in their unit.
        target_scale: regression: their standard deviation, in their unit.
        temperature: see `ModelConfig`; answers only, nothing is trained or watched with it.
        thresholds: see `ModelConfig`.
        kind: the task's name.
        headline: the metric of `evaluate()` that says most.
        watched: the metric that is watched while training, beside the loss.
        more_is_better: whether more of it is.
        exact: whether an answer is right or wrong, not more or less so.
        enough: a mean loss (nats; of a regression in units of the variance) below which a head
            only becomes more sure of itself.
        has_one_class: whether each item has exactly one class.
        has_several_labels: whether an item may have any number of labels.
        is_number: whether labels and answers are numbers.
        has_probabilities: whether answers have probabilities.
        has_known_guessing: whether `guessing_loss` says how a model without knowledge does.
        loss_unit: of `item_losses`.
        names_are: what the names are of: `"classes"` or `"labels"`.
        answer_is: what messages call the answer for one item.
        probabilities_of: what a probability is of; empty where there are none.
        no_thresholds: why there are no thresholds; empty where there are.
        item_metric: the name of the mean of `item_scores`.
        skill_name: the name of the mean of `skills`.
        lowest_skill: the least value of `skills`; the largest is 1.
        headline_text: the headline in a sentence: `{}` stands for its value.
        headline_form: how that value is written, as `format` takes it.
        interval_form: the same of the ends of its interval.
        answers_with: what the model answers to anything.
    """

    class_names: tuple[str, ...] = ()
    target_mean: float = 0.0
    target_scale: float = 1.0
    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()

    kind: ClassVar[str]
    headline: ClassVar[str] = "accuracy"
    watched: ClassVar[str] = "accuracy"
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
    headline_text: ClassVar[str] = "{} of the answers are right"
    headline_form: ClassVar[str] = ".1%"
    interval_form: ClassVar[str] = ".1%"
    answers_with: ClassVar[str]

    @property
    def undecided(self) -> "Task":
        """The same task without temperature and thresholds."""
        return dataclasses.replace(self, temperature=1.0, thresholds=())

    # Labels.

    @classmethod
    @abc.abstractmethod
    def coder(cls, y: Sequence, class_names: Sequence[str] | None = None) -> LabelCoder:
        """Make what turns labels into numbers.

        Args:
            y: the labels of the training split, as `keras_tl.tasks.labels.reading.read_labels`
                gives them.
            class_names: see there.

        Raises:
            DataError: the labels do not fit the task.
        """

    @classmethod
    def target_fields(cls, labels: np.ndarray) -> dict[str, Any]:
        """The fields of `ModelConfig` that come from the training labels."""
        return {}

    @property
    @abc.abstractmethod
    def expected_labels(self) -> str:
        """What coded labels are, for messages."""

    @abc.abstractmethod
    def strange_rows(self, labels: np.ndarray) -> np.ndarray:
        """The rows of coded labels that are not `expected_labels`."""

    @abc.abstractmethod
    def class_counts(self, labels: np.ndarray) -> np.ndarray:
        """int64 (classes,): how many items each class or label has."""

    @classmethod
    @abc.abstractmethod
    def target_columns(cls, labels: np.ndarray) -> np.ndarray:
        """float64 (n, columns): the labels as targets of a linear model; some may be constant."""

    @abc.abstractmethod
    def name_of(self, label: np.ndarray) -> str:
        """A true label as predictions name it."""

    # The head, and how it is trained.

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
            labels: n labels.
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

    def check(self, phase: Phase) -> None:
        """Raise `ConfigError` if a phase asks for what the task has not."""
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

    # Answers.

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
    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """float64 (n, classes) or (n, labels); of two classes (n, 1), of the second class.

        Args:
            logits: calibrated.
        """

    @abc.abstractmethod
    def decisions(self, logits: np.ndarray) -> np.ndarray:
        """What is answered for each item, in the form of labels, by the thresholds.

        Args:
            logits: calibrated.
        """

    @property
    def threshold_count(self) -> int:
        """How many thresholds the task has."""
        return 0

    # Measurements.

    @abc.abstractmethod
    def item_losses(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """float64 (n,): what each item adds to the loss of `evaluate()`, which is their mean."""

    @abc.abstractmethod
    def measure(self, labels: np.ndarray, logits: np.ndarray) -> Metrics:
        """The metrics of a split, by scikit-learn; JSON types."""

    @abc.abstractmethod
    def statistics(self, labels: np.ndarray, logits: np.ndarray) -> dict[str, Statistic]:
        """The metrics of `measure` of the same names, for weighted items.

        A weight counts an item so many times: those of a resample, or 0 and 1 for a group.
        """

    def hits(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Bool (n,): whether answers, see `decisions`, are right; for tasks that are `exact`."""
        return answers == labels

    @abc.abstractmethod
    def class_masks(
        self, labels: np.ndarray, answers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """The classes that items have, and those that are answered: bool (n, classes) each."""

    def label_columns(
        self, labels: np.ndarray, logits: np.ndarray
    ) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Name, bool labels (n,) and probabilities (n,) of each label that has a threshold."""
        return []

    @abc.abstractmethod
    def confidences(self, labels: np.ndarray, logits: np.ndarray) -> Confidences:
        """What calibration is measured on; for tasks with probabilities."""

    @abc.abstractmethod
    def in_words(self, label: np.ndarray, logits: np.ndarray) -> tuple[str, float | None]:
        """A label, and its probability by the logits (outputs,) of an item; `None`: it has none."""

    @abc.abstractmethod
    def item_scores(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """float64 (n,): a simple metric of each item, see `item_metric`."""

    @classmethod
    def skill_fields(cls, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
        """What `keras_tl.comparison.skill.Skill` takes from the labels of the two splits."""
        return {}

    @abc.abstractmethod
    def skills(self, labels: np.ndarray, logits: np.ndarray, reference: float) -> np.ndarray:
        """float32 (n,), or uint8 for right and wrong: see `keras_tl.comparison.skill.Skill`."""

    @abc.abstractmethod
    def baseline_text(self, labels: np.ndarray) -> str:
        """What an answer without knowledge would reach on these labels; may be empty."""

    @property
    @abc.abstractmethod
    def choices(self) -> int:
        """How many answers a decision chooses from."""

    @property
    def guessing_loss(self) -> float:
        """The mean loss (nats) of equal probabilities; of a regression 1, that of the mean."""
        return math.log(self.choices)

    def loss_of_guessing(self, labels: np.ndarray) -> float:
        """The mean loss of logits that are all 0, as training counts it, on these labels."""
        return self.guessing_loss

    @abc.abstractmethod
    def question(self, labels: np.ndarray, logits: np.ndarray) -> Question:
        """What Grad-CAM explains: the answer; of several labels, the one that is most wrong."""
