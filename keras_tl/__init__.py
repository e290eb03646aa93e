"""keras_tl: transfer learning with Keras 3 on TensorFlow.

`import keras_tl` does not import TensorFlow or Keras. The first use of a name, such as
`keras_tl.Learner`, imports the module that defines this name.
"""

import importlib

__version__ = "0.2.0.dev0"

_HOMES = {
    "BackboneSpec": "keras_tl.backbones",
    "CacheConfig": "keras_tl.base.config",
    "Comparison": "keras_tl.comparison.result",
    "HeadConfig": "keras_tl.base.config",
    "Evaluation": "keras_tl.evaluation.evaluation",
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
    "overfitting": "keras_tl.learner.functions",
    "rank_backbones": "keras_tl.learner.functions",
    "save_features": "keras_tl.learner.functions",
}

_MODULES = {
    "backbones": "keras_tl.backbones",
    "figures": "keras_tl.learner.figures",
    "serving": "keras_tl.serving",
}

__all__ = [
    "BackboneSpec",
    "CacheConfig",
    "Comparison",
    "Evaluation",
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
    "figures",
    "overfitting",
    "rank_backbones",
    "save_features",
    "serving",
]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
