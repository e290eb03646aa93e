"""The parts of AWD-LSTM (Merity, Keskar and Socher, 2017, arXiv:1708.02182) that Keras has not.

Its variational dropout (sec. 4.2), one mask a sequence for all its steps, is
`keras.layers.SpatialDropout1D`.
"""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_tl")
class TiedEmbedding(keras.layers.Layer):
    """An embedding that is also the output's weights (sec. 4.5), with embedding dropout (sec. 4.3).

    In training whole words are dropped: all occurrences in a batch, as one row of the embeddings,
    and what is left is scaled by 1 / (1 - dropout). The output's weights are never dropped.

    `layer(tokens)`: integers (batch, length) to vectors (batch, length, output_dim).
    `layer(vectors, reverse=True)`: vectors to logits (batch, length, input_dim), float32 whatever
    the precision.

    Args:
        input_dim: tokens in the vocabulary.
        output_dim: values of a vector.
        dropout: share of the words dropped, in [0, 1).
        seed: of the initial values, uniform in [-0.1, 0.1] (sec. 5), and of the dropout.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.dropout = dropout
        self.seed = seed
        self._masks = keras.random.SeedGenerator(seed)

    def build(self, input_shape=None):
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=keras.initializers.RandomUniform(-0.1, 0.1, self.seed),
        )
        self.bias = self.add_weight(name="bias", shape=(self.input_dim,), initializer="zeros")

    def call(self, inputs, training=False, reverse=False):
        if reverse:
            logits = ops.matmul(inputs, ops.transpose(self.embeddings))
            return ops.cast(logits, "float32") + ops.cast(self.bias, "float32")
        vectors = ops.take(self.embeddings, inputs, axis=0)
        if training and self.dropout:
            ones = ops.ones((self.input_dim, 1), self.compute_dtype)
            kept = keras.random.dropout(ones, self.dropout, seed=self._masks)
            vectors *= ops.take(kept, inputs, axis=0)
        return vectors

    def compute_output_spec(self, inputs, training=False, reverse=False):
        size, dtype = (
            (self.input_dim, "float32") if reverse else (self.output_dim, self.compute_dtype)
        )
        return keras.KerasTensor((*inputs.shape[:2], size), dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "dropout": self.dropout,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable("keras_tl")
class WeightDropLSTM(keras.layers.LSTM):
    """An LSTM with DropConnect on its recurrent weights (sec. 2).

    In training a mask over the recurrent kernel is drawn once a call, the same for all steps and
    all sequences, so that the steps run as in `keras.layers.LSTM`: by cuDNN on a GPU, which
    `recurrent_dropout` rules out.

    Args:
        units: see `keras.layers.LSTM`, as for the other arguments.
        weight_dropout: share of the recurrent weights dropped, in [0, 1); the others are scaled by
            1 / (1 - weight_dropout).
        seed: of the masks.
    """

    def __init__(self, units: int, weight_dropout: float = 0.0, seed: int | None = None, **kwargs):
        super().__init__(units, seed=seed, **kwargs)
        self.weight_dropout = weight_dropout
        self._masks = keras.random.SeedGenerator(seed)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if not training or not self.weight_dropout:
            return super().call(sequences, initial_state, mask, training)
        kernel = self.cell.recurrent_kernel
        dropped = keras.random.dropout(
            ops.convert_to_tensor(kernel), self.weight_dropout, seed=self._masks
        )
        # The cell reads its attribute in every step. Past the layer's own bookkeeping, which would
        # take the variable for replaced.
        attributes = vars(self.cell)
        attributes["recurrent_kernel"] = dropped
        try:
            return super().call(sequences, initial_state, mask, training)
        finally:
            attributes["recurrent_kernel"] = kernel

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"weight_dropout": self.weight_dropout}


@keras.saving.register_keras_serializable("keras_tl")
class ActivationRegularization(keras.layers.Layer):
    """Adds AR and TAR (sec. 4.6) to the loss in training and passes on what was dropped.

    `alpha` times the mean square of the dropped outputs, and `beta` times the mean square of the
    difference between neighbouring steps of the outputs before dropout. The paper writes norms;
    means of squares are what its code computes (salesforce/awd-lstm-lm, main.py), and its values
    of `alpha` and `beta` are for them.

    `layer(outputs, dropped)`, both (batch, length, units), gives `dropped`.

    Args:
        alpha: weight of the activations' size.
        beta: weight of their change from one step to the next.
    """

    def __init__(self, alpha: float = 2.0, beta: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.beta = beta

    def call(self, outputs, dropped, training=False):
        if training:
            # Squares of half-precision numbers lose too much.
            outputs, kept = ops.cast(outputs, "float32"), ops.cast(dropped, "float32")
            change = ops.square(outputs[:, 1:] - outputs[:, :-1])
            # A sequence of one step has no change, and no mean of it.
            count = ops.maximum(ops.cast(ops.size(change), "float32"), 1.0)
            self.add_loss(
                self.alpha * ops.mean(ops.square(kept)) + self.beta * ops.sum(change) / count
            )
        return dropped

    def compute_output_spec(self, outputs, dropped, training=False):
        return keras.KerasTensor(dropped.shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"alpha": self.alpha, "beta": self.beta}


@keras.saving.register_keras_serializable("keras_tl")
class Perplexity(keras.metrics.Metric):
    """exp of the mean cross-entropy (nats) over all tokens, however many a batch has.

    Args:
        name: of the metric.
    """

    def __init__(self, name: str = "perplexity", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds tokens (batch, length) and the logits (batch, length, vocabulary) for them."""
        losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        weights = ops.ones_like(losses)
        if sample_weight is not None:
            weights *= ops.cast(sample_weight, losses.dtype)
        self.total.assign_add(ops.sum(losses * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        """The perplexity; 1 before the first token."""
        return ops.exp(self.total / ops.maximum(self.count, 1.0))
