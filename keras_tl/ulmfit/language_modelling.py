"""Pretraining: from a general corpus to a language model in a folder."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_tl.config import Phase, check_range
from keras_tl.errors import DataError
from keras_tl.reporting import Reporter
from keras_tl.ulmfit.fitting import BPTT, PRETRAINING, fit_language_model
from keras_tl.ulmfit.language_model import LanguageModel, check_target
from keras_tl.ulmfit.marks import UNKNOWN
from keras_tl.ulmfit.model import AwdLstmConfig
from keras_tl.ulmfit.tokenizer import split_words
from keras_tl.ulmfit.vocabulary import Vocabulary, count_words

_AT_ONCE = 512

Corpus = Sequence[str | os.PathLike]


def pretrain(
    texts: Corpus,
    path: str | os.PathLike,
    size: str | AwdLstmConfig = "small",
    validation: Corpus | float = 0.1,
    vocabulary: Vocabulary | None = None,
    max_size: int = 60_000,
    min_frequency: int = 3,
    phase: Phase = PRETRAINING,
    bptt: int = BPTT,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: bool = True,
) -> LanguageModel:
    """Trains a language model from random weights and saves it.

    All texts and all tokens are kept in memory.

    Args:
        texts: texts (str), paths (`pathlib.Path`) of text files, or both. Each line of a file that
            is not empty is a text. They are read in their order, one after the other.
        path: the folder to write, see `LanguageModel.save`.
        size: a name (`AwdLstmConfig.named`), or a configuration.
        validation: the same of texts to measure the perplexity on, or the share of `texts`, the
            last ones, to keep for that; 0: none.
        vocabulary: `None`: the words of the training texts.
        max_size: see `Vocabulary.from_counts`, as for `min_frequency`.
        phase: see `fit_language_model`, as for `bptt`, `callbacks`.
        seed: of the initial weights, the dropouts and the batches' lengths.
        verbose: report progress.

    Returns:
        The model; `about` holds the record of the training and the corpus's size.

    Raises:
        DataError: there is no text, or too little, or a file cannot be read.
        ConfigError: an argument is not as described.
        RunError: the path holds something else.
    """
    check_target(Path(path))
    reporter = Reporter(verbose)
    train, held_out = _split(read_texts(texts), validation)
    if vocabulary is None:
        vocabulary = Vocabulary.from_counts(_count(train), max_size, min_frequency)
    config = size
    if isinstance(size, str):
        config = AwdLstmConfig.named(size, len(vocabulary))
    model = LanguageModel.new(config, vocabulary, seed)
    tokens = model.tokenizer.stream(train)
    unknown = float((tokens == vocabulary.number(UNKNOWN)).mean())
    reporter.say(
        f"{len(train):,} texts, {len(tokens):,} tokens, a vocabulary of {len(vocabulary):,}; "
        f"{unknown:.1%} of the tokens are unknown"
    )
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
    about = {"texts": len(train), "tokens": len(tokens), "history": [record.to_json()]}
    model = dataclasses.replace(model, about=about)
    model.save(path)
    return model


def read_texts(corpus: Corpus) -> list[str]:
    """Texts as they are, and the lines that are not empty of the files given by their paths.

    Raises:
        DataError: a file cannot be read, or there is no text.
    """
    if isinstance(corpus, (str, os.PathLike)):
        raise DataError(
            f"Expected a list of texts or of paths (pathlib.Path). Received: {corpus!r}."
        )
    texts = []
    for item in corpus:
        if isinstance(item, str):
            texts.append(item)
        else:
            texts += _lines(Path(item))
    if not texts:
        raise DataError("There is no text: the list, or each file in it, is empty.")
    return texts


def _lines(path: Path) -> list[str]:
    try:
        # Some editors begin a file with a mark of the encoding.
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"Cannot read the texts in {str(path)!r} ({error}). Expected a UTF-8 text file."
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
