"""Which way up a photo is: the orientation that cameras write into its Exif data, or its XMP.

Everything is TensorFlow operations, for the same reason as in `keras_tl.data.images.decoder`.
Metadata that are broken, or not there, mean that the image is the right way up; they never are an
error.
`ImageOps.exif_transpose` of Pillow turns the same files in the same way.

Sources: Exif 3.0 (CIPA DC-008), 4.5 and 4.6; XMP, part 2 (Adobe), the TIFF schema.
"""

import tensorflow as tf

from keras_tl.data.images import metadata

_SEARCHED = 2**16
_TAG, _NO_TAG = 0x0112, -1
# Types of numbers: without a sign, with one.
_SHORTS, _LONGS = (3, 8), (4, 9)
# The entries of a directory, twelve bytes each, are in the order of their tags: this one is early.
_ENTRIES = 64
_DIRECTORY_BYTES = 2 + 12 * _ENTRIES
# For orientations 1 to 4, and 5 to 8 after a transposition: the steps through rows and columns.
_DIRECTIONS = [(1, 1), (1, -1), (-1, -1), (-1, 1)]


def read(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """The orientation of a JPEG, PNG or WebP file, int32, 1 to 8.

    As Pillow finds it: the tag of the Exif data; where these have none, `tiff:Orientation` of the
    XMP. 1 where neither says one of the eight.

    Args:
        content: scalar string tensor, the file.
        header: scalar string tensor, its first `HEADER_SIZE` bytes, filled up with zeros.
    """

    def without_tag() -> tf.Tensor:
        return _of_xmp(metadata.xmp_of(content, header))

    def look() -> tf.Tensor:
        tag = _of_tiff(tf.strings.substr(metadata.exif_of(content, header), 0, _SEARCHED))
        return tf.cond(tag == _NO_TAG, without_tag, lambda: tag)

    found = tf.cond(metadata.are_there(content, header), look, lambda: tf.constant(1))
    return tf.where((found >= 1) & (found <= 2 * len(_DIRECTIONS)), found, 1)


def _of_xmp(xmp: tf.Tensor) -> tf.Tensor:
    """The number in the first attribute or element that holds a digit; 1 where there is none."""
    after = tf.concat([tf.strings.split(xmp, "tiff:Orientation")[1:], [">1"]], 0)
    starts = tf.io.decode_raw(tf.strings.substr(after + "  ", 0, 3), tf.uint8)
    first, second, third = tf.unstack(tf.cast(starts, tf.int32), num=3, axis=1)
    is_attribute = (first == ord("=")) & (second == ord('"'))
    digits = tf.where(is_attribute, third, tf.where(first == ord(">"), second, 0)) - ord("0")
    return digits[tf.argmax((digits >= 0) & (digits <= 9))]


def _of_tiff(tiff: tf.Tensor) -> tf.Tensor:
    """The orientation in the first directory of a TIFF structure, any number; `_NO_TAG` without.

    Zeros behind it make a directory outside the data an empty one.
    """
    tiff += b"\x00" * (8 + _DIRECTORY_BYTES)
    start = tf.strings.substr(tiff, 0, 4)
    little, big = start == b"II*\x00", start == b"MM\x00*"

    def words(at: tf.Tensor, size: int) -> tf.Tensor:
        part = tf.strings.substr(tiff, at, size)
        either = [tf.io.decode_raw(part, tf.uint16, little_endian=order) for order in (True, False)]
        return tf.cast(tf.where(little, *either), tf.int32)

    # Segments are shorter than 64 KiB: one half of the 32 bits of an offset is zero.
    offset = tf.reduce_sum(words(4, 4))
    last = tf.strings.length(tiff) - _DIRECTORY_BYTES
    directory = words(tf.minimum(offset, last), _DIRECTORY_BYTES)
    entries = tf.reshape(directory[1:], (_ENTRIES, 6))
    tags, kinds = entries[:, 0], entries[:, 1]
    # A number of 32 bits has its lower half first in one order, and last in the other.
    is_long = tf.reduce_any(kinds[:, None] == _LONGS, axis=1)
    low = tf.where(is_long & big, entries[:, 5], entries[:, 4])
    high = tf.where(is_long, tf.where(big, entries[:, 4], entries[:, 5]), 0)
    is_number = is_long | tf.reduce_any(kinds[:, None] == _SHORTS, axis=1)
    values = tf.where(is_number & (high == 0), low, 0)
    there = (tf.range(_ENTRIES) < directory[0]) & (tags == _TAG) & (little | big)
    # Another tag than the eight is there all the same: nothing else is asked.
    return tf.where(tf.reduce_any(there), tf.maximum(values[tf.argmax(there)], 0), _NO_TAG)


def is_transposed(orientation: tf.Tensor) -> tf.Tensor:
    """Whether height and width change places."""
    return orientation > len(_DIRECTIONS)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns and mirrors an image (height, width, channels) to how it is meant to be seen."""
    order = tf.where(is_transposed(orientation), [1, 0, 2], [0, 1, 2])
    steps = tf.gather(_DIRECTIONS, (orientation - 1) % len(_DIRECTIONS))
    return tf.transpose(image, order)[:: steps[0], :: steps[1]]
