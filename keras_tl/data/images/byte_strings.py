"""Parts of the bytes of a file, as TensorFlow operations that never fail."""

import tensorflow as tf


def part(content: tf.Tensor, at: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Return `size` bytes from position `at`, or fewer at the end of the file."""
    return tf.strings.substr(
        content, tf.minimum(at, tf.strings.length(content)), tf.maximum(size, 0)
    )


def filled(content: tf.Tensor, at: tf.Tensor, size: int) -> tf.Tensor:
    """Return `size` bytes from position `at`, with zeros past the end of the file."""
    return tf.strings.substr(part(content, at, size) + b"\x00" * size, 0, size)


def split(content: tf.Tensor, separator: bytes, most: int = -1) -> tf.Tensor:
    """Return the parts of a string between separators, string (n,), after at most `most` splits.

    `tf.strings.split` adds 100 operations for ragged tensors. A graph pays for them each time a
    data set starts, and each time a server loads it.
    """
    return tf.raw_ops.StringSplitV2(input=[content], sep=separator, maxsplit=most).values


def header_number(header: tf.Tensor, at: int, size: int, big_endian: bool = False) -> tf.Tensor:
    """Return the number in bytes of a header, int64. The header must not end before them."""
    digits = tf.cast(tf.io.decode_raw(tf.strings.substr(header, at, size), tf.uint8), tf.int64)
    places = [256**place for place in range(size)]
    return tf.reduce_sum(digits * (places[::-1] if big_endian else places))


def number(four_bytes: tf.Tensor, big_endian: bool = True) -> tf.Tensor:
    """Return the int32 value of four bytes, limited to 2**30, which no file size reaches."""
    return tf.cast(tf.minimum(header_number(four_bytes, 0, 4, big_endian), 2**30), tf.int32)
