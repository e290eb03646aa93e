"""TF-Hub modules: found, loaded, and put into Keras 3 models as trainable layers.

A module is a TF2 SavedModel with the reusable interface
(https://www.tensorflow.org/hub/reusable_saved_models). It is a program: load only what you trust.
"""

from keras_tl.backbones.hub.layer import HubLayer, find_hub_layers
from keras_tl.backbones.hub.loading import load_hub
from keras_tl.backbones.hub.resolving import resolve

__all__ = ["HubLayer", "find_hub_layers", "load_hub", "resolve"]
