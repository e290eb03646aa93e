"""Layers of AWD-LSTM (Merity, Keskar and Socher, 2017, arXiv:1708.02182) that Keras lacks.

Keras has the paper's variational dropout (sec. 4.2), which uses one mask for all steps of a
sequence: `keras.layers.SpatialDropout1D`.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("keras_tl")
class WordDropEmbedding(keras.layers.Layer):
    """Embedding layer with embedding dropout (Merity et al., 2017, sec. 4.3).

    In training, the layer drops random words: a dropped word has a zero vector at all its positions
    in the batch. The vectors of the words that are not dropped are multiplied by 1 / (1 - dropout).

    `layer(tokens)` maps integers (batch, length) to vectors (batch, length, output_dim).

    Args:
        input_dim: Number of tokens in the vocabulary.
        output_dim: Number of values in a token's vector.
        dropout: Fraction of the words to drop, in [0, 1).
        seed: Seed of the dropout and of the initial vectors, which are uniform in [-0.1, 0.1]
            (Merity et al., 2017, sec. 5).
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

    def call(self, inputs, training=False):
        vectors = ops.take(self.embeddings, inputs, axis=0)
        if training and self.dropout:
            ones = ops.ones((self.input_dim, 1), self.compute_dtype)
            kept = keras.random.dropout(ones, self.dropout, seed=self._masks)
            vectors *= ops.take(kept, inputs, axis=0)
        return vectors

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor((*inputs.shape[:2], self.output_dim), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "dropout": self.dropout,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable("keras_tl")
class TiedEmbedding(WordDropEmbedding):
    """Embedding and output layer with one shared matrix (Merity et al., 2017, sec. 4.5).

    `layer(vectors, reverse=True)` is the output layer. The output layer maps vectors to float32
    logits (batch, length, input_dim), without dropout. The arguments of `TiedEmbedding` are those
    of `WordDropEmbedding`.
    """

    def build(self, input_shape=None):
        super().build(input_shape)
        self.bias = self.add_weight(name="bias", shape=(self.input_dim,), initializer="zeros")

    def call(self, inputs, training=False, reverse=False):
        if not reverse:
            return super().call(inputs, training)
        logits = ops.matmul(inputs, ops.transpose(self.embeddings))
        return ops.cast(logits, "float32") + ops.cast(self.bias, "float32")

    def compute_output_spec(self, inputs, training=False, reverse=False):
        if not reverse:
            return super().compute_output_spec(inputs, training)
        return keras.KerasTensor((*inputs.shape[:2], self.input_dim), "float32")


@keras.saving.register_keras_serializable("keras_tl")
class WeightDropLSTM(keras.layers.LSTM):
    """LSTM layer with DropConnect on its recurrent weights (Merity et al., 2017, sec. 2).

    In training, each call drops random recurrent weights, the same weights for all steps and all
    sequences. As all steps have the same weights, cuDNN can compute the steps on a GPU, as for
    `keras.layers.LSTM`. Keras's argument `recurrent_dropout` would prevent the use of cuDNN.

    Args:
        units: Number of units of the LSTM. All other arguments of the layer are those of
            `keras.layers.LSTM`.
        weight_dropout: Fraction of the recurrent weights to drop, in [0, 1). The weights that are
            not dropped are multiplied by 1 / (1 - weight_dropout).
        seed: Seed of the random dropout masks.
        bptt: Number of steps through which gradients pass in training. The layer splits sequences
            into parts of `bptt` steps. No gradient passes from one part of a sequence to the
            previous part (Howard and Ruder, 2018, arXiv:1801.06146, sec. 3.3, BPT3C). `bptt` needs
            `return_sequences=True`, zero initial states and no mask. With `bptt=None`, gradients
            pass through the whole sequence.

    Raises:
        ValueError: `bptt` was passed together with `stateful=True` or `return_sequences=False`.
    """

    def __init__(
        self,
        units: int,
        weight_dropout: float = 0.0,
        seed: int | None = None,
        bptt: int | None = None,
        **kwargs,
    ):
        super().__init__(units, seed=seed, **kwargs)
        self.weight_dropout = weight_dropout
        self.bptt = bptt
        if bptt is not None and (self.stateful or not self.return_sequences):
            raise ValueError("bptt= needs return_sequences=True and stateful=False.")
        self._masks = keras.random.SeedGenerator(seed)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if not training or not self.weight_dropout:
            return self._run(sequences, initial_state, mask, training)
        kernel = self.cell.recurrent_kernel
        dropped = keras.random.dropout(
            ops.convert_to_tensor(kernel), self.weight_dropout, seed=self._masks
        )
        # The cell reads its attribute `recurrent_kernel` in every step. Set the attribute without
        # Keras's tracking, which would treat the tensor as a replacement of the variable.
        attributes = vars(self.cell)
        attributes["recurrent_kernel"] = dropped
        try:
            return self._run(sequences, initial_state, mask, training)
        finally:
            attributes["recurrent_kernel"] = kernel

    def _run(self, sequences, initial_state, mask, training):
        if not training or self.bptt is None:
            return super().call(sequences, initial_state, mask, training)
        if initial_state is not None or mask is not None:
            raise ValueError(
                "With bptt=, this layer takes no initial_state= and no mask=. Leave both "
                "arguments out."
            )
        return self._run_in_stretches(sequences)

    def _run_in_stretches(self, sequences):
        length = tf.shape(sequences)[1]
        states = [tf.zeros((tf.shape(sequences)[0], self.units), sequences.dtype)] * 2
        shapes = [tf.TensorShape((None, self.units))] * 2
        parts = tf.TensorArray(sequences.dtype, -(-length // self.bptt), infer_shape=False)

        def stretch(number, parts, states):
            start = number * self.bptt
            part = sequences[:, start : start + self.bptt]
            _, outputs, states = self.inner_loop(
                part, [tf.stop_gradient(state) for state in states], None, training=True
            )
            return number + 1, parts.write(number, tf.transpose(outputs, (1, 0, 2))), list(states)

        _, parts, _ = tf.while_loop(
            lambda number, *_: number * self.bptt < length,
            stretch,
            (0, parts, states),
            (tf.TensorShape(()), tf.TensorShape(None), shapes),
        )
        outputs = tf.transpose(parts.concat(), (1, 0, 2))
        return tf.ensure_shape(outputs, (*sequences.shape[:2], self.units))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"weight_dropout": self.weight_dropout, "bptt": self.bptt}


@keras.saving.register_keras_serializable("keras_tl")
class ActivationRegularization(keras.layers.Layer):
    """Add activation regularization (AR) and temporal AR (TAR) to the training loss.

    Activation regularization is `alpha` times the mean square of the LSTM outputs after dropout.
    Temporal activation regularization is `beta` times the mean squared difference between the LSTM
    outputs of neighbouring steps, before dropout. The formulas of Merity et al. (2017, sec. 4.6)
    have norms, but their code computes mean squares (salesforce/awd-lstm-lm, main.py). This layer
    computes mean squares, because the paper's values of `alpha` and `beta` are for mean squares.

    `layer(outputs, dropped)` takes the LSTM outputs before and after dropout, (batch, length,
    units) each, and returns `dropped`.

    Args:
        alpha: Factor of the activation regularization in the loss.
        beta: Factor of the temporal activation regularization in the loss.
    """

    def __init__(self, alpha: float = 2.0, beta: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.beta = beta

    def call(self, outputs, dropped, training=False):
        if training:
            # Squares in half precision lose too much accuracy.
            outputs, kept = ops.cast(outputs, "float32"), ops.cast(dropped, "float32")
            change = ops.square(outputs[:, 1:] - outputs[:, :-1])
            # A sequence of one step has no differences: do not divide by zero.
            count = ops.maximum(ops.cast(ops.size(change), "float32"), 1.0)
            self.add_loss(
                self.alpha * ops.mean(ops.square(kept)) + self.beta * ops.sum(change) / count
            )
        return dropped

    def compute_output_spec(self, outputs, dropped, training=False):
        return keras.KerasTensor(dropped.shape, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"alpha": self.alpha, "beta": self.beta}
