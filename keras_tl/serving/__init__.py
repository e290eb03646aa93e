"""Clients of models on TF Serving. The REST client needs no TensorFlow."""

from keras_tl.serving.client import Client
from keras_tl.serving.models import ModelVersion

__all__ = ["Client", "ModelVersion"]
