"""Truncate token sequences, add special tokens and padding, as BERT does."""

import abc
from collections.abc import Sequence

import tensorflow as tf

from keras_tl.backbones.extras import import_tensorflow_text
from keras_tl.backbones.texts.preprocessor import TextPreprocessor, Texts, count_tokens, segments_of
from keras_tl.backbones.texts.wordpiece_files import END, PAD, START, UNKNOWN


class BertPacking(TextPreprocessor):
    """Base class of WordPiece preprocessors, which packs tokens as `[CLS] a [SEP] b [SEP]`.

    If a pair is too long, tokens are removed one by one from the end of the longer text, until the
    pair fits, as in BERT (Devlin et al., 2019, arXiv:1810.04805; google-research/bert,
    run_classifier.py). `tokens` is the vocabulary, in the order of the tokens' numbers.
    """

    def __init__(self, tokens: Sequence[str], sequence_length: int):
        super().__init__(sequence_length)
        self._text = import_tensorflow_text()
        self._pad, self.unknown_token, self._start, self._end = map(
            tokens.index, (PAD, UNKNOWN, START, END)
        )

    @abc.abstractmethod
    def _word_pieces(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the tokens of texts (batch,), int32 (batch, None), without special tokens."""

    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        tokens = self._tokens(texts, pairs)
        # `RoundRobinTrimmer` gives the same result as repeated removal of a token from the longer
        # text.
        budget = self.sequence_length - 1 - len(tokens)
        trimmed = self._text.RoundRobinTrimmer(budget).trim(tokens)
        words, kinds = self._text.combine_segments(trimmed, self._start, self._end)
        length = self.sequence_length
        words, mask = self._text.pad_model_inputs(words, length, self._pad)
        kinds, _ = self._text.pad_model_inputs(kinds, length, 0)
        packed = {"input_word_ids": words, "input_mask": mask, "input_type_ids": kinds}
        return {name: tf.cast(value, tf.int32) for name, value in packed.items()}

    def token_counts(self, texts: Texts, pairs: Texts | None = None) -> tf.Tensor:
        return count_tokens(self._tokens(texts, pairs))

    def _tokens(self, texts: Texts, pairs: Texts | None) -> list[tf.RaggedTensor]:
        return [self._word_pieces(segment) for segment in segments_of(texts, pairs)]
