"""Which way up a photo is: the orientation that cameras write into its Exif data.

Everything is TensorFlow operations, for the same reason as in `keras_tl.data.decoding`. Exif data
that are broken, or not there, mean that the image is the right way up; they never are an error.

Sources: Exif 3.0 (CIPA DC-008), 4.5 and 4.6; PNG, third edition (W3C), 11.3.4.4; WebP container
specification (Google).
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


def header_of(content: tf.Tensor) -> tf.Tensor:
    """The first `HEADER_SIZE` bytes of a file, filled up with zeros.

    Filled up, so that a short file has a header to look at: `substr` past the end of a string fails
    with a message that quotes the string, and bytes that are not UTF-8 turn such a message into a
    UnicodeDecodeError, which no caller expects.
    """
    start = tf.strings.substr(content, 0, HEADER_SIZE) + tf.constant(b"\x00" * HEADER_SIZE)
    return tf.strings.substr(start, 0, HEADER_SIZE)


def is_jpeg(header: tf.Tensor) -> tf.Tensor:
    """Whether a file that begins so is a JPEG file."""
    return tf.strings.substr(header, 0, 2) == b"\xff\xd8"


def is_webp(header: tf.Tensor) -> tf.Tensor:
    """Whether a file that begins so is a WebP file."""
    return tf.strings.substr(header, 8, 4) == b"WEBP"


def may_be_there(header: tf.Tensor) -> tf.Tensor:
    """Whether a file that begins so may say its orientation; false for most that do not.

    Args:
        header: scalar string tensor, the first `HEADER_SIZE` bytes, filled up with zeros.
    """
    # At once, or after the usual JFIF segment, comes a part of the image.
    jfif = tf.strings.substr(header, 2, 4) == b"\xff\xe0\x00\x10"
    marker = tf.strings.substr(header, tf.where(jfif, 20, 2), 2)
    in_jpeg = is_jpeg(header) & tf.reduce_any(marker == _BEFORE_THE_IMAGE)
    # The first chunk of a PNG file is IHDR.
    is_png = tf.strings.substr(header, 0, 8) == b"\x89PNG\r\n\x1a\n"
    in_png = is_png & (tf.strings.substr(header, 37, 4) != b"IDAT")
    extended = is_webp(header) & (tf.strings.substr(header, 12, 4) == b"VP8X")
    flags = tf.io.decode_raw(tf.strings.substr(header, 20, 1), tf.uint8)[0]
    return in_jpeg | in_png | (extended & (flags & 0x08 != 0))


def read(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """The orientation of a JPEG, PNG or WebP file, int32, 1 to 8.

    Of a JPEG file it is looked for in the APP1 segment "Exif" within the first 64 KiB, of a PNG
    file in the chunk eXIf likewise, of a WebP file in the chunk EXIF, which is behind the image.

    Args:
        content: scalar string tensor, the file.
        header: scalar string tensor, its first `HEADER_SIZE` bytes, filled up with zeros.
    """
    webp = is_webp(header)
    name = tf.where(webp, b"EXIF", tf.where(is_jpeg(header), b"Exif\x00\x00", b"eXIf"))
    text = tf.strings.substr(content, 0, tf.where(webp, tf.strings.length(content), _SEARCHED))
    # To go from segment to segment would be exact, but a loop in a graph takes as long as decoding
    # a small photo. The name and the first bytes of a TIFF structure are eight bytes or more.
    found = tf.strings.split(text + name, name, maxsplit=1)[1]
    # A WebP chunk has its length, four bytes, between the name and the data.
    padded = tf.strings.substr(found, 0, _SEARCHED) + b"\x00" * (4 + _DIRECTORY_BYTES)
    tiff = tf.strings.substr(padded, tf.where(webp, 4, 0), -1)
    return tf.where(may_be_there(header), _of_tiff(tiff), 1)


def _of_tiff(tiff: tf.Tensor) -> tf.Tensor:
    """The orientation in the first directory of a TIFF structure.

    Zeros behind it make a directory outside the data an empty one.
    """
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
    tags, kinds, values = entries[:, 0], entries[:, 1], entries[:, 4]
    there = (tf.range(_ENTRIES) < directory[0]) & (tags == _TAG) & (kinds == _SHORT)
    there &= (little | big) & (values <= 2 * len(_DIRECTIONS))
    return tf.maximum(tf.reduce_max(tf.where(there, values, 0)), 1)


def is_transposed(orientation: tf.Tensor) -> tf.Tensor:
    """Whether height and width change places."""
    return orientation > len(_DIRECTIONS)


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns and mirrors an image (height, width, channels) to how it is meant to be seen."""
    order = tf.where(is_transposed(orientation), [1, 0, 2], [0, 1, 2])
    steps = tf.gather(_DIRECTIONS, (orientation - 1) % len(_DIRECTIONS))
    return tf.transpose(image, order)[:: steps[0], :: steps[1]]
