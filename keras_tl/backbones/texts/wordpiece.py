"""WordPiece from a vocabulary, packed as BERT does."""

import hashlib
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
from keras_tl.backbones.texts.wordpiece_files import (
    END,
    PAD,
    START,
    UNKNOWN,
    VOCABULARY,
    WordPieceFiles,
    read_lines,
    read_wordpiece,
    write_lines,
)
from keras_tl.backbones.texts.wordpiece_rules import WordPieceRules
from keras_tl.files import local_path, write_json

_BYTES_A_CHARACTER = 4


class WordPiecePreprocessor(TextPreprocessor):
    """WordPiece tokens (Song et al., 2021, arXiv:2012.15524) as `[CLS] a [SEP] b [SEP]`.

    Words are split as in BERT, see `keras_tl.backbones.texts.wordpiece_rules`. Of a pair that is
    too long the longer text loses its last token until the pair fits, as in BERT
    (Devlin et al., 2019, arXiv:1810.04805; google-research/bert, run_classifier.py). Special tokens
    written in a text are text.

    Args:
        vocabulary: a `vocab.txt` (a token a line, in the order of their numbers), a
            `tokenizer.json` of Hugging Face, a folder that holds one of them, or what was read
            from them. The rules in a `tokenizer.json` or `tokenizer_config.json` of the same folder
            hold, unless arguments say otherwise.
        lower_case: whether texts are lower-cased; `None`: as the files say, else if no token but
            the special ones has a capital letter.
        sequence_length: tokens a text, special ones and padding included.
        strip_accents: whether accents are stripped; `None`: as the files say, else if texts are
            lower-cased and no token has an accent.
        split_cjk: whether each Chinese character is a word; `None`: as the files say, else it is.

    Raises:
        ConfigError: the file is no vocabulary, its rules are not BERT's, the length is wrong, or
            tensorflow_text is missing.

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
        super().__init__(sequence_length)
        is_read = isinstance(vocabulary, WordPieceFiles)
        # In an object of its own, as an attribute that is a tuple would be exported.
        self._files = vocabulary if is_read else read_wordpiece(local_path(vocabulary))
        given = {
            "lower_case": lower_case,
            "strip_accents": strip_accents,
            "split_cjk": split_cjk,
        }
        given = {name: value for name, value in given.items() if value is not None}
        tokens = self._files.tokens
        self.rules = WordPieceRules.of_vocabulary(tokens, {**self._files.rules, **given})
        self._text = import_tensorflow_text()
        self._tokenizer = self._text.FastWordpieceTokenizer(
            tokens,
            token_out_type=tf.int32,
            unknown_token=UNKNOWN,
            max_bytes_per_word=_BYTES_A_CHARACTER * self.rules.longest_word,
            no_pretokenization=True,
        )
        self._pad, self.unknown_token, self._start, self._end = map(
            tokens.index, (PAD, UNKNOWN, START, END)
        )

    def __repr__(self) -> str:
        rules = ", ".join(f"{name}={value}" for name, value in self.rules.to_json().items())
        return f"WordPiecePreprocessor({len(self._files.tokens):,} tokens, {rules})"

    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        tokens = self._tokens(texts, pairs)
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
        return count_tokens(self._tokens(texts, pairs))

    def _tokens(self, texts: Texts, pairs: Texts | None) -> list[tf.RaggedTensor]:
        return [self._word_pieces(segment) for segment in segments_of(texts, pairs)]

    def _word_pieces(self, texts: tf.Tensor) -> tf.RaggedTensor:
        words = self.rules.split(texts)
        lengths = tf.strings.length(words.values, unit="UTF8_CHAR")
        # No word of a text looks like this: brackets are words by themselves.
        known = tf.where(lengths > self.rules.longest_word, UNKNOWN, words.values)
        return words.with_values(self._tokenizer.tokenize(known)).merge_dims(1, 2)

    def with_length(self, sequence_length: int) -> Self:
        return type(self)(self._with_rules, sequence_length=sequence_length)

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
        # Earlier versions stripped accents wherever they lower-cased.
        lower_case = about.get("lower_case")
        rules = about.get("rules", {"lower_case": lower_case, "strip_accents": lower_case})
        files = WordPieceFiles(read_lines(folder / VOCABULARY), rules)
        return cls(files, sequence_length=about["sequence_length"])
