"""Client of models on TF Serving. With REST, the client does not need TensorFlow."""

from keras_tl.serving.client import Client
from keras_tl.serving.models import ModelVersion

__all__ = ["Client", "ModelVersion"]
