"""Checks of texts: what an encoder does not know, and what it does not see."""

import numpy as np
import tensorflow as tf

from keras_tl.data.text_split import TextSplit
from keras_tl.preflight.findings import Finding, NotChecked
from keras_tl.preflight.subject import Subject

# Share of the tokens. A vocabulary of words that was made for another kind of text leaves a few
# per cent unknown, one of word pieces next to none.
MOST_UNKNOWN = 0.05
# Share of the texts. The length is chosen so that 1% lose something (`training.tokens`).
MOST_TRUNCATED = 0.05
_COUNTED = 2048


def unknown_tokens(subject: Subject) -> Finding | None:
    """Tokens that stand for words which the vocabulary has not."""
    if not isinstance(subject.train, TextSplit):
        return None
    preprocessor = subject.model.preprocessor
    if preprocessor.unknown_token is None:
        raise NotChecked("the preprocessor does not say which token is the unknown one")
    sample = subject.train.sample(_COUNTED, seed=0)
    made = preprocessor(*_strings(sample))
    real = made[preprocessor.mask_name].numpy() != 0
    unknown = real & (made["input_word_ids"].numpy() == preprocessor.unknown_token)
    share = unknown.sum() / real.sum()
    if share <= MOST_UNKNOWN:
        return None
    worst = sample.texts[int(np.argmax(unknown.sum(axis=1) / np.maximum(real.sum(axis=1), 1)))]
    return Finding(
        "unknown-tokens",
        "warning",
        f"{share:.0%} of the tokens of the training texts are not in the encoder's vocabulary, "
        f"most of them in {worst[:80]!r}.",
        "Use an encoder for this language and kind of text, or pass its own vocab.txt as "
        "preprocessor=.",
    )


def truncated_texts(subject: Subject) -> Finding | None:
    """Texts that are longer than what the encoder reads of them."""
    if not isinstance(subject.train, TextSplit):
        return None
    preprocessor = subject.model.preprocessor
    sample = subject.train.sample(_COUNTED, seed=0)
    counts = np.asarray(preprocessor.token_counts(*_strings(sample)))
    length = preprocessor.sequence_length
    share = float((counts > length).mean())
    if share <= MOST_TRUNCATED:
        return None
    lost = 1 - np.minimum(counts, length).sum() / counts.sum()
    return Finding(
        "truncated-texts",
        "warning",
        f"{share:.0%} of the training texts have more than {length} tokens (median "
        f"{np.median(counts):.0f}, longest {counts.max():,}): {lost:.0%} of all tokens are never "
        "seen.",
        "Raise sequence_length= of the data if the encoder takes more, or cut texts into parts "
        "yourself so that what decides comes first.",
    )


def _strings(split: TextSplit) -> list[tf.Tensor]:
    return [tf.constant(x) for x in (split.texts, split.pairs) if x is not None]
