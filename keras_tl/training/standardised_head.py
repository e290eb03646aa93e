"""Train a copy of a head on standardised features, and convert its weights for raw features."""

import dataclasses
from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_tl.models.heads import TransferModel
from keras_tl.training.head_solver import Solution, Standardisation

_BEFORE_THE_FIRST_DENSE = (keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Dropout)


def first_dense(head: keras.Model) -> keras.layers.Dense | None:
    """Return the head's first Dense layer. `None`: the head itself normalises the features."""
    for layer in head.layers:
        if isinstance(layer, keras.layers.Dense):
            return layer
        if not isinstance(layer, _BEFORE_THE_FIRST_DENSE):
            return None
    return None


@dataclasses.dataclass(frozen=True)
class StandardisedHead:
    """Copy of a head that also standardises the features, to train in place of the head.

    The first Dense layer of the copy computes y = kernel_s (x - mean) / scale + bias_s from the
    features x. The original head computes the same y with the kernel kernel_s / scale and the bias
    bias_s - mean kernel_s / scale. `fold` writes the kernel and bias for raw features to the
    original head, so that the original head predicts the same logits as the copy.

    Attributes:
        model: Model to train with `fit`. The model computes logits from features, or from the
            backbone's inputs if the backbone runs in every epoch.
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
        """Copy a head and its weights, so that the copy predicts the same logits.

        Args:
            live: Whether the backbone is part of the new model, to run in every epoch.
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
        _copy_weights(head.layers[1:], copy.layers, copy._standardised)
        return copy

    def begin_at(self, solution: Solution) -> None:
        """Set the copied head, which must have only one Dense layer, to the solver's solution."""
        dense = next(layer for layer in self.layers if isinstance(layer, keras.layers.Dense))
        dense.set_weights(self._standardised(solution.kernel, solution.bias))

    def fold(self) -> None:
        """Convert the trained weights to weights for raw features, and write them to the head."""
        _copy_weights(self.layers, self.head.layers[1:], self._raw)

    def _standardised(self, kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
        mean, scale = self.standardisation.mean, self.standardisation.scale
        return [kernel * scale[:, None], bias + mean @ kernel]

    def _raw(self, kernel: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
        kernel = kernel / self.standardisation.scale[:, None]
        return [kernel, bias - self.standardisation.mean @ kernel]


def _copy_weights(
    sources: Sequence[keras.layers.Layer], targets: Sequence[keras.layers.Layer], convert: Callable
) -> None:
    """Copy weights to `targets`. `convert` changes kernel and bias of the first Dense layer."""
    is_first = True
    for source, target in zip(sources, targets, strict=True):
        values = source.get_weights()
        if is_first and isinstance(source, keras.layers.Dense):
            values = convert(*(value.astype(np.float64) for value in values))
            is_first = False
        target.set_weights(values)


def _normalisation(standardisation: Standardisation) -> keras.layers.Normalization:
    variance = standardisation.scale.astype(np.float64) ** 2
    return keras.layers.Normalization(
        mean=standardisation.mean, variance=variance, dtype="float32", name="standardisation"
    )
