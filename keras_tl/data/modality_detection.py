"""Modality detection: decide whether a data source holds images or texts."""

import os

from keras_tl.base.files import local_path
from keras_tl.base.reporting import only_errors
from keras_tl.data.folders.file_tree import visible_files
from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.tables.table_files import JSON_SUFFIXES, header_of
from keras_tl.data.texts.text_files import TEXT_FILES
from keras_tl.data.tfds.fetching import open_builder
from keras_tl.data.tfds.image_builders import image_features
from keras_tl.data.tfds.text_builders import text_features
from keras_tl.errors import ConfigError, listed, quoted


def folder_holds_texts(root: str) -> bool:
    """Whether a folder contains `.txt` files and no images."""
    has_texts = False
    folder = local_path(root)
    if not folder.is_dir():  # The constructor of the data reports it.
        return False
    for path in map(str.lower, visible_files(folder)):
        if path.endswith(IMAGE_FILES.suffixes):
            return False
        has_texts = has_texts or path.endswith(TEXT_FILES.suffixes)
    return has_texts


def table_holds_texts(path: str) -> bool:
    """Whether a table has a column `text` and no column `path`, or is a JSON lines file.

    Raises:
        ConfigError: The table has neither a column `text` nor a column `path`.
    """
    if path.lower().endswith(JSON_SUFFIXES):
        return True
    columns = header_of(local_path(path))
    if columns and not {"path", "text"} & {*columns}:
        raise ConfigError(
            f"{quoted(path)} has no column 'path' (of images) and no column 'text'. It has: "
            f"{listed(columns)}. Name the column of image paths with image= (--image-column), or "
            "the column of texts with text= (--text-column)."
        )
    return "text" in columns and "path" not in columns


def builder_holds_texts(name: str, data_dir: str | os.PathLike[str] | None = None) -> bool:
    """Whether a data set of TensorFlow Datasets has text features and no image features."""
    with only_errors("absl"):
        builder = open_builder(name, data_dir)
    return not image_features(builder) and bool(text_features(builder))
