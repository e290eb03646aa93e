"""Find the text preprocessor of a KerasHub preset."""

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

# Presets on Kaggle are KerasHub's own, and have no tokenizer.json of the encoder's publisher.
_OF_KERAS = "kaggle://"


def find_preprocessor(preset: str, load: Callable[[], Any]) -> TextPreprocessor:
    """Return the text preprocessor of a KerasHub preset.

    KerasHub's WordPiece tokenizer keeps accents, and finds no tokens for characters that Unicode
    decomposes. BERT's encoders were trained with BERT's own tokenizer, whose tokens differ from
    KerasHub's. For WordPiece vocabularies, keras_tl therefore uses BERT's rules. keras_tl reads
    the tokenizer's rules from the files of a Hugging Face folder, or infers the rules from the
    vocabulary. For vocabularies that are not WordPiece, keras_tl uses KerasHub's tokenizer. For a
    handle such as `hf://...`, keras_tl reads no files of the publisher, and the preprocessor's
    `not_compared` names the unread file.

    `load` is a function that loads the preset's `keras_hub.models.TextClassifierPreprocessor`.

    Raises:
        ConfigError: The WordPiece tokenizer in the preset's folder has other rules than BERT's, or
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
            f"keras_tl did not read the tokenizer.json of {quoted(preset)}; download the files "
            "and pass their folder"
        )
    return made


def _folder_of(preset: str) -> Path | None:
    """Return the local folder that KerasHub reads for a preset, or `None`."""
    # KerasHub reads a folder only if `preset` is neither the name nor the handle of a preset.
    if "://" in preset or preset in import_keras_hub().models.Backbone.presets:
        return None
    return Path(preset)


def _wordpiece_of(tokenizer: Any) -> WordPieceFiles | None:
    """Return the vocabulary of a WordPiece tokenizer like BERT's. Other tokenizers: `None`."""
    theirs = import_keras_hub().tokenizers.WordPieceTokenizer
    if not isinstance(tokenizer, theirs) or type(tokenizer).tokenize is not theirs.tokenize:
        return None
    tokens = tuple(tokenizer.get_vocabulary())
    is_bert_s = tokenizer.split and tokenizer.suffix_indicator == "##"
    if not is_bert_s or tokenizer.oov_token != UNKNOWN or not {*SPECIAL} <= {*tokens}:
        return None
    rules = {"lower_case": tokenizer.lowercase, "split_cjk": tokenizer.split_on_cjk}
    # `strip_accents=False` is KerasHub's default and says nothing about the vocabulary.
    if tokenizer.strip_accents:
        rules["strip_accents"] = True
    return WordPieceFiles(tokens, rules)
