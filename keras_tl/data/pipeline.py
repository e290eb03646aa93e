"""tf.data pipelines over a split: decode, resize, augment, batch, prefetch."""

import abc
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_tl.data.decoding import load_image, resize
from keras_tl.data.image_items import cannot_decode
from keras_tl.data.image_problems import why_no_image
from keras_tl.data.labelled import Split
from keras_tl.data.sources import ImageSplit
from keras_tl.data.value_range import ValueRange
from keras_tl.errors import DataError


class Pipeline(abc.ABC):
    """Turns splits into batches of what a model takes, and labels."""

    @abc.abstractmethod
    def ordered(self, split: Split, batch_size: int) -> tf.data.Dataset:
        """Batches of (inputs, labels) for validation, the same ones on every run."""

    @abc.abstractmethod
    def shuffled(
        self, split: Split, batch_size: int, seed: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Batches for training, of known number: a new order in every epoch, then augmented.

        Args:
            split: the items.
            batch_size: items a batch.
            seed: fixes the orders of all epochs.
            augment: callable on a batch of inputs and labels. Batches pass through it one
                after the other, so that a seeded one is repeatable.
        """

    @abc.abstractmethod
    def drawn(
        self, split: Split, rows: tf.data.Dataset, batch_size: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Batches of (inputs, labels) of given rows, in their order.

        Args:
            split: the items.
            rows: int64 scalars, of known number; a row may come again.
            batch_size: items a batch.
            augment: as in `shuffled`.
        """

    @abc.abstractmethod
    def once(self, split: Split, batch_size: int) -> tuple[tf.data.Dataset, np.ndarray | None]:
        """Batches of inputs, all of one size, in whatever order is quickest.

        Returns:
            The batches, the last one filled up; and the numbers of the split's rows in the
            order that they come in, `None` for the split's own.
        """

    @abc.abstractmethod
    def explain(self, split: Split) -> DataError | None:
        """The error to raise, naming an item that cannot be read, after a pipeline has failed."""


@dataclasses.dataclass(frozen=True)
class ImagePipeline(Pipeline):
    """Turns splits of images into batches of pixels and labels.

    Attributes:
        image_size: (height, width) of the batches.
        resize: `"crop"`, `"pad"` or `"stretch"`.
        whole_batches: fill up the last batch, see `row_numbers`; for several replicas.
        value_range: see `keras_tl.data.decoding.decode_image`.
    """

    image_size: tuple[int, int]
    resize: str
    whole_batches: bool = False
    value_range: ValueRange = None

    def ordered(self, split: ImageSplit, batch_size: int) -> tf.data.Dataset:
        """Batches of (pixels, labels) in the split's order; the last one may be smaller.

        Pixels are float32 (batch, height, width, 3) in [0, 255]; labels are the split's.
        """
        rows = row_numbers(len(split), batch_size if self.whole_batches else 1)
        return self._batches(split, rows, batch_size)

    def pixels(self, split: ImageSplit) -> np.ndarray:
        """float32 array (n, height, width, 3) in [0, 255]: all images at once, for a few."""
        return np.concatenate([pixels.numpy() for pixels, _ in self.ordered(split, 32)])

    def once(self, split: ImageSplit, batch_size: int) -> tuple[tf.data.Dataset, None]:
        """Batches of pixels in the split's order, the last one filled up."""
        rows = row_numbers(len(split), batch_size)
        batches = self._batches(split, rows, batch_size, drop_remainder=True)
        return batches.map(lambda pixels, labels: pixels), None

    def explain(self, split: ImageSplit) -> DataError | None:
        """Finds the first file of a split that cannot be read."""
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
        """Batches of (pixels, labels) for training; see `Pipeline`."""
        rows = row_numbers(len(split), batch_size if self.whole_batches else 1, seed)
        return self._batches(split, rows, batch_size, augment=augment)

    def drawn(
        self,
        split: ImageSplit,
        rows: tf.data.Dataset,
        batch_size: int,
        augment: Callable | None = None,
    ) -> tf.data.Dataset:
        """Batches of (pixels, labels) of given rows; see `Pipeline`."""
        return self._batches(split, rows, batch_size, augment=augment)

    def _batches(
        self,
        split: ImageSplit,
        rows: tf.data.Dataset,
        batch_size: int,
        augment: Callable | None = None,
        drop_remainder: bool = False,
    ) -> tf.data.Dataset:
        # Names that are not valid UTF-8 are bytes to TensorFlow as to the file system.
        images = tf.constant([*map(os.fsencode, split.images)] if split.in_files else split.images)
        labels = tf.constant(split.labels)

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
        return with_options(batches.prefetch(2))


def row_numbers(count: int, multiple_of: int, seed: int | None = None) -> tf.data.Dataset:
    """int64 scalars: the rows of `filled_rows`.

    Args:
        count: number of rows.
        multiple_of: what the number of scalars is a multiple of.
        seed: a new order in every epoch, fixed by the seed; `None`: in order.
    """
    rows = filled_rows(count, multiple_of)
    if seed is None:
        return tf.data.Dataset.from_tensor_slices(rows)
    orders = rows_of_epochs(lambda epoch: [np.random.default_rng([seed, epoch]).permutation(rows)])
    return orders.unbatch().apply(tf.data.experimental.assert_cardinality(len(rows)))


def filled_rows(count: int, multiple_of: int) -> np.ndarray:
    """int64 array of 0 to `count` - 1, then of as many of them again as make up a multiple.

    Replicas share a batch by its full size: of a smaller one some get fewer rows or none, and
    their mean loss weighs too much or is not a number. So the last batch is filled up, by rows
    spread evenly over all, so that the means over an epoch hardly change.

    Args:
        count: number of rows.
        multiple_of: what the length is a multiple of.
    """
    again = np.linspace(0, count - 1, -count % multiple_of).round().astype(np.int64)
    return np.concatenate([np.arange(count), again])


def rows_of_epochs(draw: Callable[[int], Iterable[np.ndarray]]) -> tf.data.Dataset:
    """int64 arrays (n,) of row numbers, drawn anew each time the data are gone through.

    NumPy draws them: tf.data mixes each of its seeds with the global one of the process, which is
    the user's.

    Args:
        draw: gives the arrays of an epoch, which counts from 0.
    """
    epochs = itertools.count()

    def arrays() -> Iterator[np.ndarray]:
        yield from draw(next(epochs))

    signature = tf.TensorSpec((None,), tf.int64)
    return tf.data.Dataset.from_generator(arrays, output_signature=signature)


def with_options(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same order on every run, and every row on every host that reads it."""
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return dataset.with_options(options)


def read_image(
    content: bytes,
    source: str,
    image_size: tuple[int, int],
    how: str,
    value_range: ValueRange = None,
) -> np.ndarray:
    """Decodes and resizes one image, eagerly.

    Returns:
        float32 array (height, width, 3) in [0, 255].

    Raises:
        DataError: the bytes are not an image; the message names `source`.
    """
    try:
        return load_image(tf.constant(content), image_size, how, value_range).numpy()
    except (tf.errors.OpError, ValueError) as error:
        raise DataError(cannot_decode(source, why_no_image(content))) from error
