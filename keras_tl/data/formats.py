"""The files that are images: the formats that the decoder reads, and how their names end."""

from pathlib import Path

from keras_tl.data.folders import FileKind, files_below

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WebP")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp")
IMAGE_FILES = FileKind("image", ", ".join(FORMATS), SUFFIXES)


def image_files(folder: Path) -> list[str]:
    """All image files below a folder, sorted, hidden ones left out."""
    return files_below(folder, IMAGE_FILES.suffixes)
