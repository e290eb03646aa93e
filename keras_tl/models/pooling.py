"""Pooling: convert the outputs of a backbone to one feature vector per item."""

from typing import Any

import keras
from keras import ops

from keras_tl.errors import ConfigError, quoted

_LAYER = {"dtype": "float32", "name": "pooling"}


def pool(kind: str, outputs: keras.KerasTensor | dict[str, keras.KerasTensor]) -> keras.KerasTensor:
    """Apply a pooling layer to the outputs of a backbone. The layer has the name "pooling".

    Args:
        kind: Value of `HeadConfig.pooling`, such as `"avg"`.
        outputs: Feature maps (batch, h, w, c), the sequence (batch, length, d) of a vision
            transformer, or vectors (batch, d), which stay unchanged. For a text encoder, `outputs`
            is a dict with `sequence_output` (batch, length, d), `mask` (batch, length) and
            `pooled_output` (batch, d).

    Returns:
        Features, float32 (batch, d), or (batch, 3 d) for `"concat"`. For `"flatten"`, `pool`
        returns unchanged feature maps: the cache stores the maps, and the head flattens the maps.

    Raises:
        ConfigError: The pooling `kind` cannot be applied to the outputs of this backbone.
    """
    if isinstance(outputs, dict):
        return _pool_tokens(kind, outputs)
    if len(outputs.shape) == 2:
        if kind not in ("avg", "flatten"):
            raise ConfigError(
                f"pooling={quoted(kind)} has no effect, because this backbone returns one vector "
                "for each item. Leave pooling= out."
            )
        return keras.layers.Identity(**_LAYER)(outputs)
    if len(outputs.shape) == 3 and kind in _OF_TOKENS:
        return TokenPooling(kind, **_LAYER)(outputs)
    if kind not in _OF_MAPS:
        raise ConfigError(
            f"pooling={quoted(kind)} is for texts, but this backbone returns feature maps. Use "
            "'avg', 'max' or 'flatten'."
        )
    return _OF_MAPS[kind](**_LAYER)(outputs)


_OF_TOKENS = ("avg", "max", "first", "concat")
_OF_MAPS = {
    "avg": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
    "flatten": keras.layers.Identity,
}


def _pool_tokens(kind: str, outputs: dict[str, keras.KerasTensor]) -> keras.KerasTensor:
    if kind == "flatten":
        raise ConfigError(
            "pooling='flatten' is for images, because texts have no fixed number of tokens. Use "
            "'avg', 'max', 'first', 'concat' or 'pooled'."
        )
    wanted = "pooled_output" if kind == "pooled" else "sequence_output"
    if wanted not in outputs:
        raise ConfigError(
            f"pooling={quoted(kind)} needs the output {wanted}, but this encoder returns "
            f"{', '.join(sorted(outputs.keys() - {'mask'}))}. Choose another pooling."
        )
    if kind == "pooled":
        return keras.layers.Identity(**_LAYER)(outputs[wanted])
    return TokenPooling(kind, **_LAYER)(outputs[wanted], outputs["mask"])


def _first(tokens, mask):
    return tokens[:, 0]


def _last(tokens, mask):
    if mask is None:
        return tokens[:, -1]
    count = ops.sum(ops.cast(mask, "int32"), axis=1, keepdims=True)
    # Keep the index at 0 or above: a text without tokens has no last token.
    return ops.take_along_axis(tokens, ops.maximum(count - 1, 0), axis=1)[:, 0]


def _max(tokens, mask):
    if mask is None:
        return ops.max(tokens, axis=1)
    found = ops.max(ops.where(mask, tokens, -float("inf")), axis=1)
    # Return 0 for a text without tokens, which has no maximum.
    return ops.where(ops.any(mask, axis=1), found, 0.0)


def _avg(tokens, mask):
    if mask is None:
        return ops.mean(tokens, axis=1)
    share = ops.cast(mask, tokens.dtype)
    # Avoid a division by 0 for a text without tokens.
    return ops.sum(tokens * share, axis=1) / ops.maximum(ops.sum(share, axis=1), 1)


_POOL = {"first": _first, "last": _last, "max": _max, "avg": _avg}


@keras.saving.register_keras_serializable("keras_tl")
class TokenPooling(keras.layers.Layer):
    """Pool the features of each item's tokens to one vector. Padding tokens have no effect.

    Inputs: token features, float (batch, length, d), and a mask (batch, length), which is false for
    padding. Without a mask, no token is padding. Padding must be at the end of each item. Output:
    float32 (batch, d).

    Args:
        kind: `"avg"`: mean over the tokens. `"max"`: maximum over the tokens. `"first"`: features
            of the first token. `"concat"`: features of the last token, maximum and mean,
            concatenated to (batch, 3 d).
    """

    def __init__(self, kind: str, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind

    def call(self, tokens, mask=None):
        """Pool the token features of each item in a batch."""
        if mask is not None:
            mask = ops.cast(mask, "bool")[..., None]
        kinds = ("last", "max", "avg") if self.kind == "concat" else (self.kind,)
        return ops.concatenate([_POOL[kind](tokens, mask) for kind in kinds], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which Keras creates the layer again."""
        return super().get_config() | {"kind": self.kind}
