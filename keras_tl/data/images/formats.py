"""Image formats that the decoder reads, and the suffixes of their file names."""

import os

from keras_tl.data.folders.file_kinds import FileKind
from keras_tl.data.images.headers import START, any_image_format

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WebP")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp")
# Suffixes of image formats that the decoder does not read: formats of phones, cameras, scanners,
# drawing programs, microscopes and hospitals.
_OTHER_IMAGES = (
    *(".heic", ".heif", ".hif", ".avif", ".tif", ".tiff", ".jp2", ".j2k", ".jxl", ".jxr"),
    *(".dng", ".crw", ".cr2", ".cr3", ".nef", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef"),
    *(".srw", ".3fr", ".x3f", ".mpo"),
    *(".psd", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pcx", ".ico", ".svg", ".exr", ".hdr"),
    *(".dcm", ".dicom", ".nii", ".svs", ".ndpi", ".czi", ".npy"),
)


def format_of_file(path: str) -> str | None:
    """Return the format of an image file, including formats that the decoder does not read.

    Return `None` for a pipe, a device, an unreadable file, or a file that is not an image.
    """
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return any_image_format(file.read(START))
    except OSError:
        return None


IMAGE_FILES = FileKind(
    "image",
    f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}",
    SUFFIXES,
    _OTHER_IMAGES,
    "Convert photos in other formats to JPEG or PNG.",
    format_of_file,
)
