"""Reads Exif data and XMP from the segments of JPEG files and the chunks of PNG and WebP files.

The functions consist of TensorFlow operations, because `keras_tl.data.images.decoder` uses them.
For broken or missing metadata, the functions return an empty string and raise no error.

Sources: Exif 3.0 (CIPA DC-008), 4.7; XMP, part 3 (Adobe); WebP container specification (Google).
"""

from collections.abc import Callable

import tensorflow as tf

from keras_tl.data.images.byte_strings import filled, number, part, split
from keras_tl.data.images.png_metadata import MARKS, XMP, png_exif, png_text

HEADER_SIZE = 48
# Markers of JPEG application segments and comments, and the fill byte that may precede a marker.
_BEFORE_THE_IMAGE = [b"\xff" + bytes([marker]) for marker in (*range(0xE0, 0xF0), 0xFE, 0xFF)]
_APP1, _SOS, _EOI = 0xE1, 0xDA, 0xD9
_EXIF, _XMP = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
# Largest number of segments to search. No program writes so many segments.
_MOST_SEGMENTS = 512

# Function that takes a position in a file and returns three values: whether the part at this
# position is the wanted part, whether the search ends, and the number of bytes to the next part.
Look = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def header_of(content: tf.Tensor) -> tf.Tensor:
    """Return the first `HEADER_SIZE` bytes of a file, filled up with zeros.

    For a shorter file, `tf.strings.substr` would fail with a message that quotes bytes of the file.
    Quoted bytes that are not UTF-8 would turn the error of TensorFlow into a UnicodeDecodeError,
    which no caller expects.
    """
    return filled(content, 0, HEADER_SIZE)


def _has(magic: bytes, at: int = 0) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function that tells whether a header has the bytes `magic` at a position."""

    def is_there(header: tf.Tensor) -> tf.Tensor:
        return tf.strings.substr(header, at, len(magic)) == magic

    return is_there


is_jpeg, is_png, is_webp = _has(b"\xff\xd8"), _has(b"\x89PNG\r\n\x1a\n"), _has(b"WEBP", 8)
is_gif, is_bmp = _has(b"GIF8"), _has(b"BM")


def may_be_there(header: tf.Tensor) -> tf.Tensor:
    """Whether a file with this header may have Exif data or XMP, which most JPEG files lack."""
    # Most JPEG files have no metadata: an image segment comes first or follows the JFIF segment.
    jfif = tf.strings.substr(header, 2, 4) == b"\xff\xe0\x00\x10"
    marker = tf.strings.substr(header, tf.where(jfif, 20, 2), 2)
    in_jpeg = is_jpeg(header) & tf.reduce_any(marker == _BEFORE_THE_IMAGE)
    # The header of a PNG file does not tell whether metadata follow after the image.
    return in_jpeg | is_png(header) | is_flagged(header, _EXIF_FLAG | _XMP_FLAG)


def are_there(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """Whether a file may have Exif data or XMP. In a PNG file, search the whole file."""

    def in_png() -> tf.Tensor:
        parts = [tf.size(split(content, mark, 1)) for mark in MARKS]
        return tf.reduce_any(tf.stack(parts) > 1)

    return tf.cond(is_png(header), in_png, lambda: may_be_there(header))


def exif_of(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """Return the Exif data of a JPEG, PNG or WebP file, which form a TIFF structure."""
    found = _of_format(
        header,
        jpeg=lambda: _jpeg_segment(content, _EXIF),
        png=lambda: png_exif(content),
        webp=lambda: _webp_chunk(content, header, b"EXIF", _EXIF_FLAG),
    )
    # Drop the segment name `Exif`. Some programs write this name in PNG and WebP files too.
    for _ in range(2):
        size = tf.strings.length(found)
        named = part(found, 0, len(_EXIF)) == _EXIF
        found = part(found, tf.where(named, len(_EXIF), 0), size)
    return found


def xmp_of(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """Return the XMP of a JPEG, PNG or WebP file, an XML text."""
    return _of_format(
        header,
        jpeg=lambda: _jpeg_segment(content, _XMP),
        png=lambda: png_text(content, XMP),
        webp=lambda: _webp_chunk(content, header, b"XMP ", _XMP_FLAG),
    )


def _of_format(header: tf.Tensor, jpeg: Callable, png: Callable, webp: Callable) -> tf.Tensor:
    kind = tf.argmax([is_jpeg(header), is_png(header), is_webp(header), True], output_type=tf.int32)
    return tf.switch_case(kind, [jpeg, png, webp, lambda: tf.constant(b"")])


def _walk(content: tf.Tensor, start: int, look: Look) -> tuple[tf.Tensor, tf.Tensor]:
    """Search a file with the function `look`. Return whether the part exists, and its position."""
    size = tf.strings.length(content)

    def step(at: tf.Tensor, hit: tf.Tensor, ended: tf.Tensor) -> tuple:
        hit, ended, length = look(at)
        return tf.where(hit | ended, at, at + length), hit, ended

    at, hit, _ = tf.while_loop(
        lambda at, hit, ended: (at < size) & (at >= 0) & ~hit & ~ended,
        step,
        (start, False, False),
        maximum_iterations=_MOST_SEGMENTS,
    )
    return hit, at


def _jpeg_segment(content: tf.Tensor, name: bytes) -> tf.Tensor:
    """Return the data after `name` in the first APP1 segment that starts with this name."""

    def look(at: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        start = tf.cast(tf.io.decode_raw(filled(content, at, 4), tf.uint8), tf.int32)
        marker = start[1]
        # Skip fill bytes, and bytes that are not a marker, as libjpeg does.
        is_marker = (start[0] == 0xFF) & (marker != 0) & (marker != 0xFF)
        hit = is_marker & (marker == _APP1) & (part(content, at + 4, len(name)) == name)
        ended = is_marker & ((marker == _SOS) | (marker == _EOI))
        length = 2 + tf.maximum(256 * start[2] + start[3], 2)
        return hit, ended, tf.where(is_marker, length, 1)

    hit, at = _walk(content, 2, look)
    size = number(b"\x00\x00" + filled(content, at + 2, 2)) - 2 - len(name)
    return tf.where(hit, part(content, at + 4 + len(name), size), b"")


def is_flagged(header: tf.Tensor, flags: int) -> tf.Tensor:
    """Whether a file is an extended WebP file whose header has at least one of `flags`."""
    promised = tf.io.decode_raw(tf.strings.substr(header, 20, 1), tf.uint8)[0]
    extended = is_webp(header) & (tf.strings.substr(header, 12, 4) == b"VP8X")
    return extended & (promised & flags != 0)


def _webp_chunk(content: tf.Tensor, header: tf.Tensor, name: bytes, flag: int) -> tf.Tensor:
    """Return the data of the chunk `name`, or b"" if the header lacks `flag`, as libwebp does."""

    def size_at(at: tf.Tensor) -> tf.Tensor:
        return number(filled(content, at + 4, 4), big_endian=False)

    def look(at: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        size = size_at(at)
        return part(content, at, 4) == name, tf.constant(False), 8 + size + size % 2

    hit, at = _walk(content, 12, look)
    return tf.where(hit & is_flagged(header, flag), part(content, at + 8, size_at(at)), b"")
