"""Builds the model that a configuration describes, where and as precise as asked."""

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
    """Put a fresh head on a backbone, which is frozen.

    Args:
        config: describes the model.
        backbone: made outside of the strategy; under another strategy than the default one the
            model has a copy.
        strategy: the model's variables are made in its scope.
        seed: fixes everything random in the model.
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
    """Build a model with random weights.

    Args:
        config: describes the model.
        strategy: the model's variables are made in its scope.
        seed: fixes everything random in the model.
        module: the folder of the TF-Hub module that its backbone is.
        preprocessor: turns texts into the backbone's tokens.

    Raises:
        BackboneError: see `rebuild_backbone`.
    """
    with strategy.scope(), precision_policy(config.precision), seeded(seed):
        backbone = rebuild_backbone(
            config.backbone,
            config.image_size,
            config.output_block,
            config.architecture,
            module,
            preprocessor,
        )
        return _with_head(config, backbone, seed)


def _with_head(config: ModelConfig, backbone: Backbone, seed: int) -> TransferModel:
    modality = MODALITIES[config.item].of(config, backbone.network, backbone.preprocessor)
    return attach_head(backbone, config.head, modality, task_of(config), seed)


def float32_twin(config: ModelConfig, parts: TransferModel) -> TransferModel:
    """Return the same network in float32 and outside of any strategy, for prediction and export.

    Where the model is that already, it is given back itself. Else the twin shares the weights of
    the model where it can (see `shares_storage`), and has a copy otherwise, to be set again.
    """
    distributed = parts.model.distribute_strategy.num_replicas_in_sync > 1
    if config.precision == "float32" and not distributed:
        return parts
    config = dataclasses.replace(config, precision="float32")
    backbone, single = parts.backbone, tf.distribute.get_strategy()
    twin = rebuild_model(config, single, 0, backbone.module, backbone.preprocessor)
    copy_weights(parts.model, twin.model)
    # A module of TF-Hub knows its own variables only; a strategy has one on each device.
    if not distributed and not find_hub_layers(twin.model):
        share_storage(parts.model, twin.model)
    return twin
