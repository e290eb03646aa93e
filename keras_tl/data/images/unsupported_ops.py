"""The checks of `keras_tl.data.images.unsupported` as TensorFlow operations, for the decoder."""

import functools

import tensorflow as tf

from keras_tl.data.images.byte_strings import filled, header_number
from keras_tl.data.images.unsupported import CURE, HEADER_SIZE, bmp_problems


def checked_bmp(content: tf.Tensor) -> tf.Tensor:
    """Return the bytes of a BMP file unchanged if it is supported, eagerly or in a graph.

    Raises:
        tf.errors.InvalidArgumentError: The file is unsupported.
    """
    header = filled(content, 0, HEADER_SIZE)
    problems = bmp_problems(functools.partial(header_number, header))
    supported = ~tf.reduce_any([*problems.values()])
    return _where(supported, content, "an unsupported BMP file")


def checked_gif(image: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """Return the first frame of a GIF file, (height, width, channels), unchanged if supported.

    Raises the error of `checked_bmp`.
    """
    sides = tf.cast(tf.io.decode_raw(tf.strings.substr(header, 6, 4), tf.uint16), tf.int32)
    supported = tf.reduce_all(tf.shape(image)[:2] >= sides[::-1])
    return _where(supported, image, "a GIF file whose first frame is smaller than its canvas")


def _where(supported: tf.Tensor, value: tf.Tensor, name: str) -> tf.Tensor:
    check = tf.debugging.Assert(
        supported, [f"Expected a supported image. Received {name}: {CURE}."]
    )
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(value)
