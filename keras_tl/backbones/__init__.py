"""Pretrained backbones: records (`BackboneSpec`), catalogue, loaders and the layer `Backbone`."""

from typing import TYPE_CHECKING, Any

from keras_tl.backbones.catalogue import CATALOGUE, get_spec, register
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.spec import BackboneSpec, BlockSpec, Weights, WeightsPackage

if TYPE_CHECKING:
    from keras_tl.backbones.loading import load

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


def __getattr__(name: str) -> Any:
    # Import `load` and Keras only when `load` is used, so that `keras-tl backbones` starts fast.
    if name == "load":
        from keras_tl.backbones.loading import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
