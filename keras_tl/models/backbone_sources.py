"""Where a backbone comes from: the catalogue, TF-Hub, a run, a model already there, and so on."""

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_tl.backbones.awd_lstm.loading import load_ulmfit
from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.cutting import cut_short
from keras_tl.backbones.hub import load_hub, resolve
from keras_tl.backbones.kerashub.loading import load_kerashub
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import (
    BackboneFiles,
    LoadedBackbone,
    copy_statistics,
    copy_weights,
    load_architecture,
)
from keras_tl.backbones.own_models import copied, is_keras_file, load_model, read_keras_file
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.base.config import ULMFIT, ModelConfig, family_of
from keras_tl.base.files import local_path
from keras_tl.errors import BackboneError, ConfigError, quoted
from keras_tl.models.assembly import assemble, load_backbone
from keras_tl.models.device import precision_policy
from keras_tl.models.tokens import TFHUB, TextNeeds, fit_to_texts
from keras_tl.runs.ancestry import LANGUAGE_MODEL, ancestry_of
from keras_tl.runs.run_files import load_run_weights, read_run, run_files

RUN = "run:"
KERASHUB = "kerashub:"
# Weights that come with an object.
LEARNER, MODEL = "learner:", "keras.Model:"

_NOT_RANDOM = (
    "A TF-Hub module is a program with its weights: it cannot be made with random ones. Expected a "
    "backbone from the catalogue, a preset of KerasHub, a language model or a keras.Model with "
    "weights=None. Received: {}."
)


@dataclasses.dataclass(frozen=True)
class Trained:
    """The backbone of a model that has been trained.

    Attributes:
        backbone: the layer.
        config: that model's configuration.
        files: what belongs to the backbone.
        ancestry: see `Origin`; the training of that model is the first.
    """

    backbone: Backbone
    config: ModelConfig
    files: BackboneFiles
    ancestry: tuple[dict[str, Any], ...]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a user says of a backbone; see `keras_tl.Learner` for what they mean.

    Attributes:
        weights: `"imagenet"`, a path, or `None` for random ones.
        image_size: (height, width), or `None` for the backbone's own.
        output_block: where to cut the network off.
        preprocess: what a `keras.Model` expects of the pixels.
        precision: the dtype policy.
        texts: what is known of the texts; `None`: the data are images.
    """

    weights: str | os.PathLike | None = "imagenet"
    image_size: tuple[int, int] | None = None
    output_block: str | None = None
    preprocess: str | Preprocessing | None = None
    precision: str = "float32"
    texts: TextNeeds | None = None


@dataclasses.dataclass(frozen=True)
class Origin:
    """What a configuration says of a backbone, and the network where it is already there.

    Attributes:
        backbone: a name from the catalogue, of a TF-Hub module, of a preset of KerasHub, of a
            language model, or of a network of the user's own.
        image_size: (height, width); `None`: it takes texts.
        weights: where the weights come from; for the catalogue, what its loader takes.
        output_block: where the network is cut off.
        architecture: a network that is not the catalogue's as Keras serialises all of it.
        loaded: the network with its weights; `None`: still to be loaded from the catalogue.
        ancestry: what the weights were trained on before, as far as that is recorded, the latest
            first; JSON types, see `ancestry_of`.
    """

    backbone: str
    image_size: tuple[int, int] | None
    weights: str | None
    output_block: str | None = None
    architecture: dict[str, Any] | None = None
    loaded: LoadedBackbone | None = None
    ancestry: tuple[dict[str, Any], ...] = ()

    @property
    def family(self) -> str:
        """See `keras_tl.base.config.family_of`."""
        return family_of(self.backbone, self.image_size)

    @property
    def config_fields(self) -> dict[str, Any]:
        """The fields of `ModelConfig` that are about the backbone."""
        names = ("backbone", "image_size", "output_block", "architecture")
        preprocessor = self.loaded and self.loaded.files.preprocessor
        return {name: getattr(self, name) for name in names} | {
            "sequence_length": preprocessor and preprocessor.sequence_length
        }


def find_origin(backbone: str | os.PathLike | keras.Model | Trained, wanted: Wanted) -> Origin:
    """Decides what is meant by a backbone; see `keras_tl.Learner`.

    Raises:
        BackboneError: there is no such backbone, it cannot be had so, or is not for such data.
        RunError: there is no such run.
        ConfigError: `weights` or `preprocess` is given for a backbone that has its own.
    """
    if is_keras_file(backbone):
        backbone = read_keras_file(backbone)
    if not isinstance(backbone, (str, keras.Model, Trained)):
        raise BackboneError(
            "backbone must be a name, a place such as 'run:PATH', the path of a .keras file, a "
            f"keras.Model or a Learner. Received: {quoted(backbone)}."
        )
    if wanted.preprocess is not None and not isinstance(backbone, keras.Model):
        raise ConfigError(
            "preprocess= is for a keras.Model or a .keras file; every other backbone brings its "
            f"own preprocessing. Leave it out. Received: {quoted(wanted.preprocess)}."
        )
    kind, place = _kind_and_place(backbone) if isinstance(backbone, str) else (None, "")
    if isinstance(backbone, str) and kind is None:
        origin = _from_catalogue(backbone, wanted)
    else:
        _check_weights(wanted)
        if isinstance(backbone, keras.Model):
            origin = _of_model(backbone, wanted)
        elif isinstance(backbone, Trained):
            origin = _borrowed(backbone, LEARNER, wanted)
        else:
            origin = _OF_KIND[kind](place, wanted)
    _check_items(origin, wanted)
    return origin


def _kind_and_place(backbone: str) -> tuple[str | None, str]:
    """What stands before a backbone's place, with the colon, and the place; `None`: a name."""
    kind, colon, place = backbone.partition(":")
    return (kind + colon, place) if kind + colon in _OF_KIND else (None, backbone)


def _check_weights(wanted: Wanted) -> None:
    if wanted.weights not in (None, "imagenet"):
        raise ConfigError(
            "weights= is for a backbone from the catalogue; a run, a learner, a TF-Hub module, a "
            "preset of KerasHub, a language model and a keras.Model bring their own. Leave it out. "
            f"Received: {quoted(wanted.weights)}."
        )


def _check_items(origin: Origin, wanted: Wanted) -> None:
    if (origin.image_size is None) != (wanted.texts is not None):
        ours, given = ("texts", "images") if wanted.texts is None else ("images", "texts")
        raise BackboneError(
            f"The backbone {quoted(origin.backbone)} takes {ours}; the data are {given}. For "
            "texts, pass an encoder, such as 'tfhub:HANDLE', 'kerashub:PRESET' or 'ulmfit:PATH'."
        )


def _from_catalogue(name: str, wanted: Wanted) -> Origin:
    spec = get_spec(name)
    weights = None if wanted.weights is None else os.fspath(wanted.weights)
    size = wanted.image_size or spec.image_size
    return Origin(spec.name, size, weights, wanted.output_block)


def _of_model(model: keras.Model, wanted: Wanted) -> Origin:
    loaded = copied(load_model(model, wanted.preprocess, wanted.image_size))
    return _own(model.name, loaded, MODEL, wanted)


def _of_kerashub(preset: str, wanted: Wanted) -> Origin:
    with precision_policy(wanted.precision):
        has_own = wanted.texts is not None and wanted.texts.preprocessor is not None
        loaded = load_kerashub(
            os.path.expanduser(preset), wanted.image_size, with_preprocessor=not has_own
        )
        if wanted.texts is not None and not loaded.takes_pixels:
            loaded = fit_to_texts(loaded, preset, wanted.texts)
        return _own(f"{KERASHUB}{preset}", loaded, f"{KERASHUB}{preset}", wanted)


def _of_ulmfit(path: str, wanted: Wanted) -> Origin:
    name = f"{ULMFIT}{path}"
    if wanted.texts is not None and wanted.texts.preprocessor is not None:
        raise ConfigError(
            f"The language model {quoted(path)} has its own vocabulary. Leave preprocessor= out."
        )
    with precision_policy(wanted.precision):
        loaded = load_ulmfit(local_path(path))
        if wanted.texts is not None:
            loaded = fit_to_texts(loaded, name, wanted.texts)
        return _own(name, loaded, name, wanted)


def _own(name: str, loaded: LoadedBackbone, weights: str | None, wanted: Wanted) -> Origin:
    size = loaded.network.input_shape[1:3] if loaded.takes_pixels else None
    architecture = json.loads(loaded.network.to_json())
    if wanted.weights is None:
        fresh = load_architecture(architecture)
        copy_statistics(loaded.network, fresh.network)
        loaded, weights = dataclasses.replace(fresh, files=loaded.files), None
    if wanted.output_block is not None:
        loaded = cut_short(loaded, wanted.output_block)
    ancestry = ({"kind": LANGUAGE_MODEL} | loaded.about,) if loaded.about else ()
    return Origin(name, size, weights, wanted.output_block, architecture, loaded, ancestry)


def _of_hub(handle: str, wanted: Wanted) -> Origin:
    if wanted.output_block is not None:
        raise BackboneError(
            "output_block= cannot cut a TF-Hub module, which is a program. Leave it out."
        )
    if wanted.weights is None:
        raise BackboneError(_NOT_RANDOM.format(f"{TFHUB}{handle}"))
    loaded = load_hub(resolve(handle), wanted.image_size)
    name = f"{TFHUB}{handle}"
    if loaded.takes_pixels:
        return Origin(name, loaded.network.input_shape[1:3], name, loaded=loaded)
    if wanted.texts is not None:
        loaded = fit_to_texts(loaded, handle, wanted.texts)
    return Origin(name, None, name, loaded=loaded)


def _of_run(place: str, wanted: Wanted) -> Origin:
    return _borrowed(_read_trained(local_path(place)), f"{RUN}{place}", wanted)


def _read_trained(path: Path) -> Trained:
    about = read_run(path)
    config = ModelConfig.from_json(about["config"])
    files = run_files(path)
    built = assemble(config, None, tf.distribute.get_strategy(), seed=0, files=files)
    load_run_weights(path, built.parts.model)
    return Trained(built.parts.backbone, config, files, ancestry_of(about))


def _borrowed(source: Trained, weights: str, wanted: Wanted) -> Origin:
    config = source.config
    size = wanted.image_size or config.image_size
    if config.architecture is not None and size != config.image_size:
        raise BackboneError(
            f"The backbone {config.backbone} takes {config.image_size} pixels. Received "
            f"image_size={size}."
        )
    with precision_policy(wanted.precision):
        there = dataclasses.replace(config, image_size=size)
        if wanted.weights is None and source.files.module is not None:
            raise BackboneError(_NOT_RANDOM.format(config.backbone))
        loaded = load_backbone(there, None, source.files)
        if wanted.weights is None:
            copy_statistics(source.backbone.network, loaded.network)
        else:
            copy_weights(source.backbone.network, loaded.network)
        if wanted.output_block is not None:
            loaded = cut_short(loaded, wanted.output_block)
    if config.is_text and wanted.texts is not None:
        loaded = fit_to_texts(loaded, config.backbone, wanted.texts)
    output_block = wanted.output_block or config.output_block
    return Origin(
        config.backbone,
        size,
        wanted.weights and weights,
        output_block,
        config.architecture,
        loaded,
        () if wanted.weights is None else source.ancestry,
    )


# What stands before a backbone's place, and what finds it there.
_OF_KIND: dict[str, Callable[[str, Wanted], Origin]] = {
    RUN: _of_run,
    TFHUB: _of_hub,
    KERASHUB: _of_kerashub,
    ULMFIT: _of_ulmfit,
}
