"""Finds damage in JPEG files that the decoder does not report: missing parts of the image.

An interrupted copy or a bad sector leaves zeros in the middle of a file. JPEG has no checksum, so
libjpeg decodes zeros in place of image data to grey stripes without an error. Decoders accept more
codes than encoders write: no encoder writes a row of `_fewest_impossible_zeros` or more zeros.
Zeros that an encoder could have written count as image data.

Source: ITU-T T.81 (the JPEG standard), annexes B, F and G.
"""

import re
from collections.abc import Iterator

_DHT, _DQT, _SOS, _EOI = 0xC4, 0xDB, 0xDA, 0xD9
_FRAMES = {*range(0xC0, 0xD0)} - {_DHT, 0xC8, 0xCC}
_BASELINE, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_SCAN = 0
# In a scan, the two bytes 255 and 0 encode one byte 255. Restart markers belong to the scan.
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ZEROS = b"\x00" * 32

# Symbols of each Huffman table, by its class and number. Symbols with short codes come first.
Tables = dict[tuple[int, int], bytes]


def jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return the width and height of a JPEG file in pixels, `None` if it does not declare them."""
    for marker, start, _ in _segments(content):
        if marker in _FRAMES and start + 5 <= len(content):
            height, width = (int.from_bytes(content[at : at + 2]) for at in (start + 1, start + 3))
            return width, height
    return None


def jpeg_damage(content: bytes) -> str | None:
    """Return damage that the decoder may accept without an error, or `None` if none is found."""
    tables: Tables = {}
    frame, header = None, b""
    for marker, start, end in _segments(content):
        data, reason = content[start:end], None
        if marker in _FRAMES:
            frame = marker
        elif marker == _DQT:
            reason = None if _quantisation_holds(data) else "a quantisation table has zeros"
        elif marker == _DHT:
            read = _huffman_tables(data)
            tables |= read
            twice = any(len(set(symbols)) < len(symbols) for symbols in read.values())
            reason = "a Huffman table has a symbol twice" if twice else None
        elif marker == _SOS:
            # Find a missing end marker here. Without an end marker, TensorFlow either refuses the
            # file and writes to the log, or reads zeros at the end of the file as image data.
            # Accept a file that lacks only the last byte of the end marker.
            if content.rfind(b"\xff\xd9") < end and content[-1] != 0xFF:
                return "truncated JPEG"
            missing = tables and not _needed(data, frame) <= tables.keys()
            reason = "a Huffman table is missing" if missing else None
            header = data
            if not missing and content.find(_ZEROS, end) < 0:
                return None
        elif marker == _SCAN:
            zeros = _fewest_impossible_zeros(header, frame, tables)
            at = content.find(b"\x00" * zeros, start, end) if zeros else -1
            reason = f"zeros in place of the image from byte {at:,}" if at >= 0 else None
        if reason:
            return f"damaged JPEG: {reason}"
    return None if header else "truncated JPEG"


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker (its second byte) and the start and end of the data of each segment.

    After each scan header, the function also yields `_SCAN` with the start and end of the coded
    image data. As in libjpeg, bytes that are not markers are skipped.
    """
    at = content.find(b"\xff", 2)
    while 0 <= at < len(content) - 1:
        marker = content[at + 1]
        if marker == _EOI:
            return
        if marker == 0xFF:
            at += 1
            continue
        # Skip the markers of segments without data.
        if marker <= 0x01 or 0xD0 <= marker <= 0xD8:
            at = content.find(b"\xff", at + 2)
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        yield marker, at + 4, end
        if marker == _SOS:
            found = _END_OF_SCAN.search(content, end)
            at = found.start() if found else len(content)
            yield _SCAN, end, at
        else:
            at = content.find(b"\xff", max(end, at + 4))


def _quantisation_holds(data: bytes) -> bool:
    at = 0
    while at < len(data):
        width = 2 if data[at] >> 4 else 1
        values = memoryview(data)[at + 1 : at + 1 + 64 * width]
        if 0 in (values if width == 1 or len(values) % 2 else values.cast("H")):
            return False
        at += 1 + 64 * width
    return True


def _huffman_tables(data: bytes) -> Tables:
    tables, at = {}, 0
    while at + 17 <= len(data):
        count = sum(data[at + 1 : at + 17])
        tables[data[at] >> 4, data[at] & 15] = data[at + 17 : at + 17 + count]
        at += 17 + count
    return tables


def _needed(header: bytes, frame: int | None) -> set[tuple[int, int]]:
    """Return the pair (class, number) of each Huffman table that a baseline scan uses."""
    if frame not in _BASELINE:
        return set()
    chosen = header[2 : 1 + 2 * header[0] : 2] if header else b""
    return {(0, tables >> 4) for tables in chosen} | {(1, tables & 15) for tables in chosen}


def _fewest_impossible_zeros(header: bytes, frame: int | None, tables: Tables) -> int | None:
    """Return the fewest zero bytes in a row that mean damage, `None` if any number is possible.

    In a Huffman table, the code that has only zero bits stands for the first symbol. In a flat part
    of an image, an encoder writes only the symbol "the rest is zero" for each block. If all Huffman
    tables start with "the rest is zero", an intact image may have any number of zeros in a row. If
    a table starts with another symbol, a long row of zeros would mean many blocks whose
    coefficients are all equal, which no encoder writes.
    """
    if len(header) < 4:
        return None
    chosen = [tables.get((1, part & 15), b"\x00") for part in header[2 : 1 + 2 * header[0] : 2]]
    if frame in _BASELINE:
        return 32 if any(symbols[:1] != b"\x00" for symbols in chosen) else None
    first, refinement = header[-3], header[-1] >> 4
    if frame != _PROGRESSIVE or first == 0:
        return None
    # Find the tables with symbols for a run of flat blocks. With such a symbol, an encoder codes
    # many flat blocks at once, and does not write a symbol for each block.
    ends = [any(s & 15 == 0 and 0 < s >> 4 < 15 for s in symbols) for symbols in chosen]
    if any(has or symbols[0] != 0 for has, symbols in zip(ends, chosen, strict=True)):
        # In a refinement scan of an intact image, many equal blocks can give many zeros.
        return 512 if refinement else 64
    return None
