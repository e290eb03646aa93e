"""Checks of texts: unknown tokens, tokens of another tokenizer, and tokens that are cut off."""

import importlib.util
from collections import Counter
from itertools import chain

import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts.unknown_token import STRANGE, common_of
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Finding, NotChecked

# Largest usual fraction of unknown tokens. A vocabulary of words lacks a few per cent of the tokens
# if it comes from another kind of text. A word-piece vocabulary lacks almost no token.
MOST_UNKNOWN = 0.05
# Largest usual fraction of truncated texts. The default sequence length truncates 1% of the texts
# (`models.text_preprocessing`).
MOST_TRUNCATED = 0.05
# Largest accepted fraction of texts whose tokens differ from those of the publisher's tokenizer.
MOST_OTHER = 0.01
_COUNTED = 2048


def unknown_tokens(context: CheckContext) -> Finding | None:
    """Find out whether the encoder's vocabulary lacks many tokens (or words) of the texts."""
    sample = context.train.sample(_COUNTED, seed=0)
    preprocessor = context.model.modality.preprocessor
    if preprocessor is None:
        share, worst = _unknown_words(context, sample)
        return _unknown("words", share, worst)
    if preprocessor.unknown_token is None:
        return Finding(
            "unknown-tokens",
            "warning",
            "The unknown token of this preprocessor could not be found, so unknown words were not "
            "counted.",
            "Look at the tokens of a few texts: "
            'learner.serving_model.preprocessor(["a text"])["input_word_ids"].',
        )
    made = preprocessor(*_strings(sample))
    real = made[preprocessor.mask_name].numpy() != 0
    unknown = real & (made["input_word_ids"].numpy() == preprocessor.unknown_token)
    worst = sample.texts[int(np.argmax(unknown.sum(axis=1) / np.maximum(real.sum(axis=1), 1)))]
    return _unknown("tokens", unknown.sum() / real.sum(), worst)


def _unknown(parts: str, share: float, worst: str) -> Finding | None:
    if share <= MOST_UNKNOWN:
        return None
    action = "Use an encoder for this language."
    # An encoder that takes strings (`parts` is "words") accepts no preprocess=.
    if parts == "tokens":
        action += (
            " If the vocabulary keeps accents or capitals, pass "
            "preprocess=ktl.WordPiecePreprocessor('vocab.txt', lower_case=False). On the command "
            'line, write {"do_lower_case": false} to the file tokenizer_config.json beside '
            "vocab.txt, and pass --preprocess vocab.txt."
        )
    return Finding(
        "unknown-tokens",
        "warning",
        f"{share:.0%} of the {parts} of the training texts are not in the encoder's vocabulary, "
        f"with the largest share in {worst[:80]!r}.",
        action,
    )


def _unknown_words(context: CheckContext, sample: TextSplit) -> tuple[float, str]:
    """Return the fraction of unknown words, and the text with the largest fraction.

    The function tests encoders that take strings. A word is unknown if its features equal the most
    frequent features of letters from ancient scripts (`STRANGE`). If all letters of `STRANGE` have
    different features, no word counts as unknown. Only the most frequent words are tested.
    """
    texts = [text.split() for text in sample.texts]
    counts = dict(Counter(chain(*texts)).most_common(_COUNTED))
    words = [*counts]
    asked = (*STRANGE, *words)
    split = TextSplit(asked, None, np.zeros(len(asked), np.int64))
    rows = np.concatenate([*context.model.trainer.features.batches(split)])
    rows = [row.tobytes() for row in np.round(rows.reshape(len(rows), -1), 4) + 0.0]
    strange = common_of(rows[: len(STRANGE)])
    of_words = zip(words, rows[len(STRANGE) :], strict=True)
    unknown = {word for word, row in of_words if row == strange}
    asked_of = [[word in unknown for word in text if word in counts] for text in texts]
    shares = [np.mean(found or [0]) for found in asked_of]
    total = np.mean([*chain(*asked_of)] or [0])
    return float(total), sample.texts[int(np.argmax(shares))]


def other_tokens(context: CheckContext) -> Finding | None:
    """Find texts whose tokens differ from the tokens of the publisher's tokenizer."""
    preprocessor = context.model.modality.preprocessor
    if preprocessor is None:
        return None
    if preprocessor.not_compared is not None:
        raise NotChecked(preprocessor.not_compared)
    if preprocessor.reference is None:
        return None
    if importlib.util.find_spec("tokenizers") is None:
        raise NotChecked("the package tokenizers, which reads tokenizer.json, is not installed")
    from tokenizers import Tokenizer

    reference = Tokenizer.from_file(str(preprocessor.reference))
    reference.no_padding()
    reference.no_truncation()
    texts = context.train.sample(_COUNTED, seed=0).texts
    rows = preprocessor.token_lists(list(texts))
    # Do not compare the last token of a truncated text, which differs between tokenizers.
    seen = preprocessor.sequence_length - 1
    others = [
        text
        for text, row, found in zip(texts, rows, reference.encode_batch(list(texts)), strict=True)
        if row[:seen] != found.ids[:seen]
    ]
    share = len(others) / len(texts)
    if share <= MOST_OTHER:
        return None
    return Finding(
        "other-tokens",
        "warning",
        f"{share:.0%} of the training texts get other tokens from KerasHub's tokenizer than from "
        f"the encoder's own tokenizer.json, such as {others[0][:80]!r}.",
        "Pass preprocess= with a keras_tl.TextPreprocessor that makes the "
        "encoder's tokens, or use another encoder.",
    )


def truncated_texts(context: CheckContext) -> Finding | None:
    """Find texts with more tokens than the encoder's input has."""
    preprocessor = context.model.modality.preprocessor
    if preprocessor is None:
        raise NotChecked("the encoder makes its tokens itself")
    sample = context.train.sample(_COUNTED, seed=0)
    counts = np.asarray(preprocessor.token_counts(*_strings(sample)))
    length = preprocessor.sequence_length
    if preprocessor.counts_are_capped:
        share = float((counts >= length).mean())
        what = (
            f"{share:.0%} of the training texts fill all {length} tokens of the preprocessing "
            "module's output. The module does not say how much of each text it cuts off."
        )
    else:
        share = float((counts > length).mean())
        lost = 1 - np.minimum(counts, length).sum() / counts.sum()
        what = (
            f"{share:.0%} of the training texts have more than {length} tokens (median "
            f"{np.median(counts):.0f}, longest {counts.max():,}): {lost:.0%} of all tokens are "
            "cut off."
        )
    if share <= MOST_TRUNCATED:
        return None
    return Finding(
        "truncated-texts",
        "warning",
        what,
        "Raise sequence_length= of the data if the encoder takes more tokens. Otherwise shorten "
        "the texts yourself, and keep the parts that decide the label.",
    )


def _strings(split: TextSplit) -> list[tf.Tensor]:
    return [tf.constant(x) for x in (split.texts, split.pairs) if x is not None]
