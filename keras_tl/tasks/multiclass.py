"""Multiclass task: predict one of several classes per item."""

import keras
import numpy as np
import tensorflow as tf
from scipy.special import log_softmax, softmax

from keras_tl.tasks.base import Confidences, Question
from keras_tl.tasks.one_class import OneClass
from keras_tl.tasks.resampling import mean_of


class Multiclass(OneClass):
    """Task with one of several classes per item. The model has one logit per class and softmax."""

    kind = "multiclass"
    probabilities_of = "the predicted class"
    no_thresholds = "the model predicts the most probable of several classes"
    answers_with = "one of its classes"

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
        return self.named_answers(tf.nn.softmax(self.calibrated(logits)))

    def probabilities(self, logits):
        return softmax(logits.astype(np.float64), axis=1)

    def decisions(self, logits):
        return logits.argmax(axis=1)

    def item_losses(self, labels, logits):
        logarithms = log_softmax(logits.astype(np.float64), axis=1)
        return -logarithms[np.arange(len(labels)), labels]

    def statistics(self, labels, logits):
        return {"accuracy": mean_of(self.decisions(logits) == labels)}

    def confidences(self, labels, logits):
        shares = self.probabilities(logits)
        answers, rows = shares.argmax(axis=1), np.arange(len(labels))
        truth = np.zeros_like(shares)
        truth[rows, labels] = 1
        brier = ((shares - truth) ** 2).sum(axis=1).mean()
        return Confidences(shares[rows, answers], answers == labels, float(brier))

    def in_words(self, label, logits):
        return self.class_names[int(label)], float(softmax(logits.astype(np.float64))[int(label)])

    def question(self, labels, logits):
        outputs = logits.argmax(axis=1)
        names = tuple(self.class_names[number] for number in outputs)
        return Question(outputs, np.ones(len(logits), np.float32), names)
