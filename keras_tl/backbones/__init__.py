"""Backbones: the records, the catalogue, the loaders, and the layer that holds a network."""

from keras_tl.backbones.catalogue import CATALOGUE, get_spec
from keras_tl.backbones.spec import BackboneSpec

__all__ = ["CATALOGUE", "BackboneSpec", "get_spec", "load"]


def __getattr__(name: str):
    # `load` needs Keras, the catalogue does not: `keras-tl backbones` answers at once.
    if name == "load":
        from keras_tl.backbones.loading import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
