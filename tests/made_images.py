"""Photos of 27 x 19 pixels, and image files of them with an orientation in their metadata."""

import io
import struct

import numpy as np
from PIL import Image, ImageOps


def photo(seed=0):
    """Smooth as a photo is, with an alpha channel that hides nothing when dropped."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 4)).astype(np.uint8)
    return Image.fromarray(coarse).resize((27, 19), Image.Resampling.BICUBIC)


RGBA = photo()
RGB = RGBA.convert("RGB")
GREY = RGB.convert("L")
PALETTE = RGB.quantize(16)
OTHER = photo(1).convert("RGB")


def encode(image, file_format, **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def tiff(orientation, order, kind=3, first_directory=8, entries=3):
    """A TIFF structure with an orientation among other entries, and a thumbnail's directory."""

    def directory(value):
        others = [(0x0111 - n, 3, 1, n) for n in range(entries - 1)]
        packed = [
            struct.pack(f"{order}HHIHH", *entry, 0)
            for entry in sorted([*others, (0x0112, kind, 1, value)])
        ]
        return struct.pack(f"{order}H", len(packed)) + b"".join(packed) + b"\x00" * 4

    start = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(f"{order}I", first_directory)
    return start.ljust(first_directory, b"\x01") + directory(orientation) + directory(3)


def in_jpeg(content, exif, before=b""):
    """A JPEG file with the TIFF structure in its first APP1 segment."""
    segment = b"Exif\x00\x00" + exif
    return (
        content[:2] + before + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment
    ) + content[2:]


def app(number, payload):
    return bytes([0xFF, 0xE0 + number]) + struct.pack(">H", len(payload) + 2) + payload


def upright_pixels(content):
    """What Pillow makes of the file's orientation."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
