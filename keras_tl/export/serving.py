"""The serving model: raw bytes in, named outputs out; what `predict` and `export` use."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_tl.data.decoding import load_image, resize

_BATCH = 32


class ServingModel(tf.Module):
    """The model with the decoder in front and the labels behind, as TensorFlow functions.

    Args:
        model: float32 pixels (batch, height, width, 3) to logits (batch, classes).
        class_names: the classes' names, in the order of the logits.
        image_size: (height, width) of the pixels.
        how: how images get to that size, see `keras_tl.data.decoding.resize`.
    """

    def __init__(
        self,
        model: keras.Model,
        class_names: tuple[str, ...],
        image_size: tuple[int, int],
        how: str,
    ):
        super().__init__(name="keras_tl")
        # What is saved is the functions and the variables they read, nothing of Keras.
        self.model_variables = [variable.value for variable in model.variables]
        labels = tf.constant(class_names)

        def classify(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            probabilities = tf.nn.softmax(tf.cast(model(pixels, training=False), tf.float32))
            return {
                "probabilities": tf.identity(probabilities, "probabilities"),
                "class_id": tf.argmax(probabilities, axis=-1, name="class_id"),
            }

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
            outputs = classify(pixels)
            return outputs | {"label": tf.gather(labels, outputs["class_id"], name="label")}

        @tf.function(
            input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="pixels")],
            autograph=False,
        )
        def from_pixels(pixels):
            return classify(resize(pixels, image_size, how))

        self.serving_default = serving_default
        self.pixels = from_pixels

    def probabilities_of(self, items: list[bytes] | np.ndarray) -> np.ndarray:
        """Asks the signature that takes such items, a batch at a time.

        Args:
            items: n image files' bytes, or (n, height, width, 3) pixels in [0, 255].

        Returns:
            float32 array (n, classes).

        Raises:
            tf.errors.InvalidArgumentError: bytes that are not an image.
        """
        function = self.serving_default if isinstance(items, list) else self.pixels
        spec = function.input_signature[0]
        rows = [
            function(tf.constant(items[start : start + _BATCH], spec.dtype))["probabilities"]
            for start in range(0, len(items), _BATCH)
        ]
        return np.concatenate(rows)

    @property
    def signatures(self) -> dict[str, Callable]:
        """Name to function.

        * `serving_default`: `image_bytes` (string, (batch,), JPEG, PNG, BMP, GIF or WebP files)
          to `probabilities` (float32, (batch, classes)), `class_id` (int64, (batch,)) and
          `label` (string, (batch,)).
        * `pixels`: `pixels` (float32, (batch, any height, any width, 3), RGB in [0, 255]) to
          `probabilities` and `class_id`.
        """
        return {"serving_default": self.serving_default, "pixels": self.pixels}
