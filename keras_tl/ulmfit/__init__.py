"""ULMFiT (Howard and Ruder, 2018, arXiv:1801.06146): so far the AWD-LSTM network and its words."""

from keras_tl.ulmfit.model import AwdLstmConfig, build_language_model, encoder_of
from keras_tl.ulmfit.tokenizer import WordTokenizer, split_words
from keras_tl.ulmfit.vocabulary import Vocabulary, transfer_embeddings

__all__ = [
    "AwdLstmConfig",
    "Vocabulary",
    "WordTokenizer",
    "build_language_model",
    "encoder_of",
    "split_words",
    "transfer_embeddings",
]
