"""Adam, AdamW and SGD that see the gradient of an embedding as it is: one row for each word."""

import keras
import tensorflow as tf


class WholeGradients:
    """For a Keras optimizer: the gradient of an embedding has the embedding's shape.

    It comes as a row for each token of the batch (`tf.IndexedSlices`), and Keras squares those,
    for the norm that gradients are clipped by and for Adam's second moment, before the rows of one
    word have been added up: of n rows that agree, that moment is n times too small. Adding them up
    first takes no longer, as Adam's moments are updated as wholes in either case.
    """

    def apply(self, grads, trainable_variables=None):
        """One update; see the Keras optimizer."""
        grads = [None if grad is None else tf.convert_to_tensor(grad) for grad in grads]
        super().apply(grads, trainable_variables)


@keras.saving.register_keras_serializable("keras_tl")
class Adam(WholeGradients, keras.optimizers.Adam):
    """Adam; see `WholeGradients`."""


@keras.saving.register_keras_serializable("keras_tl")
class AdamW(WholeGradients, keras.optimizers.AdamW):
    """AdamW; see `WholeGradients`."""


@keras.saving.register_keras_serializable("keras_tl")
class SGD(WholeGradients, keras.optimizers.SGD):
    """SGD; see `WholeGradients`."""
