"""Perplexity as a Keras metric."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_tl")
class Perplexity(keras.metrics.Metric):
    """Exp of the mean cross-entropy (nats) over all tokens, each with equal weight.

    Args:
        name: Name of the metric.
    """

    def __init__(self, name: str = "perplexity", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add tokens (batch, length) and their logits (batch, length, vocabulary)."""
        losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        weights = ops.ones_like(losses)
        if sample_weight is not None:
            weights *= ops.cast(sample_weight, losses.dtype)
        self.total.assign_add(ops.sum(losses * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        """Return the perplexity. Before the first token it is 1."""
        return ops.exp(self.total / ops.maximum(self.count, 1.0))
