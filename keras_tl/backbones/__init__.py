"""Pretrained backbones: records, catalogue, loaders, and the layer that holds a network."""

from keras_tl.backbones.catalogue import CATALOGUE, get_spec, register
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.spec import BackboneSpec, BlockSpec, Weights, WeightsPackage

__all__ = [
    "CATALOGUE",
    "BackboneSpec",
    "BlockSpec",
    "Preprocessing",
    "Weights",
    "WeightsPackage",
    "get_spec",
    "load",
    "register",
]


def __getattr__(name: str):
    # Import `load` lazily: `keras-tl backbones` must start fast, and the catalogue needs no Keras.
    if name == "load":
        from keras_tl.backbones.loading import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
