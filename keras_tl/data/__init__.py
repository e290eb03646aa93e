"""Data: sources, splits, the one decoder, tf.data pipelines, augmentation."""

from keras_tl.data.images import ImageData

__all__ = ["ImageData"]
