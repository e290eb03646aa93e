"""Where an image classifier looks: Grad-CAM (Selvaraju et al., 2017, arXiv:1610.02391, sec. 3)."""

import dataclasses
from collections.abc import Mapping

import matplotlib
import numpy as np
import tensorflow as tf

from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.heads import TransferModel
from keras_tl.tasks import Task

_OPACITY = 0.6


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked of each of n items: what in it speaks for this answer.

    Attributes:
        outputs: int array (n,), the column of the logits.
        signs: float32 array (n,): -1 where a lower logit speaks for the answer.
        names: the answers.
    """

    outputs: np.ndarray
    signs: np.ndarray
    names: tuple[str, ...]


def question_of(task: Task, outcomes: Outcomes) -> Question:
    """The answer that was given; of several labels, the one that the answer is worst for."""
    labels, logits = outcomes.labels, outcomes.logits
    ones, zeros = np.ones(len(logits), np.float32), np.zeros(len(logits), int)
    if task.kind == "regression":
        return Question(zeros, ones, ("a higher value",) * len(logits))
    if task.kind == "binary":
        answers = outcomes.decisions(task.kind, task.thresholds)
        return Question(zeros, 2 * answers - ones, tuple(task.class_names[c] for c in answers))
    wrongness = logits if task.kind == "multiclass" else (1 - 2 * labels) * logits
    outputs = wrongness.argmax(axis=1)
    return Question(outputs, ones, tuple(task.class_names[c] for c in outputs))


def grad_cam(parts: TransferModel, pixels: np.ndarray, asked: Question) -> np.ndarray | None:
    """Eq. 1 and 2 on the backbone's last feature maps.

    Args:
        parts: the model, outside of any strategy.
        pixels: (n, height, width, 3) in [0, 255].
        asked: of each image.

    Returns:
        float32 array (n, h, w) in [0, 1], at the size of the feature maps, each divided by its
        largest value; `None` where the backbone gives vectors or a sequence, no maps.
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
    # Where nothing speaks for the answer the map is empty.
    return found / np.maximum(found.max(axis=(1, 2), keepdims=True), 1e-12)


def overlaid(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Images with what matters in them coloured, the more the brighter.

    Args:
        pixels: (n, height, width, 3) in [0, 255].
        heat: (n, h, w) in [0, 1].

    Returns:
        float array (n, height, width, 3) in [0, 255].
    """
    heat = tf.image.resize(heat[..., None], pixels.shape[1:3]).numpy().clip(0, 1)
    colours = 255 * matplotlib.colormaps["plasma"](heat[..., 0])[..., :3]
    return pixels + _OPACITY * heat * (colours - pixels)
