"""Configuration and networks of AWD-LSTM language models."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, Self, TypedDict, Unpack

import keras
import numpy as np

from keras_tl.backbones.awd_lstm.layers import (
    ActivationRegularization,
    TiedEmbedding,
    WeightDropLSTM,
    WordDropEmbedding,
)
from keras_tl.base.choices import LanguageModelSize
from keras_tl.base.config import JsonConfig, check_range
from keras_tl.errors import ConfigError, unknown

# The paper's dropouts for WikiText-2 (Merity et al., 2017, arXiv:1708.02182 and
# salesforce/awd-lstm-lm).
_PAPER_DROPOUTS: dict[str, Any] = {
    "embedding_dropout": 0.1,
    "input_dropout": 0.65,
    "hidden_dropout": 0.3,
    "output_dropout": 0.4,
    "weight_dropout": 0.5,
}

# fastai's dropouts for classifiers (awd_lstm_clas_config), halved as in `text_classifier_learner`.
CLASSIFIER_DROPOUTS: dict[str, Any] = {
    "embedding_dropout": 0.025,
    "input_dropout": 0.2,
    "hidden_dropout": 0.15,
    "weight_dropout": 0.25,
}

_Seeds = Iterator[int | None]

# Default number of steps through which gradients pass (Merity et al., 2017, sec. 5).
BPTT = 70

# Settings of each named size: published sizes, and smaller sizes for small corpora or computers
# without a GPU. All sizes but "paper" have the default dropouts of `AwdLstmConfig`.
SIZES: dict[LanguageModelSize, dict[str, Any]] = {
    "paper": {"embedding_size": 400, "hidden_size": 1150} | _PAPER_DROPOUTS,
    "fastai": {"embedding_size": 400, "hidden_size": 1152},
    "small": {"embedding_size": 200, "hidden_size": 400},
    "tiny": {"embedding_size": 64, "hidden_size": 128},
}


class AwdLstmChanges(TypedDict, total=False):
    """Attributes of `AwdLstmConfig` that `AwdLstmConfig.named` can change."""

    embedding_size: int
    hidden_size: int
    layers: int
    embedding_dropout: float
    input_dropout: float
    hidden_dropout: float
    output_dropout: float
    weight_dropout: float
    drop_multiplier: float
    alpha: float
    beta: float


@dataclasses.dataclass(frozen=True)
class AwdLstmConfig(JsonConfig):
    """Configuration of an AWD-LSTM language model, without weights and vocabulary.

    Attributes:
        vocabulary_size: Number of tokens in the vocabulary.
        embedding_size: Number of values in a token's vector, and of units in the last LSTM layer.
        hidden_size: Number of units in each of the other LSTM layers.
        layers: Number of LSTM layers.
        embedding_dropout: Fraction of the words that embedding dropout drops (Merity et al., 2017,
            sec. 4.3). The defaults of all dropouts are fastai's values for language models
            (`awd_lstm_lm_config` in fastai/text/models/awdlstm.py).
        input_dropout: Dropout rate of the token vectors. `input_dropout`, `hidden_dropout` and
            `output_dropout` use one mask for all steps of a sequence (Merity et al., sec. 4.2).
        hidden_dropout: Dropout rate between LSTM layers.
        output_dropout: Dropout rate of the outputs of the last LSTM layer.
        weight_dropout: Fraction of the recurrent weights to drop (Merity et al., sec. 2).
        drop_multiplier: Factor that multiplies all five dropouts, as fastai's `drop_mult`.
        alpha: Factor of the activation regularization in the loss (Merity et al., sec. 4.6).
        beta: Factor of the temporal activation regularization in the loss.

    Example:
        >>> config = ktl.ulmfit.AwdLstmConfig(vocabulary_size=1000, embedding_size=100)
        >>> config.layers, config.widths
        (3, (1152, 1152, 100))
    """

    vocabulary_size: int
    _: dataclasses.KW_ONLY
    embedding_size: int = 400
    hidden_size: int = 1152
    layers: int = 3
    embedding_dropout: float = 0.02
    input_dropout: float = 0.25
    hidden_dropout: float = 0.15
    output_dropout: float = 0.1
    weight_dropout: float = 0.2
    drop_multiplier: float = 1.0
    alpha: float = 2.0
    beta: float = 1.0

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "embedding_size", "hidden_size", "layers"):
            check_range(name, getattr(self, name), 1, whole=True)
        for name in ("drop_multiplier", "alpha", "beta"):
            check_range(name, getattr(self, name), 0)
        for name in _PAPER_DROPOUTS:
            check_range(name, getattr(self, name), 0, 0.99)
            check_range(f"{name} * drop_multiplier", self.dropout(name), 0, 0.99)

    @classmethod
    def named(
        cls, size: LanguageModelSize, vocabulary_size: int, **changes: Unpack[AwdLstmChanges]
    ) -> Self:
        """Return the configuration of a language model of a named size.

        Args:
            size: Name of the size: `"paper"` (embedding size 400, hidden size 1,150, dropouts of
                the paper), `"fastai"` (400 and 1,152, as in fastai's weights), `"small"` (200 and
                400) or `"tiny"` (64 and 128). Models of all four sizes have 3 LSTM layers.
            vocabulary_size: Number of tokens in the vocabulary.
            changes: New values of attributes, by name, which replace the values of the named size.

        Raises:
            ConfigError: The size or an attribute is unknown, or a value is out of range.

        Example:
            >>> ktl.ulmfit.AwdLstmConfig.named("tiny", vocabulary_size=1000).widths
            (128, 128, 64)
        """
        if size not in SIZES:
            raise ConfigError(unknown("size of AWD-LSTM", size, SIZES))
        return cls.from_json({**SIZES[size], "vocabulary_size": vocabulary_size, **changes})

    def dropout(self, name: str) -> float:
        """Return the attribute `name`, such as `"input_dropout"`, times `drop_multiplier`.

        Example:
            >>> config = ktl.ulmfit.AwdLstmConfig(vocabulary_size=1000, drop_multiplier=0.5)
            >>> config.dropout("input_dropout")
            0.125
        """
        return getattr(self, name) * self.drop_multiplier

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of units of each LSTM layer. The last LSTM layer has `embedding_size` units.

        Example:
            >>> ktl.ulmfit.AwdLstmConfig(vocabulary_size=1000, layers=2).widths
            (1152, 400)
        """
        return (self.hidden_size,) * (self.layers - 1) + (self.embedding_size,)


def build_language_model(
    config: AwdLstmConfig, *, seed: int | None = None, batch_size: int | None = None
) -> keras.Model:
    """Return a language model with random weights.

    The model maps tokens, int32 (batch, length), to logits of the next tokens, float32 (batch,
    length, vocabulary_size).

    The initial embeddings are uniform in [-0.1, 0.1], other matrices in [-1/sqrt(units),
    1/sqrt(units)] (Merity et al., 2017, sec. 5). Biases start at 0, the biases of forget gates at
    1, as in Keras. In training, `ActivationRegularization` adds its two penalties to the loss.

    Args:
        config: Configuration of the language model.
        seed: Seed of the initial weights and dropouts. With `seed=None`, each call uses a different
            seed.
        batch_size: Number of rows in each batch. With a fixed batch size, the LSTM states pass from
            each batch to the next, until `reset_states` is called. With `batch_size=None`, batches
            have any number of rows and start with zero states.

    Example:
        >>> network = ktl.ulmfit.build_language_model(lm.config, seed=0)
        >>> network.output_shape[-1] == len(lm.vocabulary)
        True
    """
    tokens = keras.Input(batch_shape=(batch_size, None), dtype="int32", name="tokens")
    seeds = _seeds(seed)
    embedding = TiedEmbedding(*_embedding_arguments(config, seeds), name="embedding")
    x = _hidden_states(embedding(tokens), config, seeds, stateful=batch_size is not None)
    dropped = _locked(config.dropout("output_dropout"), seeds, "output_dropout")(x)
    x = ActivationRegularization(config.alpha, config.beta, name="regularization")(x, dropped)
    return keras.Model(tokens, embedding(x, reverse=True), name="language_model")


def build_encoder(
    config: AwdLstmConfig, *, seed: int | None = None, bptt: int | None = BPTT
) -> keras.Model:
    """Return a language model up to its last LSTM layer, with random weights.

    The encoder takes `input_word_ids` and `input_mask`, int32 (batch, length) each, with padding at
    the end. The encoder returns the hidden states as `sequence_output` (batch, length,
    embedding_size), and `mask`, which equals `input_mask`. Padding does not change the states of
    earlier tokens.

    Args:
        config: Configuration of the model, whose dropouts are active in training.
        seed: Seed of the initial weights and dropouts. With `seed=None`, each call uses a different
            seed.
        bptt: Number of steps through which gradients pass, see `WeightDropLSTM`.

    Example:
        >>> sorted(ktl.ulmfit.build_encoder(lm.config, seed=0).output)
        ['mask', 'sequence_output']
    """
    inputs = {
        name: keras.Input((None,), name=name, dtype="int32")
        for name in ("input_word_ids", "input_mask")
    }
    seeds = _seeds(seed)
    embedding = WordDropEmbedding(*_embedding_arguments(config, seeds), name="embedding")
    x = _hidden_states(embedding(inputs["input_word_ids"]), config, seeds, bptt=bptt)
    # Keras 3.12 refuses a model input that no layer uses.
    mask = keras.layers.Identity(name="mask")(inputs["input_mask"])
    outputs = {"sequence_output": x, "mask": mask}
    return keras.Model(inputs, outputs, name="awd_lstm")


def recurrent_layers(model: keras.Model) -> list[WeightDropLSTM]:
    """Return the LSTM layers of a language model or encoder, from input to output."""
    return [layer for layer in model.layers if isinstance(layer, WeightDropLSTM)]


def reset_states(model: keras.Model) -> None:
    """Set to zero the LSTM states that a model with a fixed batch size passes between batches."""
    for layer in recurrent_layers(model):
        layer.reset_state()


def _embedding_arguments(config: AwdLstmConfig, seeds: _Seeds) -> tuple[Any, ...]:
    dropout = config.dropout("embedding_dropout")
    return config.vocabulary_size, config.embedding_size, dropout, next(seeds)


def _hidden_states(
    x: keras.KerasTensor, config: AwdLstmConfig, seeds: _Seeds, **options: Any
) -> keras.KerasTensor:
    x = _locked(config.dropout("input_dropout"), seeds, "input_dropout")(x)
    for number, units in enumerate(config.widths, 1):
        if number > 1:
            rate = config.dropout("hidden_dropout")
            x = _locked(rate, seeds, f"hidden_dropout_{number - 1}")(x)
        bound = 1 / math.sqrt(units)
        x = WeightDropLSTM(
            units,
            config.dropout("weight_dropout"),
            seed=next(seeds),
            kernel_initializer=keras.initializers.RandomUniform(-bound, bound, next(seeds)),
            recurrent_initializer=keras.initializers.RandomUniform(-bound, bound, next(seeds)),
            return_sequences=True,
            name=f"lstm_{number}",
            **options,
        )(x)
    return x


def _locked(rate: float, seeds: _Seeds, name: str) -> keras.layers.Layer:
    """Return a layer of variational dropout: all steps of a sequence have the same mask."""
    return keras.layers.SpatialDropout1D(rate, seed=next(seeds), name=name)


def _seeds(seed: int | None) -> _Seeds:
    """Yield different seeds, derived from `seed`. If `seed` is `None`, yield `None`."""
    generator = None if seed is None else np.random.default_rng(seed)
    while True:
        yield None if generator is None else int(generator.integers(2**31))
