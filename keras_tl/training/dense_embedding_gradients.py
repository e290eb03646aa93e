"""Adam, AdamW and SGD with L2 penalty, dense embedding gradients and a settable learning rate."""

import keras
import tensorflow as tf

from keras_tl.base.keras_compat import learning_rate_or_schedule, own_variables
from keras_tl.training.schedules import SettableSchedule


class DenseEmbeddingGradients:
    """Mixin for a Keras optimizer: make embedding gradients dense, and add an optional L2 penalty.

    The gradient of an embedding has one row per token of the batch (`tf.IndexedSlices`). If a token
    occurs several times, the token's gradient is the sum of its rows. For gradient clipping and for
    Adam's second moment, Keras squares a token's rows before it sums them. Without the mixin, the
    second moment of a token with n equal rows would be n times too small. The mixin sums the rows
    of each token before Keras squares the sum. Summing a token's rows costs no time, because Adam
    updates the moments as dense tensors in any case.

    Args:
        l2: Strength of the penalty `l2 / 2 * kernel^2` on every kernel. The penalty changes the
            gradients, but not the logged losses. Decoupled weight decay (AdamW) leads to other
            weights than the L2 penalty.
    """

    def __init__(self, *others, l2: float = 0.0, **named):
        super().__init__(*others, **named)
        self.l2 = l2

    @property
    def learning_rate(self):
        """Learning rate of the next step, which callbacks can set."""
        return super().learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        if isinstance(learning_rate_or_schedule(self), SettableSchedule) and not callable(value):
            learning_rate_or_schedule(self).set(value)
        else:
            keras.optimizers.Optimizer.learning_rate.fset(self, value)

    def apply(self, grads, trainable_variables=None):
        """Update the variables by one step, with the arguments of the Keras optimizer."""
        grads = [None if grad is None else tf.convert_to_tensor(grad) for grad in grads]
        if self.l2:
            variables = trainable_variables or own_variables(self)
            # TensorFlow sums the gradients of all replicas. Each replica adds only a share of the
            # L2 penalty's gradient, so that the sum contains the whole gradient once.
            share = self.l2 / tf.distribute.get_strategy().num_replicas_in_sync
            grads = [
                grad if grad is None or len(variable.shape) < 2 else grad + share * variable
                for grad, variable in zip(grads, variables, strict=True)
            ]
        super().apply(grads, trainable_variables)

    def get_config(self):
        """Return the arguments of the optimizer's constructor."""
        return super().get_config() | {"l2": self.l2}


@keras.saving.register_keras_serializable("keras_tl")
class Adam(DenseEmbeddingGradients, keras.optimizers.Adam):
    """Adam with dense embedding gradients and L2 penalty (`DenseEmbeddingGradients`)."""


@keras.saving.register_keras_serializable("keras_tl")
class AdamW(DenseEmbeddingGradients, keras.optimizers.AdamW):
    """AdamW with dense embedding gradients and L2 penalty (`DenseEmbeddingGradients`)."""


@keras.saving.register_keras_serializable("keras_tl")
class SGD(DenseEmbeddingGradients, keras.optimizers.SGD):
    """SGD with dense embedding gradients and L2 penalty (`DenseEmbeddingGradients`)."""
