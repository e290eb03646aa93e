"""BMP and GIF images that TensorFlow cannot decode, or decodes wrongly."""

import struct
from collections.abc import Callable
from typing import Any

from keras_tl.data.images.headers import gif_frames

CURE = "convert the file to PNG"
# Size in bytes of the BMP header of Windows. BMP files with a shorter header come from OS/2.
_WINDOWS = 40
_PLAIN, _RLE_8, _RLE_4, _MASKS = range(4)
# Offsets in a BMP file, in bytes: the end of the colour masks, and the end of the compression
# field.
HEADER_SIZE, _FEWEST = 66, 34


def unsupported_issue(content: bytes, kind: str | None) -> str | None:
    """Return why the decoder does not support an intact image file, or `None` if it does."""
    reason = None
    try:
        if kind == "BMP":
            reason = _of_bmp(content)
        elif kind == "GIF":
            reason = _of_gif(content)
    except (struct.error, LookupError):  # The decoder reports truncated files.
        return None
    return reason and f"unsupported {kind}: {reason}, {CURE}"


def bmp_problems(number: Callable) -> dict[str, Any]:
    """Return, for each possible problem of a BMP file, whether the file has the problem.

    `number(at, size)` returns the number in the `size` bytes of the header from position `at` on,
    as an integer or a tensor. Bytes after the end of the file count as 0.
    """
    bits, compression = number(28, 2), number(30, 4)
    # Whether the colour masks have another order than blue, green, red.
    reordered = (number(54, 4) != 0xFF0000) | (number(58, 4) != 0xFF00) | (number(62, 4) != 0xFF)
    return {
        "an OS/2 header ({header} bytes)": number(14, 4) < _WINDOWS,
        "run-length encoding (RLE)": (compression == _RLE_8) | (compression == _RLE_4),
        "{bits}-bit pixels": (bits != 8) & (bits != 24) & (bits != 32),
        "colours in another order than blue, green, red": (
            (compression != _PLAIN) & ((compression != _MASKS) | reordered)
        ),
    }


def _of_bmp(content: bytes) -> str | None:
    if len(content) < _FEWEST:
        return None

    def number(at: int, size: int) -> int:
        return int.from_bytes(content[at : at + size], "little")

    problems = bmp_problems(number)
    reason = next((reason for reason, is_so in problems.items() if is_so), None)
    return reason and reason.format(header=number(14, 4), bits=number(28, 2))


def _of_gif(content: bytes) -> str | None:
    width, height = struct.unpack_from("<HH", content, 6)
    frame = next(gif_frames(content), (width, height))
    if frame[0] >= width and frame[1] >= height:
        return None
    return f"the first frame covers only {frame[0]} x {frame[1]} of {width} x {height} pixels"
