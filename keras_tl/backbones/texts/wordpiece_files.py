"""Read and write WordPiece vocabularies, and read tokenizer rules from Hugging Face's files."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from keras_tl.errors import ConfigError, quoted

VOCABULARY = "vocab.txt"
TOKENIZER = "tokenizer.json"
_CONFIG = "tokenizer_config.json"
PAD, UNKNOWN, START, END = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclasses.dataclass(frozen=True)
class WordPieceFiles:
    """WordPiece vocabulary and the rules that its files state.

    Attributes:
        tokens: Tokens in the order of their numbers.
        rules: Values of those attributes of `WordPieceRules` that the files state, by name.
    """

    tokens: tuple[str, ...]
    rules: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def checked(self, name: str) -> Self:
        """Check the vocabulary, and return this object. `name`: the vocabulary's name in errors.

        Raises:
            ConfigError: A token occurs twice, or a special token of BERT is missing.
        """
        missing = [token for token in SPECIAL if token not in self.tokens]
        if missing:
            raise ConfigError(
                f"The vocabulary {quoted(name)} lacks {', '.join(missing)}. Expected BERT's "
                "vocab.txt, with one token per line."
            )
        token, count = Counter(self.tokens).most_common(1)[0]
        if count > 1:
            raise ConfigError(
                f"The vocabulary {quoted(name)} holds {quoted(token)} {count} times. "
                "Expected each token once."
            )
        return self


def read_wordpiece(path: Path, with_rules: bool = True) -> WordPieceFiles:
    """Read a vocabulary, and tokenizer rules from files that Hugging Face's packages write.

    Args:
        path: `vocab.txt` (one token per line), `tokenizer.json`, or a folder with one of them. The
            rules come from `tokenizer.json` in the same folder, else from `tokenizer_config.json`.
        with_rules: Whether to read the rules as well as the vocabulary.

    Raises:
        ConfigError: The vocabulary is missing or damaged, or the rules are not BERT's.
    """
    if path.is_dir():
        found = find_wordpiece(path, with_rules)
        if found is None:
            raise ConfigError(
                f"The folder {quoted(str(path))} contains no vocab.txt or tokenizer.json of a "
                "WordPiece tokenizer. If the folder contains a preprocessing module, pass "
                f"'tfhub:{path}'."
            )
        return found
    if path.suffix != ".json":
        rules = _rules_in(path.parent) if with_rules else {}
        return WordPieceFiles(read_lines(path), rules).checked(str(path))
    written = _read_tokenizer(path, with_rules)
    if written is None:
        raise ConfigError(
            f"{quoted(str(path))} is not the tokenizer.json of a WordPiece tokenizer. Expected a "
            "tokenizer.json that a Hugging Face package wrote."
        )
    return written.checked(str(path))


def find_wordpiece(folder: Path, with_rules: bool = True) -> WordPieceFiles | None:
    """Return the WordPiece vocabulary in a folder, or `None`.

    Raises:
        ConfigError: See `read_wordpiece`.
    """
    written = _read_tokenizer(folder / TOKENIZER, with_rules)
    if written is not None:
        return written.checked(str(folder / TOKENIZER))
    if find_tokenizer(folder) is not None or not (folder / VOCABULARY).is_file():
        return None
    tokens = read_lines(folder / VOCABULARY)
    if not {*SPECIAL} <= {*tokens}:
        return None
    found = WordPieceFiles(tokens, _read_config(folder / _CONFIG) if with_rules else {})
    return found.checked(str(folder / VOCABULARY))


def find_tokenizer(folder: Path) -> Path | None:
    """Return the path of a folder's Hugging Face tokenizer.json (of any kind), or `None`."""
    path = folder / TOKENIZER
    return path if _open_tokenizer(path) is not None else None


def read_lines(path: Path) -> tuple[str, ...]:
    """Return the tokens in a vocab.txt.

    Raises:
        ConfigError: The vocabulary file cannot be read.
    """
    try:
        # Do not use splitlines(): a token may be a line separator.
        lines = path.read_bytes().decode("utf-8").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"Cannot read the vocabulary {quoted(str(path))} ({error}). Expected a UTF-8 text "
            "file with one token per line."
        ) from error
    return tuple(lines[:-1] if lines[-1] == "" else lines)


def write_lines(path: Path, tokens: Iterable[str]) -> None:
    """Write tokens in the format that `read_lines` reads."""
    path.write_bytes("".join(f"{token}\n" for token in tokens).encode("utf-8"))


def _open_tokenizer(path: Path) -> dict[str, Any] | None:
    """Return the content of a Hugging Face tokenizer.json, or `None`."""
    about = _read_json(path) if path.is_file() else {}
    # KerasHub also writes files named tokenizer.json, but with other content.
    return about if isinstance(about.get("model"), dict) else None


def _read_tokenizer(path: Path, with_rules: bool) -> WordPieceFiles | None:
    """Return tokens and rules of a tokenizer.json, or `None` if it has no WordPiece tokenizer."""
    about = _open_tokenizer(path)
    if about is None or about["model"].get("type") != "WordPiece":
        return None
    model = about["model"]
    normalizer, splitter = about.get("normalizer") or {}, about.get("pre_tokenizer") or {}
    pieces = {
        "model.unk_token": (model.get("unk_token"), UNKNOWN),
        "model.continuing_subword_prefix": (model.get("continuing_subword_prefix"), "##"),
    }
    splitting = {
        "normalizer.type": (normalizer.get("type"), "BertNormalizer"),
        "normalizer.clean_text": (normalizer.get("clean_text"), True),
        "pre_tokenizer.type": (splitter.get("type"), "BertPreTokenizer"),
    }
    for name, (value, wanted) in (pieces | (splitting if with_rules else {})).items():
        if value != wanted:
            raise ConfigError(
                f"The tokenizer in {quoted(str(path))} is not BERT's: its {name} is "
                f"{quoted(value)}, expected {wanted!r}. In Python, pass preprocess= with a "
                "keras_tl.TextPreprocessor for this encoder."
            )
    numbered = sorted(model.get("vocab", {}).items(), key=lambda item: item[1])
    if [number for _, number in numbered] != list(range(len(numbered))):
        raise ConfigError(
            f"The tokens in {quoted(str(path))} do not have the numbers 0 to {len(numbered) - 1}. "
            "Expected each number once. Download the file again."
        )
    tokens = tuple(token for token, _ in numbered)
    if not with_rules:
        return WordPieceFiles(tokens)
    lower_case, strips = normalizer.get("lowercase"), normalizer.get("strip_accents")
    rules = {
        "lower_case": lower_case,
        "strip_accents": lower_case if strips is None else strips,
        "split_cjk": normalizer.get("handle_chinese_chars"),
        "longest_word": model.get("max_input_chars_per_word"),
    }
    return WordPieceFiles(tokens, rules)


def _rules_in(folder: Path) -> Mapping[str, Any]:
    """Return the rules in a folder's tokenizer.json, else in its tokenizer_config.json."""
    written = _read_tokenizer(folder / TOKENIZER, with_rules=True)
    return _read_config(folder / _CONFIG) if written is None else written.rules


def _read_config(path: Path) -> dict[str, Any]:
    """Return the rules in a tokenizer_config.json."""
    about = _read_json(path) if path.is_file() else {}
    splitter = about.get("word_tokenizer_type", "basic")
    if splitter != "basic" or not about.get("do_basic_tokenize", True):
        raise ConfigError(
            f"The tokenizer of {quoted(str(path))} splits words by rules that differ from BERT's "
            f"(word_tokenizer_type {quoted(splitter)}). In Python, pass preprocess= with a "
            "keras_tl.TextPreprocessor for this encoder."
        )
    lower_case = about.get("do_lower_case")
    strips = about.get("strip_accents")
    return {
        "lower_case": lower_case,
        "strip_accents": lower_case if strips is None else strips,
        "split_cjk": about.get("tokenize_chinese_chars"),
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"Cannot read {quoted(str(path))} ({error}). Expected a JSON file."
        ) from error
    return about if isinstance(about, dict) else {}
