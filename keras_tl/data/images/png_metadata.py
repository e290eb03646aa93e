"""Reads the Exif data and XMP of PNG files, from the chunk eXIf and from text chunks.

ImageMagick writes Exif data as hexadecimal text. Source: PNG, third edition (W3C), 11.3.
"""

import tensorflow as tf

from keras_tl.data.images.byte_strings import filled, number, part, split

_EXIF = b"Exif\x00\x00"
# Keywords of text chunks. Image data hardly ever contain a keyword or the name eXIf by chance.
XMP, _RAW_EXIF = b"XML:com.adobe.xmp\x00", b"Raw profile type exif\x00"
MARKS = (b"eXIf", _RAW_EXIF, XMP)
# Largest number of compressed bytes to read. Exif data have at most 64 KiB, which is 128 KiB as
# hexadecimal text and less after compression.
_MOST_COMPRESSED = 2**17
_HEX_DIGITS = [int(chr(n), 16) if chr(n) in "0123456789abcdefABCDEF" else 0 for n in range(256)]
_BYTES = [bytes([n]) for n in range(256)]


def _png_chunk(content: tf.Tensor, mark: bytes, before: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the name and the data of the chunk that holds `mark`, or two empty strings.

    The function searches for the bytes `mark`. Reading the chunks in turn would be slow, because an
    image may have thousands of small chunks. No image contains the eight or more bytes of `mark` by
    chance. `before` is the number of bytes between the start of the chunk name and `mark`.
    """
    at = tf.strings.length(split(content, mark, 1)[0]) - before
    there = (at >= 8) & (at + before < tf.strings.length(content))
    at = tf.where(there, at, 8)
    data = part(content, at + 4, number(filled(content, at - 4, 4)))
    return tf.where(there, filled(content, at, 4), b""), tf.where(there, data, b"")


def png_exif(content: tf.Tensor) -> tf.Tensor:
    """Return Exif data from the chunk eXIf, or else from the text that ImageMagick writes."""
    marks = [b"eXIf" + start for start in (b"II*\x00", b"MM\x00*", _EXIF)]
    own = tf.strings.join([_png_chunk(content, mark, 0)[1] for mark in marks])
    return tf.cond(own == b"", lambda: _from_hex(png_text(content, _RAW_EXIF)), lambda: own)


def png_text(content: tf.Tensor, keyword: bytes) -> tf.Tensor:
    """Return the text that follows a keyword in a chunk tEXt, zTXt or iTXt.

    The `keyword`, the first bytes of the chunk data, ends with a zero byte.
    """
    name, data = _png_chunk(content, keyword, 4)
    size = tf.strings.length(data)
    value = part(data, len(keyword), size)

    def international() -> tuple[tf.Tensor, tf.Tensor]:
        # After the keyword: compression flag and method, language, translated keyword, text.
        parts = split(part(value, 2, size), b"\x00", 2)
        return tf.strings.reduce_join(parts[2:]), filled(value, 0, 1) != b"\x00"

    def compressed() -> tuple[tf.Tensor, tf.Tensor]:
        return part(value, 1, size), tf.constant(True)

    def plain() -> tuple[tf.Tensor, tf.Tensor]:
        return tf.where(name == b"tEXt", value, b""), tf.constant(False)

    kind = tf.argmax([name == b"iTXt", name == b"zTXt", True], output_type=tf.int32)
    text, is_compressed = tf.switch_case(kind, [international, compressed, plain])
    return tf.cond(is_compressed, lambda: _inflated(text), lambda: text)


def _inflated(data: tf.Tensor) -> tf.Tensor:
    """Decompress data. For broken data, return an empty string: the image may be intact."""
    found = tf.data.Dataset.from_tensors(part(data, 0, _MOST_COMPRESSED))
    found = found.map(lambda data: tf.io.decode_compressed(data, "ZLIB")).ignore_errors()
    return found.concatenate(tf.data.Dataset.from_tensors(b"")).batch(2).get_single_element()[0]


def _from_hex(text: tf.Tensor) -> tf.Tensor:
    """Decode a "raw profile": an empty line, a name, a length, then the data in hex digits."""
    digits = tf.strings.reduce_join(split(text, b"\n")[3:])
    digits = tf.strings.regex_replace(digits, r"\s", "")
    valid = tf.strings.regex_full_match(digits, "([0-9A-Fa-f]{2})*")
    codes = tf.io.decode_raw(tf.where(valid, digits, b""), tf.uint8)
    values = tf.reshape(tf.gather(_HEX_DIGITS, tf.cast(codes, tf.int32)), (-1, 2))
    return tf.strings.reduce_join(tf.gather(_BYTES, 16 * values[:, 0] + values[:, 1]))
