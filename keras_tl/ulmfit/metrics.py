"""Keras metric for the perplexity of a language model."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_tl")
class Perplexity(keras.metrics.Metric):
    """Perplexity: exp of the mean cross-entropy (nats), in which all tokens have equal weight."""

    def __init__(self, name: str = "perplexity", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch of tokens (batch, length) with logits (batch, length, vocabulary)."""
        losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        weights = ops.ones_like(losses)
        if sample_weight is not None:
            weights *= ops.cast(sample_weight, losses.dtype)
        self.total.assign_add(ops.sum(losses * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        """Return the perplexity of all tokens since the last reset, or 1 if there are no tokens."""
        return ops.exp(self.total / ops.maximum(self.count, 1.0))
