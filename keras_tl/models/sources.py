"""`find_backbone`: load a backbone from any source, such as the catalogue, a run or TF-Hub."""

import os
from typing import Any

import keras

from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.backbones.user_models import is_keras_file, read_keras_file
from keras_tl.base.config import ULMFIT
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.errors import BackboneError, ConfigError, quoted
from keras_tl.models import source_kinds
from keras_tl.models.device import precision_policy
from keras_tl.models.text_preprocessing import TFHUB, choose_tokens

# Functions that load a backbone, by the type of the backbone or the prefix of its name.
# `find_backbone` uses the first row that matches. The function in this row receives the backbone (a
# name without its prefix, or an object), and the other arguments of `find_backbone` by name.
SOURCES = {
    keras.Model: source_kinds.of_model,
    Backbone: source_kinds.of_learner,
    source_kinds.RUN: source_kinds.of_run,
    TFHUB: source_kinds.of_hub,
    source_kinds.KERASHUB: source_kinds.of_kerashub,
    ULMFIT: source_kinds.of_ulmfit,
    "": source_kinds.of_catalogue,
}


def find_backbone(
    backbone: str | os.PathLike[str] | keras.Model | Backbone,
    *,
    weights: str | os.PathLike[str] | None = "imagenet",
    image_size: tuple[int, int] | None = None,
    output_block: str | None = None,
    preprocess: str | Preprocessing | TextPreprocessor | None = None,
    precision: str = "float32",
    texts: TextSplit | None = None,
    sequence_length: int | None = None,
    ancestry: tuple[dict[str, Any], ...] = (),
) -> Backbone:
    """Load a backbone and its weights, see `keras_tl.Learner`.

    Args:
        backbone: Name in the catalogue, name with a prefix such as `"run:PATH"`, path of a `.keras`
            file, Keras model, or backbone of another learner.
        weights: `"imagenet"`, the path of a weights file, or `None` for random weights.
        image_size: (height, width) in pixels. `None`: use the backbone's default image size.
        output_block: Block after which the network is cut. `None`: the whole network is used.
        preprocess: For images, the preprocessing that a `keras.Model` expects. For texts, the
            text preprocessor (see `keras_tl.models.text_preprocessing.choose_tokens`).
        precision: Keras dtype policy of the backbone.
        texts: Training texts. `texts=None` means that the data are images.
        sequence_length: Tokens per text. `None`: choose a length that covers 99% of the texts.
        ancestry: For a backbone from another learner, its earlier trainings, latest first.

    Raises:
        BackboneError: The backbone is unknown, cannot be built with the given arguments, or does
            not fit the modality of the data.
        RunError: The folder in `"run:PATH"` holds no saved run.
        ConfigError: The backbone does not accept `weights`, `preprocess` or `sequence_length`.
    """
    if is_keras_file(backbone):
        backbone = read_keras_file(backbone)
    row = row_of(backbone)
    if row is None:
        raise BackboneError(
            "backbone must be a name, a name with a prefix such as 'run:PATH', the path of a "
            f".keras file, a keras.Model or a Learner. Received: {quoted(backbone)}."
        )
    if preprocess is not None and texts is None and row is not keras.Model:
        raise ConfigError(
            "For images, preprocess= is only for a keras.Model or a .keras file. Other backbones "
            "have their own preprocessing. Leave preprocess= out. Received: "
            f"{quoted(preprocess)}."
        )
    if weights not in (None, "imagenet") and row != "":
        raise ConfigError(
            "weights= is only for a backbone from the catalogue. A run, a learner, a TF-Hub "
            "module, a preset of KerasHub, a language model and a keras.Model have their own "
            f"weights. Leave weights= out. Received: {quoted(weights)}."
        )
    if texts is not None and image_size is not None:
        raise BackboneError(
            "image_size= is for images, but the data are texts. Leave image_size= out. Received: "
            f"image_size={image_size}."
        )
    with precision_policy(precision):
        found = SOURCES[row](
            backbone.removeprefix(row) if isinstance(row, str) else backbone,
            weights=weights,
            image_size=image_size,
            output_block=output_block,
            preprocess=preprocess,
            ancestry=ancestry,
        )
    if (found.image_size is None) != (texts is not None):
        ours, given = ("texts", "images") if texts is None else ("images", "texts")
        raise BackboneError(
            f"The backbone {quoted(found.source)} takes {ours}, but the data are {given}. For "
            "texts, pass an encoder, such as 'tfhub:HANDLE', 'kerashub:PRESET' or 'ulmfit:PATH'. "
            "For images, pass a backbone, such as 'efficientnet_lite0'."
        )
    if texts is None:
        return found
    return found.set_facts(preprocessor=choose_tokens(found, texts, sequence_length, preprocess))


def row_of(backbone: object) -> type | str | None:
    """Return the key in `SOURCES` that fits a backbone. `None`: no key fits this backbone."""
    kind, fits = (str, str.startswith) if isinstance(backbone, str) else (type, isinstance)
    return next((row for row in SOURCES if isinstance(row, kind) and fits(backbone, row)), None)
