"""WordPiece from a vocabulary file, packed as BERT does."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.extras import import_tensorflow_text
from keras_tl.backbones.texts.preprocessor import (
    ABOUT,
    TextPreprocessor,
    Texts,
    count_tokens,
    segments_of,
)
from keras_tl.errors import ConfigError
from keras_tl.files import local_path, sha256, write_json

_VOCABULARY = "vocab.txt"
_PAD, _UNKNOWN, _START, _END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"


class WordPiecePreprocessor(TextPreprocessor):
    """WordPiece tokens (Song et al., 2021, arXiv:2012.15524) as `[CLS] a [SEP] b [SEP]`.

    Of a pair that is too long the longer text loses its last token until the pair fits, as in BERT
    (Devlin et al., 2019, arXiv:1810.04805; google-research/bert, run_classifier.py). Special tokens
    written in a text are text.

    Args:
        vocabulary: a text file, a token a line, in the order of their numbers.
        lower_case: whether the vocabulary was made of lower-cased text without accents; `None`:
            if no token but the special ones has a capital letter.
        sequence_length: tokens a text, special ones and padding included.

    Raises:
        ConfigError: the file is no vocabulary, the length is wrong, or tensorflow_text is missing.
    """

    def __init__(
        self, vocabulary: Path, lower_case: bool | None = None, sequence_length: int = 128
    ):
        super().__init__(sequence_length)
        self._path = local_path(vocabulary)
        tokens = _read_vocabulary(self._path)
        if lower_case is None:
            plain = (token for token in tokens if not token.startswith("["))
            lower_case = not any(token != token.lower() for token in plain)
        self._lower_case = bool(lower_case)
        self._text = import_tensorflow_text()
        self._tokenizer = self._text.FastBertTokenizer(
            tokens,
            token_out_type=tf.int32,
            unknown_token=_UNKNOWN,
            lower_case_nfd_strip_accents=self._lower_case,
        )
        self._pad, self.unknown_token, self._start, self._end = map(
            tokens.index, (_PAD, _UNKNOWN, _START, _END)
        )

    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        tokens = [self._tokenizer.tokenize(part) for part in segments_of(texts, pairs)]
        # What it allots in turns is what is left when the longer text loses its last token.
        budget = self.sequence_length - 1 - len(tokens)
        trimmed = self._text.RoundRobinTrimmer(budget).trim(tokens)
        words, kinds = self._text.combine_segments(trimmed, self._start, self._end)
        length = self.sequence_length
        words, mask = self._text.pad_model_inputs(words, length, self._pad)
        kinds, _ = self._text.pad_model_inputs(kinds, length, 0)
        packed = {"input_word_ids": words, "input_mask": mask, "input_type_ids": kinds}
        return {name: tf.cast(value, tf.int32) for name, value in packed.items()}

    def token_counts(self, texts: Texts, pairs: Texts | None = None) -> tf.Tensor:
        return count_tokens([self._tokenizer.tokenize(part) for part in segments_of(texts, pairs)])

    def with_length(self, sequence_length: int) -> Self:
        return type(self)(self._path, self._lower_case, sequence_length)

    @property
    def identity(self) -> str:
        return (
            f"wordpiece {sha256(self._path)} lower_case={self._lower_case} "
            f"length={self.sequence_length} tensorflow_text {self._text.__version__}"
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._path, folder / _VOCABULARY)
        about = {"lower_case": self._lower_case, "sequence_length": self.sequence_length}
        write_json(folder / ABOUT, {"kind": "wordpiece"} | about)

    @classmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        return cls(folder / _VOCABULARY, about["lower_case"], about["sequence_length"])


def _read_vocabulary(path: Path) -> list[str]:
    if path.is_dir():
        raise ConfigError(
            f"Expected the vocab.txt of a WordPiece tokenizer. {str(path)!r} is a folder: for the "
            f"preprocessing module in it pass 'tfhub:{path}'."
        )
    try:
        # Not splitlines(): a token may be a separator of lines of its own.
        lines = path.read_bytes().decode("utf-8").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"Cannot read the vocabulary {str(path)!r} ({error}). Expected a UTF-8 text file with "
            "a token a line."
        ) from error
    tokens = lines[:-1] if lines[-1] == "" else lines
    missing = [token for token in (_PAD, _UNKNOWN, _START, _END) if token not in tokens]
    if missing:
        raise ConfigError(
            f"The vocabulary {str(path)!r} lacks {', '.join(missing)}. Expected BERT's vocab.txt, "
            "a token a line."
        )
    token, count = Counter(tokens).most_common(1)[0]
    if count > 1:
        raise ConfigError(
            f"The vocabulary {str(path)!r} holds {token!r} {count} times. Expected each token once."
        )
    return tokens
