"""Where PNG files keep their Exif data and their XMP: the chunk eXIf, and texts.

ImageMagick writes Exif data as hexadecimal text. Source: PNG, third edition (W3C), 11.3.
"""

import tensorflow as tf

from keras_tl.data.images.byte_strings import filled, number, part

_EXIF = b"Exif\x00\x00"
# The keywords of texts; no image has them, or the name of the chunk, by chance.
XMP, _RAW_EXIF = b"XML:com.adobe.xmp\x00", b"Raw profile type exif\x00"
MARKS = (b"eXIf", _RAW_EXIF, XMP)
# Exif data of 64 KiB, as hexadecimal text and compressed, are smaller.
_MOST_COMPRESSED = 2**17
_HEX_DIGITS = [int(chr(n), 16) if chr(n) in "0123456789abcdefABCDEF" else 0 for n in range(256)]
_BYTES = [bytes([n]) for n in range(256)]


def _png_chunk(content: tf.Tensor, mark: bytes, before: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Name and data of the chunk that has bytes which no image has by chance; else empty.

    To go from chunk to chunk would take long: those of an image may be small, and thousands.

    Args:
        content: the file.
        mark: eight bytes of the chunk, or more.
        before: how many bytes before them its name begins.
    """
    at = tf.strings.length(tf.strings.split(content, mark, maxsplit=1)[0]) - before
    there = (at >= 8) & (at + before < tf.strings.length(content))
    at = tf.where(there, at, 8)
    data = part(content, at + 4, number(filled(content, at - 4, 4)))
    return tf.where(there, filled(content, at, 4), b""), tf.where(there, data, b"")


def png_exif(content: tf.Tensor) -> tf.Tensor:
    """What is in the chunk eXIf, else in the text that ImageMagick writes."""
    marks = [b"eXIf" + start for start in (b"II*\x00", b"MM\x00*", _EXIF)]
    own = tf.strings.join([_png_chunk(content, mark, 0)[1] for mark in marks])
    return tf.cond(own == b"", lambda: _from_hex(png_text(content, _RAW_EXIF)), lambda: own)


def png_text(content: tf.Tensor, keyword: bytes) -> tf.Tensor:
    """The text of a chunk tEXt, zTXt or iTXt.

    Args:
        content: the file.
        keyword: what the chunk begins with, a zero at its end.
    """
    name, data = _png_chunk(content, keyword, 4)
    size = tf.strings.length(data)
    value = part(data, len(keyword), size)

    def international() -> tuple[tf.Tensor, tf.Tensor]:
        # Whether the text is compressed, and how; language and translated keyword; the text.
        parts = tf.strings.split(part(value, 2, size), b"\x00", maxsplit=2)
        return tf.strings.reduce_join(parts[2:]), filled(value, 0, 1) != b"\x00"

    def compressed() -> tuple[tf.Tensor, tf.Tensor]:
        return part(value, 1, size), tf.constant(True)

    def plain() -> tuple[tf.Tensor, tf.Tensor]:
        return tf.where(name == b"tEXt", value, b""), tf.constant(False)

    kind = tf.argmax([name == b"iTXt", name == b"zTXt", True], output_type=tf.int32)
    text, is_compressed = tf.switch_case(kind, [international, compressed, plain])
    return tf.cond(is_compressed, lambda: _inflated(text), lambda: text)


def _inflated(data: tf.Tensor) -> tf.Tensor:
    """What was compressed, empty where it is broken: a failure would be that of the image."""
    found = tf.data.Dataset.from_tensors(part(data, 0, _MOST_COMPRESSED))
    found = found.map(lambda data: tf.io.decode_compressed(data, "ZLIB")).ignore_errors()
    return found.concatenate(tf.data.Dataset.from_tensors(b"")).batch(2).get_single_element()[0]


def _from_hex(text: tf.Tensor) -> tf.Tensor:
    """The bytes of a "raw profile": an empty line, its kind, its length, then the digits."""
    digits = tf.strings.reduce_join(tf.strings.split(text, b"\n")[3:])
    digits = tf.strings.regex_replace(digits, r"\s", "")
    valid = tf.strings.regex_full_match(digits, "([0-9A-Fa-f]{2})*")
    codes = tf.io.decode_raw(tf.where(valid, digits, b""), tf.uint8)
    values = tf.reshape(tf.gather(_HEX_DIGITS, tf.cast(codes, tf.int32)), (-1, 2))
    return tf.strings.reduce_join(tf.gather(_BYTES, 16 * values[:, 0] + values[:, 1]))
