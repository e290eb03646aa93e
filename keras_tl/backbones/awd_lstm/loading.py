"""Load the encoder of a language model as a backbone."""

from pathlib import Path

from keras_tl.backbones.awd_lstm.language_model import load_language_model
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import backbone_of
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor


def load_ulmfit(path: Path) -> Backbone:
    """Return a backbone with the encoder and the vocabulary of a saved language model.

    Args:
        path: Folder that `LanguageModel.save` wrote.

    Returns:
        The frozen backbone. The embedding and each LSTM layer are blocks.

    Raises:
        RunError: The folder holds no language model, or is incomplete or damaged.
    """
    model = load_language_model(path)
    return backbone_of(model.encoder()).set_facts(
        preprocessor=WordPreprocessor(model.vocabulary),
        ancestry=(model.about,) if model.about else (),
    )
