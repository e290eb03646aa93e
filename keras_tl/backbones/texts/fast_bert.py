"""WordPiece preprocessor of runs that earlier versions of keras_tl saved."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.texts.bert_packing import BertPacking
from keras_tl.backbones.texts.preprocessor import ABOUT
from keras_tl.backbones.texts.wordpiece_files import UNKNOWN, VOCABULARY, read_lines, write_lines
from keras_tl.base.files import write_json


class FastBertPreprocessor(BertPacking):
    """WordPiece preprocessor with `tensorflow_text.FastBertTokenizer`, as in earlier versions.

    `FastBertTokenizer` differs from BERT's tokenizer in case folding (`straße` becomes `strasse`),
    NUL and control characters. Older saved runs keep `FastBertTokenizer`, because their encoders
    were trained with its tokens. New learners use `WordPiecePreprocessor`. If `lower_case` is true,
    the tokenizer lower-cases texts and removes accents.
    """

    def __init__(self, tokens: Sequence[str], lower_case: bool, sequence_length: int):
        super().__init__(tokens, sequence_length)
        # Store the tokens as one string: TensorFlow would track a list or tuple of tokens, and add
        # the list or tuple to every export.
        self._vocabulary = "\n".join(tokens)
        self._lower_case = lower_case
        self._tokenizer = self._text.FastBertTokenizer(
            list(tokens),
            token_out_type=tf.int32,
            unknown_token=UNKNOWN,
            lower_case_nfd_strip_accents=lower_case,
        )

    def _word_pieces(self, texts: tf.Tensor) -> tf.RaggedTensor:
        return self._tokenizer.tokenize(texts)

    def with_length(self, sequence_length: int) -> Self:
        return type(self)(self._vocabulary.split("\n"), self._lower_case, sequence_length)

    @property
    def identity(self) -> str:
        tokens = hashlib.sha256(self._vocabulary.encode()).hexdigest()
        return (
            f"fast-bert {tokens} lower_case={self._lower_case} length={self.sequence_length} "
            f"tensorflow_text {self._text.__version__}"
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / VOCABULARY, self._vocabulary.split("\n"))
        about = {"lower_case": self._lower_case, "sequence_length": self.sequence_length}
        write_json(folder / ABOUT, {"kind": "wordpiece"} | about)

    @classmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        tokens = read_lines(folder / VOCABULARY)
        return cls(tokens, about["lower_case"], about["sequence_length"])
