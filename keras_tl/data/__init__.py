"""Data package: data sources, splits, checks, image decoder, tf.data pipelines, augmentation.

Importing this package does not import TensorFlow, because some modules of the package work without
TensorFlow. The first use of `ImageData` or `TextData` imports TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_tl.data.image_data import ImageData
    from keras_tl.data.text_data import TextData

_HOMES = {"ImageData": "keras_tl.data.image_data", "TextData": "keras_tl.data.text_data"}

__all__ = ["ImageData", "TextData"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
