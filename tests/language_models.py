"""Tiny AWD-LSTM language models, with random weights, made for tests."""

from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.ulmfit import AwdLstmConfig, LanguageModel, Vocabulary

WIDTH = 8
WORDS = ("good", "bad", "film", "the", "s", ".")


def make_language_model(words=WORDS, **changes):
    """One of three layers, which tells words apart better than initial weights do."""
    sizes = {"embedding_size": WIDTH, "hidden_size": 10} | changes
    vocabulary = Vocabulary([*MARKS, *words])
    model = LanguageModel.new(AwdLstmConfig(len(vocabulary), **sizes), vocabulary, seed=0)
    embeddings = model.network.get_layer("embedding").embeddings
    embeddings.assign(10 * embeddings)
    return model


def save_language_model(folder, **changes):
    """Its folder."""
    make_language_model(**changes).save(folder)
    return folder
