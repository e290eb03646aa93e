"""Binary task: predict one of two classes per item."""

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit, log_expit
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from keras_tl.tasks.base import Question
from keras_tl.tasks.one_class import OneClass
from keras_tl.tasks.resampling import area_of, average_precision_of, mean_of
from keras_tl.tasks.scores import if_both, thinned
from keras_tl.tasks.sigmoid import Sigmoid


class Binary(Sigmoid, OneClass):
    """Task with one of two classes per item. The head has one logit, for the second class."""

    kind = "binary"
    probabilities_of = "the second class"
    answers_with = "one of its two classes"

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
        # Compute each probability from the logit: 1 - sigmoid would round a small probability to 0.
        return self.named_answers(tf.nn.sigmoid(tf.concat([-logits, logits], axis=-1)))

    def decisions(self, logits):
        return self.over_thresholds(logits)[:, 0]

    def item_losses(self, labels, logits):
        return -log_expit((2 * labels - 1) * logits.astype(np.float64)[:, 0])

    def measure(self, labels, logits):
        """Return the metrics of a split as JSON types.

        In addition to the metrics of `OneClass.measure`, three metrics compare the second class
        with the first. `"auc"` (area under the ROC curve) and `"average_precision"` are in [0, 1],
        or `None` if all items have the same class. `"roc"` holds at most 200 points (false positive
        rate, true positive rate) of the ROC curve. `"auc"` uses all points of the curve.
        """
        score = logits[:, 0]
        both_there = 0 < labels.mean() < 1
        return super().measure(labels, logits) | {
            "auc": if_both(labels, roc_auc_score, score),
            "average_precision": if_both(labels, average_precision_score, score),
            "roc": thinned(np.stack(roc_curve(labels, score)[:2], axis=1)) if both_there else [],
        }

    def statistics(self, labels, logits):
        score = logits[:, 0]
        return {
            "accuracy": mean_of(self.decisions(logits) == labels),
            "auc": area_of(labels, score),
            "average_precision": average_precision_of(labels, score),
        }

    def in_words(self, label, logits):
        sign = 2 * int(label) - 1
        return self.class_names[int(label)], float(expit(sign * logits.astype(np.float64)[0]))

    def question(self, labels, logits):
        answers = self.decisions(logits)
        names = tuple(self.class_names[number] for number in answers)
        signs = 2 * answers - np.ones(len(logits), np.float32)
        return Question(np.zeros(len(logits), int), signs, names)
