"""Data: sources, splits, checks, the one decoder of images, tf.data pipelines, augmentation."""

from keras_tl.data.images import ImageData
from keras_tl.data.texts import TextData

__all__ = ["ImageData", "TextData"]
