"""Regression task: predict one number per item."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from keras_tl.base.config import Phase
from keras_tl.base.results import RegressionPredictions
from keras_tl.errors import ConfigError, DataError
from keras_tl.tasks.base import Question, Task
from keras_tl.tasks.labels.label_encoder import LabelEncoder, check_count, listing
from keras_tl.tasks.resampling import mean_of


class Regression(Task):
    """Task with one number per item. Targets are standardised, so their unit has no effect."""

    kind = "regression"
    primary_metric = "mae"
    monitor = "mae"
    more_is_better = False
    exact = False
    enough = 0.0
    is_number = True
    has_probabilities = False
    loss_unit = "squared error"
    no_thresholds = "a regression has no probabilities"
    item_metric = "mean absolute error"
    skill_name = "skill score"
    lowest_skill = -np.inf
    primary_metric_text = "the predictions are off by {} on average"
    primary_metric_format = ".4g"
    interval_format = ".3g"
    answers_with = "a number"

    @classmethod
    def encoder(cls, y, class_names=None):
        return _NumberEncoder()

    @classmethod
    def target_fields(cls, labels):
        # Rounding can give constant targets a standard deviation above 0: use 1 for these targets.
        scale = float(labels.std()) if np.ptp(labels) else 1.0
        return {"target_mean": float(labels.mean()), "target_scale": scale}

    @property
    def expected_labels(self) -> str:
        return "finite numbers"

    def strange_rows(self, labels):
        return np.flatnonzero(~np.isfinite(labels))

    def class_counts(self, labels):
        return np.zeros(0, np.int64)

    @classmethod
    def target_columns(cls, labels):
        # Compute in float64, because the float32 mean of large targets is not exact.
        columns = labels.astype(np.float64)[:, None]
        return (columns - columns.mean()) / (columns.std() or 1.0)

    def name_of(self, label):
        return f"{label:.4g}"

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
        """Factor 1 / variance of the training targets, which multiplies the squared error."""
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

    def check(self, phase: Phase) -> None:
        super().check(phase)
        if phase.label_smoothing:
            raise ConfigError(
                f"label_smoothing= needs classes. The task is {self.kind}. Leave "
                "label_smoothing= out."
            )

    def answers(self, logits):
        return {"value": tf.squeeze(logits, axis=-1, name="value")}

    @property
    def standard(self) -> tuple[str, str]:
        return "regress", tf.compat.v1.saved_model.REGRESS_METHOD_NAME

    def standard_answers(self, answers):
        return {"outputs": tf.identity(answers["value"], "outputs")}

    def predictions(self, answers, sources):
        return RegressionPredictions(answers["value"], sources)

    def probabilities(self, logits):
        raise ConfigError("A regression has no probabilities.")

    def decisions(self, logits):
        return logits[:, 0]

    def item_losses(self, labels, logits):
        return (labels - logits.astype(np.float64)[:, 0]) ** 2

    def measure(self, labels, logits):
        """Return the metrics of a split as JSON types.

        `"mae"` and `"rmse"`: mean absolute and root mean squared error in the targets' unit.
        `"loss"`: mean squared error. `"r2"`: fraction of explained variance, at most 1 (`None` for
        fewer than two items). `"items"`: number of items. `"values"`: pairs of true and predicted
        value.
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

    def statistics(self, labels, logits):
        errors = (labels - self.decisions(logits)).astype(np.float64)
        squares = mean_of(errors**2)
        return {"mae": mean_of(abs(errors)), "rmse": lambda weights: np.sqrt(squares(weights))}

    def class_masks(self, labels, answers):
        return None

    def confidences(self, labels, logits):
        raise ConfigError("A regression has no probabilities.")

    def in_words(self, label, logits):
        return self.name_of(float(label)), None

    def item_scores(self, labels, answers):
        return np.abs(answers.astype(np.float64) - labels)

    @classmethod
    def skill_fields(cls, train, test):
        median = float(np.median(train))
        # `skills` divides errors by `reference`: use 1 if all test targets equal the median.
        return {"median": median, "reference": float(np.abs(test - median).mean()) or 1.0}

    def skills(self, labels, logits, *, reference):
        return (1 - np.abs(logits[:, 0] - labels) / reference).astype(np.float32)

    def baseline_text(self, labels):
        error = float(np.abs(labels - self.target_mean).mean())
        return f"always predicting the training mean would be off by {error:.4g}"

    @property
    def choices(self) -> int:
        return 2

    @property
    def guessing_loss(self) -> float:
        return 1.0

    def loss_of_guessing(self, labels):
        targets = (np.asarray(labels, np.float64) - self.target_mean) / self.target_scale
        return float((targets**2).mean())

    def question(self, labels, logits):
        count = len(logits)
        ones, zeros = np.ones(count, np.float32), np.zeros(count, int)
        return Question(zeros, ones, ("a higher value",) * count)


class _NumberEncoder(LabelEncoder):
    """Label encoder of a regression: converts targets to float32."""

    task = "regression"

    def code(self, y: Sequence, items: int, name: str, item: str = "image") -> np.ndarray:
        y = np.asarray(y)
        check_count(y.shape, items, name, item)
        try:
            values = y.astype(np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(f"Expected numbers as {name} targets: {error}.") from error
        strange = np.flatnonzero(~np.isfinite(values))
        if len(strange):
            raise DataError(
                f"{len(strange)} of the {items} {name} targets are not finite numbers: rows "
                f"{listing(strange)} hold {listing(y[strange])}. Fill the targets "
                "in or leave the items out."
            )
        return values
