"""Load saved preprocessors of any kind."""

import json
from pathlib import Path

from keras_tl.backbones.texts.fast_bert import FastBertPreprocessor
from keras_tl.backbones.texts.hub import HubPreprocessor
from keras_tl.backbones.texts.kerashub import KerasHubPreprocessor
from keras_tl.backbones.texts.preprocessor import ABOUT, TextPreprocessor
from keras_tl.backbones.texts.wordpiece import WordPiecePreprocessor
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor
from keras_tl.errors import ConfigError, quoted, unknown

_KINDS: dict[str, type[TextPreprocessor]] = {
    "kerashub": KerasHubPreprocessor,
    "tfhub": HubPreprocessor,
    "wordpiece": WordPiecePreprocessor,
    "words": WordPreprocessor,
}


def load_preprocessor(folder: Path) -> TextPreprocessor:
    """Load a preprocessor that the method `save` of any preprocessor class wrote.

    Raises:
        ConfigError: The folder contains no preprocessor of keras_tl, or tensorflow_text is not
            installed.

    Example:
        >>> from pathlib import Path
        >>> ktl.WordPiecePreprocessor("vocab.txt", lower_case=True).save(Path("kept_tokenizer"))
        >>> ktl.load_preprocessor(Path("kept_tokenizer")).sequence_length
        128
    """
    try:
        about = json.loads((folder / ABOUT).read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"No preprocessor in {quoted(str(folder))}: expected a {ABOUT} there."
        ) from error
    if about["kind"] not in _KINDS:
        raise ConfigError(unknown("kind of preprocessor", about["kind"], _KINDS))
    # Earlier versions of keras_tl saved no "rules", and made tokens with FastBertTokenizer.
    is_earlier = about["kind"] == "wordpiece" and "rules" not in about
    kind: type[TextPreprocessor] = FastBertPreprocessor if is_earlier else _KINDS[about["kind"]]
    return kind.from_folder(folder, about)
