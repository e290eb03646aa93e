"""TF-Hub modules: find and load them, and use them as trainable layers in Keras 3 models.

A TF-Hub module is a TF2 SavedModel with the reusable interface
(https://www.tensorflow.org/hub/reusable_saved_models). TF-Hub modules are code: load only trusted
modules.
"""

from keras_tl.backbones.hub.handles import resolve
from keras_tl.backbones.hub.layer import HubLayer, find_hub_layers
from keras_tl.backbones.hub.loading import load_hub

__all__ = ["HubLayer", "find_hub_layers", "load_hub", "resolve"]
