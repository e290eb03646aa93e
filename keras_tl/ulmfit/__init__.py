"""ULMFiT (Howard and Ruder, 2018, arXiv:1801.06146): so far the words and their vocabulary."""

from keras_tl.ulmfit.tokenizer import WordTokenizer, split_words
from keras_tl.ulmfit.vocabulary import Vocabulary, transfer_embeddings

__all__ = ["Vocabulary", "WordTokenizer", "split_words", "transfer_embeddings"]
