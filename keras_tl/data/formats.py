"""The files that are items: the formats of images that the decoder reads, and endings of names."""

import os
from pathlib import Path

from keras_tl.data.file_tree import files_below, visible_files
from keras_tl.data.folders import FileKind
from keras_tl.data.headers import any_image_format
from keras_tl.data.unused_files import UnusedFiles, unused_files
from keras_tl.errors import DataError, quoted

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WebP")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp")
# Photos, scans and drawings of other formats: of phones, cameras, scanners, microscopes, hospitals.
_OTHER_IMAGES = (
    *(".heic", ".heif", ".hif", ".avif", ".tif", ".tiff", ".jp2", ".j2k", ".jxl", ".jxr"),
    *(".dng", ".crw", ".cr2", ".cr3", ".nef", ".arw", ".sr2", ".orf", ".rw2", ".raf", ".pef"),
    *(".srw", ".3fr", ".x3f", ".mpo"),
    *(".psd", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pcx", ".ico", ".svg", ".exr", ".hdr"),
    *(".dcm", ".dicom", ".nii", ".svs", ".ndpi", ".czi", ".npy"),
)
IMAGE_FILES = FileKind(
    "image",
    f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}",
    SUFFIXES,
    _OTHER_IMAGES,
    "Convert the photos among them to JPEG or PNG.",
    any_image_format,
)
# Texts in other formats: written by people, and by programs.
_OTHER_TEXTS = (
    *(".md", ".rst", ".tex", ".html", ".htm", ".xml", ".rtf", ".log", ".eml"),
    *(".pdf", ".doc", ".docx", ".odt", ".pages", ".epub"),
)
TEXT_FILES = FileKind(
    "text",
    ".txt",
    (".txt",),
    _OTHER_TEXTS,
    "Convert the texts among them to .txt files in UTF-8.",
)


def sort_files(folder: Path, kind: FileKind) -> tuple[list[str], UnusedFiles]:
    """Sort the files below a folder, hidden ones left out, in one walk.

    Returns:
        The paths of the files of a kind, sorted; and the account of the others.
    """
    items, others = [], []
    for path in visible_files(folder):
        (items if path.lower().endswith(kind.suffixes) else others).append(path)
    return sorted(items), unused_files(folder, others, kind)


def items_below(
    given: os.PathLike | str, folder: Path, kind: FileKind
) -> tuple[list[str], UnusedFiles]:
    """The same of a folder that a user asks about.

    Args:
        given: the folder as the user named it.
        folder: its path.
        kind: the kind of files that are read.

    Raises:
        DataError: there is no file of the kind.
    """
    items, unused = sort_files(folder, kind)
    if items:
        return items, unused
    name = quoted(os.fspath(given))
    if not unused:
        raise DataError(f"The folder {name} holds no files. Expected {kind.formats} {kind.item}s.")
    raise DataError(f"No {kind.item} ({kind.formats}) below the folder {name}. {unused.advice}")


def image_files(folder: Path) -> list[str]:
    """All image files below a folder, sorted, hidden ones left out."""
    return files_below(folder, IMAGE_FILES.suffixes)
