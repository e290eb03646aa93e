"""Grad-CAM for image classifiers (Selvaraju et al., 2017, arXiv:1610.02391, sec. 3)."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import tensorflow as tf

from keras_tl.models.heads import TransferModel
from keras_tl.tasks.base import Question

_OPACITY = 0.6


def grad_cam(parts: TransferModel, pixels: np.ndarray, asked: Question) -> np.ndarray | None:
    """Compute Grad-CAM maps of images from the last feature maps of the backbone (eq. 1 and 2).

    Args:
        parts: Model that does not belong to a distribution strategy.
        pixels: Images (n, height, width, 3) in [0, 255].
        asked: For each image, the model output to explain.

    Returns:
        One Grad-CAM map per image, float32 (n, h, w) in [0, 1], in the size (h, w) of the feature
        maps. Each map is divided by its maximum. `None`: the backbone outputs vectors or a
        sequence.
    """
    maps = parts.backbone(tf.constant(pixels, tf.float32), training=False)
    if isinstance(maps, Mapping) or len(maps.shape) != 4:
        return None
    with tf.GradientTape() as tape:
        tape.watch(maps)
        logits = parts.head(parts.extractor.get_layer("pooling")(maps), training=False)
        scores = tf.gather(logits, asked.outputs, axis=1, batch_dims=1) * asked.signs
    gradients = tape.gradient(scores, maps)
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    found = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1)).numpy()
    # If no position supports the explained output, the map is 0 everywhere: do not divide by 0.
    return found / np.maximum(found.max(axis=(1, 2), keepdims=True), 1e-12)


def overlaid(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Colour the important positions of images (n, height, width, 3) in [0, 255].

    Higher values in the Grad-CAM maps `heat`, (n, h, w) in [0, 1], give brighter colours.
    """
    heat = tf.image.resize(heat[..., None], pixels.shape[1:3]).numpy().clip(0, 1)
    colours = 255 * matplotlib.colormaps["plasma"](heat[..., 0])[..., :3]
    return pixels + _OPACITY * heat * (colours - pixels)
