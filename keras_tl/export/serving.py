"""The serving model: raw bytes in, named outputs out; what `predict` and `export` use."""

from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf

from keras_tl.data.decoding import load_image, resize
from keras_tl.tasks import Task

BATCH = 32


class ServingModel(tf.Module):
    """The model with the decoder in front and the labels behind, as TensorFlow functions.

    Args:
        model: float32 pixels (batch, height, width, 3) to logits (batch, outputs).
        task: turns logits into answers.
        image_size: (height, width) of the pixels.
        how: how images get to that size, see `keras_tl.data.decoding.resize`.
    """

    def __init__(self, model: keras.Model, task: Task, image_size: tuple[int, int], how: str):
        super().__init__(name="keras_tl")
        # What is saved is the functions and the variables they read, nothing of Keras.
        self.model_variables = [variable.value for variable in model.variables]

        def answer(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            return task.answers(tf.cast(model(pixels, training=False), tf.float32))

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")],
            autograph=False,
        )
        def serving_default(image_bytes):
            pixels = tf.map_fn(
                lambda content: load_image(content, image_size, how),
                image_bytes,
                fn_output_signature=tf.TensorSpec((*image_size, 3), tf.float32),
            )
            return answer(pixels)

        @tf.function(
            input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="pixels")],
            autograph=False,
        )
        def from_pixels(pixels):
            return answer(resize(pixels, image_size, how))

        self.serving_default = serving_default
        self.pixels = from_pixels

    def answers_to(self, batches: Iterable[list[bytes] | np.ndarray]) -> dict[str, np.ndarray]:
        """Asks the signature that takes such items, a batch at a time.

        Args:
            batches: lists of image files' bytes, or (n, height, width, 3) pixels in [0, 255].

        Returns:
            Each named output of all the batches together.

        Raises:
            tf.errors.InvalidArgumentError: bytes that are not an image.
        """
        answers = []
        for batch in batches:
            function = self.serving_default if isinstance(batch, list) else self.pixels
            answers.append(function(tf.constant(batch, function.input_signature[0].dtype)))
        return {name: np.concatenate([part[name] for part in answers]) for name in answers[0]}

    @property
    def signatures(self) -> dict[str, Callable]:
        """Name to function.

        * `serving_default` takes `image_bytes`: string (batch,), JPEG, PNG, BMP, GIF or WebP files.
        * `pixels` takes `pixels`: float32 (batch, any height, any width, 3), RGB in [0, 255].

        Both give the outputs of the task:

        * multiclass, binary: `probabilities` (float32, (batch, classes)), `class_id` (int64,
          (batch,)) and `label` (string, (batch,));
        * multi-label: `probabilities` (float32, (batch, labels)) and `labels_mask` (bool, (batch,
          labels)), true above probability 0.5;
        * regression: `value` (float32, (batch,)).
        """
        return {"serving_default": self.serving_default, "pixels": self.pixels}
