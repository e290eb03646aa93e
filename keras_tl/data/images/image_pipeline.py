"""tf.data pipelines over images: decode, resize, augment, batch, prefetch."""

import dataclasses
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_tl.data.images.decoder import load_image, resize
from keras_tl.data.images.image_issues import cannot_decode, why_no_image
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.value_range import ValueRange
from keras_tl.data.pipeline import OPTIONS, Pipeline, row_numbers
from keras_tl.errors import DataError


@dataclasses.dataclass(frozen=True)
class ImagePipeline(Pipeline):
    """Converts the images of a split to batches of pixels and labels.

    Attributes:
        image_size: (height, width) of the images in the batches, in pixels.
        resize: Method of resizing, see `keras_tl.data.images.decoder.resize`: `"crop"`, `"pad"` or
            `"stretch"`.
        whole_batches: Whether to fill up the last batch for training on several replicas, see
            `keras_tl.data.pipeline.padded_rows`.
        value_range: Values of black and white, see `keras_tl.data.images.decoder.decode_image`.
    """

    image_size: tuple[int, int]
    resize: str
    whole_batches: bool = False
    value_range: ValueRange = None

    def ordered(self, split: ImageSplit, batch_size: int) -> tf.data.Dataset:
        """Return batches of (pixels, labels) in the order of the split.

        Pixels are float32 (batch, height, width, 3) in [0, 255]. The last batch may be smaller.
        """
        rows = row_numbers(len(split), batch_size if self.whole_batches else 1)
        return self.drawn(split, rows, batch_size)

    def pixels(self, split: ImageSplit) -> np.ndarray:
        """Return all images of a small split, float32 array (n, height, width, 3) in [0, 255]."""
        return np.concatenate([pixels.numpy() for pixels, _ in self.ordered(split, 32)])

    def once(self, split: ImageSplit, batch_size: int) -> tuple[tf.data.Dataset, None]:
        """Return full batches of pixels in split order. Repeated images fill up the last batch."""
        rows = row_numbers(len(split), batch_size)
        batches = self.drawn(split, rows, batch_size, drop_remainder=True)
        return batches.map(lambda pixels, labels: pixels), None

    def explain(self, split: ImageSplit) -> DataError | None:
        """Return the error for the first file of a split that cannot be read or decoded."""
        for path in split.images if split.in_files else ():
            try:
                with open(path, "rb") as file:
                    read_image(file.read(), path, (1, 1), "stretch")
            except OSError as error:
                return DataError(
                    f"Cannot read {path}: {error.strerror}. Restore or remove the file."
                )
            except DataError as error:
                return DataError(f"{error} Repair the file or remove it.")
        return None

    def shuffled(
        self, split: ImageSplit, batch_size: int, seed: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Return training batches of (pixels, labels), see `Pipeline.shuffled`."""
        rows = row_numbers(len(split), batch_size if self.whole_batches else 1, seed)
        return self.drawn(split, rows, batch_size, augment=augment)

    def drawn(
        self,
        split: ImageSplit,
        rows: tf.data.Dataset,
        batch_size: int,
        augment: Callable | None = None,
        drop_remainder: bool = False,
    ) -> tf.data.Dataset:
        """Return batches of (pixels, labels) of the given rows, see `Pipeline.drawn`."""
        # File names may not be valid UTF-8, so pass the paths as bytes.
        images = tf.constant([*map(os.fsencode, split.images)] if split.in_files else split.images)
        labels = tf.constant(split.labels)

        # Without AutoGraph, which would convert the whole decoder: the pipeline starts faster.
        @tf.autograph.experimental.do_not_convert
        def load(row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            if split.in_files:
                content = tf.io.read_file(images[row])
                pixels = load_image(content, self.image_size, self.resize, self.value_range)
                return pixels, labels[row]
            return resize(images[row], self.image_size, self.resize), labels[row]

        batches = rows.map(load, num_parallel_calls=tf.data.AUTOTUNE)
        batches = batches.batch(batch_size, drop_remainder=drop_remainder)
        if augment is not None:
            batches = batches.map(augment)
        return batches.prefetch(2).with_options(OPTIONS)


def read_image(
    content: bytes,
    source: str,
    image_size: tuple[int, int],
    how: str,
    value_range: ValueRange = None,
) -> np.ndarray:
    """Decode and resize one image eagerly, to float32 (height, width, 3) in [0, 255].

    Raises:
        DataError: The bytes are not an image. The error message names `source`.
    """
    try:
        return load_image(tf.constant(content), image_size, how, value_range).numpy()
    except (tf.errors.OpError, ValueError) as error:
        raise DataError(cannot_decode(source, why_no_image(content))) from error
