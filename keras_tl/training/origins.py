"""Where a backbone comes from: the catalogue, an earlier run, or a model that is already there."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.cutting import cut_short
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import LoadedBackbone, load_model
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.config import ModelConfig
from keras_tl.errors import BackboneError, ConfigError
from keras_tl.training.assembly import assemble, load_backbone
from keras_tl.training.checkpoints import load_run_weights, read_run
from keras_tl.training.device import precision_policy

RUN = "run:"


@dataclasses.dataclass(frozen=True)
class Trained:
    """The backbone of a model that has been trained, and that model's configuration."""

    backbone: Backbone
    config: ModelConfig


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a configuration says of a backbone, and the network where it is already there.

    Attributes:
        backbone: a name from the catalogue, or of a network of the user's own.
        image_size: (height, width).
        weights: where the weights come from; for the catalogue, what its loader takes.
        output_block: where the catalogue's network is cut off.
        architecture: a network of the user's own as Keras serialises it.
        loaded: the network with its weights; `None`: still to be loaded from the catalogue.
    """

    backbone: str
    image_size: tuple[int, int]
    weights: str | None
    output_block: str | None = None
    architecture: dict[str, Any] | None = None
    loaded: LoadedBackbone | None = None

    @property
    def config_fields(self) -> dict[str, Any]:
        """The fields of `ModelConfig` that are about the backbone."""
        names = ("backbone", "image_size", "output_block", "architecture")
        return {name: getattr(self, name) for name in names}


def find_origin(
    backbone: str | keras.Model | Trained,
    weights: str | os.PathLike | None,
    image_size: tuple[int, int] | None,
    output_block: str | None,
    preprocess: str | Preprocessing | None,
    precision: str,
) -> Origin:
    """Decides what is meant by a backbone; see `keras_tl.Learner` for the arguments.

    Raises:
        BackboneError: there is no such backbone, or it cannot be had so.
        RunError: there is no such run.
        ConfigError: `weights` is given for a backbone that has its own.
    """
    if isinstance(backbone, str) and not backbone.startswith(RUN):
        spec = get_spec(backbone)
        weights = None if weights is None else os.fspath(weights)
        return Origin(spec.name, image_size or spec.image_size, weights, output_block)
    if weights not in (None, "imagenet"):
        raise ConfigError(
            "weights= is for a backbone from the catalogue; a run, a learner and a keras.Model "
            f"bring their own. Leave it out. Received: {weights!r}."
        )
    if isinstance(backbone, keras.Model):
        loaded = load_model(backbone, preprocess, image_size)
        if output_block is not None:
            loaded = cut_short(loaded, output_block)
        return _own(backbone.name, loaded, "those of the keras.Model")
    if isinstance(backbone, str):
        return _borrowed(_of_run(backbone), backbone, image_size, output_block, precision)
    return _borrowed(backbone, "those of another learner", image_size, output_block, precision)


def _own(name: str, loaded: LoadedBackbone, weights: str) -> Origin:
    size = loaded.network.input_shape[1:3]
    architecture = json.loads(loaded.network.to_json())
    return Origin(name, size, weights, architecture=architecture, loaded=loaded)


def _of_run(name: str) -> Trained:
    path = Path(name.removeprefix(RUN))
    config = ModelConfig.from_json(read_run(path)["config"])
    parts, _ = assemble(config, None, tf.distribute.get_strategy(), seed=0)
    load_run_weights(path, parts.model)
    return Trained(parts.backbone, config)


def _borrowed(
    source: Trained,
    weights: str,
    image_size: tuple[int, int] | None,
    output_block: str | None,
    precision: str,
) -> Origin:
    config = source.config
    size = image_size or config.image_size
    if config.architecture is not None and size != config.image_size:
        raise BackboneError(
            f"The backbone {config.backbone} takes {config.image_size} pixels. Received "
            f"image_size={size}."
        )
    with precision_policy(precision):
        loaded = load_backbone(dataclasses.replace(config, image_size=size), None)
        loaded.network.set_weights(source.backbone.network.get_weights())
        if output_block is not None:
            loaded = cut_short(loaded, output_block)
    if config.architecture is not None:
        return _own(config.backbone, loaded, weights)
    output_block = output_block or config.output_block
    return Origin(config.backbone, size, weights, output_block, loaded=loaded)
