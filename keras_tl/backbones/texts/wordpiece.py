"""WordPiece tokens of a vocabulary."""

import hashlib
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.texts.bert_packing import BertPacking
from keras_tl.backbones.texts.preprocessor import ABOUT
from keras_tl.backbones.texts.wordpiece_files import (
    UNKNOWN,
    VOCABULARY,
    WordPieceFiles,
    read_lines,
    read_wordpiece,
    write_lines,
)
from keras_tl.backbones.texts.wordpiece_rules import WordPieceRules
from keras_tl.base.files import local_path, write_json

_BYTES_A_CHARACTER = 4


class WordPiecePreprocessor(BertPacking):
    """WordPiece tokens (Song et al., 2021, arXiv:2012.15524) as `[CLS] a [SEP] b [SEP]`.

    Words are split as in BERT, see `keras_tl.backbones.texts.wordpiece_rules`. Special tokens
    written in a text are text.

    Args:
        vocabulary: a `vocab.txt` (a token a line, in the order of their numbers), a
            `tokenizer.json` of Hugging Face, a folder that holds one of them, or what was read
            from them. The rules in a `tokenizer.json` or `tokenizer_config.json` of the same folder
            hold, unless arguments say otherwise. With `lower_case`, `strip_accents` and `split_cjk`
            all given, the rules in files are not read.
        lower_case: whether texts are lower-cased; `None`: as the files say, else if no token but
            the special ones has a capital letter.
        sequence_length: tokens a text, special ones and padding included.
        strip_accents: whether accents are stripped; `None`: as the files say, else if texts are
            lower-cased and no token has an accent.
        split_cjk: whether each Chinese character is a word; `None`: as the files say, else it is.

    Raises:
        ConfigError: the file is no vocabulary, the rules in files are not BERT's, the length is
            wrong, or tensorflow_text is missing.

    Attributes:
        rules: how words are split.
    """

    def __init__(
        self,
        vocabulary: str | Path | WordPieceFiles,
        lower_case: bool | None = None,
        sequence_length: int = 128,
        strip_accents: bool | None = None,
        split_cjk: bool | None = None,
    ):
        rules = {
            "lower_case": lower_case,
            "strip_accents": strip_accents,
            "split_cjk": split_cjk,
        }
        given = {name: value for name, value in rules.items() if value is not None}
        is_read = isinstance(vocabulary, WordPieceFiles)
        if is_read:
            files = vocabulary
        else:
            with_rules = len(given) < len(rules)
            files = read_wordpiece(local_path(vocabulary), with_rules)
        tokens = files.tokens
        super().__init__(tokens, sequence_length)
        # In an object of its own, as an attribute that is a tuple would be exported.
        self._files = files
        self.rules = WordPieceRules.of_vocabulary(tokens, {**self._files.rules, **given})
        self._tokenizer = self._text.FastWordpieceTokenizer(
            tokens,
            token_out_type=tf.int32,
            unknown_token=UNKNOWN,
            max_bytes_per_word=_BYTES_A_CHARACTER * self.rules.longest_word,
            no_pretokenization=True,
        )

    def __repr__(self) -> str:
        rules = ", ".join(f"{name}={value}" for name, value in self.rules.to_json().items())
        return f"WordPiecePreprocessor({len(self._files.tokens):,} tokens, {rules})"

    def _word_pieces(self, texts: tf.Tensor) -> tf.RaggedTensor:
        words = self.rules.split(texts)
        lengths = tf.strings.length(words.values, unit="UTF8_CHAR")
        # No word of a text looks like this: brackets are words by themselves.
        known = tf.where(lengths > self.rules.longest_word, UNKNOWN, words.values)
        return words.with_values(self._tokenizer.tokenize(known)).merge_dims(1, 2)

    def with_length(self, sequence_length: int) -> Self:
        made = type(self)(self._with_rules, sequence_length=sequence_length)
        made.not_compared = self.not_compared
        return made

    @property
    def _with_rules(self) -> WordPieceFiles:
        return WordPieceFiles(self._files.tokens, self.rules.to_json())

    @property
    def identity(self) -> str:
        tokens = hashlib.sha256("\n".join(self._files.tokens).encode()).hexdigest()
        return (
            f"wordpiece {tokens} {self.rules} length={self.sequence_length} "
            f"tensorflow_text {self._text.__version__}"
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / VOCABULARY, self._files.tokens)
        about = {"rules": self.rules.to_json(), "sequence_length": self.sequence_length}
        write_json(folder / ABOUT, {"kind": "wordpiece"} | about)

    @classmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        files = WordPieceFiles(read_lines(folder / VOCABULARY), about["rules"])
        return cls(files, sequence_length=about["sequence_length"])
