"""BMP and GIF images that TensorFlow cannot decode, or decodes wrongly."""

import struct

from keras_tl.data.images.headers import gif_frames

CURE = "convert it to PNG"
# Header sizes in bytes: the first version of Windows, and OS/2.
WINDOWS, _OS2 = 40, 12
PLAIN, _RLE_8, _RLE_4, MASKS = range(4)
BITS = (8, 24, 32)
# Bit masks of red, green and blue in the order that files without masks use.
BGR = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
HEADER_SIZE = 66


def why_unsupported(content: bytes, kind: str | None) -> str | None:
    """Return the reason to leave out an undamaged image, `None` if the decoder supports it.

    Args:
        content: bytes of the file.
        kind: format of the file, from `keras_tl.data.images.formats.FORMATS`.
    """
    reason = None
    try:
        if kind == "BMP":
            reason = _of_bmp(content)
        elif kind == "GIF":
            reason = _of_gif(content)
    except (struct.error, LookupError):  # Truncated: the decoder reports it.
        return None
    return reason and f"unsupported {kind}: {reason}, {CURE}"


def _of_bmp(content: bytes) -> str | None:
    (header,) = struct.unpack_from("<I", content, 14)
    if header < WINDOWS:
        return f"a header of OS/2 ({header} bytes)"
    bits, compression = struct.unpack_from("<HI", content, 28)
    if compression in (_RLE_8, _RLE_4):
        return "run-length encoding (RLE)"
    if bits not in BITS:
        return f"{bits}-bit pixels"
    if compression == MASKS and content[54:HEADER_SIZE] == BGR:
        return None
    return None if compression == PLAIN else "another order of colours than blue, green, red"


def _of_gif(content: bytes) -> str | None:
    width, height = struct.unpack_from("<HH", content, 6)
    frame = next(gif_frames(content), (width, height))
    if frame[0] >= width and frame[1] >= height:
        return None
    return f"the first frame has {frame[0]} x {frame[1]} of {width} x {height} pixels"
