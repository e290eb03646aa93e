"""Reads parts of the bytes of a file with TensorFlow operations that never fail."""

import tensorflow as tf


def part(content: tf.Tensor, at: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Return `size` bytes of a file from position `at` on, or fewer at the end of the file."""
    return tf.strings.substr(
        content, tf.minimum(at, tf.strings.length(content)), tf.maximum(size, 0)
    )


def filled(content: tf.Tensor, at: tf.Tensor, size: int) -> tf.Tensor:
    """Return `size` bytes of a file from position `at` on, with zeros in place of missing bytes."""
    return tf.strings.substr(part(content, at, size) + b"\x00" * size, 0, size)


def split(content: tf.Tensor, separator: bytes, most: int = -1) -> tf.Tensor:
    """Split a string at the first `most` separators (-1: all), and return a string tensor (n,).

    `tf.strings.split` would add 100 operations for ragged tensors to a graph, which would take time
    at each start of a `tf.data` pipeline, and whenever a server loads the graph.
    """
    return tf.raw_ops.StringSplitV2(input=[content], sep=separator, maxsplit=most).values


def header_number(header: tf.Tensor, at: int, size: int, big_endian: bool = False) -> tf.Tensor:
    """Return the int64 number in the `size` bytes of a header from position `at` on."""
    digits = tf.cast(tf.io.decode_raw(tf.strings.substr(header, at, size), tf.uint8), tf.int64)
    places = [256**place for place in range(size)]
    return tf.reduce_sum(digits * (places[::-1] if big_endian else places))


def number(four_bytes: tf.Tensor, big_endian: bool = True) -> tf.Tensor:
    """Convert four bytes to an int32 number. Numbers above 2**30 become 2**30.

    The numbers are sizes or positions in bytes. Image files have less than 2**30 bytes.
    """
    return tf.cast(tf.minimum(header_number(four_bytes, 0, 4, big_endian), 2**30), tf.int32)
