"""`Sigmoid`: base class of the binary and the multi-label task."""

import keras
import numpy as np
from scipy.special import expit, logit

from keras_tl.tasks.base import THRESHOLD, Confidences, Task


class Sigmoid(Task):
    """Base class of tasks with yes-or-no outputs. Each output has one logit and one threshold."""

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

    def probabilities(self, logits):
        return expit(logits.astype(np.float64))

    def over_thresholds(self, logits: np.ndarray) -> np.ndarray:
        """Return 1 where a probability is above its threshold, else 0, int64 (n, outputs)."""
        return (logits > logit(np.array(self.thresholds or (THRESHOLD,)))).astype(int)

    @property
    def threshold_count(self) -> int:
        return self.outputs

    def label_columns(self, labels, logits):
        shares = self.probabilities(logits)
        found = labels.reshape(len(shares), -1).astype(bool)
        names = self.class_names[-self.outputs :]
        return list(zip(names, found.T, shares.T, strict=True))

    def confidences(self, labels, logits):
        shares, hits = self.probabilities(logits).ravel(), labels.ravel().astype(bool)
        return Confidences(shares, hits, float(((shares - hits) ** 2).mean()))
