"""The head behind a standardisation of its features: trained so, then folded into the head."""

import dataclasses

import keras
import numpy as np

from keras_tl.models.heads import TransferModel
from keras_tl.training.head_solver import Solution, Standardisation

_BEFORE_THE_FIRST_DENSE = (keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Dropout)


def first_dense(head: keras.Model) -> keras.layers.Dense | None:
    """The layer that a standardisation is folded into; `None`: the head normalises by itself."""
    for layer in head.layers:
        if isinstance(layer, keras.layers.Dense):
            return layer
        if not isinstance(layer, _BEFORE_THE_FIRST_DENSE):
            return None
    return None


@dataclasses.dataclass(frozen=True)
class StandardisedHead:
    """A copy of a head, with standardised features as its input.

    With y = kernel_s (x - mean) / scale + bias_s, the kernel for x itself is kernel_s / scale, and
    the bias bias_s - mean kernel_s / scale: folding changes no answer.

    Attributes:
        model: what `fit` is called on: from the head's features to logits; or, where the backbone
            runs live, from the backbone's inputs.
        head: the head that is copied, and gets what was trained.
        standardisation: of its features, flattened.
        layers: the copies of its layers, in order.
    """

    model: keras.Model
    head: keras.Model
    standardisation: Standardisation
    layers: tuple[keras.layers.Layer, ...]

    @classmethod
    def of(
        cls, parts: TransferModel, standardisation: Standardisation, live: bool
    ) -> "StandardisedHead":
        """A copy with the head's own weights.

        Args:
            parts: the model; its head begins with a Dense layer, see `first_dense`.
            standardisation: of the features, flattened.
            live: whether the backbone is part of `model`.
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
        """Gives the copy, whose only Dense layer is the last one, the weights of a solution."""
        mean, scale = self.standardisation.mean, self.standardisation.scale
        first_dense_of(self.layers).set_weights(
            [solution.kernel * scale[:, None], solution.bias + mean @ solution.kernel]
        )

    def fold(self) -> None:
        """Gives the head what the copy has learned."""
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
    """Keeps the head up to date, for callbacks that ask the learner."""

    def __init__(self, copy: StandardisedHead):
        super().__init__()
        self._copy = copy

    def on_epoch_end(self, epoch, logs=None):
        """Folds."""
        self._copy.fold()


def first_dense_of(layers: tuple[keras.layers.Layer, ...]) -> keras.layers.Dense:
    """The first Dense layer of several layers."""
    return next(layer for layer in layers if isinstance(layer, keras.layers.Dense))


def _normalisation(standardisation: Standardisation) -> keras.layers.Normalization:
    variance = standardisation.scale.astype(np.float64) ** 2
    return keras.layers.Normalization(
        mean=standardisation.mean, variance=variance, dtype="float32", name="standardisation"
    )
