"""BMP and GIF files that are images, but that TensorFlow cannot decode, or would decode wrongly."""

import struct

import tensorflow as tf

from keras_tl.data.headers import gif_frames

_CURE = "convert it to PNG"
# Sizes of the header of Windows, whose first version is 40 bytes, and of OS/2.
_WINDOWS, _OS2 = 40, 12
_PLAIN, _RLE_8, _RLE_4, _MASKS = range(4)
_BITS = (8, 24, 32)
# Which bits of a pixel are red, green and blue: the order of a file without masks.
_BGR = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
_HEADER_SIZE = 66


def why_unsupported(content: bytes, kind: str | None) -> str | None:
    """Says why an image is left out that is not damaged; `None` where nothing speaks against it.

    Args:
        content: the file.
        kind: its format, one of `keras_tl.data.formats.FORMATS`.
    """
    reason = None
    try:
        if kind == "BMP":
            reason = _of_bmp(content)
        elif kind == "GIF":
            reason = _of_gif(content)
    except (struct.error, LookupError):  # It is cut short, which others say.
        return None
    return reason and f"unsupported {kind}: {reason}, {_CURE}"


def _of_bmp(content: bytes) -> str | None:
    (header,) = struct.unpack_from("<I", content, 14)
    if header < _WINDOWS:
        return f"a header of OS/2 ({header} bytes)"
    bits, compression = struct.unpack_from("<HI", content, 28)
    if compression in (_RLE_8, _RLE_4):
        return "run-length encoding (RLE)"
    if bits not in _BITS:
        return f"{bits}-bit pixels"
    if compression == _MASKS and content[54:_HEADER_SIZE] == _BGR:
        return None
    return None if compression == _PLAIN else "another order of colours than blue, green, red"


def _of_gif(content: bytes) -> str | None:
    width, height = struct.unpack_from("<HH", content, 6)
    frame = next(gif_frames(content), (width, height))
    if frame[0] >= width and frame[1] >= height:
        return None
    return f"the first frame has {frame[0]} x {frame[1]} of {width} x {height} pixels"


def checked_bmp(content: tf.Tensor) -> tf.Tensor:
    """The same BMP file, scalar string; in a graph too.

    Raises:
        tf.errors.InvalidArgumentError: it is unsupported.
    """
    header = tf.strings.substr(content, 0, _HEADER_SIZE) + b"\x00" * _HEADER_SIZE

    def number(at: int, size: int) -> tf.Tensor:
        kind = {2: tf.uint16, 4: tf.int32}[size]
        return tf.cast(tf.io.decode_raw(tf.strings.substr(header, at, size), kind)[0], tf.int32)

    compression = number(30, 4)
    in_order = tf.strings.substr(header, 54, len(_BGR)) == _BGR
    plain = (compression == _PLAIN) | ((compression == _MASKS) & in_order)
    supported = (number(14, 4) >= _WINDOWS) & tf.reduce_any(number(28, 2) == _BITS) & plain
    return _where(supported, content, "an unsupported BMP file")


def checked_gif(image: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """The same image of the first frame of a GIF file; arguments and errors as `checked_bmp`.

    Args:
        image: (height, width, channels).
        header: the beginning of the file.
    """
    sides = tf.cast(tf.io.decode_raw(tf.strings.substr(header, 6, 4), tf.uint16), tf.int32)
    supported = tf.reduce_all(tf.shape(image)[:2] >= sides[::-1])
    return _where(supported, image, "a GIF file whose first frame is smaller than its canvas")


def _where(supported: tf.Tensor, value: tf.Tensor, name: str) -> tf.Tensor:
    check = tf.debugging.Assert(supported, [f"Expected another image than {name}: {_CURE}."])
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(value)
