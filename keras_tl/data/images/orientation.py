"""Orientation of photos, which cameras write into the Exif data or the XMP of a file.

The functions consist of TensorFlow operations, because `keras_tl.data.images.decoder` uses them.
With broken or missing metadata, an image counts as upright, and no error is raised. Images are
turned as by Pillow's `ImageOps.exif_transpose`.

Sources: Exif 3.0 (CIPA DC-008), 4.5 and 4.6; XMP, part 2 (Adobe), the TIFF schema.
"""

import tensorflow as tf

from keras_tl.data.images import metadata
from keras_tl.data.images.byte_strings import split

_SEARCHED = 2**16
_TAG, _NO_TAG = 0x0112, -1
# Codes of TIFF number types, the unsigned type first, then the signed type.
_SHORTS, _LONGS = (3, 8), (4, 9)
# The entries of a TIFF directory, 12 bytes each, are sorted by tag. The orientation tag is among
# the first 64 entries.
_ENTRIES = 64
_DIRECTORY_BYTES = 2 + 12 * _ENTRIES
# Steps along rows and columns for orientations 1 to 4. After a transposition, orientations 5 to 8
# need the same steps.
_DIRECTIONS = [(1, 1), (1, -1), (-1, -1), (-1, 1)]


def read(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """Return the orientation of a JPEG, PNG or WebP file, an int32 number from 1 to 8.

    Uses the orientation tag of the Exif data, or else `tiff:Orientation` of the XMP, as Pillow
    does. A value outside 1 to 8 counts as 1 (upright). `header` is the result of `header_of`.
    """

    def without_tag() -> tf.Tensor:
        return _of_xmp(metadata.xmp_of(content, header))

    def look() -> tf.Tensor:
        tag = _of_tiff(tf.strings.substr(metadata.exif_of(content, header), 0, _SEARCHED))
        return tf.cond(tag == _NO_TAG, without_tag, lambda: tag)

    found = tf.cond(metadata.are_there(content, header), look, lambda: tf.constant(1))
    return tf.where((found >= 1) & (found <= 2 * len(_DIRECTIONS)), found, 1)


def _of_xmp(xmp: tf.Tensor) -> tf.Tensor:
    """Return the digit of the first `tiff:Orientation` in an XMP text, 1 if there is none."""
    after = tf.concat([split(xmp, b"tiff:Orientation")[1:], [">1"]], 0)
    starts = tf.io.decode_raw(tf.strings.substr(after + "  ", 0, 3), tf.uint8)
    first, second, third = tf.unstack(tf.cast(starts, tf.int32), num=3, axis=1)
    is_attribute = (first == ord("=")) & (second == ord('"'))
    digits = tf.where(is_attribute, third, tf.where(first == ord(">"), second, 0)) - ord("0")
    return digits[tf.argmax((digits >= 0) & (digits <= 9))]


def _of_tiff(tiff: tf.Tensor) -> tf.Tensor:
    """Return the orientation in the first directory of a TIFF structure, or else `_NO_TAG`."""
    # Append zeros, so that a directory after the end of the data has no entries.
    tiff += b"\x00" * (8 + _DIRECTORY_BYTES)
    start = tf.strings.substr(tiff, 0, 4)
    little, big = start == b"II*\x00", start == b"MM\x00*"

    def words(at: tf.Tensor, size: int) -> tf.Tensor:
        part = tf.strings.substr(tiff, at, size)
        either = [tf.io.decode_raw(part, tf.uint16, little_endian=order) for order in (True, False)]
        return tf.cast(tf.where(little, *either), tf.int32)

    # A segment is shorter than 64 KiB, so one 16-bit half of a 32-bit offset is zero.
    offset = tf.reduce_sum(words(4, 4))
    last = tf.strings.length(tiff) - _DIRECTORY_BYTES
    directory = words(tf.minimum(offset, last), _DIRECTORY_BYTES)
    entries = tf.reshape(directory[1:], (_ENTRIES, 6))
    tags, kinds = entries[:, 0], entries[:, 1]
    # A 32-bit number has its lower half first in little-endian order, and last in big-endian order.
    is_long = tf.reduce_any(kinds[:, None] == _LONGS, axis=1)
    low = tf.where(is_long & big, entries[:, 5], entries[:, 4])
    high = tf.where(is_long, tf.where(big, entries[:, 4], entries[:, 5]), 0)
    is_number = is_long | tf.reduce_any(kinds[:, None] == _SHORTS, axis=1)
    values = tf.where(is_number & (high == 0), low, 0)
    there = (tf.range(_ENTRIES) < directory[0]) & (tags == _TAG) & (little | big)
    # Return an invalid tag value too. If the result were `_NO_TAG`, `read` would search the XMP.
    return tf.where(tf.reduce_any(there), tf.maximum(values[tf.argmax(there)], 0), _NO_TAG)


def is_transposed(orientation: tf.Tensor) -> tf.Tensor:
    """Whether an orientation swaps height and width."""
    return orientation > len(_DIRECTIONS)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turn and mirror an image (height, width, channels) so that it is upright."""
    order = tf.where(is_transposed(orientation), [1, 0, 2], [0, 1, 2])
    steps = tf.gather(_DIRECTIONS, (orientation - 1) % len(_DIRECTIONS))
    return tf.transpose(image, order)[:: steps[0], :: steps[1]]
