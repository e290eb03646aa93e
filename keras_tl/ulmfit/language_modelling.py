"""Pretraining of language models on texts, and fine-tuning on texts without labels."""

import dataclasses
import math
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_tl.backbones.awd_lstm.language_model import (
    LanguageModel,
    check_target,
    load_language_model,
)
from keras_tl.backbones.awd_lstm.model import BPTT, AwdLstmConfig
from keras_tl.backbones.texts.words.marks import MARKS, UNKNOWN
from keras_tl.backbones.texts.words.tokenizer import split_words
from keras_tl.backbones.texts.words.vocabulary import Vocabulary
from keras_tl.base.choices import LanguageModelSize
from keras_tl.base.config import Phase, check_range
from keras_tl.base.files import local_path
from keras_tl.base.reporting import Reporter
from keras_tl.data.texts.text_values import refuse_paths
from keras_tl.errors import DataError, quoted
from keras_tl.ulmfit.fitting import FINE_TUNING, PRETRAINING, fit_language_model

_AT_ONCE = 512
# Fractions of unknown words above which training warns, and above which it raises an error. With
# many unknown words, the model mostly learns that the next word is unknown.
_MANY_UNKNOWN, _MOST_UNKNOWN = 0.2, 0.9

Corpus = Sequence[str | os.PathLike[str]]


@dataclasses.dataclass(frozen=True)
class VocabularyLimits:
    """Limits for the vocabulary that is built from the training texts.

    Attributes:
        max_size: Maximum number of tokens, including special tokens.
        min_frequency: Minimum number of times that a word of the vocabulary occurs in the texts.

    Example:
        >>> limits = ktl.ulmfit.VocabularyLimits(min_frequency=1)
        >>> limits.max_size
        60000
    """

    max_size: int = 60_000
    min_frequency: int = 3


LIMITS = VocabularyLimits()


class _KeepBest(keras.callbacks.Callback):
    """Save the model after each epoch that reaches the lowest validation perplexity so far.

    Without validation, the callback saves the model after every epoch. The saved model remains if
    the training is interrupted. The language model `saved` receives the trained weights.
    """

    def __init__(self, saved: LanguageModel, path: str | os.PathLike[str]):
        super().__init__()
        self._saved, self._path = saved, path
        self._best = math.inf

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        reached = logs.get("val_perplexity", self._best)
        if reached <= self._best:
            self._best = reached
            self._saved.network.set_weights(self.model.get_weights())
            self._saved.save(self._path, overwrite=True)


def pretrain(
    texts: Corpus,
    path: str | os.PathLike[str],
    *,
    size: LanguageModelSize | AwdLstmConfig = "small",
    validation: Corpus | float = 0.1,
    vocabulary: Vocabulary | VocabularyLimits = LIMITS,
    phase: Phase = PRETRAINING,
    bptt: int = BPTT,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = True,
    overwrite: bool = False,
) -> LanguageModel:
    """Train a language model from random weights and save it.

    All texts and tokens are held in memory. If `path` does not exist yet, the function saves the
    best model so far after each epoch. An interrupted training leaves the last saved model, but no
    training record.

    Args:
        texts: List of texts (str) and of paths (`pathlib.Path`) of text files. Each non-empty line
            of a file is a text. For texts of TensorFlow Datasets, pass
            `tfds_texts("wiki40b/en", limit=10_000)`.
        path: Folder to write the language model to, see `LanguageModel.save`.
        size: Name of a model size (`AwdLstmConfig.named`), or a configuration.
        validation: Validation texts, in the same form as `texts`, or a number: the fraction of
            `texts` to hold out for validation, taken from the end. 0: no validation.
        vocabulary: Vocabulary, or the limits for building a vocabulary from the training texts.
        phase: Settings of the training. For `phase`, `bptt` and `callbacks`, see
            `fit_language_model`.
        seed: Seed of initial weights, dropout and batch lengths.
        verbose: Whether to print progress messages.
        overwrite: Whether to replace, after the training, a language model that exists at `path`.

    Returns:
        Trained model. The field `about` holds the training record and the size of the corpus.

    Raises:
        DataError: There is no text or too little text, or a file cannot be read.
        ConfigError: An argument is invalid, or `path` holds a language model and
            `overwrite` is false.
        RunError: `path` exists, but holds no language model.

    Example:
        >>> import dataclasses
        >>> phase = dataclasses.replace(ktl.ulmfit.PRETRAINING, epochs=1, batch_size=4)
        >>> model = ktl.ulmfit.pretrain(
        ...     ["the good film .", "the bad film ."] * 8,
        ...     "models/films",
        ...     size=lm.config,
        ...     vocabulary=lm.vocabulary,
        ...     validation=0,
        ...     phase=phase,
        ...     verbose=False,
        ... )
        >>> model.about["texts"], len(model.about["history"])
        (16, 1)
    """
    check_target(local_path(path), overwrite)
    reporter = Reporter(verbose)
    train, held_out = _split(read_texts(texts), validation)
    if isinstance(vocabulary, VocabularyLimits):
        vocabulary = Vocabulary.from_counts(_count(train), **dataclasses.asdict(vocabulary))
    config = AwdLstmConfig.named(size, len(vocabulary)) if isinstance(size, str) else size
    model = LanguageModel.new(config, vocabulary, seed=seed)
    return _train_and_save(model, train, held_out, path, phase, bptt, seed, callbacks, reporter)


def fine_tune_lm(
    model: LanguageModel | str | os.PathLike[str],
    texts: Corpus,
    *,
    path: str | os.PathLike[str],
    validation: Corpus | float = 0.1,
    vocabulary: Vocabulary | VocabularyLimits = LIMITS,
    phase: Phase = FINE_TUNING,
    bptt: int = BPTT,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = True,
    overwrite: bool = False,
) -> LanguageModel:
    """Fine-tune a pretrained language model on texts of a task, without labels, and save it.

    Source: Howard and Ruder, 2018 (arXiv:1801.06146), sec. 3.2. Words in the vocabulary of `model`
    keep their embeddings, see `LanguageModel.with_vocabulary`.

    Args:
        model: Pretrained language model, or the folder of a language model. `fine_tune_lm` does not
            change the pretrained model.
        texts: List of texts or of paths, as in `pretrain`. The function shuffles the texts first.
        path: Folder to write the fine-tuned language model to. If `overwrite` is true, `path` may
            be the folder of `model`.
        validation: Validation texts, or the fraction of `texts` to hold out, chosen at random.
        vocabulary: New vocabulary, or the limits for building a vocabulary from the training texts.
            `min_frequency` applies only to words outside of the model's vocabulary.
        phase: Settings of the training. For `phase` and `bptt`, see `fit_language_model`.
        seed: Seed of the shuffle, dropout and batch lengths.
        callbacks: Your Keras callbacks, see `fit_language_model`.
        verbose: Whether to print progress messages.
        overwrite: Whether to replace, after the training, a language model that exists at `path`.

    Returns:
        Fine-tuned model, with the layer sizes of `model` and the new vocabulary. The record of the
        fine-tuning is the last entry of `about["history"]`.

    Raises:
        DataError: There is no text or too little text, or a file cannot be read.
        ConfigError: An argument is invalid, or `path` holds a language model and
            `overwrite` is false.
        RunError: `path` exists without a language model, or the folder `model` holds no intact
            language model.

    Example:
        >>> import dataclasses
        >>> phase = dataclasses.replace(ktl.ulmfit.FINE_TUNING, epochs=1, batch_size=4)
        >>> reviews = ["the plot is good .", "the plot is bad ."] * 8
        >>> tuned = ktl.ulmfit.fine_tune_lm(
        ...     lm, reviews, path="models/reviews", validation=0, phase=phase, verbose=False
        ... )
        >>> "plot" in lm.vocabulary, "plot" in tuned.vocabulary
        (False, True)
    """
    check_target(local_path(path), overwrite)
    reporter = Reporter(verbose)
    if not isinstance(model, LanguageModel):
        model = load_language_model(model)
    texts = read_texts(texts)
    order = np.random.default_rng(seed).permutation(len(texts))
    train, held_out = _split([texts[row] for row in order], validation)
    if isinstance(vocabulary, VocabularyLimits):
        known, fewest = model.vocabulary, vocabulary.min_frequency
        check_range("min_frequency", fewest, 1, whole=True)
        counts = {w: n for w, n in _count(train).items() if n >= fewest or w in known}
        vocabulary = Vocabulary.from_counts(counts, max_size=vocabulary.max_size, min_frequency=1)
    new = sum(token not in model.vocabulary for token in vocabulary.tokens)
    reporter.say(f"{new:,} of the {len(vocabulary):,} words are new to the language model")
    model = model.with_vocabulary(vocabulary, seed=seed)
    return _train_and_save(model, train, held_out, path, phase, bptt, seed, callbacks, reporter)


def _train_and_save(
    model: LanguageModel,
    train: list[str],
    held_out: list[str],
    path: str | os.PathLike[str],
    phase: Phase,
    bptt: int,
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback],
    reporter: Reporter,
) -> LanguageModel:
    tokens = model.tokenizer.stream(train)
    unknown = _unknown_fraction(tokens, model.vocabulary)
    reporter.say(
        f"{len(train):,} texts, {len(tokens):,} tokens, a vocabulary of {len(model.vocabulary):,} "
        f"tokens; {unknown:.1%} of the words are unknown"
    )
    if unknown > _MANY_UNKNOWN:
        reporter.say(
            f"Warning: {unknown:.0%} of the words are unknown. Pass more texts, or "
            "vocabulary=VocabularyLimits() with a larger max_size or a lower min_frequency. For "
            "languages without spaces, first put spaces between the words."
        )
    about = model.about | {"texts": len(train), "tokens": len(tokens)}
    # If `path` holds a model, do not replace this model before the training has ended.
    if not local_path(path).exists():
        callbacks = [_KeepBest(dataclasses.replace(model, about=about), path), *callbacks]
    validation = model.tokenizer.stream(held_out) if held_out else None
    record = fit_language_model(
        model,
        tokens,
        validation=validation,
        phase=phase,
        bptt=bptt,
        seed=seed,
        callbacks=callbacks,
        reporter=reporter,
    )
    about["history"] = [*model.about.get("history", []), record.to_json()]
    model = dataclasses.replace(model, about=about)
    # Overwriting is safe: `check_target` ran before the training, and since then only the training
    # wrote to `path`.
    model.save(path, overwrite=True)
    return model


def _unknown_fraction(tokens: np.ndarray, vocabulary: Vocabulary) -> float:
    """Return the fraction of unknown words. Special tokens and punctuation are not words."""
    counts = np.bincount(tokens, minlength=len(vocabulary))
    unknown = counts[vocabulary.number(UNKNOWN)]
    words = [
        number
        for number, token in enumerate(vocabulary.tokens)
        if token not in MARKS and any(map(str.isalnum, token))
    ]
    fraction = unknown / max(unknown + counts[words].sum(), 1)
    if fraction > _MOST_UNKNOWN:
        raise DataError(
            f"The vocabulary lacks {fraction:.0%} of the words in the texts, so a model cannot "
            "learn from these texts. Expected words that recur, with spaces between them. In "
            "Chinese, Japanese or Thai texts, put spaces between the words, here and in all later "
            "texts. Otherwise pass more texts, or vocabulary=VocabularyLimits(min_frequency=1)."
        )
    return float(fraction)


def read_texts(corpus: Corpus) -> list[str]:
    """Return the texts of a corpus. Each non-empty line of a file in the corpus is a text.

    Raises:
        DataError: A file cannot be read, or there is no text.
    """
    if isinstance(corpus, (str, os.PathLike)):
        raise DataError(
            f"Expected a list of texts or of paths (pathlib.Path). Received: {quoted(corpus)}."
        )
    corpus = list(corpus)
    refuse_paths(corpus, "To read the files, pass pathlib.Path(path).")
    texts = []
    for item in corpus:
        if isinstance(item, str):
            texts.append(item)
        else:
            texts += _lines(local_path(item))
    if not texts:
        raise DataError(
            "There are no texts: the list is empty, or all files in the list are empty. Pass at "
            "least one text."
        )
    return texts


def _lines(path: Path) -> list[str]:
    try:
        # "utf-8-sig" removes the byte order mark that some editors write at the start of a file.
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"Cannot read the texts in {quoted(str(path))} ({error}). Expected a UTF-8 text file."
        ) from error
    return [line for line in lines if line.strip()]


def _split(texts: list[str], validation: Corpus | float) -> tuple[list[str], list[str]]:
    if not isinstance(validation, (int, float)):
        return texts, read_texts(validation)
    check_range("validation", validation, 0, 0.9)
    count = round(len(texts) * validation)
    return texts[: len(texts) - count], texts[len(texts) - count :]


def _count(texts: list[str]) -> dict[str, int]:
    parts = (texts[i : i + _AT_ONCE] for i in range(0, len(texts), _AT_ONCE))
    counts = Counter(word for part in parts for word in split_words(part).values.numpy())
    return {word.decode(): n for word, n in counts.items()}
