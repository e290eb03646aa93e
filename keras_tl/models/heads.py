"""Heads: pooling -> (dropout, Dense, ReLU)* -> dropout -> Dense, and models with such a head."""

import dataclasses

import keras

from keras_tl.backbones.layer import LIVE_MOMENTUM, Backbone
from keras_tl.backbones.spec import POOLER
from keras_tl.base.config import HeadConfig
from keras_tl.models.modality import Modality
from keras_tl.models.pooling import pool
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class TransferModel:
    """A backbone and a head, as three models that share their layers.

    Attributes:
        model: Model from the backbone's inputs to float32 logits (batch, outputs). For a
            regression, the outputs are values (batch, 1).
        extractor: Model from the backbone's inputs to float32 features, the inputs of the head.
        head: Model from these features to the logits.
        backbone: The backbone layer in `model` and `extractor`.
        modality: The kind of inputs: images or texts.
    """

    model: keras.Model
    extractor: keras.Model
    head: keras.Model
    backbone: Backbone
    modality: Modality


def attach_head(
    backbone: Backbone,
    config: HeadConfig,
    modality: Modality,
    task: Task,
    seed: int,
) -> TransferModel:
    """Attach a new head to a backbone, and return the models.

    The head always computes in float32. The initial kernel of the head's last layer is 0. The
    initial loss is therefore the loss of guessing, whatever the scale of the features. Training
    does not have to unlearn random logits.

    Args:
        backbone: Layer with the pretrained network.
        config: Configuration of the head: pooling, hidden layers and dropout.
        modality: Modality of the backbone's inputs.
        task: Task, which determines the number of outputs and the output layers.
        seed: Seed of the initial weights and of the dropout.
    """
    if config.pooling != "pooled" and isinstance(backbone.network.output, dict):
        backbone.leave_out(POOLER)
    inputs = modality.inputs()
    features = pool(config.pooling, backbone(inputs))
    head_layers = [*_dense_layers(config, task.outputs, seed), *task.output_layers]

    def through_head(x: keras.KerasTensor) -> keras.KerasTensor:
        for layer in head_layers:
            x = layer(x)
        return x

    head_input = keras.Input(features.shape[1:], name="features", dtype="float32")
    return TransferModel(
        model=keras.Model(inputs, through_head(features), name="classifier"),
        extractor=keras.Model(inputs, features, name="feature_extractor"),
        head=keras.Model(head_input, through_head(head_input), name="head"),
        backbone=backbone,
        modality=modality,
    )


def _dense_layers(config: HeadConfig, outputs: int, seed: int) -> list[keras.layers.Layer]:
    layers = []
    if config.pooling == "flatten":
        layers.append(keras.layers.Flatten(dtype="float32", name="flatten"))
    widths = [*config.hidden, outputs]
    for number, width in enumerate(widths):
        last = number == len(widths) - 1
        if config.batch_norm:
            layers.append(
                keras.layers.BatchNormalization(
                    momentum=LIVE_MOMENTUM, dtype="float32", name=f"batch_norm{number}"
                )
            )
        layers += [
            keras.layers.Dropout(
                config.dropout_rate,
                seed=seed + 2 * number,
                dtype="float32",
                name=f"dropout{number}",
            ),
            keras.layers.Dense(
                width,
                activation=None if last else "relu",
                kernel_initializer="zeros"
                if last
                else keras.initializers.GlorotUniform(seed=seed + 2 * number + 1),
                dtype="float32",
                name="logits" if last else f"hidden{number + 1}",
            ),
        ]
    return layers
