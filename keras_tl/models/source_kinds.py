"""Functions that load a backbone: one function for each source, such as TF-Hub or KerasHub."""

import os

import keras
import tensorflow as tf

from keras_tl.backbones.awd_lstm.language_model import load_language_model
from keras_tl.backbones.catalogue import get_spec
from keras_tl.backbones.hub import load_hub, resolve
from keras_tl.backbones.keras_configs import rebuild
from keras_tl.backbones.kerashub.loading import load_kerashub
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import backbone_of, copy_statistics, copy_weights, load_spec
from keras_tl.backbones.rebuilding import cut_short, rebuild_backbone
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor
from keras_tl.backbones.user_models import copied, network_of
from keras_tl.base.config import ULMFIT, ModelConfig
from keras_tl.base.files import local_path
from keras_tl.errors import BackboneError, ConfigError, quoted
from keras_tl.models.assembly import rebuild_model
from keras_tl.models.device import precision_policy
from keras_tl.models.text_preprocessing import TFHUB
from keras_tl.runs.ancestry import LANGUAGE_MODEL, ancestry_of
from keras_tl.runs.run_files import load_run_weights, read_run, run_files

KERASHUB, RUN = "kerashub:", "run:"
# Values of `weights_source` for weights that come from a Python object.
LEARNER, MODEL = "learner:", "keras.Model:"

_NOT_RANDOM = (
    "A TF-Hub module cannot have random weights, because it is a program that contains its "
    "weights. Expected a backbone from the catalogue, a preset of KerasHub, a language model or "
    "a keras.Model with weights=None. Received: {}."
)


def of_catalogue(name: str, *, weights, image_size, output_block, **_) -> Backbone:
    """Return the backbone with the name `name` in the catalogue."""
    spec = get_spec(name)
    weights = None if weights is None else os.fspath(weights)
    return load_spec(spec, weights, image_size or spec.image_size, output_block)


def of_hub(handle: str, *, weights, image_size, output_block, **_) -> Backbone:
    """Return a backbone that contains a TF-Hub module."""
    source = f"{TFHUB}{handle}"
    if output_block is not None:
        raise BackboneError(
            "output_block= cannot cut a TF-Hub module, which is a program. Leave output_block= out."
        )
    if weights is None:
        raise BackboneError(_NOT_RANDOM.format(source))
    return load_hub(resolve(handle), image_size).set_facts(source=source, weights_source=source)


def of_model(model: keras.Model, *, weights, image_size, output_block, preprocess, **_) -> Backbone:
    """Return a backbone that contains a copy of a Keras model."""
    with precision_policy("float32"):
        network = copied(network_of(model, preprocess, image_size))
    found = backbone_of(network).set_facts(source=model.name)
    return _as_requested(found, MODEL, weights, output_block)


def of_kerashub(preset: str, *, weights, image_size, output_block, preprocess, **_) -> Backbone:
    """Return a backbone that contains the network of a KerasHub preset."""
    source = f"{KERASHUB}{preset}"
    found = load_kerashub(os.path.expanduser(preset), image_size, preprocess is None)
    return _as_requested(found.set_facts(source=source), source, weights, output_block)


def of_ulmfit(path: str, *, weights, output_block, preprocess, **_) -> Backbone:
    """Return a backbone that contains the encoder of a language model and its vocabulary.

    The blocks of the backbone are the embedding and each LSTM layer.
    """
    if preprocess is not None:
        raise ConfigError(
            f"The language model {quoted(path)} has its own vocabulary. Leave preprocess= out."
        )
    source = f"{ULMFIT}{path}"
    model = load_language_model(local_path(path))
    found = backbone_of(model.encoder()).set_facts(
        source=source,
        preprocessor=WordPreprocessor(model.vocabulary),
        ancestry=({"kind": LANGUAGE_MODEL} | model.about,) if model.about else (),
    )
    return _as_requested(found, source, weights, output_block)


def of_learner(
    trained: Backbone, *, weights, image_size, output_block, ancestry, weights_source=LEARNER, **_
) -> Backbone:
    """Return a copy of another learner's backbone."""
    size = image_size or trained.image_size
    if trained.architecture is not None and size != trained.image_size:
        raise BackboneError(
            f"The backbone {trained.source} takes {trained.image_size} pixels. Received "
            f"image_size={size}."
        )
    if weights is None and trained.module is not None:
        raise BackboneError(_NOT_RANDOM.format(trained.source))
    facts = trained.output_block, trained.architecture, trained.module, trained.preprocessor
    found = rebuild_backbone(trained.source, size, *facts)
    if weights is None:
        copy_statistics(trained.network, found.network)
    else:
        copy_weights(trained.network, found.network)
        found.set_facts(weights_source=weights_source, ancestry=ancestry)
    return found if output_block is None else cut_short(found, output_block)


def of_run(path: str, *, ancestry, **options) -> Backbone:
    """Return the backbone of a saved run."""
    folder = local_path(path)
    about = read_run(folder)
    config = ModelConfig.from_json(about["config"])
    parts = rebuild_model(config, tf.distribute.get_strategy(), seed=0, **run_files(folder))
    load_run_weights(folder, parts.model)
    source = f"{RUN}{path}"
    return of_learner(parts.backbone, ancestry=ancestry_of(about), weights_source=source, **options)


def _as_requested(
    found: Backbone, weights_source: str, weights: str | None, output_block: str | None
) -> Backbone:
    """Return the backbone with pretrained or random weights, cut after the requested block."""
    found.set_facts(weights_source=weights_source)
    if weights is None:
        fresh = backbone_of(rebuild(found.architecture))
        copy_statistics(found.network, fresh.network)
        found = fresh.set_facts(
            **found.facts | {"weights_source": None, "ancestry": (), "identity": fresh.identity}
        )
    return found if output_block is None else cut_short(found, output_block)
