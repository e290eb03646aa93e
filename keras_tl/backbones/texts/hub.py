"""Text preprocessor that runs a preprocessing module of TF-Hub."""

import contextlib
import shutil
import types
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.hub.saved_model import open_saved_model, resources_of
from keras_tl.backbones.texts.preprocessor import (
    ABOUT,
    TextPreprocessor,
    Texts,
    count_tokens,
    segments_of,
)
from keras_tl.base.files import sha256_of_folder, write_json
from keras_tl.errors import BackboneError, ConfigError, quoted

_MODULE = "module"


class HubPreprocessor(TextPreprocessor):
    """Text preprocessor that runs a TF-Hub module to make the tokens of a BERT encoder.

    If the module has the functions `tokenize` and `bert_pack_inputs`, the preprocessor takes pairs
    and makes sequences of any length
    (https://www.tensorflow.org/hub/common_saved_model_apis/text#preprocessor). If the module
    lacks `tokenize` or `bert_pack_inputs`, the preprocessor takes only single texts, and makes only
    sequences of the module's own length.

    Args:
        path: Folder of the module, see `keras_tl.backbones.hub.resolve`. The constructor runs code
            from the module's folder.
        sequence_length: Length of a text in tokens, including special tokens and padding. `None`
            means the length that the module uses by default.

    Raises:
        BackboneError: The folder contains no preprocessing module.
        ConfigError: The module cannot make sequences of `sequence_length` tokens, or it needs
            tensorflow_text, which is not installed.

    Example:
        >>> issubclass(ktl.HubPreprocessor, ktl.TextPreprocessor)
        True
    """

    def __init__(self, path: Path, *, sequence_length: int | None = None):
        self._path = Path(path)
        loaded = open_saved_model(self._path)
        # Keep the module in a plain object, so that an export does not include the module.
        self._module = types.SimpleNamespace(
            call=loaded,
            tokenize=getattr(loaded, "tokenize", None),
            pack=getattr(loaded, "bert_pack_inputs", None),
        )
        self._resources = resources_of(loaded)
        own = self._own_length()
        self._settable = callable(self._module.tokenize) and callable(self._module.pack)
        self.fixed_length = None if self._settable else own
        self.counts_are_capped = not self._settable
        super().__init__(own if sequence_length is None else sequence_length)
        if not self._settable and self.sequence_length != own:
            raise ConfigError(
                f"The module {quoted(str(path))} always returns sequences of {own} tokens. "
                f"Received sequence_length={sequence_length}. Leave sequence_length= out."
            )

    def _own_length(self) -> int:
        given = None
        # A module that takes no texts raises one of these errors. The message below explains the
        # problem.
        with contextlib.suppress(TypeError, ValueError, KeyError, tf.errors.OpError):
            given = self._module.call(tf.constant(["a"]))
        if not isinstance(given, dict) or self.mask_name not in given:
            raise BackboneError(
                f"The module {quoted(str(self._path))} is not a preprocessing module. Expected a "
                "module that takes texts and returns input_word_ids, input_mask and "
                "input_type_ids."
            )
        self._names = sorted(given)
        return int(given[self.mask_name].shape[1])

    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        segments = self._segments(texts, pairs)
        if self._settable:
            tokens = [self._module.tokenize(part) for part in segments]
            packed = self._module.pack(tokens, seq_length=self.sequence_length)
        else:
            packed = self._module.call(segments[0])
        shape = (None, self.sequence_length)
        return {
            name: tf.ensure_shape(tf.cast(packed[name], tf.int32), shape) for name in self._names
        }

    def token_counts(self, texts: Texts, pairs: Texts | None = None) -> tf.Tensor:
        if not self._settable:
            return tf.reduce_sum(self(texts, pairs)[self.mask_name], 1)
        tokens = [self._module.tokenize(part) for part in self._segments(texts, pairs)]
        # Some modules return tokens with an axis for words: (batch, words, pieces).
        flat = [part.merge_dims(1, -1) if part.shape.rank > 2 else part for part in tokens]
        return count_tokens(flat)

    def _segments(self, texts: Texts, pairs: Texts | None) -> list[tf.Tensor]:
        if pairs is not None and not self._settable:
            raise ConfigError(
                f"The module {quoted(str(self._path))} takes single texts only, because it lacks "
                "tokenize and bert_pack_inputs. Received pairs. Use another preprocessing "
                "module."
            )
        return segments_of(texts, pairs)

    def with_length(self, sequence_length: int) -> Self:
        return type(self)(self._path, sequence_length=sequence_length)

    @property
    def identity(self) -> str:
        return f"tfhub {sha256_of_folder(self._path)} length={self.sequence_length}"

    def save(self, folder: Path) -> None:
        shutil.copytree(self._path, folder / _MODULE)
        write_json(folder / ABOUT, {"kind": "tfhub", "sequence_length": self.sequence_length})

    @classmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        return cls(folder / _MODULE, sequence_length=about["sequence_length"])
