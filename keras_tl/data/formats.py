"""The files that are images: the formats that the decoder reads, and how their names end."""

from pathlib import Path

from keras_tl.data.file_tree import files_below, visible_files
from keras_tl.data.folders import FileKind
from keras_tl.data.unused_files import UnusedFiles, unused_files

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WebP")
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp")
# Photos, scans and drawings of other formats: of phones, cameras, scanners, microscopes, hospitals.
OTHER_SUFFIXES = (
    *(".heic", ".heif", ".hif", ".avif", ".tif", ".tiff", ".jp2", ".j2k", ".jxl", ".jxr"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"),
    *(".psd", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pcx", ".ico", ".svg", ".exr", ".hdr"),
    *(".dcm", ".dicom", ".nii", ".svs", ".ndpi", ".czi", ".npy"),
)
IMAGE_FILES = FileKind(
    "image",
    ", ".join(FORMATS),
    SUFFIXES,
    OTHER_SUFFIXES,
    "Convert the photos among them to JPEG or PNG.",
)


def passed_over(folder: Path) -> UnusedFiles:
    """The files below a folder that are no images that can be read."""
    others = [x for x in visible_files(folder) if not x.lower().endswith(IMAGE_FILES.suffixes)]
    return unused_files(folder, others, IMAGE_FILES)


def image_files(folder: Path) -> list[str]:
    """All image files below a folder, sorted, hidden ones left out."""
    return files_below(folder, IMAGE_FILES.suffixes)
