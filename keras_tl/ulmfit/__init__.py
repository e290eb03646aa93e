"""ULMFiT (Howard and Ruder, 2018, arXiv:1801.06146): so far the AWD-LSTM language model."""

from keras_tl.ulmfit.fitting import PRETRAINING, fit_language_model, perplexity
from keras_tl.ulmfit.language_model import LanguageModel, load_language_model
from keras_tl.ulmfit.language_modelling import pretrain
from keras_tl.ulmfit.model import AwdLstmConfig, build_language_model, encoder_of
from keras_tl.ulmfit.tokenizer import WordTokenizer, split_words
from keras_tl.ulmfit.vocabulary import Vocabulary, transfer_embeddings

__all__ = [
    "PRETRAINING",
    "AwdLstmConfig",
    "LanguageModel",
    "Vocabulary",
    "WordTokenizer",
    "build_language_model",
    "encoder_of",
    "fit_language_model",
    "load_language_model",
    "perplexity",
    "pretrain",
    "split_words",
    "transfer_embeddings",
]
