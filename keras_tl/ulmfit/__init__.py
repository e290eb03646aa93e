"""ULMFiT (Howard and Ruder, 2018, arXiv:1801.06146): pretraining of language models.

To train a classifier on a pretrained language model, use `keras_tl.Learner("ulmfit:PATH", data)`.
"""

from keras_tl.backbones.awd_lstm.fastai import load_fastai
from keras_tl.backbones.awd_lstm.language_model import LanguageModel, load_language_model
from keras_tl.backbones.awd_lstm.model import AwdLstmConfig, build_encoder, build_language_model
from keras_tl.backbones.texts.words.tokenizer import WordTokenizer, split_words
from keras_tl.backbones.texts.words.vocabulary import Vocabulary, transfer_embeddings
from keras_tl.ulmfit.corpora import tfds_texts
from keras_tl.ulmfit.fitting import FINE_TUNING, PRETRAINING, fit_language_model, perplexity
from keras_tl.ulmfit.language_modelling import VocabularyLimits, fine_tune_lm, pretrain

__all__ = [
    "FINE_TUNING",
    "PRETRAINING",
    "AwdLstmConfig",
    "LanguageModel",
    "Vocabulary",
    "VocabularyLimits",
    "WordTokenizer",
    "build_encoder",
    "build_language_model",
    "fine_tune_lm",
    "fit_language_model",
    "load_fastai",
    "load_language_model",
    "perplexity",
    "pretrain",
    "split_words",
    "tfds_texts",
    "transfer_embeddings",
]
