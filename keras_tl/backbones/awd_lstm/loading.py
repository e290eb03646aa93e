"""A language model's encoder as a backbone."""

import dataclasses
from pathlib import Path

from keras_tl.backbones.awd_lstm.language_model import load_language_model
from keras_tl.backbones.loading import BackboneFiles, LoadedBackbone, loaded_network
from keras_tl.backbones.texts.words.preprocessor import WordPreprocessor


def load_ulmfit(path: Path) -> LoadedBackbone:
    """The encoder of a saved language model, and its words.

    Args:
        path: a folder that `LanguageModel.save` wrote.

    Returns:
        The network, see `build_encoder`; the embedding and each LSTM layer is a block.

    Raises:
        RunError: there is no language model, or it is incomplete or damaged.
    """
    model = load_language_model(path)
    files = BackboneFiles(preprocessor=WordPreprocessor(model.vocabulary))
    return dataclasses.replace(loaded_network(model.encoder()), files=files, about=model.about)
