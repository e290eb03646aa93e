"""Reads images and labels from a `tf.data.Dataset` of the user."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_tl.data.images.stored_images import Encoder
from keras_tl.data.pixels import CHANNELS
from keras_tl.errors import DataError
from keras_tl.tasks.labels.plain_labels import label_text

_EXPECTED = (
    "Expected a tf.data.Dataset of (image, label) pairs, or of dictionaries with 'image' and "
    "'label', batched or not."
)


def read_dataset(dataset: tf.data.Dataset, name: str) -> Iterator[tuple[bytes, Any]]:
    """Yield each image as the bytes of an image file, with its label.

    See `keras_tl.ImageData.from_tfdata` for `dataset`. `name` is the name of the split.

    Raises:
        DataError: An element of `dataset` is not an image and a label, or `dataset` never ends or
            fails.
    """
    if not isinstance(dataset, tf.data.Dataset):
        raise DataError(f"{_EXPECTED} Received: {type(dataset).__name__}.")
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise DataError(
            f"The {name} data set never ends. Remove .repeat(), or pass a part, such as "
            "dataset.take(1000)."
        )
    encoder = Encoder(name)
    try:
        for element in dataset:
            for image, label in _items(*_pair(element)):
                yield encoder.encode(image), label
    except tf.errors.OpError as error:
        raise DataError(
            f"The {name} data set failed: {str(error.message).splitlines()[0]}"
        ) from error
    encoder.finish()


def _pair(element: Any) -> tuple[Any, Any]:
    if isinstance(element, Mapping) and {"image", "label"} <= set(element):
        element = (element["image"], element["label"])
    is_pair = isinstance(element, (tuple, list)) and len(element) == 2
    if not is_pair or not isinstance(element[1], tf.Tensor):
        found = tf.nest.map_structure(lambda part: type(part).__name__, element)
        raise DataError(f"{_EXPECTED} Received elements such as {found}.")
    return tuple(element)


def _items(image: tf.Tensor | tf.RaggedTensor, label: tf.Tensor) -> Iterator[tuple[Any, Any]]:
    """Yield the images and labels in one element of a dataset: a single image or a batch."""
    label = label.numpy()
    if isinstance(image, tf.RaggedTensor):
        images = [row.to_tensor() if isinstance(row, tf.RaggedTensor) else row for row in image]
        images = [row.numpy() for row in images]
    else:
        image = image.numpy()
        if not _is_batch(image, label):
            yield image, _plain(label)
            return
        images = image
    if np.ndim(label) == 0 or len(label) != len(images):
        raise DataError(
            f"Expected one label for each image of a batch. Received: {len(images)} images and "
            f"labels of shape {np.shape(label)}."
        )
    for one, its_label in zip(images, label, strict=True):
        yield one, _plain(its_label)


def _is_batch(image: np.ndarray | bytes, label: Any) -> bool:
    if isinstance(image, bytes):
        return False
    if image.dtype == object:  # An array of the bytes of image files.
        return True
    # A batch of grey images without a channel axis has as many axes as one image in colour.
    is_grey_batch = image.ndim == 3 and np.ndim(label) > 0 and image.shape[-1] not in CHANNELS
    return image.ndim == 4 or is_grey_batch


def _plain(label: Any) -> Any:
    """Return a label as a text, a number or a row of several numbers."""
    if np.size(label) == 1 and np.ndim(label) == 1:
        label = label[0]  # Keras utilities give binary labels as rows of length 1.
    return label_text(label) if isinstance(label, bytes) else label
