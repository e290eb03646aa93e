"""Assemble a model from its configuration, in a given precision and distribution strategy."""

import dataclasses
from pathlib import Path

import tensorflow as tf

from keras_tl.backbones.hub import find_hub_layers
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import copy_weights, seeded
from keras_tl.backbones.rebuilding import rebuild_backbone
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import ModelConfig
from keras_tl.base.keras_compat import share_storage
from keras_tl.models.device import precision_policy
from keras_tl.models.heads import TransferModel, attach_head
from keras_tl.models.modalities import MODALITIES
from keras_tl.tasks import task_of


def assemble(
    config: ModelConfig, backbone: Backbone, strategy: tf.distribute.Strategy, seed: int
) -> TransferModel:
    """Return a model with a new head on a frozen backbone.

    The caller must create `backbone` outside of `strategy.scope()`. With TensorFlow's default
    strategy, the model contains the backbone itself. With another strategy, the model contains a
    copy of the backbone, whose variables are created in the strategy's scope.
    """
    if strategy is not tf.distribute.get_strategy():
        parts = rebuild_model(config, strategy, seed, backbone.module, backbone.preprocessor)
        copy_weights(backbone.network, parts.backbone.network)
        parts.backbone.set_facts(**backbone.facts)
        return parts
    with precision_policy(config.precision), seeded(seed):
        return _with_head(config, backbone, seed)


def rebuild_model(
    config: ModelConfig,
    strategy: tf.distribute.Strategy,
    seed: int,
    module: Path | None = None,
    preprocessor: TextPreprocessor | None = None,
) -> TransferModel:
    """Return a model with the configuration `config` and random weights.

    For `module`, `preprocessor` and the errors, see `rebuild_backbone`.
    """
    with strategy.scope(), precision_policy(config.precision), seeded(seed):
        stored = config.backbone, config.image_size, config.output_block, config.architecture
        backbone = rebuild_backbone(*stored, module, preprocessor)
        return _with_head(config, backbone, seed)


def _with_head(config: ModelConfig, backbone: Backbone, seed: int) -> TransferModel:
    modality = MODALITIES[config.item].of(config, backbone.network, backbone.preprocessor)
    return attach_head(backbone, config.head, modality, task_of(config), seed)


def float32_copy(config: ModelConfig, parts: TransferModel) -> TransferModel:
    """Return `parts` in float32, outside of any strategy, for prediction and export.

    If `parts` already computes in float32 on one device, `float32_copy` returns `parts` itself. If
    `parts` has another precision or several devices, `float32_copy` returns a new model, which
    shares the weights of `parts` if possible (see `shares_storage`). If the new model cannot share
    weights, the caller must copy the weights of `parts` to the new model after each change.
    """
    distributed = parts.model.distribute_strategy.num_replicas_in_sync > 1
    if config.precision == "float32" and not distributed:
        return parts
    config = dataclasses.replace(config, precision="float32")
    backbone, single = parts.backbone, tf.distribute.get_strategy()
    twin = rebuild_model(config, single, 0, backbone.module, backbone.preprocessor)
    copy_weights(parts.model, twin.model)
    # In two cases, two models cannot share weights: a TF-Hub module reads only its own variables,
    # and a strategy has one variable per device.
    if not distributed and not find_hub_layers(twin.model):
        share_storage(parts.model, twin.model)
    return twin
