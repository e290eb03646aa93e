"""The preprocessor of a KerasHub preset."""

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
from keras_tl.errors import quoted

# Presets there are written by KerasHub: no tokenizer.json of another publisher belongs to them.
_OF_KERAS = "kaggle://"


def find_preprocessor(preset: str, load: Callable[[], Any]) -> TextPreprocessor:
    """Return the preprocessor of a preset.

    KerasHub's WordPiece keeps accents, and knows no character that Unicode decomposes; encoders of
    BERT's family were trained on other tokens. So WordPiece vocabularies get BERT's rules: those
    that a Hugging Face folder writes down, else those that the vocabulary was made by. Other
    tokenizers are KerasHub's. Files behind a handle such as `hf://...` are not read: the
    preprocessor's `not_compared` says so.

    Args:
        preset: its name, handle or folder.
        load: loads its `keras_hub.models.TextClassifierPreprocessor`.

    Raises:
        ConfigError: the folder's WordPiece tokenizer has other rules than BERT's, or
            tensorflow_text is not installed.
    """
    folder = _folder_of(preset)
    written = None if folder is None else find_wordpiece(folder)
    if written is not None:
        return WordPiecePreprocessor(written)
    theirs = load()
    found = _wordpiece_of(theirs.tokenizer)
    if found is None:
        reference = None if folder is None else find_tokenizer(folder)
        made = KerasHubPreprocessor(theirs, reference=reference)
    else:
        made = WordPiecePreprocessor(found, sequence_length=theirs.sequence_length)
    if "://" in preset and not preset.startswith(_OF_KERAS):
        made.not_compared = (
            f"the tokenizer.json of {quoted(preset)} was not read; download the files and pass "
            "their folder"
        )
    return made


def _folder_of(preset: str) -> Path | None:
    """Return the local folder that KerasHub reads for a preset, or None."""
    # KerasHub looks for a name of its own and for a handle before it looks for a folder.
    if "://" in preset or preset in import_keras_hub().models.Backbone.presets:
        return None
    return Path(preset)


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
