"""Text preprocessor that runs a preprocessor of KerasHub."""

import json
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from keras_tl.backbones.extras import import_keras_hub, import_tensorflow_text
from keras_tl.backbones.keras_configs import rebuild
from keras_tl.backbones.texts.preprocessor import ABOUT, TextPreprocessor, Texts, segments_of
from keras_tl.base.files import sha256_of_folder, write_json
from keras_tl.base.reporting import no_retracing_warnings

_PRESET = "preset"
_CONFIG = "preprocessor.json"
# Entries of a tokenizer's configuration that do not change the tokens.
_NAMES = ("name", "dtype", "trainable")


class KerasHubPreprocessor(TextPreprocessor):
    """Text preprocessor that runs KerasHub's preprocessor, and renames the outputs as in BERT.

    Args:
        preprocessor: A `keras_hub.models.TextClassifierPreprocessor`.
        sequence_length: Length of a text in tokens, including special tokens and padding. `None`
            means the length of the given preprocessor.
        reference: Path of the publisher's tokenizer.json. The preflight compares the tokens of the
            publisher's tokenizer with KerasHub's tokens.

    Raises:
        ConfigError: `sequence_length` is less than 5, or KerasHub or tensorflow_text is not
            installed.

    Example:
        >>> issubclass(ktl.KerasHubPreprocessor, ktl.TextPreprocessor)
        True
    """

    def __init__(
        self,
        preprocessor: Any,
        *,
        sequence_length: int | None = None,
        reference: Path | None = None,
    ):
        own = preprocessor.sequence_length
        super().__init__(own if sequence_length is None else sequence_length)
        import_tensorflow_text()
        self.reference = reference
        # Make a copy: the caller may use the given preprocessor at another length.
        self._theirs = type(preprocessor)(
            preprocessor.tokenizer,
            sequence_length=self.sequence_length,
            truncate=preprocessor.truncate,
        )
        # Run KerasHub in a graph: outside of graphs, KerasHub makes tokens in slow Python code.
        self._pack = tf.function(self._call_theirs, autograph=False, reduce_retracing=True)
        self._count = tf.function(self._count_theirs, autograph=False, reduce_retracing=True)

    def __call__(self, texts: Texts, pairs: Texts | None = None) -> dict[str, tf.Tensor]:
        with no_retracing_warnings():
            return self._pack(segments_of(texts, pairs))

    def _call_theirs(self, segments: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        # Pass `None` as labels: else KerasHub would use the second text of each pair as labels.
        packed = self._theirs(tuple(segments), None)
        mask = packed["padding_mask"]
        named = {
            "input_word_ids": packed["token_ids"],
            "input_mask": mask,
            "input_type_ids": packed.get("segment_ids", tf.zeros_like(packed["token_ids"])),
        }
        shape = (None, self.sequence_length)
        return {k: tf.ensure_shape(tf.cast(v, tf.int32), shape) for k, v in named.items()}

    def token_counts(self, texts: Texts, pairs: Texts | None = None) -> tf.Tensor:
        with no_retracing_warnings():
            return self._count(segments_of(texts, pairs))

    def _count_theirs(self, segments: list[tf.Tensor]) -> tf.Tensor:
        tokens = [self._theirs.tokenizer(segment).row_lengths() for segment in segments]
        empty = self._call_theirs([tf.constant([""])] * len(segments))
        special = tf.reduce_sum(empty["input_mask"])
        return tf.cast(tf.add_n(tokens), tf.int32) + special

    def with_length(self, sequence_length: int) -> Self:
        made = type(self)(self._theirs, sequence_length=sequence_length, reference=self.reference)
        made.not_compared = self.not_compared
        return made

    @cached_property
    def identity(self) -> str:
        tokenizer = self._theirs.tokenizer
        settings = {k: v for k, v in tokenizer.get_config().items() if k not in _NAMES}
        with tempfile.TemporaryDirectory() as folder:
            tokenizer.save_assets(folder)
            assets = sha256_of_folder(Path(folder))
        return (
            f"kerashub {type(self._theirs).__name__} {self._theirs.truncate} {assets} "
            f"{json.dumps(settings, sort_keys=True)} length={self.sequence_length} "
            f"keras_hub {import_keras_hub().__version__}"
        )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._theirs.save_to_preset(str(folder / _PRESET))
        write_json(folder / ABOUT, {"kind": "kerashub"})

    @classmethod
    def from_folder(cls, folder: Path, about: dict[str, Any]) -> Self:
        preset = folder / _PRESET
        theirs = rebuild(json.loads((preset / _CONFIG).read_text("utf-8")))
        theirs.load_preset_assets(str(preset))
        return cls(theirs)
