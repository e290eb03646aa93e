"""Tiny AWD-LSTM language models, with random weights, made for tests."""

import dataclasses

from keras_tl.backbones.texts.words.marks import MARKS
from keras_tl.ulmfit import AwdLstmConfig, LanguageModel, Vocabulary

WIDTH = 8
ABOUT = {"texts": 3, "tokens": 12}
WORDS = ("good", "bad", "film", "the", "s", ".")


def make_language_model(words=WORDS, **changes):
    """One of three layers, whose weights are larger than those that training begins with."""
    sizes = {"embedding_size": WIDTH, "hidden_size": 10} | changes
    vocabulary = Vocabulary([*MARKS, *words])
    model = LanguageModel.new(AwdLstmConfig(len(vocabulary), **sizes), vocabulary, seed=0)
    for weight in model.network.weights:
        if len(weight.shape) > 1:
            weight.assign((10 if weight.name == "embeddings" else 3) * weight)
    return model


def save_language_model(folder, **changes):
    """Its folder."""
    dataclasses.replace(make_language_model(**changes), about=ABOUT).save(folder)
    return folder
