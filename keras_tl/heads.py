"""Heads: pooling -> (Dense, ReLU)* -> dropout -> Dense, and the model they make."""

import dataclasses

import keras

from keras_tl.backbones.layer import Backbone
from keras_tl.config import HeadConfig
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class TransferModel:
    """A backbone and a head, as three models that share their layers.

    Attributes:
        model: float32 pixels (batch, height, width, 3) in [0, 255] to float32 logits
            (batch, outputs); for a regression, values (batch, 1).
        extractor: the same pixels to the float32 features that the head takes.
        head: those features to the logits.
        backbone: the backbone layer inside.
    """

    model: keras.Model
    extractor: keras.Model
    head: keras.Model
    backbone: Backbone


def attach_head(
    backbone: Backbone, config: HeadConfig, image_size: tuple[int, int], task: Task, seed: int
) -> TransferModel:
    """Puts a fresh head on a backbone.

    The head computes in float32 whatever the backbone's precision.

    Args:
        backbone: the layer with the pretrained network.
        config: what the head is made of.
        image_size: (height, width) of the pixels.
        task: decides the outputs.
        seed: fixes the initial weights and the dropout.
    """
    pixels = keras.Input((*image_size, 3), name="pixels", dtype="float32")
    maps = backbone(pixels)
    features = _pooling(config.pooling, len(maps.shape))(maps)
    head_layers = [*_dense_layers(config, task.outputs, seed), *task.output_layers]

    def through_head(x: keras.KerasTensor) -> keras.KerasTensor:
        for layer in head_layers:
            x = layer(x)
        return x

    head_input = keras.Input(features.shape[1:], name="features", dtype="float32")
    return TransferModel(
        model=keras.Model(pixels, through_head(features), name="classifier"),
        extractor=keras.Model(pixels, features, name="feature_extractor"),
        head=keras.Model(head_input, through_head(head_input), name="head"),
        backbone=backbone,
    )


def _pooling(kind: str, rank: int) -> keras.layers.Layer:
    options = {"dtype": "float32", "name": "pooling"}
    if rank == 2:
        return keras.layers.Identity(**options)
    if kind == "avg":
        return keras.layers.GlobalAveragePooling2D(**options)
    if kind == "max":
        return keras.layers.GlobalMaxPooling2D(**options)
    # The maps stay maps in the cache; they become a vector in the head.
    return keras.layers.Identity(**options)


def _dense_layers(config: HeadConfig, outputs: int, seed: int) -> list[keras.layers.Layer]:
    layers = []
    if config.pooling == "flatten":
        layers.append(keras.layers.Flatten(dtype="float32", name="flatten"))
    widths = [*config.hidden, outputs]
    for number, width in enumerate(widths):
        last = number == len(widths) - 1
        layers += [
            keras.layers.Dropout(
                config.dropout, seed=seed + 2 * number, dtype="float32", name=f"dropout{number}"
            ),
            keras.layers.Dense(
                width,
                activation=None if last else "relu",
                kernel_initializer=keras.initializers.GlorotUniform(seed=seed + 2 * number + 1),
                dtype="float32",
                name="logits" if last else f"hidden{number + 1}",
            ),
        ]
    return layers
