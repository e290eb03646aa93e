"""Adam, AdamW and SGD with an L2 penalty, whole gradients of embeddings, and a settable rate."""

import keras
import tensorflow as tf

from keras_tl.base.keras_compat import own_variables, rate_or_schedule
from keras_tl.training.schedules import Settable


class WholeGradients:
    """For a Keras optimizer: the gradient of an embedding has the embedding's shape.

    It comes as a row for each token of the batch (`tf.IndexedSlices`), and Keras squares those,
    for the norm that gradients are clipped by and for Adam's second moment, before the rows of one
    word have been added up: of n rows that agree, that moment is n times too small. Adding them up
    first takes no longer, as Adam's moments are updated as wholes in either case.

    Args:
        l2: strength of a penalty, half of it times the squared kernels, that is part of what is
            minimised; decoupled weight decay would have another optimum. It is not in the losses
            that are logged.
        others: as of the Keras optimizer.
    """

    def __init__(self, *others, l2: float = 0.0, **named):
        super().__init__(*others, **named)
        self.l2 = l2

    @property
    def learning_rate(self):
        """The learning rate of the next step; callbacks can set it, over a schedule too."""
        return super().learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        if isinstance(rate_or_schedule(self), Settable) and not callable(value):
            rate_or_schedule(self).set(value)
        else:
            keras.optimizers.Optimizer.learning_rate.fset(self, value)

    def apply(self, grads, trainable_variables=None):
        """One update; see the Keras optimizer."""
        grads = [None if grad is None else tf.convert_to_tensor(grad) for grad in grads]
        if self.l2:
            variables = trainable_variables or own_variables(self)
            # The gradients of replicas are added up.
            share = self.l2 / tf.distribute.get_strategy().num_replicas_in_sync
            grads = [
                grad if grad is None or len(variable.shape) < 2 else grad + share * variable
                for grad, variable in zip(grads, variables, strict=True)
            ]
        super().apply(grads, trainable_variables)

    def get_config(self):
        """The arguments."""
        return super().get_config() | {"l2": self.l2}


@keras.saving.register_keras_serializable("keras_tl")
class Adam(WholeGradients, keras.optimizers.Adam):
    """Adam; see `WholeGradients`."""


@keras.saving.register_keras_serializable("keras_tl")
class AdamW(WholeGradients, keras.optimizers.AdamW):
    """AdamW; see `WholeGradients`."""


@keras.saving.register_keras_serializable("keras_tl")
class SGD(WholeGradients, keras.optimizers.SGD):
    """SGD; see `WholeGradients`."""
