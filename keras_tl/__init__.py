"""keras_tl: transfer learning with Keras, right by construction.

Importing it imports neither TensorFlow nor Keras; the first use of a name does.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "BackboneSpec": "keras_tl.backbones",
    "CacheConfig": "keras_tl.base.config",
    "Comparison": "keras_tl.comparison.result",
    "HeadConfig": "keras_tl.base.config",
    "ImageData": "keras_tl.data",
    "KerasTLError": "keras_tl.errors",
    "Learner": "keras_tl.learner",
    "Phase": "keras_tl.base.config",
    "Prediction": "keras_tl.base.results",
    "Predictions": "keras_tl.base.results",
    "Protocol": "keras_tl.comparison.budget",
    "TextData": "keras_tl.data",
    "WordPiecePreprocessor": "keras_tl.backbones.texts",
    "compare": "keras_tl.comparison.comparing",
    "rank_backbones": "keras_tl.learner.facade",
}

_ROOMS = ("backbones", "serving")

__all__ = [
    "BackboneSpec",
    "CacheConfig",
    "Comparison",
    "HeadConfig",
    "ImageData",
    "KerasTLError",
    "Learner",
    "Phase",
    "Prediction",
    "Predictions",
    "Protocol",
    "TextData",
    "WordPiecePreprocessor",
    "backbones",
    "compare",
    "rank_backbones",
    "serving",
]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"keras_tl.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
