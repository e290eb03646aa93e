"""Format and declared image size of a file, read from its bytes without decoding."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

from keras_tl.data.images.jpeg import jpeg_size

MAGIC = {b"\xff\xd8": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP"}
_OTHER_IMAGES = {
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"8BPS": "Photoshop",
    b"\x00\x00\x01\x00": "icon",
    b"\x00\x00\x00\x0cjP": "JPEG 2000",
    b"\x00\x00\x00\x0cJXL": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
}
_BRANDS = {b"ftyp" + brand: "AVIF" for brand in (b"avif", b"avis")} | {
    b"ftyp" + brand: "HEIC"
    for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
}
_NOT_IMAGES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Office document",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"RIFF": "a video or sound",
    b"\x1aE\xdf\xa3": "a video",
    b"\x00\x05\x16\x07": "a macOS file with metadata of another file",
    b"version https://git-lfs": "a Git LFS pointer, run 'git lfs pull' to get the file",
}
# Number of first bytes that suffice to identify every format. DICOM files have their identifier at
# byte 128.
START = 132
# Header size in bytes of BMP files that store width and height in 16 bits.
_OS2_HEADER = 12
_EXTENDED, _LOSSLESS = (int.from_bytes(chunk, "little") for chunk in (b"VP8X", b"VP8L"))
_TEXTS = {b"<!doctype html": "an HTML page", b"<html": "an HTML page", b"<?xml": "an XML text"}


def image_format(start: bytes) -> str | None:
    """Return the format of an image, from `keras_tl.data.images.formats.FORMATS`, or `None`.

    Args:
        start: At least the first 16 bytes of the file, fewer only if the file is shorter.
    """
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WebP"
    return _first(MAGIC, start)


def any_image_format(start: bytes) -> str | None:
    """Return the format of an image, including formats that the decoder does not read, or `None`.

    `start` has at least the first `START` bytes of the file, fewer only if the file is shorter.
    """
    return image_format(start) or _other_format(start)


def why_not(start: bytes) -> str:
    """Return a phrase that names the format of a file that is not a supported image."""
    if image := _other_format(start):
        return f"another format: {image} image, convert it to JPEG or PNG"
    text = _as_text(start)
    return f"not an image: {_first(_NOT_IMAGES, start) or _first(_TEXTS, text) or _quoted(start)}"


def _other_format(start: bytes) -> str | None:
    if start[128:132] == b"DICM":
        return "DICOM"
    drawing = "SVG" if _as_text(start).startswith(b"<svg") else None
    return _first(_OTHER_IMAGES, start) or _BRANDS.get(start[4:12]) or drawing


def _as_text(start: bytes) -> bytes:
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()


def _first(table: dict[bytes, str], start: bytes) -> str | None:
    return next((name for magic, name in table.items() if start.startswith(magic)), None)


def _quoted(start: bytes) -> str:
    if start[4:8] == b"ftyp":
        return "a video"
    if not start.strip(b"\x00"):
        return "zeros"
    words = " ".join(start.decode("utf-8", "replace")[:20].split())
    if words.isprintable() and "\ufffd" not in words:
        return f"text that begins with {words!r}"
    return f"the file begins with the bytes {start[:4].hex(' ')}"


def image_size(content: bytes, kind: str | None) -> tuple[int, int] | None:
    """Return the declared width and height of an image in pixels (GIF: maximum of all frames).

    `kind` is the result of `image_format`. Returns `None` for an unsupported format, and for a
    truncated or damaged file.
    """
    try:
        if kind in SIZES:
            return SIZES[kind](lambda *place: _number(content, *place), _choose)
        return {"JPEG": jpeg_size, "GIF": _gif}[kind](content)
    except (struct.error, LookupError):
        return None


def _number(content: bytes, at: int, size: int, big_endian: bool = False) -> int:
    part = content[at : at + size]
    if len(part) < size:
        raise LookupError("the file is cut short")
    return int.from_bytes(part, "big" if big_endian else "little")


def _choose(condition: bool, one: Callable, other: Callable) -> int:
    return one() if condition else other()


def _gif(content: bytes) -> tuple[int, int]:
    """Return the largest width and height of canvas and frames of a GIF, which all need memory."""
    widths, heights = zip(struct.unpack_from("<HH", content, 6), *gif_frames(content), strict=True)
    return max(widths), max(heights)


def gif_frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the width and height in pixels of each frame of a GIF file.

    Raises:
        struct.error, LookupError: The file is truncated.
    """
    (flags,) = struct.unpack_from("<B", content, 10)
    at = 13 + _gif_palette(flags)
    while content[at : at + 1] in (b"!", b","):
        if content[at : at + 1] == b",":
            width, height, flags = struct.unpack_from("<HHB", content, at + 5)
            yield width, height
            at += 11 + _gif_palette(flags)
        else:
            at += 2
        while content[at]:
            at += 1 + content[at]
        at += 1


def _gif_palette(flags: int) -> int:
    return 3 << (flags % 8 + 1) if flags & 0x80 else 0


# The functions below return (width, height). This module applies the functions to Python bytes, and
# `batch_decoding` applies the functions to TensorFlow strings. `number(at, size, big_endian=False)`
# returns a number in the header, an integer or a tensor. `choose(condition, one, other)` returns
# `one()` if `condition` is true, else `other()`.


def _png(number: Callable, choose: Callable) -> tuple:
    return number(16, 4, True), number(20, 4, True)


def _bmp(number: Callable, choose: Callable) -> tuple:
    def side(at: int, at_os2: int) -> Any:
        return choose(
            number(14, 4) == _OS2_HEADER,
            lambda: number(at_os2, 2),
            # Drop the sign of the height, which only gives the order of the rows.
            lambda: 2**31 - abs(number(at, 4) - 2**31),
        )

    return side(18, 18), side(22, 20)


def _webp(number: Callable, choose: Callable) -> tuple:
    def side(at: int, place: int, at_lossy: int) -> Any:
        def lossless() -> Any:
            return number(21, 4) // place % 2**14 + 1

        def plain() -> Any:
            return choose(number(12, 4) == _LOSSLESS, lossless, lambda: number(at_lossy, 2) % 2**14)

        return choose(number(12, 4) == _EXTENDED, lambda: number(at, 3) + 1, plain)

    return side(24, 1, 26), side(27, 2**14, 28)


SIZES = {"PNG": _png, "BMP": _bmp, "WebP": _webp}
