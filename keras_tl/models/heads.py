"""Build heads: pooling -> (dropout, Dense, ReLU) per hidden layer -> dropout -> Dense."""

import dataclasses

import keras
from keras import layers

from keras_tl.backbones.layer import LIVE_MOMENTUM, Backbone
from keras_tl.backbones.spec import POOLER
from keras_tl.base.config import HeadConfig
from keras_tl.models.modality import Modality
from keras_tl.models.pooling import pool
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class TransferModel:
    """A backbone with a head: three Keras models (model, extractor and head) that share layers.

    Attributes:
        model: Model from the backbone's inputs to float32 logits (batch, outputs). For a
            regression, the outputs are values (batch, 1).
        extractor: Model from the backbone's inputs to float32 features, the inputs of the head.
        head: Model from the extractor's features to the logits.
        backbone: The backbone layer in `model` and `extractor`.
        modality: Kind of the model's inputs: images or texts.
    """

    model: keras.Model
    extractor: keras.Model
    head: keras.Model
    backbone: Backbone
    modality: Modality


def attach_head(
    backbone: Backbone, config: HeadConfig, modality: Modality, task: Task, seed: int
) -> TransferModel:
    """Attach a new head to a backbone, and return the models.

    The head always computes in float32. The initial kernel of the head's last Dense layer is 0, so
    the logits of a new head are 0, whatever the scale of the features. With zero logits, training
    starts at the loss of a guess without features, and does not have to unlearn random logits.
    `seed` is the seed of the dropout, and of the initial weights below the last Dense layer.
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


def _dense_layers(config: HeadConfig, outputs: int, seed: int) -> list[layers.Layer]:
    made = []
    if config.pooling == "flatten":
        made.append(layers.Flatten(dtype="float32", name="flatten"))
    for number in range(len(config.hidden) + 1):
        if config.batch_norm:
            name = f"batch_norm{number}"
            made.append(
                layers.BatchNormalization(momentum=LIVE_MOMENTUM, dtype="float32", name=name)
            )
        rate, name = config.dropout_rate, f"dropout{number}"
        made.append(layers.Dropout(rate, seed=seed + 2 * number, dtype="float32", name=name))
        if number < len(config.hidden):
            kernel = keras.initializers.GlorotUniform(seed=seed + 2 * number + 1)
            options = {"activation": "relu", "kernel_initializer": kernel, "dtype": "float32"}
            name = f"hidden{number + 1}"
            made.append(layers.Dense(config.hidden[number], **options, name=name))
    made.append(layers.Dense(outputs, kernel_initializer="zeros", dtype="float32", name="logits"))
    return made
