"""Trains a language model on a stream of tokens, and measures its perplexity."""

import dataclasses
import functools
import time
from collections.abc import Sequence

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
from keras_tl.training.optimizers import make_optimizer
from keras_tl.training.own_rates import rate_factors
from keras_tl.training.phases import BestWeights, fit_and_record
from keras_tl.training.progress import EpochProgress
from keras_tl.ulmfit.metrics import Perplexity
from keras_tl.ulmfit.streams import TokenStream

# The paper's clipping; Adam and one rise and fall of the rate, as fastai trains language models,
# in the place of the paper's NT-ASGD.
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

# Howard and Ruder, 2018 (arXiv:1801.06146), sec. 3.2: discriminative rates, the slanted triangular
# schedule; its rate for language models is that of sec. 4.1.
FINE_TUNING = dataclasses.replace(
    PRETRAINING,
    name="language model fine-tuning",
    epochs=15,
    learning_rate=4e-3,
    schedule="slanted_triangular",
    discriminative_factor=2.6,
    batch_size=32,
)

_WITHOUT_MEANING = ("batch_norm", "label_smoothing", "class_weight", "unfreeze_every", "monitor")


def fit_language_model(
    model: LanguageModel,
    train: np.ndarray,
    validation: np.ndarray | None = None,
    phase: Phase = PRETRAINING,
    bptt: int = BPTT,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    reporter: Reporter | None = None,
) -> PhaseRecord:
    """Trains all of a language model, in place, on one device and in the precision it was built in.

    States go on from batch to batch and begin with zeros in every epoch; gradients go back to the
    beginning of a batch.

    Args:
        model: what to train.
        train: integers (n,), see `WordTokenizer.stream`.
        validation: the same of texts that are not trained on; with it, unless `phase.patience` is
            `None`, training stops early and the weights of the lowest perplexity are kept, those
            from before among them.
        phase: epochs, rate, schedule, optimizer, rows a batch. All of the model is trained; with a
            `discriminative_factor` the embedding, which is the output's too, at the phase's rate,
            and each LSTM layer from the last one down at that of the one above it divided by it.
        bptt: steps a batch on average, see `TokenStream`.
        seed: of the batches' lengths and of the dropouts.
        callbacks: your own; their `model` is a copy that carries its states.
        reporter: tells people; `None`: nobody.

    Returns:
        The record: the training loss with AR and TAR, perplexity with dropout (`perplexity`) and of
        the validation text (`val_perplexity`).

    Raises:
        ConfigError: the phase asks for what a language model has not.
        DataError: there are too few tokens.
    """
    _check(phase, bptt)
    callbacks = check_callbacks(callbacks)
    reporter = reporter or Reporter(verbose=False)
    began = time.perf_counter()
    stream = TokenStream(train, phase.batch_size, bptt, seed)
    held_out = None if validation is None else TokenStream(validation, phase.batch_size, bptt)
    copy = _carrying(model, phase.batch_size, seed)
    _compile(copy, _optimizer(copy, phase, len(stream) * phase.epochs))
    progress = EpochProgress(
        reporter,
        phase.name,
        len(stream),
        phase.epochs,
        phase.batch_size * bptt,
        "token",
        ("perplexity", False) if held_out is not None and phase.patience is not None else None,
    )
    own = [_Contiguous(stream), progress]
    if held_out is not None and phase.patience is not None:
        before = _perplexity(copy, held_out)
        reporter.say(f"{phase.name}: validation perplexity {before:,.1f} before training")
        # Of all tokens; the loss is the mean of the batches', of which the last one is short.
        own.append(BestWeights(phase.patience, before, "perplexity"))
    batches = None if held_out is None else held_out.dataset()
    fit = functools.partial(
        copy.fit, stream.dataset(), validation_data=batches, epochs=phase.epochs
    )
    record = fit_and_record(phase, copy, fit, own, callbacks, reporter)
    model.network.set_weights(copy.get_weights())
    return dataclasses.replace(record, seconds=time.perf_counter() - began)


def perplexity(
    model: LanguageModel, tokens: np.ndarray, batch_size: int = 16, bptt: int = BPTT
) -> float:
    """Exp of the mean cross-entropy (nats) of each token after those before it, without dropout.

    Args:
        model: what to measure.
        tokens: integers (n,), read in `batch_size` rows side by side, each from zeros on.
        batch_size: rows. With more rows more tokens lack what stands before them.
        bptt: steps at a time; it makes no difference to the result.

    Raises:
        DataError: there are too few tokens.
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
    # Keras fixes the rows of a layer that carries its states, and the model is for any number.
    with precision_policy(model.network.get_layer("embedding").dtype_policy.name):
        copy = build_language_model(model.config, seed, batch_size)
    copy.set_weights(model.network.get_weights())
    return copy


def _optimizer(copy: keras.Model, phase: Phase, steps: int) -> keras.optimizers.Optimizer:
    variables, factors = copy.trainable_variables, None
    if phase.discriminative_factor > 1:
        layers = [[layer] for layer in recurrent_layers(copy)]
        factors = rate_factors(layers, variables, phase.discriminative_factor)
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
    defaults = {field.name: field.default for field in dataclasses.fields(Phase)}
    for name in _WITHOUT_MEANING:
        if getattr(phase, name) != defaults[name]:
            raise ConfigError(
                f"{name} has no meaning for a language model. Leave it at {quoted(defaults[name])}."
            )
    if phase.unfreeze != "all":
        raise ConfigError(
            "A language model is trained as a whole: unfreeze='all'. Received: "
            f"{quoted(phase.unfreeze)}."
        )


class _Contiguous(keras.callbacks.Callback):
    """Begins every epoch and every evaluation with zero states, and tells the stream the epoch."""

    def __init__(self, stream: TokenStream):
        super().__init__()
        self._stream = stream

    def on_epoch_begin(self, epoch, logs=None):
        self._stream.epoch = epoch
        reset_states(self.model)

    def on_test_begin(self, logs=None):
        reset_states(self.model)
