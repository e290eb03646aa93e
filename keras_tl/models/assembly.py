"""Builds the model that a configuration describes, where and as precise as asked."""

import dataclasses

import tensorflow as tf

from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.cutting import cut_short
from keras_tl.backbones.hub import find_hub_layers, load_hub
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import (
    BackboneFiles,
    LoadedBackbone,
    copy_weights,
    load_architecture,
    load_spec,
    seeded,
)
from keras_tl.base.config import ModelConfig
from keras_tl.base.keras_compat import share_storage
from keras_tl.models.device import precision_policy
from keras_tl.models.heads import TransferModel, attach_head
from keras_tl.models.image_modality import Images
from keras_tl.models.modality import Modality
from keras_tl.models.pooling import read_blocks
from keras_tl.models.text_modality import Texts
from keras_tl.tasks import task_of


@dataclasses.dataclass(frozen=True)
class Assembled:
    """What a configuration describes.

    Attributes:
        parts: the model, its backbone frozen.
        modality: what goes into it.
        identity: identifies its backbone's graph, for the feature cache.
        files: what belongs to its backbone.
    """

    parts: TransferModel
    modality: Modality
    identity: str
    files: BackboneFiles


def load_backbone(
    config: ModelConfig,
    weights: str | None,
    files: BackboneFiles = BackboneFiles(),  # noqa: B008 (frozen)
) -> LoadedBackbone:
    """The network that a configuration names. See `keras_tl.backbones.load` for errors.

    Args:
        config: what it is part of.
        weights: for a backbone from the catalogue.
        files: what belongs to it.
    """
    if files.module is not None:
        loaded = load_hub(files.module, config.image_size)
        return dataclasses.replace(loaded, files=files)
    if config.architecture is not None:
        loaded = dataclasses.replace(load_architecture(config.architecture), files=files)
        return cut_short(loaded, config.output_block) if config.output_block else loaded
    return load_spec(get_spec(config.backbone), weights, config.image_size, config.output_block)


def assemble(
    config: ModelConfig,
    weights: str | None,
    strategy: tf.distribute.Strategy,
    seed: int,
    loaded: LoadedBackbone | None = None,
    files: BackboneFiles = BackboneFiles(),  # noqa: B008 (frozen)
) -> Assembled:
    """Builds a model.

    Args:
        config: what to build.
        weights: of the backbone: `"imagenet"`, a path, or `None` for random ones.
        strategy: the model's variables are made in its scope.
        seed: fixes everything random in it.
        loaded: a backbone that is already there.
        files: what belongs to one that is not.
    """
    files = loaded.files if loaded is not None else files
    with strategy.scope(), precision_policy(config.precision), seeded(seed):
        if loaded is not None and strategy.num_replicas_in_sync > 1:
            # Its variables were made outside of the strategy: make them again inside.
            given, loaded = loaded.network, load_backbone(config, None, files)
            copy_weights(given, loaded.network)
        loaded = loaded or load_backbone(config, weights, files)
        blocks = read_blocks(config.head.pooling, loaded.network, loaded.blocks)
        backbone = Backbone(loaded.network, blocks, name="backbone")
        modality = modality_of(config, loaded)
        parts = attach_head(backbone, config.head, modality.inputs(), task_of(config), seed)
    return Assembled(parts, modality, loaded.identity, files)


def modality_of(config: ModelConfig, loaded: LoadedBackbone) -> Modality:
    """What goes into a model with this backbone."""
    if not config.is_text:
        return Images(config.image_size, config.resize, config.value_range)
    given = loaded.network.input
    inputs = given if isinstance(given, dict) else {"text": given}
    specs = tuple((name, tuple(x.shape[1:]), x.dtype) for name, x in inputs.items())
    return Texts(specs, loaded.files.preprocessor, config.are_pairs)


def float32_twin(config: ModelConfig, parts: TransferModel, files: BackboneFiles) -> TransferModel:
    """The same network in float32 and outside of any strategy, for prediction and export.

    Where the model is that already, it is given back itself. Else the twin shares the weights of
    the model where it can (see `shares_storage`), and has a copy otherwise, to be set again.
    """
    distributed = parts.model.distribute_strategy.num_replicas_in_sync > 1
    if config.precision == "float32" and not distributed:
        return parts
    values = config.to_json() | {"precision": "float32"}
    single = tf.distribute.get_strategy()
    twin = assemble(ModelConfig.from_json(values), None, single, seed=0, files=files).parts
    copy_weights(parts.model, twin.model)
    # A module of TF-Hub knows its own variables only; a strategy has one on each device.
    if not distributed and not find_hub_layers(twin.model):
        share_storage(parts.model, twin.model)
    return twin
