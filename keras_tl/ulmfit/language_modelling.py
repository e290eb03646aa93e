"""From a corpus to a language model in a folder: pretraining, and fine-tuning without labels."""

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path

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
from keras_tl.backbones.texts.words.vocabulary import Vocabulary, count_words
from keras_tl.base.config import Phase, check_range
from keras_tl.base.files import local_path
from keras_tl.base.reporting import Reporter
from keras_tl.data.texts.text_values import refuse_paths
from keras_tl.errors import DataError, quoted
from keras_tl.ulmfit.fitting import FINE_TUNING, PRETRAINING, fit_language_model

_AT_ONCE = 512
# Shares of the words. Above them a model learns little else than that the next word is unknown.
_MANY_UNKNOWN, _MOST_UNKNOWN = 0.2, 0.9

Corpus = Sequence[str | os.PathLike]


@dataclasses.dataclass(frozen=True)
class VocabularyLimits:
    """Which words of the training texts make the vocabulary.

    Attributes:
        max_size: the most tokens, marks included.
        min_frequency: words that occur less often are left out.
    """

    max_size: int = 60_000
    min_frequency: int = 3


LIMITS = VocabularyLimits()


class _KeepBest(keras.callbacks.Callback):
    """Writes the folder after every epoch that is the best so far: hours of training may be killed.

    Args:
        kept: what is written, with the weights of the model that is trained.
        path: the folder.
    """

    def __init__(self, kept: LanguageModel, path: str | os.PathLike):
        super().__init__()
        self._kept, self._path = kept, path
        self._best = math.inf

    def on_epoch_end(self, epoch, logs=None):
        reached = logs.get("val_perplexity", self._best)
        if reached <= self._best:
            self._best = reached
            self._kept.network.set_weights(self.model.get_weights())
            self._kept.save(self._path, overwrite=True)


def pretrain(
    texts: Corpus,
    path: str | os.PathLike,
    size: str | AwdLstmConfig = "small",
    validation: Corpus | float = 0.1,
    vocabulary: Vocabulary | VocabularyLimits = LIMITS,
    phase: Phase = PRETRAINING,
    bptt: int = BPTT,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = True,
    overwrite: bool = False,
) -> LanguageModel:
    """Trains a language model from random weights and saves it.

    All texts and all tokens are kept in memory. A new folder is written after every epoch that is
    the best so far, so that what is interrupted leaves a model, without the record of its training.

    Args:
        texts: texts (str), paths (`pathlib.Path`) of text files, or both. Each line of a file that
            is not empty is a text. They are read in their order, one after the other. Those of
            TensorFlow Datasets: `tfds_texts("wiki40b/en", limit=10_000)`.
        path: the folder to write, see `LanguageModel.save`.
        size: a name (`AwdLstmConfig.named`), or a configuration.
        validation: the same of texts to measure the perplexity on, or the share of `texts`, the
            last ones, to keep for that; 0: none.
        vocabulary: the vocabulary, or which words of the training texts make it.
        phase: see `fit_language_model`, as for `bptt`, `callbacks`.
        seed: of the initial weights, the dropouts and the batches' lengths.
        verbose: report progress.
        overwrite: replace a language model that is at `path` when the training has ended.

    Returns:
        The model; `about` holds the record of the training and the corpus's size.

    Raises:
        DataError: there is no text, or too little, or a file cannot be read.
        ConfigError: an argument is not as described; or there is a language model at the path, and
            `overwrite` is false.
        RunError: the path holds something else.
    """
    check_target(local_path(path), overwrite)
    reporter = Reporter(verbose)
    train, held_out = _split(read_texts(texts), validation)
    if isinstance(vocabulary, VocabularyLimits):
        vocabulary = Vocabulary.from_counts(_count(train), **dataclasses.asdict(vocabulary))
    config = size
    if isinstance(size, str):
        config = AwdLstmConfig.named(size, len(vocabulary))
    model = LanguageModel.new(config, vocabulary, seed)
    return _train_and_save(model, train, held_out, path, phase, bptt, seed, callbacks, reporter)


def fine_tune_lm(
    model: LanguageModel | str | os.PathLike,
    texts: Corpus,
    path: str | os.PathLike,
    validation: Corpus | float = 0.1,
    vocabulary: Vocabulary | VocabularyLimits = LIMITS,
    phase: Phase = FINE_TUNING,
    bptt: int = BPTT,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = True,
    overwrite: bool = False,
) -> LanguageModel:
    """Trains a pretrained language model on the texts of a task, and saves it; no labels are used.

    Source: Howard and Ruder, 2018 (arXiv:1801.06146), sec. 3.2. Words that the model knows keep
    their vectors, see `LanguageModel.with_vocabulary`.

    Args:
        model: what to begin with, or its folder; it is not changed.
        texts: as in `pretrain`, but in no order: they are shuffled first.
        path: the folder to write; with `overwrite` it may be the one that `model` was
            read from.
        validation: as in `pretrain`, the share drawn at random.
        vocabulary: the vocabulary, or which words of the training texts make it; the words that
            the model knows may be less frequent.
        phase: see `fit_language_model`, as for `bptt`, `callbacks`.
        seed: of the shuffle, the dropouts and the batches' lengths.
        callbacks: Keras callbacks.
        verbose: report progress.
        overwrite: replace a language model that is at `path` when the training has ended.

    Returns:
        The model, of the same size with another vocabulary; the record of this training is the
        last one in `about["history"]`.

    Raises:
        DataError: there is no text, or too little, or a file cannot be read.
        ConfigError: an argument is not as described; or there is a language model at the path, and
            `overwrite` is false.
        RunError: `path` holds something else, or there is no language model to begin with.
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
        vocabulary = Vocabulary.from_counts(counts, vocabulary.max_size, min_frequency=1)
    new = sum(token not in model.vocabulary for token in vocabulary.tokens)
    reporter.say(f"{new:,} of the {len(vocabulary):,} words are new to the language model")
    model = model.with_vocabulary(vocabulary, seed)
    return _train_and_save(model, train, held_out, path, phase, bptt, seed, callbacks, reporter)


def _train_and_save(
    model: LanguageModel,
    train: list[str],
    held_out: list[str],
    path: str | os.PathLike,
    phase: Phase,
    bptt: int,
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback],
    reporter: Reporter,
) -> LanguageModel:
    tokens = model.tokenizer.stream(train)
    unknown = _share_unknown(tokens, model.vocabulary)
    reporter.say(
        f"{len(train):,} texts, {len(tokens):,} tokens, a vocabulary of {len(model.vocabulary):,}; "
        f"{unknown:.1%} of the words are unknown"
    )
    if unknown > _MANY_UNKNOWN:
        reporter.say(
            f"Warning: {unknown:.0%} of the words are unknown. Give more texts, or "
            "vocabulary=VocabularyLimits() with a larger max_size or a lower min_frequency. For "
            "languages without spaces, put spaces between the words first."
        )
    about = model.about | {"texts": len(train), "tokens": len(tokens)}
    # A model that is there already stays until the training has ended.
    if not local_path(path).exists():
        callbacks = [_KeepBest(dataclasses.replace(model, about=about), path), *callbacks]
    record = fit_language_model(
        model,
        tokens,
        model.tokenizer.stream(held_out) if held_out else None,
        phase,
        bptt,
        seed,
        callbacks,
        reporter,
    )
    before = model.about.get("history", [])
    about["history"] = [*before, record.to_json()]
    model = dataclasses.replace(model, about=about)
    # `check_target` was called before the training, which may have written here since.
    model.save(path, overwrite=True)
    return model


def _share_unknown(tokens: np.ndarray, vocabulary: Vocabulary) -> float:
    """The share of the words, which are neither marks nor punctuation, that have no number.

    Raises:
        DataError: it is nearly all of them.
    """
    counts = np.bincount(tokens, minlength=len(vocabulary))
    unknown = counts[vocabulary.number(UNKNOWN)]
    words = [
        number
        for number, token in enumerate(vocabulary.tokens)
        if token not in MARKS and any(map(str.isalnum, token))
    ]
    share = unknown / max(unknown + counts[words].sum(), 1)
    if share > _MOST_UNKNOWN:
        raise DataError(
            f"{share:.0%} of the words of the texts are not in the vocabulary: nothing can be "
            "learnt from them. Expected words that recur, with spaces between them. Put spaces "
            "between the words of Chinese, Japanese or Thai, here and in all texts that the model "
            "reads later. Otherwise give more texts, or "
            "vocabulary=VocabularyLimits(min_frequency=1)."
        )
    return float(share)


def read_texts(corpus: Corpus) -> list[str]:
    """Texts as they are, and the lines that are not empty of the files given by their paths.

    Raises:
        DataError: a file cannot be read, or there is no text.
    """
    if isinstance(corpus, (str, os.PathLike)):
        raise DataError(
            f"Expected a list of texts or of paths (pathlib.Path). Received: {quoted(corpus)}."
        )
    corpus = list(corpus)
    refuse_paths(corpus, "For the contents pass pathlib.Path(path).")
    texts = []
    for item in corpus:
        if isinstance(item, str):
            texts.append(item)
        else:
            texts += _lines(local_path(item))
    if not texts:
        raise DataError("There is no text: the list, or each file in it, is empty.")
    return texts


def _lines(path: Path) -> list[str]:
    try:
        # Some editors begin a file with a mark of the encoding.
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
    words = (split_words(part).values.numpy() for part in parts)
    return {word.decode(): n for word, n in count_words(words).items()}
