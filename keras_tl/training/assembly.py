"""Builds the model that a configuration describes, where and as precise as asked."""

import keras
import tensorflow as tf

from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import LoadedBackbone, load_architecture, load_spec, seeded
from keras_tl.config import ModelConfig
from keras_tl.heads import TransferModel, attach_head
from keras_tl.tasks import task_of
from keras_tl.training.device import precision_policy


def load_backbone(config: ModelConfig, weights: str | None) -> LoadedBackbone:
    """The network that a configuration names. See `keras_tl.backbones.load` for errors."""
    if config.architecture is not None:
        return load_architecture(config.architecture)
    return load_spec(get_spec(config.backbone), weights, config.image_size, config.output_block)


def assemble(
    config: ModelConfig,
    weights: str | None,
    strategy: tf.distribute.Strategy,
    seed: int,
    loaded: LoadedBackbone | None = None,
) -> tuple[TransferModel, str]:
    """Builds a model.

    Args:
        config: what to build.
        weights: of the backbone: `"imagenet"`, a path, or `None` for random ones.
        strategy: the model's variables are made in its scope.
        seed: fixes everything random in it.
        loaded: a backbone that is already there.

    Returns:
        The model, its backbone frozen, and the identity of its backbone's graph.
    """
    with strategy.scope(), precision_policy(config.precision), seeded(seed):
        if loaded is not None and strategy.num_replicas_in_sync > 1:
            # Its variables were made outside of the strategy: make them again inside.
            given, loaded = loaded.network, load_backbone(config, None)
            loaded.network.set_weights(given.get_weights())
        loaded = loaded or load_backbone(config, weights)
        backbone = Backbone(loaded.network, loaded.blocks, name="backbone")
        parts = attach_head(backbone, config.head, config.image_size, task_of(config), seed)
    return parts, loaded.identity


def float32_twin(config: ModelConfig, model: keras.Model) -> keras.Model:
    """The same network in float32 and outside of any strategy, for prediction and export.

    Where the model is that already, it is given back itself; else the twin has weights of its
    own, to be set.
    """
    distributed = model.distribute_strategy.num_replicas_in_sync > 1
    if config.precision == "float32" and not distributed:
        return model
    values = config.to_json() | {"precision": "float32"}
    parts, _ = assemble(ModelConfig.from_json(values), None, tf.distribute.get_strategy(), seed=0)
    return parts.model
