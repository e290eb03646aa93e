"""The files that are items: the formats of images that the decoder reads, and endings of names."""

from pathlib import Path

from keras_tl.data.folders import FileKind, files_below

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WebP")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp")
IMAGE_FILES = FileKind("image", ", ".join(FORMATS), SUFFIXES)
TEXT_FILES = FileKind("text", ".txt", (".txt",))


def image_files(folder: Path) -> list[str]:
    """All image files below a folder, sorted, hidden ones left out."""
    return files_below(folder, IMAGE_FILES.suffixes)
