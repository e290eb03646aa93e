"""Which way up a photo is: the orientation that cameras write into its Exif data.

Everything is TensorFlow operations, for the same reason as in `keras_tl.data.decoding`. Exif data
that are broken, or not there, mean that the image is the right way up: they never are an error.

Sources: Exif 3.0 (CIPA DC-008), 4.6; PNG, third edition (W3C), 11.3.4.4; WebP container (Google).
"""

import tensorflow as tf

HEADER_SIZE = 48
# JPEG segments of applications, and comments.
_BEFORE_THE_IMAGE = [b"\xff" + bytes([marker]) for marker in (*range(0xE0, 0xF0), 0xFE)]
_SEARCHED = 2**16
_TAG, _SHORT = 0x0112, 3
# The entries of a directory, twelve bytes each, are in the order of their tags: this one is early.
_ENTRIES = 64
_DIRECTORY_BYTES = 2 + 12 * _ENTRIES
# For orientations 1 to 4, and 5 to 8 after a transposition: the steps through rows and columns.
_DIRECTIONS = [(1, 1), (1, -1), (-1, -1), (-1, 1)]


def jpeg_may_have_one(header: tf.Tensor) -> tf.Tensor:
    """Whether Exif data may follow where a JPEG file begins so; of most without, it is false.

    Args:
        header: scalar string tensor, the first `HEADER_SIZE` bytes, filled up with zeros.
    """
    # At once, or after the usual JFIF segment, comes a part of the image.
    jfif = tf.strings.substr(header, 2, 4) == b"\xff\xe0\x00\x10"
    marker = tf.strings.substr(header, tf.where(jfif, 20, 2), 2)
    return tf.reduce_any(marker == _BEFORE_THE_IMAGE)


def png_may_have_one(header: tf.Tensor) -> tf.Tensor:
    """The same for PNG files; false for files in other formats."""
    is_png = tf.strings.substr(header, 0, 8) == b"\x89PNG\r\n\x1a\n"
    return is_png & (tf.strings.substr(header, 37, 4) != b"IDAT")


def webp_may_have_one(header: tf.Tensor) -> tf.Tensor:
    """The same for WebP files."""
    flags = tf.io.decode_raw(tf.strings.substr(header, 20, 1), tf.uint8)[0]
    return (tf.strings.substr(header, 12, 4) == b"VP8X") & (flags & 0x08 != 0)


def of_jpeg(content: tf.Tensor) -> tf.Tensor:
    """The orientation of a JPEG file, int32, 1 to 8: from the APP1 segment "Exif".

    It is looked for in the segments that the file begins with, where the standard puts it.
    """
    return _of_tiff(_after(b"Exif\x00\x00", tf.strings.substr(content, 0, _SEARCHED)))


def of_png(content: tf.Tensor) -> tf.Tensor:
    """The orientation of a PNG file, int32, 1 to 8: from the eXIf chunk before the image."""
    return _of_tiff(_after(b"eXIf", tf.strings.substr(content, 0, _SEARCHED)))


def of_webp(content: tf.Tensor) -> tf.Tensor:
    """The orientation of a WebP file, int32, 1 to 8: from the EXIF chunk behind the image."""
    chunk = tf.strings.split(content, b"EXIF")[-1]
    return _of_tiff(tf.strings.substr(chunk + b"\x00" * 4, 4, _SEARCHED))


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns and mirrors an image (height, width, channels) to how it is meant to be seen."""
    order = tf.where(is_transposed(orientation), [1, 0, 2], [0, 1, 2])
    steps = tf.gather(_DIRECTIONS, (orientation - 1) % len(_DIRECTIONS))
    return tf.transpose(image, order)[:: steps[0], :: steps[1]]


def is_transposed(orientation: tf.Tensor) -> tf.Tensor:
    """Whether height and width change places."""
    return orientation > len(_DIRECTIONS)


def _after(name: bytes, text: tf.Tensor) -> tf.Tensor:
    """What follows a name; nothing where it is not there."""
    # To go from segment to segment would be exact, but a loop in a graph takes as long as decoding
    # a small photo. The name and the first bytes of a TIFF structure are eight bytes or more.
    return tf.strings.split(text + name, name, maxsplit=1)[1]


def _of_tiff(tiff: tf.Tensor) -> tf.Tensor:
    """The orientation in the first directory of a TIFF structure."""
    # Zeros follow, so that a directory outside the data is an empty one.
    padded = tiff + b"\x00" * _DIRECTORY_BYTES
    start = tf.strings.substr(padded, 0, 4)
    little, big = start == b"II*\x00", start == b"MM\x00*"

    def words(at: tf.Tensor, size: int) -> tf.Tensor:
        part = tf.strings.substr(padded, at, size)
        either = [tf.io.decode_raw(part, tf.uint16, little_endian=order) for order in (True, False)]
        return tf.cast(tf.where(little, *either), tf.int32)

    # Segments are shorter than 64 KiB, and so one half of the 32 bits of an offset is zero.
    offset = tf.reduce_sum(words(4, 4))
    directory = words(tf.minimum(offset, tf.strings.length(tiff)), _DIRECTORY_BYTES)
    entries = tf.reshape(directory[1:], (_ENTRIES, 6))
    tags, kinds, values = entries[:, 0], entries[:, 1], entries[:, 4]
    there = (tf.range(_ENTRIES) < directory[0]) & (tags == _TAG) & (kinds == _SHORT)
    there &= (little | big) & (values <= 2 * len(_DIRECTIONS))
    return tf.maximum(tf.reduce_max(tf.where(there, values, 0)), 1)
