"""Decodes batches of files, as a server receives them: some files may not be images."""

import tensorflow as tf

from keras_tl.data.images.decoder import load_image
from keras_tl.data.images.header_ops import declared_pixels
from keras_tl.data.images.image_issues import MOST_PIXELS
from keras_tl.data.images.value_range import ValueRange


def load_images(
    contents: tf.Tensor,
    size: tuple[int, int],
    how: str,
    value_range: ValueRange = None,
    most_pixels: int = MOST_PIXELS,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode and resize a batch of image files in parallel, and mark the invalid files.

    A `tf.data.Dataset` that ignores errors decodes the files. In a plain graph, one invalid file
    would make the whole batch fail.

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

    def load(row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        content = contents[row]
        # Check the size before decoding: a small file may declare an image that no memory can hold.
        most = tf.constant(most_pixels, tf.float64)
        small = tf.debugging.assert_less_equal(declared_pixels(content), most)
        with tf.control_dependencies([small]):
            return row, load_image(content, size, how, value_range)

    images = tf.data.Dataset.range(count).map(load, tf.data.AUTOTUNE, deterministic=False)
    images = images.ignore_errors()
    # Add an extra row. Without a row, the code below would fail if no file is an image.
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
