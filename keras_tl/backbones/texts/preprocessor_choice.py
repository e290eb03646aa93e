"""Choose the text preprocessor of a TF-Hub encoder."""

import re
from pathlib import Path

from keras_tl.backbones.hub.handles import resolve
from keras_tl.backbones.hub.module import HubModule
from keras_tl.backbones.texts.hub import HubPreprocessor
from keras_tl.backbones.texts.preprocessor import TextPreprocessor
from keras_tl.backbones.texts.wordpiece import WordPiecePreprocessor
from keras_tl.errors import BackboneError, quoted

# Handles of BERT's family on tfhub.dev, and on Kaggle, which writes "-" instead of "_".
_BERT = r"(tfhub\.dev/tensorflow/(small-bert/)?|kaggle\.com/models/tensorflow/bert/.+/)(bert-)?"
_TENSORFLOW = r"tfhub\.dev/tensorflow/"

# Each pair: pattern for handles of encoders, and preprocessing module in these encoders'
# documentation.
_MATCHING = (
    (_BERT + r"en-(wwm-)?uncased-l-\d", "bert_en_uncased_preprocess/3"),
    (_BERT + r"en-(wwm-)?cased-l-\d", "bert_en_cased_preprocess/3"),
    (_BERT + r"multi-cased-l-\d", "bert_multi_cased_preprocess/3"),
    (_BERT + r"zh-l-\d", "bert_zh_preprocess/3"),
    (_TENSORFLOW + r"albert-en-(base|large|xlarge|xxlarge)\b", "albert_en_preprocess/3"),
    (_TENSORFLOW + r"talkheads-ggelu-bert-en-(base|large)\b", "bert_en_uncased_preprocess/3"),
    (r"tfhub\.dev/google/electra-(small|base|large)\b", "bert_en_uncased_preprocess/3"),
    (r"tfhub\.dev/google/experts/bert/", "bert_en_uncased_preprocess/3"),
    (r"kaggle\.com/models/google/experts-bert/", "bert_en_uncased_preprocess/3"),
)


def choose_preprocessor(
    handle: str, module: HubModule, sequence_length: int = 128
) -> TextPreprocessor:
    """Return the default preprocessor of an encoder, used if the user does not pass another.

    Encoders of the TensorFlow Model Garden contain their vocabulary, and need no other file. For
    encoders that `matching_handle` knows, this function downloads the preprocessing module that
    TF-Hub documents. `handle` is the folder or URL of the encoder.

    Raises:
        BackboneError: keras_tl does not know the preprocessor, or cannot download it.
        ConfigError: tensorflow_text is not installed.
    """
    if module.vocabulary is not None:
        path, lower_case = module.vocabulary
        return WordPiecePreprocessor(path, lower_case=lower_case, sequence_length=sequence_length)
    matching = matching_handle(handle)
    if matching is None:
        raise BackboneError(
            f"keras_tl does not know the preprocessing of the encoder {quoted(handle)}. Pass "
            "preprocess= with the path of the encoder's vocab.txt. Or pass 'tfhub:HANDLE' with the "
            "preprocessing module from the encoder's documentation."
        )
    return HubPreprocessor(resolve(matching), sequence_length=sequence_length)


def matching_handle(handle: str | Path) -> str | None:
    """Return the handle of an encoder's preprocessing module, or `None` for unknown encoders."""
    plain = str(handle).lower().replace("_", "-")
    for pattern, name in _MATCHING:
        if re.search(pattern, plain):
            return f"https://tfhub.dev/tensorflow/{name}"
    return None
