"""Text preprocessors: from strings to the tokens of an encoder."""

from keras_tl.backbones.texts.hub import HubPreprocessor
from keras_tl.backbones.texts.kerashub import KerasHubPreprocessor
from keras_tl.backbones.texts.preprocessor import TextPreprocessor
from keras_tl.backbones.texts.preprocessor_choice import choose_preprocessor
from keras_tl.backbones.texts.saving import load_preprocessor
from keras_tl.backbones.texts.wordpiece import WordPiecePreprocessor

__all__ = [
    "HubPreprocessor",
    "KerasHubPreprocessor",
    "TextPreprocessor",
    "WordPiecePreprocessor",
    "choose_preprocessor",
    "load_preprocessor",
]
