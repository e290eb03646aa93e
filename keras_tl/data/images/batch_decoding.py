"""Decodes batches of files, as a server receives them: some files may not be images."""

import functools
from collections.abc import Callable

import tensorflow as tf

from keras_tl.data.images import metadata
from keras_tl.data.images.byte_strings import header_number
from keras_tl.data.images.decoder import load_image
from keras_tl.data.images.headers import MAGIC, SIZES
from keras_tl.data.images.image_issues import MOST_PIXELS
from keras_tl.data.images.value_range import ValueRange

_EXTENSION, _FRAME = 0x21, 0x2C
# Largest number of bytes in a GIF block before its data: the size of a frame descriptor with the
# largest palette.
_LONGEST_STEP = 11 + 3 * 256


def load_images(
    contents: tf.Tensor,
    size: tuple[int, int],
    how: str,
    value_range: ValueRange = None,
    most_pixels: int = MOST_PIXELS,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode and resize a batch of image files in parallel, and mark the invalid files.

    A `tf.data.Dataset` that ignores errors decodes the files. Without `tf.data.Dataset`, one
    invalid file would make the whole batch fail.

    Args:
        contents: The bytes of each file, string tensor (batch,). The bytes need not be an image.
        size: (height, width) of the returned images in pixels.
        how: Method of resizing, see `keras_tl.data.images.decoder.resize`.
        value_range: Values of black and white, see `keras_tl.data.images.decoder.decode_image`.
        most_pixels: Largest number of pixels that a valid file may have.

    Returns:
        Pixels, float32 (batch, *size, 3) in [0, 255], and validity, bool (batch,). A valid file is
        an image of at most `most_pixels` pixels. The pixels of invalid files are black.
    """
    count = tf.size(contents, out_type=tf.int64)

    # Without AutoGraph, which would convert the whole decoder: tracing takes less time.
    @tf.autograph.experimental.do_not_convert
    def load(row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        content = contents[row]
        # Check the size before decoding: a small file may declare an image that no memory can hold.
        most = tf.constant(most_pixels, tf.float64)
        small = tf.debugging.assert_less_equal(declared_pixels(content), most)
        with tf.control_dependencies([small]):
            return row, load_image(content, size, how, value_range)

    images = tf.data.Dataset.range(count).map(load, tf.data.AUTOTUNE, deterministic=False)
    images = images.ignore_errors()
    # Add an extra row, because `get_single_element` would fail if no file is an image.
    images = images.concatenate(tf.data.Dataset.from_tensors((count, tf.zeros((*size, 3)))))
    rows, pixels = images.batch(count + 1).get_single_element()
    places = rows[:, None]
    pixels = tf.scatter_nd(places, pixels, [count + 1, *size, 3])
    valid = tf.scatter_nd(places, tf.ones_like(rows, tf.bool), [count + 1])
    return tf.ensure_shape(pixels[:count], (None, *size, 3)), valid[:count]


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def are_images(contents: tf.Tensor) -> tf.Tensor:
    """Return whether each file is valid by the rule of `load_images`, bool tensor (batch,)."""
    return load_images(contents, (1, 1), "stretch")[1]


def declared_pixels(content: tf.Tensor) -> tf.Tensor:
    """Return the number of pixels, of three bytes each, for which the decoder allocates memory.

    The functions in `keras_tl.data.images.headers.SIZES` find the width and height of PNG, BMP and
    WebP images. TensorFlow finds the size of JPEG images. In a GIF file, the pixels of all frames
    count, because the decoder allocates memory for all frames.

    Returns:
        Number of pixels, float64 scalar, exact below 2**53, or 0 if TensorFlow cannot decode the
        format.

    Raises:
        tf.errors.InvalidArgumentError: A JPEG file is too damaged to declare its size.
    """
    header = metadata.header_of(content)
    number = functools.partial(header_number, header)

    def jpeg() -> tf.Tensor:
        return _area(*tf.unstack(tf.io.extract_jpeg_shape(content)[:2]))

    def choose(condition: tf.Tensor, one: Callable, other: Callable) -> tf.Tensor:
        return tf.where(condition, one(), other())

    def by_rule(kind: str) -> Callable[[], tf.Tensor]:
        return lambda: _area(*SIZES[kind](number, choose))

    areas = {"JPEG": jpeg, "GIF": lambda: _gif(content)} | {kind: by_rule(kind) for kind in SIZES}
    starts = MAGIC | {b"RIFF": "WebP"}
    found = [tf.strings.substr(header, 0, len(start)) == start for start in starts]
    # Get the index of the first matching format, or of the default branch.
    kind = tf.argmax([*found, True], output_type=tf.int32)
    functions = [areas[kind] for kind in starts.values()]
    return tf.switch_case(kind, [*functions, lambda: tf.zeros((), tf.float64)])


def _area(width: tf.Tensor, height: tf.Tensor) -> tf.Tensor:
    return tf.cast(width, tf.float64) * tf.cast(height, tf.float64)


def _gif(content: tf.Tensor) -> tf.Tensor:
    """Count pixels of three bytes: the decoder allocates one byte per pixel of each GIF frame."""
    size = tf.strings.length(content)
    data = tf.io.decode_raw(content + tf.constant(b"\x00" * _LONGEST_STEP), tf.uint8)

    def byte(at: tf.Tensor) -> tf.Tensor:
        return tf.cast(data[at], tf.int32)

    def side(at: tf.Tensor) -> tf.Tensor:
        return byte(at) + 256 * byte(at + 1)

    def palette(flags: tf.Tensor) -> tf.Tensor:
        return tf.where(flags >= 0x80, 3 * 2 ** (flags % 8 + 1), 0)

    def is_block(at: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
        return (at < size) & ((byte(at) == _EXTENSION) | (byte(at) == _FRAME))

    def after(at: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        is_frame = byte(at) == _FRAME
        area = _area(side(at + 5), side(at + 7))
        at += tf.where(is_frame, 11 + palette(byte(at + 9)), 2)
        (at,) = tf.while_loop(
            lambda at: (at < size) & (byte(at) > 0), lambda at: (at + 1 + byte(at),), (at,)
        )
        return at + 1, total + tf.where(is_frame, area, 0)

    first = 13 + palette(byte(tf.constant(10)))
    _, total = tf.while_loop(is_block, after, (first, tf.zeros((), tf.float64)))
    canvas = _area(side(tf.constant(6)), side(tf.constant(8)))
    return tf.maximum(canvas, tf.math.ceil(total / 3))
