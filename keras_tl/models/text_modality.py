"""The text modality: convert texts to tokens for the model, or pass the strings unchanged."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import ModelConfig
from keras_tl.data.tables.item_columns import ItemColumns
from keras_tl.data.text_data import TextData
from keras_tl.data.texts.text_files import TEXT_FILES
from keras_tl.data.texts.text_inputs import TextItems, read_texts
from keras_tl.data.texts.text_pipeline import TextPipeline, without_padding
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.data.texts.text_values import BLANK
from keras_tl.errors import ConfigError
from keras_tl.models.modality import Modality, Numbers, Specs, Tensors

_EXAMPLES = ("A short text.", "", "Ünïcode: \N{SNOWMAN} 漢字, and 3.14!", "many words " * 300)
_BLANK = "[" + "".join(rf"\p{{{kind}}}" for kind in BLANK) + "]*"


@dataclasses.dataclass(frozen=True)
class TextModality(Modality):
    """Texts, or pairs of texts, as inputs of one model.

    Attributes:
        network_inputs: Name, shape without batch, and dtype of each input of the backbone.
        preprocessor: Preprocessor from texts to tokens. `None`: the backbone takes strings.
        are_pairs: Whether an item is a pair of texts.
    """

    network_inputs: tuple[tuple[str, tuple[int | None, ...], str], ...]
    preprocessor: TextPreprocessor | None
    are_pairs: bool

    item = "text"
    data_type = TextData
    can_augment = False
    are_pictures = False
    can_preprocess = True
    backbones_to_compare = ()
    file_suffixes = TEXT_FILES.suffixes
    group_examples = "language, author"
    unusable = (
        "For a text that is blank or not UTF-8, the export returns `valid` false and zeros. "
        "Check `valid` before you use a prediction."
    )

    @classmethod
    def of(
        cls, config: ModelConfig, network: keras.Model, preprocessor: TextPreprocessor | None
    ) -> "TextModality":
        """Create the modality from the inputs of the backbone."""
        given = network.input
        inputs = given if isinstance(given, dict) else {"text": given}
        specs = tuple((name, tuple(x.shape[1:]), x.dtype) for name, x in inputs.items())
        return cls(specs, preprocessor, config.are_pairs)

    @classmethod
    def source_options(cls, data: TextData) -> dict[str, Any]:
        """Return the training texts, and the sequence length that the user set for the data."""
        return {"texts": data.split("train"), "sequence_length": data.sequence_length}

    @classmethod
    def backbones_without_download(cls) -> tuple[str, ...]:
        """Raise a `ConfigError`: the user must name the encoders."""
        raise ConfigError(
            "keras_tl contains no text encoder. Name the encoders to compare, for example "
            "ktl.rank_backbones(data, ['kerashub:bert_tiny_en_uncased'])."
        )

    @property
    def about(self) -> str:
        """The sequence length as text, such as "128 tokens"."""
        if self.preprocessor is None:
            return "texts of any length"
        return f"{self.preprocessor.sequence_length} tokens"

    @property
    def cache_key(self) -> dict[str, Any]:
        """Identity of the preprocessor, which determines the tokens of a text."""
        return {"preprocessor": self.preprocessor and self.preprocessor.identity}

    def inputs(self) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
        """Return Keras inputs: tokens by name, int32 (batch, length), or strings (batch,)."""
        made = {
            name: keras.Input(shape, name=name, dtype=dtype)
            for name, shape, dtype in self.network_inputs
        }
        return made if self.preprocessor is not None else made["text"]

    def pipeline(self, whole_batches: bool) -> TextPipeline:
        """Return a pipeline that tokenizes each text once."""
        names = tuple(name for name, _, _ in self.network_inputs)
        return TextPipeline(self.preprocessor, self._fixed_length, names, whole_batches)

    @property
    def _fixed_length(self) -> int | None:
        (length,) = {shape[0] if shape else None for _, shape, _ in self.network_inputs}
        return length

    def read(self, items: Any, settings: Mapping[str, Any], on_invalid: str) -> TextItems:
        """See `keras_tl.data.texts.text_inputs.read_texts`."""
        return read_texts(
            items, self.are_pairs, ItemColumns.of(self.item, self.are_pairs, settings), on_invalid
        )

    def as_split(self, items: TextItems) -> TextSplit:
        """Return the texts as a split. The split holds strings, not tokens."""
        items.check_valid(items.valid())
        return TextSplit(items.texts, items.pairs, np.zeros(len(items), np.int64))

    @property
    def raw(self) -> Specs:
        """The raw input `text`. Models for pairs of texts also have the raw input `text_pair`."""
        return {name: tf.TensorSpec([None], tf.string, name=name) for name in self._texts}

    def read_raw(self, raw: dict[str, tf.Tensor]) -> tuple[Tensors, tf.Tensor]:
        """Tokenize texts. If a text is blank or not UTF-8, all texts of its item become empty."""
        texts = [raw[name] for name in self._texts]
        valid = tf.reduce_all([_can_be_read(text) for text in texts], axis=0)
        return self._tokens(*(tf.where(valid, text, "") for text in texts)), valid

    @property
    def numbers(self) -> Numbers | None:
        """Signature `tokens`: the backbone's inputs by name, int32 (batch, length)."""
        if self.preprocessor is None:
            return None
        inputs = {
            name: tf.TensorSpec([None, *shape], dtype, name=name)
            for name, shape, dtype in self.network_inputs
        }
        return Numbers(name="tokens", inputs=inputs, read=lambda tokens: tokens)

    def pictures(self, split: TextSplit) -> None:
        """Return `None`: texts cannot be drawn."""

    def example_inputs(self) -> dict[str, np.ndarray]:
        """Return short, empty, long, unusual and invalid UTF-8 texts, and their tokens."""
        texts = self._example_texts()
        if self.preprocessor is None:
            return texts
        tokens, _ = self.read_raw({name: tf.constant(values) for name, values in texts.items()})
        return texts | {name: values.numpy() for name, values in tokens.items()}

    def example_model_inputs(self) -> dict[str, np.ndarray]:
        """Return the tokens of the example texts, padded to the full length."""
        texts = [
            [text.decode(errors="replace") for text in x] for x in self._example_texts().values()
        ]
        tokens = self.preprocessor(*texts)
        return {name: tokens[name].numpy() for name, _, _ in self.network_inputs}

    @property
    def preparation(self) -> dict[str, Any]:
        """Class of the preprocessor, sequence length, and whether items are pairs of texts."""
        return {
            "preprocessor": type(self.preprocessor).__name__,
            "sequence_length": self.preprocessor.sequence_length,
            "are_pairs": self.are_pairs,
        }

    def _example_texts(self) -> dict[str, np.ndarray]:
        texts = np.array([*(text.encode() for text in _EXAMPLES), b"no \xff UTF-8"], object)
        return {name: np.roll(texts, turn) for turn, name in enumerate(self._texts)}

    @property
    def _texts(self) -> list[str]:
        return ["text", "text_pair"] if self.are_pairs else ["text"]

    def _tokens(self, text: tf.Tensor, pair: tf.Tensor | None = None):
        if self.preprocessor is None:
            return text
        tokens = self.preprocessor(text, pair)
        tokens = {name: tokens[name] for name, _, _ in self.network_inputs}
        # Remove the padding if the backbone takes texts of any length: padding only costs time.
        whole = self._fixed_length is not None
        return tokens if whole else without_padding(tokens, self.preprocessor.mask_name)


def _can_be_read(texts: tf.Tensor) -> tf.Tensor:
    """Return a bool tensor (batch,): whether each text is UTF-8 and not blank."""
    whole = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    return (texts == whole) & ~tf.strings.regex_full_match(whole, _BLANK)
