"""A language model's encoder as a backbone."""

from pathlib import Path

from keras_tl.backbones.awd_lstm.language_model import load_language_model
from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import backbone_of
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor


def load_ulmfit(path: Path) -> Backbone:
    """Make a backbone of the encoder of a saved language model, and of its words.

    Args:
        path: a folder that `LanguageModel.save` wrote.

    Returns:
        Its network: see `build_encoder`; the embedding and each LSTM layer is a block.

    Raises:
        RunError: there is no language model, or it is incomplete or damaged.
    """
    model = load_language_model(path)
    return backbone_of(model.encoder()).set_facts(
        preprocessor=WordPreprocessor(model.vocabulary),
        ancestry=(model.about,) if model.about else (),
    )
