"""Where image files keep their Exif data and their XMP: segments of JPEG, chunks of PNG and WebP.

Everything is TensorFlow operations, for the same reason as in `keras_tl.data.decoding`. Metadata
that are broken, or not there, are an empty string; they never are an error.

Sources: Exif 3.0 (CIPA DC-008), 4.7; XMP, part 3 (Adobe); PNG, third edition (W3C), 11.3; WebP
container specification (Google). ImageMagick writes Exif data into PNG as hexadecimal text.
"""

from collections.abc import Callable

import tensorflow as tf

HEADER_SIZE = 48
# JPEG segments of applications, comments, and the fill byte that may stand before any of them.
_BEFORE_THE_IMAGE = [b"\xff" + bytes([marker]) for marker in (*range(0xE0, 0xF0), 0xFE, 0xFF)]
_APP1, _SOS, _EOI = 0xE1, 0xDA, 0xD9
_EXIF, _XMP = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"
_PNG_XMP, _PNG_RAW_EXIF = b"XML:com.adobe.xmp\x00", b"Raw profile type exif\x00"
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
# A file of more segments than any program writes would keep the loop busy.
_MOST_SEGMENTS = 512
# Exif data of 64 KiB, as hexadecimal text and compressed, are smaller.
_MOST_COMPRESSED = 2**17
_HEX_DIGITS = [int(chr(n), 16) if chr(n) in "0123456789abcdefABCDEF" else 0 for n in range(256)]
_BYTES = [bytes([n]) for n in range(256)]

# From a place in a file: is it there, does the search end, how many bytes to the next place.
Look = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def header_of(content: tf.Tensor) -> tf.Tensor:
    """The first `HEADER_SIZE` bytes of a file, filled up with zeros.

    Filled up, so that a short file has a header to look at: `substr` past the end of a string fails
    with a message that quotes the string, and bytes that are not UTF-8 turn such a message into a
    UnicodeDecodeError, which no caller expects.
    """
    return _filled(content, 0, HEADER_SIZE)


def is_jpeg(header: tf.Tensor) -> tf.Tensor:
    """Whether a file that begins so is a JPEG file."""
    return tf.strings.substr(header, 0, 2) == b"\xff\xd8"


def is_png(header: tf.Tensor) -> tf.Tensor:
    """Whether a file that begins so is a PNG file."""
    return tf.strings.substr(header, 0, 8) == b"\x89PNG\r\n\x1a\n"


def is_webp(header: tf.Tensor) -> tf.Tensor:
    """Whether a file that begins so is a WebP file."""
    return tf.strings.substr(header, 8, 4) == b"WEBP"


def may_be_there(header: tf.Tensor) -> tf.Tensor:
    """Whether a file that begins so may have Exif data or XMP; false for most JPEG files.

    Args:
        header: scalar string tensor, the first `HEADER_SIZE` bytes, filled up with zeros.
    """
    # At once, or after the usual JFIF segment, comes a part of the image.
    jfif = tf.strings.substr(header, 2, 4) == b"\xff\xe0\x00\x10"
    marker = tf.strings.substr(header, tf.where(jfif, 20, 2), 2)
    in_jpeg = is_jpeg(header) & tf.reduce_any(marker == _BEFORE_THE_IMAGE)
    # In PNG they may stand behind the image.
    return in_jpeg | is_png(header) | _is_flagged(header, _EXIF_FLAG | _XMP_FLAG)


def are_there(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """The same for a whole file: most PNG files have neither, which one look in each shows."""
    marks = (b"eXIf", _PNG_RAW_EXIF, _PNG_XMP)

    def in_png() -> tf.Tensor:
        parts = [tf.size(tf.strings.split(content, mark, maxsplit=1)) for mark in marks]
        return tf.reduce_any(tf.stack(parts) > 1)

    return tf.cond(is_png(header), in_png, lambda: may_be_there(header))


def exif_of(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """The TIFF structure of the Exif data of a JPEG, PNG or WebP file.

    Args:
        content: scalar string tensor, the file.
        header: scalar string tensor, its first `HEADER_SIZE` bytes, filled up with zeros.
    """
    found = _of_format(
        header,
        jpeg=lambda: _jpeg_segment(content, _EXIF),
        png=lambda: _png_exif(content),
        webp=lambda: _webp_chunk(content, header, b"EXIF", _EXIF_FLAG),
    )
    # Some programs write the name of the JPEG segment into PNG and WebP too.
    for _ in range(2):
        size = tf.strings.length(found)
        named = _part(found, 0, len(_EXIF)) == _EXIF
        found = _part(found, tf.where(named, len(_EXIF), 0), size)
    return found


def xmp_of(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """The XMP of a JPEG, PNG or WebP file, an XML text; arguments as those of `exif_of`."""
    return _of_format(
        header,
        jpeg=lambda: _jpeg_segment(content, _XMP),
        png=lambda: _png_text(content, _PNG_XMP),
        webp=lambda: _webp_chunk(content, header, b"XMP ", _XMP_FLAG),
    )


def _of_format(header: tf.Tensor, jpeg: Callable, png: Callable, webp: Callable) -> tf.Tensor:
    kind = tf.argmax([is_jpeg(header), is_png(header), is_webp(header), True], output_type=tf.int32)
    return tf.switch_case(kind, [jpeg, png, webp, lambda: tf.constant(b"")])


def _part(content: tf.Tensor, at: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """As many bytes as that from there on, or as there are."""
    return tf.strings.substr(
        content, tf.minimum(at, tf.strings.length(content)), tf.maximum(size, 0)
    )


def _filled(content: tf.Tensor, at: tf.Tensor, size: int) -> tf.Tensor:
    """As many bytes as that from there on, zeros where the file is shorter."""
    return tf.strings.substr(_part(content, at, size) + b"\x00" * size, 0, size)


def _number(part: tf.Tensor, big_endian: bool = True) -> tf.Tensor:
    """The number that four bytes are, int32; at most 2**30, which no file reaches."""
    digits = tf.cast(tf.io.decode_raw(part, tf.uint8), tf.int64)
    places = [256**place for place in range(4)]
    number = tf.reduce_sum(digits * (places[::-1] if big_endian else places))
    return tf.cast(tf.minimum(number, 2**30), tf.int32)


def _walk(content: tf.Tensor, start: int, look: Look) -> tuple[tf.Tensor, tf.Tensor]:
    """Goes from part to part of a file: whether one is what is looked for, and where."""
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
    """What stands behind a name in the first APP1 segment that has it."""

    def look(at: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        start = tf.cast(tf.io.decode_raw(_filled(content, at, 4), tf.uint8), tf.int32)
        marker = start[1]
        # As libjpeg does: fill bytes, and what is no marker, are passed over.
        is_marker = (start[0] == 0xFF) & (marker != 0) & (marker != 0xFF)
        hit = is_marker & (marker == _APP1) & (_part(content, at + 4, len(name)) == name)
        ended = is_marker & ((marker == _SOS) | (marker == _EOI))
        length = 2 + tf.maximum(256 * start[2] + start[3], 2)
        return hit, ended, tf.where(is_marker, length, 1)

    hit, at = _walk(content, 2, look)
    size = _number(b"\x00\x00" + _filled(content, at + 2, 2)) - 2 - len(name)
    return tf.where(hit, _part(content, at + 4 + len(name), size), b"")


def _is_flagged(header: tf.Tensor, flags: int) -> tf.Tensor:
    """Whether the header of an extended WebP file promises one of some chunks."""
    promised = tf.io.decode_raw(tf.strings.substr(header, 20, 1), tf.uint8)[0]
    extended = is_webp(header) & (tf.strings.substr(header, 12, 4) == b"VP8X")
    return extended & (promised & flags != 0)


def _webp_chunk(content: tf.Tensor, header: tf.Tensor, name: bytes, flag: int) -> tf.Tensor:
    """The data of a chunk; libwebp passes over those that the header does not promise."""

    def size_at(at: tf.Tensor) -> tf.Tensor:
        return _number(_filled(content, at + 4, 4), big_endian=False)

    def look(at: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        size = size_at(at)
        return _part(content, at, 4) == name, tf.constant(False), 8 + size + size % 2

    hit, at = _walk(content, 12, look)
    return tf.where(hit & _is_flagged(header, flag), _part(content, at + 8, size_at(at)), b"")


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
    data = _part(content, at + 4, _number(_filled(content, at - 4, 4)))
    return tf.where(there, _filled(content, at, 4), b""), tf.where(there, data, b"")


def _png_exif(content: tf.Tensor) -> tf.Tensor:
    """What is in the chunk eXIf, else in the text that ImageMagick writes."""
    marks = [b"eXIf" + start for start in (b"II*\x00", b"MM\x00*", _EXIF)]
    own = tf.strings.join([_png_chunk(content, mark, 0)[1] for mark in marks])
    return tf.cond(own == b"", lambda: _from_hex(_png_text(content, _PNG_RAW_EXIF)), lambda: own)


def _png_text(content: tf.Tensor, keyword: bytes) -> tf.Tensor:
    """The text of a chunk tEXt, zTXt or iTXt.

    Args:
        content: the file.
        keyword: what the chunk begins with, a zero at its end.
    """
    name, data = _png_chunk(content, keyword, 4)
    size = tf.strings.length(data)
    value = _part(data, len(keyword), size)

    def international() -> tuple[tf.Tensor, tf.Tensor]:
        # Whether the text is compressed, and how; language and translated keyword; the text.
        parts = tf.strings.split(_part(value, 2, size), b"\x00", maxsplit=2)
        return tf.strings.reduce_join(parts[2:]), _filled(value, 0, 1) != b"\x00"

    def compressed() -> tuple[tf.Tensor, tf.Tensor]:
        return _part(value, 1, size), tf.constant(True)

    def plain() -> tuple[tf.Tensor, tf.Tensor]:
        return tf.where(name == b"tEXt", value, b""), tf.constant(False)

    kind = tf.argmax([name == b"iTXt", name == b"zTXt", True], output_type=tf.int32)
    text, is_compressed = tf.switch_case(kind, [international, compressed, plain])
    return tf.cond(is_compressed, lambda: _inflated(text), lambda: text)


def _inflated(data: tf.Tensor) -> tf.Tensor:
    """What was compressed, empty where it is broken: a failure would be that of the image."""
    found = tf.data.Dataset.from_tensors(_part(data, 0, _MOST_COMPRESSED))
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
