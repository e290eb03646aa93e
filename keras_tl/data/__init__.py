"""Data: sources, splits, checks, the one decoder of images, tf.data pipelines, augmentation.

Importing it imports no TensorFlow, which some of its modules do without; the first use of a name
does.
"""

import importlib

_HOMES = {"ImageData": "keras_tl.data.image_data", "TextData": "keras_tl.data.text_data"}

__all__ = ["ImageData", "TextData"]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
