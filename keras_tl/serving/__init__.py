"""Clients of models that TF Serving serves. Those of its REST interface need no TensorFlow."""

from keras_tl.serving.client import Client
from keras_tl.serving.models import ModelVersion

__all__ = ["Client", "ModelVersion"]
