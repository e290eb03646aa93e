"""Language model with its vocabulary, and the files of a saved language model.

language_model.json  configuration, and the model's history
vocabulary.txt       one token per line
model.weights.h5
checksums.json       SHA-256 of every other file
"""

import dataclasses
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import keras

from keras_tl.backbones.awd_lstm.model import (
    CLASSIFIER_DROPOUTS,
    AwdLstmConfig,
    build_encoder,
    build_language_model,
    recurrent_layers,
)
from keras_tl.backbones.texts.words.tokenizer import WordTokenizer
from keras_tl.backbones.texts.words.vocabulary import Vocabulary, transfer_embeddings
from keras_tl.base.files import (
    CHECKSUMS,
    first_changed,
    local_path,
    whole_folder,
    write_checksums,
    write_json,
)
from keras_tl.base.overwriting import check_new, keep_other_files
from keras_tl.errors import ConfigError, RunError, quoted

_ABOUT, _VOCABULARY = "language_model.json", "vocabulary.txt"
_WEIGHTS = "model.weights.h5"


@dataclasses.dataclass(frozen=True)
class LanguageModel:
    """Language model with its vocabulary.

    Attributes:
        config: Sizes and dropouts of the network.
        vocabulary: Tokens that the model predicts, one for each output of the network.
        network: Result of `keras_tl.ulmfit.build_language_model`, for batches of any size.
        about: Facts about the model's source and trainings, in types that JSON can store.

    Raises:
        ConfigError: The configuration and the vocabulary have different numbers of tokens.

    Example:
        >>> lm.vocabulary.tokens[-2:], lm.network.output_shape[-1] == len(lm.vocabulary)
        (('film', '.'), True)
    """

    config: AwdLstmConfig
    vocabulary: Vocabulary
    network: keras.Model
    about: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.config.vocabulary_size != len(self.vocabulary):
            raise ConfigError(
                f"The configuration is for {self.config.vocabulary_size:,} tokens, but the "
                f"vocabulary has {len(self.vocabulary):,}. Create a configuration for "
                "this vocabulary: AwdLstmConfig.named('small', len(vocabulary))."
            )

    @classmethod
    def new(cls, config: AwdLstmConfig, vocabulary: Vocabulary, *, seed: int | None = None) -> Self:
        """Return a language model with random weights.

        Example:
            >>> model = ktl.ulmfit.LanguageModel.new(lm.config, lm.vocabulary, seed=0)
            >>> model.config == lm.config
            True
        """
        return cls(config, vocabulary, build_language_model(config, seed=seed))

    def encoder(self, *, seed: int | None = None) -> keras.Model:
        """Return a copy of the network without its output layer, see `build_encoder`.

        The returned encoder has fastai's dropouts for classifiers. `seed` is the seed of the random
        dropouts.

        Example:
            >>> sorted(lm.encoder(seed=0).output)
            ['mask', 'sequence_output']
        """
        # Reset `drop_multiplier`: the user chose its value for the dropouts of the language model.
        config = dataclasses.replace(self.config, **CLASSIFIER_DROPOUTS, drop_multiplier=1.0)
        encoder = build_encoder(config, seed=seed)
        embeddings = self.network.get_layer("embedding").get_weights()[:1]
        encoder.get_layer("embedding").set_weights(embeddings)
        _copy_recurrent(self.network, encoder)
        return encoder

    @cached_property
    def tokenizer(self) -> WordTokenizer:
        """Tokenizer that converts texts to token numbers of the vocabulary.

        Example:
            >>> lm.tokenizer(["the film"]).to_list()
            [[2, 9, 12]]
        """
        return WordTokenizer(self.vocabulary)

    def with_vocabulary(self, vocabulary: Vocabulary, *, seed: int | None = None) -> Self:
        """Return a copy of the model for a new vocabulary, see `transfer_embeddings`.

        `seed` is the seed of the random dropouts.

        Example:
            >>> vocabulary = ktl.ulmfit.Vocabulary([*lm.vocabulary.tokens, "actor"])
            >>> lm.with_vocabulary(vocabulary, seed=0).config.vocabulary_size - len(lm.vocabulary)
            1
        """
        config = dataclasses.replace(self.config, vocabulary_size=len(vocabulary))
        network = build_language_model(config, seed=seed)
        _copy_recurrent(self.network, network)
        weights = self.network.get_layer("embedding").get_weights()
        moved = [transfer_embeddings(self.vocabulary, vocabulary, weights=old) for old in weights]
        network.get_layer("embedding").set_weights(moved)
        return dataclasses.replace(self, config=config, vocabulary=vocabulary, network=network)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the model into a folder, completely or not at all.

        Args:
            path: Folder in which to write the model.
            overwrite: Whether to replace a language model in the folder. Your other files in the
                folder stay.

        Raises:
            ConfigError: The folder holds a language model, and `overwrite` is false.
            RunError: The path exists, but is not a language model.

        Example:
            >>> lm.save("models/tiny")
            >>> ktl.ulmfit.load_language_model("models/tiny").vocabulary == lm.vocabulary
            True
        """
        path = local_path(path)
        check_target(path, overwrite)
        with whole_folder(path, replace=True) as folder:
            write_json(folder / _ABOUT, {"config": self.config.to_json(), "about": self.about})
            self.vocabulary.save(folder / _VOCABULARY)
            self.network.save_weights(folder / _WEIGHTS)
            write_checksums(folder)
            keep_other_files(path, folder)


def _copy_recurrent(source: keras.Model, target: keras.Model) -> None:
    for old, new in zip(recurrent_layers(source), recurrent_layers(target), strict=True):
        new.set_weights(old.get_weights())


def check_target(path: Path, overwrite: bool = False) -> None:
    """Check before training that a language model can be saved at a path.

    Raises:
        ConfigError: The folder holds a language model, and `overwrite` is false.
        RunError: The path exists, but is not a language model.
    """
    if path.exists() and not (path / _ABOUT).exists():
        raise RunError(
            f"{path} exists, but is not a language model. Pass another path, or first remove the "
            "existing file or folder."
        )
    check_new(path, overwrite=overwrite)


def load_language_model(path: str | os.PathLike[str], *, seed: int | None = None) -> LanguageModel:
    """Read a folder that `LanguageModel.save` wrote, after a check of the folder's checksums.

    `seed` is the seed of the random dropouts.

    Raises:
        RunError: The folder holds no language model, or is incomplete or damaged.

    Example:
        >>> lm.save("models/again")
        >>> ktl.ulmfit.load_language_model("models/again").config == lm.config
        True
    """
    path = local_path(path)
    if not (path / CHECKSUMS).is_file() or not (path / _ABOUT).is_file():
        raise RunError(
            f"No language model at {quoted(str(path))}. Expected a folder that "
            "keras_tl.ulmfit.pretrain or fine_tune_lm wrote."
        )
    changed = first_changed(path)
    if changed is not None:
        raise RunError(
            f"The language model at {quoted(str(path))} is damaged: {changed} is missing or has "
            "changed. Restore the folder from a copy, or train again."
        )
    known = json.loads((path / _ABOUT).read_text("utf-8"))
    config = AwdLstmConfig.from_json(known["config"])
    network = build_language_model(config, seed=seed)
    network.load_weights(path / _WEIGHTS)
    return LanguageModel(config, Vocabulary.load(path / _VOCABULARY), network, known["about"])
