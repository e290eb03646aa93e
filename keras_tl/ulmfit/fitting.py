"""Training and evaluation of a language model on a stream of tokens."""

import dataclasses
import functools
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_tl.backbones.awd_lstm.language_model import LanguageModel
from keras_tl.backbones.awd_lstm.model import (
    BPTT,
    build_language_model,
    recurrent_layers,
    reset_states,
)
from keras_tl.base.config import Phase, check_range
from keras_tl.base.reporting import KERAS_TRAINER, Reporter, no_retracing_warnings
from keras_tl.errors import ConfigError, quoted
from keras_tl.models.device import jit_compile, precision_policy
from keras_tl.runs.history import PhaseRecord
from keras_tl.training.callbacks import check_callbacks
from keras_tl.training.layer_learning_rates import learning_rate_factors
from keras_tl.training.optimizers import check_weight_decay, make_optimizer
from keras_tl.training.phases import BestWeights, fit_and_record
from keras_tl.training.progress import EpochProgress
from keras_tl.ulmfit.metrics import Perplexity
from keras_tl.ulmfit.streams import TokenStream

# Default settings to train a language model. Gradients are clipped as in the AWD-LSTM paper. The
# optimizer is Adam instead of the paper's NT-ASGD. As in fastai, the learning rate rises and falls
# once.
PRETRAINING = Phase(
    name="language model",
    epochs=10,
    learning_rate=3e-3,
    unfreeze="all",
    schedule="cosine",
    warmup=0.1,
    clip_norm=0.25,
    batch_size=64,
    patience=2,
)

# Default settings to fine-tune a language model, from Howard and Ruder, 2018 (arXiv:1801.06146):
# discriminative learning rates and slanted triangular schedule as in sec. 3.2, learning rate for
# language models as in sec. 4.1.
FINE_TUNING = dataclasses.replace(
    PRETRAINING,
    name="language model fine-tuning",
    epochs=15,
    learning_rate=4e-3,
    schedule="slanted_triangular",
    discriminative_factor=2.6,
    batch_size=32,
)

_WITHOUT_MEANING = (
    *("batch_norm", "label_smoothing", "class_weight", "unfreeze_every", "monitor"),
    *("min_steps", "objective"),
)


def fit_language_model(
    model: LanguageModel,
    train: np.ndarray,
    *,
    validation: np.ndarray | None = None,
    phase: Phase = PRETRAINING,
    bptt: int = BPTT,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    reporter: Reporter | None = None,
) -> PhaseRecord:
    """Train all layers of a language model in place, on one device, in the model's precision.

    Each batch starts with the recurrent states at the end of the previous batch. The first batch of
    an epoch starts with recurrent states of 0. Gradients do not flow back into the previous batch.

    Args:
        model: Language model to train.
        train: Tokens of the training texts, integers (n,), see `WordTokenizer.stream`.
        validation: Tokens of held-out texts, integers (m,). `None`: no validation. With validation
            and `phase.patience`, training stops early and restores the weights of the lowest
            validation perplexity. If no epoch is better than the initial weights, the model keeps
            the initial weights.
        phase: Settings of the training. `phase.batch_size` is the number of rows per batch. The
            embedding, which is also the output layer, has the learning rate of the phase. Each LSTM
            layer has the learning rate of the layer above it, divided by `discriminative_factor`.
        bptt: Mean number of tokens per row of a batch, see `TokenStream`.
        seed: Seed of batch lengths and dropout.
        callbacks: Your Keras callbacks. The attribute `model` of a callback is a copy of the
            network, with stateful LSTM layers.
        reporter: Object that prints progress messages. `None`: no messages.

    Returns:
        Record of the training phase. The values of each epoch are the training loss with (temporal)
        activation regularisation, the training perplexity with dropout (`perplexity`), and the
        validation perplexity without dropout (`val_perplexity`).

    Raises:
        ConfigError: The phase uses a setting that language models do not support.
        DataError: `train` or `validation` has fewer than `phase.batch_size + 1` tokens.

    Example:
        >>> import dataclasses
        >>> model = ktl.ulmfit.LanguageModel.new(lm.config, lm.vocabulary, seed=0)
        >>> tokens = model.tokenizer.stream(["the good film ."] * 10)
        >>> phase = dataclasses.replace(ktl.ulmfit.PRETRAINING, epochs=1, batch_size=4)
        >>> record = ktl.ulmfit.fit_language_model(model, tokens, phase=phase)
        >>> "perplexity" in record.epochs[0]
        True
    """
    _check(phase, bptt)
    callbacks = check_callbacks(callbacks)
    reporter = reporter or Reporter(verbose=False)
    began = time.perf_counter()
    stream = TokenStream(train, phase.batch_size, bptt, seed)
    held_out = None if validation is None else TokenStream(validation, phase.batch_size, bptt)
    copy = _carrying(model, phase.batch_size, seed)
    _compile(copy, _optimizer(copy, phase, len(stream) * phase.epochs))
    stops_early = held_out is not None and phase.patience is not None
    monitor = ("perplexity", False) if stops_early else None
    steps, size = len(stream), phase.batch_size * bptt
    progress = EpochProgress(reporter, phase.name, steps, phase.epochs, size, "token", monitor)
    own = [_Contiguous(stream), progress]
    if held_out is not None and phase.patience is not None:
        before = _perplexity(copy, held_out)
        reporter.say(f"{phase.name}: validation perplexity {before:,.1f} before training")
        # Monitor the perplexity, which weights all tokens equally. Keras's mean loss weights all
        # batches equally, although batches have different lengths.
        own.append(BestWeights(phase.patience, before, "perplexity"))
    batches = None if held_out is None else held_out.dataset()
    fit = functools.partial(
        copy.fit, stream.dataset(), validation_data=batches, epochs=phase.epochs
    )
    record = fit_and_record(phase, copy, fit, own, callbacks, reporter)
    model.network.set_weights(copy.get_weights())
    return dataclasses.replace(record, seconds=time.perf_counter() - began)


def perplexity(
    model: LanguageModel, tokens: np.ndarray, *, batch_size: int = 16, bptt: int = BPTT
) -> float:
    """Return a model's perplexity: exp of the mean cross-entropy (nats) of the next token.

    Args:
        model: Language model to evaluate, without dropout.
        tokens: Token ids of all texts in one sequence, integers (n,), cut into
            `batch_size` rows. Each row begins with recurrent states of 0.
        batch_size: Number of rows in a batch. The model predicts the tokens at the start of a row
            without the tokens that precede the row.
        bptt: Number of tokens per row of a batch. The perplexity does not depend on `bptt`.

    Raises:
        DataError: There are fewer than `batch_size + 1` tokens.
        ConfigError: `batch_size` or `bptt` is not a whole number of at least 1.

    Example:
        >>> tokens = lm.tokenizer.stream(["the good film ."] * 10)
        >>> ktl.ulmfit.perplexity(lm, tokens, batch_size=4) > 1
        True
    """
    check_range("batch_size", batch_size, 1, whole=True)
    check_range("bptt", bptt, 1, whole=True)
    stream = TokenStream(tokens, batch_size, bptt)
    copy = _carrying(model, batch_size, None)
    _compile(copy, "sgd")
    return _perplexity(copy, stream)


def _perplexity(copy: keras.Model, stream: TokenStream) -> float:
    with no_retracing_warnings(KERAS_TRAINER):
        found = copy.evaluate(
            stream.dataset(), callbacks=[_Contiguous(stream)], verbose=0, return_dict=True
        )
    return float(found["perplexity"])


def _carrying(model: LanguageModel, batch_size: int, seed: int | None) -> keras.Model:
    # Copy the network: stateful layers need a fixed batch size, which `model.network` lacks.
    with precision_policy(model.network.get_layer("embedding").dtype_policy.name):
        copy = build_language_model(model.config, seed=seed, batch_size=batch_size)
    copy.set_weights(model.network.get_weights())
    return copy


def _optimizer(copy: keras.Model, phase: Phase, steps: int) -> keras.optimizers.Optimizer:
    variables, factors = copy.trainable_variables, None
    if phase.discriminative_factor > 1:
        layers = [[layer] for layer in recurrent_layers(copy)]
        factors = learning_rate_factors(layers, variables, phase.discriminative_factor)
    return make_optimizer(phase, steps, variables, factors)


def _compile(copy: keras.Model, optimizer: keras.optimizers.Optimizer | str) -> None:
    copy.compile(
        optimizer,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[Perplexity()],
        jit_compile=jit_compile(),
    )


def _check(phase: Phase, bptt: int) -> None:
    check_range("bptt", bptt, 1, whole=True)
    check_weight_decay(phase)
    defaults = {field.name: field.default for field in dataclasses.fields(Phase)}
    for name in _WITHOUT_MEANING:
        if getattr(phase, name) != defaults[name]:
            raise ConfigError(
                f"{name} has no meaning for a language model. Leave it at {quoted(defaults[name])}."
            )
    if phase.unfreeze != "all":
        raise ConfigError(
            "Training changes all layers of a language model. Expected unfreeze='all'. Received: "
            f"{quoted(phase.unfreeze)}."
        )


class _Contiguous(keras.callbacks.Callback):
    """Keras callback that prepares each epoch and each evaluation on a token stream.

    The callback resets the recurrent states before every epoch and evaluation, and tells the stream
    the number of the epoch.
    """

    def __init__(self, stream: TokenStream):
        super().__init__()
        self._stream = stream

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._stream.epoch = epoch
        reset_states(self.model)

    def on_test_begin(self, logs: Any = None) -> None:
        reset_states(self.model)
