"""What makes the tokens of a preset's encoder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_tl.backbones.extras import import_keras_hub
from keras_tl.backbones.texts import KerasHubPreprocessor, TextPreprocessor, WordPiecePreprocessor
from keras_tl.backbones.texts.wordpiece_files import (
    SPECIAL,
    UNKNOWN,
    WordPieceFiles,
    find_tokenizer,
    find_wordpiece,
)


def find_preprocessor(preset: str, load: Callable[[], Any]) -> TextPreprocessor:
    """Return the preprocessor of a preset.

    KerasHub's WordPiece keeps accents, and knows no character that Unicode decomposes; encoders of
    BERT's family were trained on other tokens. So WordPiece vocabularies get BERT's rules: those
    that a Hugging Face folder writes down, else those that the vocabulary was made by. Other
    tokenizers are KerasHub's.

    Args:
        preset: its name, handle or folder.
        load: loads its `keras_hub.models.TextClassifierPreprocessor`.

    Raises:
        ConfigError: the folder's WordPiece tokenizer has other rules than BERT's, or
            tensorflow_text is not installed.
    """
    folder = Path(preset).expanduser()
    written = find_wordpiece(folder)
    if written is not None:
        return WordPiecePreprocessor(written)
    theirs = load()
    found = _wordpiece_of(theirs.tokenizer)
    if found is None:
        return KerasHubPreprocessor(theirs, reference=find_tokenizer(folder))
    return WordPiecePreprocessor(found, sequence_length=theirs.sequence_length)


def _wordpiece_of(tokenizer: Any) -> WordPieceFiles | None:
    """The vocabulary of a tokenizer of KerasHub's; `None`: it is not BERT's WordPiece."""
    theirs = import_keras_hub().tokenizers.WordPieceTokenizer
    if not isinstance(tokenizer, theirs) or type(tokenizer).tokenize is not theirs.tokenize:
        return None
    tokens = tuple(tokenizer.get_vocabulary())
    is_bert_s = tokenizer.split and tokenizer.suffix_indicator == "##"
    if not is_bert_s or tokenizer.oov_token != UNKNOWN or not {*SPECIAL} <= {*tokens}:
        return None
    # That it strips no accents is KerasHub's default, and says nothing of the vocabulary.
    strips = True if tokenizer.strip_accents else None
    rules = {
        "lower_case": tokenizer.lowercase,
        "strip_accents": strips,
        "split_cjk": tokenizer.split_on_cjk,
    }
    return WordPieceFiles(tokens, rules)
