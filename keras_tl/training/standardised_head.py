"""A head with standardised features for training, folded into the plain head afterwards."""

import dataclasses

import keras
import numpy as np

from keras_tl.models.heads import TransferModel
from keras_tl.training.head_solver import Solution, Standardisation

_BEFORE_THE_FIRST_DENSE = (keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Dropout)


def first_dense(head: keras.Model) -> keras.layers.Dense | None:
    """Return the Dense layer that takes the features. `None`: the head normalises them itself."""
    for layer in head.layers:
        if isinstance(layer, keras.layers.Dense):
            return layer
        if not isinstance(layer, _BEFORE_THE_FIRST_DENSE):
            return None
    return None


@dataclasses.dataclass(frozen=True)
class StandardisedHead:
    """Copy of a head that takes standardised features.

    With y = kernel_s (x - mean) / scale + bias_s, the kernel for x itself is kernel_s / scale. The
    bias is bias_s - mean kernel_s / scale. Folding therefore changes no prediction.

    Attributes:
        model: Model for `fit`, from the head's features to logits. With a live backbone, from the
            backbone's inputs to logits.
        head: Original head, which receives the trained weights.
        standardisation: Mean and scale of the flattened features.
        layers: Copies of the head's layers, in order.
    """

    model: keras.Model
    head: keras.Model
    standardisation: Standardisation
    layers: tuple[keras.layers.Layer, ...]

    @classmethod
    def of(
        cls, parts: TransferModel, standardisation: Standardisation, live: bool
    ) -> "StandardisedHead":
        """Return a copy with the head's weights.

        Args:
            parts: Model with a head that begins with a Dense layer, see `first_dense`.
            standardisation: Mean and scale of the flattened features.
            live: Whether the backbone is part of `model`.
        """
        head = parts.head
        with parts.model.distribute_strategy.scope():
            given = keras.Input(head.input_shape[1:], name="features", dtype="float32")
            x = parts.extractor.output if live else given
            layers = []
            for layer in head.layers[1:]:
                if layer is first_dense(head):
                    x = _normalisation(standardisation)(x)
                layers.append(type(layer).from_config(layer.get_config()))
                x = layers[-1](x)
            model = keras.Model(parts.extractor.input if live else given, x, name="head")
        copy = cls(model, head, standardisation, tuple(layers))
        copy._copy_weights()
        return copy

    def begin_at(self, solution: Solution) -> None:
        """Set the copy's weights to a solution. Its only Dense layer must be the last layer."""
        mean, scale = self.standardisation.mean, self.standardisation.scale
        first_dense_of(self.layers).set_weights(
            [solution.kernel * scale[:, None], solution.bias + mean @ solution.kernel]
        )

    def fold(self) -> None:
        """Fold the standardisation into the trained weights, and copy them to the head."""
        mean, scale = self.standardisation.mean, self.standardisation.scale
        for copy, layer in zip(self.layers, self.head.layers[1:], strict=True):
            values = copy.get_weights()
            if copy is first_dense_of(self.layers):
                kernel, bias = (value.astype(np.float64) for value in values)
                kernel /= scale[:, None]
                values = [kernel, bias - mean @ kernel]
            layer.set_weights(values)

    def _copy_weights(self) -> None:
        mean, scale = self.standardisation.mean, self.standardisation.scale
        for copy, layer in zip(self.layers, self.head.layers[1:], strict=True):
            values = layer.get_weights()
            if copy is first_dense_of(self.layers):
                kernel, bias = (value.astype(np.float64) for value in values)
                values = [kernel * scale[:, None], bias + mean @ kernel]
            copy.set_weights(values)


class FoldEveryEpoch(keras.callbacks.Callback):
    """Update the head after every epoch, for callbacks that use the learner."""

    def __init__(self, copy: StandardisedHead):
        super().__init__()
        self._copy = copy

    def on_epoch_end(self, epoch, logs=None):
        """Fold the copy into the head."""
        self._copy.fold()


def first_dense_of(layers: tuple[keras.layers.Layer, ...]) -> keras.layers.Dense:
    """Return the first Dense layer."""
    return next(layer for layer in layers if isinstance(layer, keras.layers.Dense))


def _normalisation(standardisation: Standardisation) -> keras.layers.Normalization:
    variance = standardisation.scale.astype(np.float64) ** 2
    return keras.layers.Normalization(
        mean=standardisation.mean, variance=variance, dtype="float32", name="standardisation"
    )
