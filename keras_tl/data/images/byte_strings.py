"""Parts of a file's bytes, as TensorFlow operations that never fail."""

import tensorflow as tf


def part(content: tf.Tensor, at: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """As many bytes as that from there on, or as there are."""
    return tf.strings.substr(
        content, tf.minimum(at, tf.strings.length(content)), tf.maximum(size, 0)
    )


def filled(content: tf.Tensor, at: tf.Tensor, size: int) -> tf.Tensor:
    """As many bytes as that from there on, zeros where the file is shorter."""
    return tf.strings.substr(part(content, at, size) + b"\x00" * size, 0, size)


def number(four_bytes: tf.Tensor, big_endian: bool = True) -> tf.Tensor:
    """The number that four bytes are, int32; at most 2**30, which no file reaches."""
    digits = tf.cast(tf.io.decode_raw(four_bytes, tf.uint8), tf.int64)
    places = [256**place for place in range(4)]
    found = tf.reduce_sum(digits * (places[::-1] if big_endian else places))
    return tf.cast(tf.minimum(found, 2**30), tf.int32)
