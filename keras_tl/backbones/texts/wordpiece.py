"""Text preprocessor that makes the WordPiece tokens of a vocabulary, with BERT's rules."""

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
    """Preprocessor that packs WordPiece tokens (Song et al., 2021, arXiv:2012.15524) as BERT does.

    Words are split as in BERT, see `keras_tl.backbones.texts.wordpiece_rules`. If a text contains
    the name of a special token, such as `[SEP]`, the name counts as ordinary text.

    Args:
        vocabulary: `WordPieceFiles`, or a path: a `vocab.txt` (one token per line, in the order of
            the numbers), a `tokenizer.json` of Hugging Face, or a folder with one of these files. A
            `tokenizer.json` or `tokenizer_config.json` in the same folder sets the rules for words,
            unless arguments override these rules. If `lower_case`, `strip_accents` and `split_cjk`
            are all given, the rules in files are ignored.
        lower_case: Whether texts are lower-cased. `None`: the rule in the files applies. Without a
            rule for case in the files, texts are lower-cased, unless a token that is not a special
            token has capital letters.
        sequence_length: Length of a text in tokens, including special tokens and padding.
        strip_accents: Whether accents are removed. `None`: the rule in the files applies. If the
            files state only a rule for case, accents are removed if the files lower-case texts.
            Without either rule in the files, accents are removed from lower-cased texts, unless a
            token has an accent.
        split_cjk: Whether each Chinese character is a word. `None`: the rule in the files applies.
            Without a rule for Chinese characters in the files, each Chinese character is a word.

    Raises:
        ConfigError: The file is not a vocabulary, the rules in the files are not BERT's,
            `sequence_length` is less than 5, or tensorflow_text is not installed.

    Attributes:
        rules: Rules that split texts into words.

    Example:
        >>> tokens = ktl.WordPiecePreprocessor("vocab.txt", lower_case=True, sequence_length=8)
        >>> tokens(["A good film"])["input_word_ids"].numpy().tolist()
        [[2, 4, 5, 7, 3, 0, 0, 0]]
    """

    def __init__(
        self,
        vocabulary: str | Path | WordPieceFiles,
        *,
        lower_case: bool | None = None,
        sequence_length: int = 128,
        strip_accents: bool | None = None,
        split_cjk: bool | None = None,
    ):
        rules = {"lower_case": lower_case, "strip_accents": strip_accents, "split_cjk": split_cjk}
        given = {name: value for name, value in rules.items() if value is not None}
        files = vocabulary
        if not isinstance(files, WordPieceFiles):
            files = read_wordpiece(local_path(files), with_rules=len(given) < len(rules))
        super().__init__(files.tokens, sequence_length)
        # Store the `WordPieceFiles`, not the tuple `files.tokens`: TensorFlow would track the
        # tuple, and add the tuple to every export.
        self._files = files
        self.rules = WordPieceRules.of_vocabulary(files.tokens, {**files.rules, **given})
        self._tokenizer = self._text.FastWordpieceTokenizer(
            files.tokens,
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
        # No word of a text can equal UNKNOWN, because brackets are separate words.
        known = tf.where(lengths > self.rules.longest_word, UNKNOWN, words.values)
        return words.with_values(self._tokenizer.tokenize(known)).merge_dims(1, 2)

    def with_length(self, sequence_length: int) -> Self:
        files = WordPieceFiles(self._files.tokens, self.rules.to_json())
        made = type(self)(files, sequence_length=sequence_length)
        made.not_compared = self.not_compared
        return made

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
