"""Common parts of the tf.data pipelines of images and texts."""

import abc
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_tl.data.labelled_data import Split
from keras_tl.errors import DataError

# The same order in every run. Every host that reads the data reads all rows.
OPTIONS = tf.data.Options()
OPTIONS.deterministic = True
OPTIONS.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF


class Pipeline(abc.ABC):
    """Turns splits into batches of model inputs and labels."""

    @abc.abstractmethod
    def ordered(self, split: Split, batch_size: int) -> tf.data.Dataset:
        """Return batches of (inputs, labels) for validation, the same in every run."""

    @abc.abstractmethod
    def shuffled(
        self, split: Split, batch_size: int, seed: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Return a known number of training batches, in a new order in every epoch, then augmented.

        Args:
            split: The items.
            batch_size: Items per batch.
            seed: Seed of the orders of all epochs.
            augment: Callable on a batch of inputs and labels. Batches pass through it one after the
                other, so that a seeded augmentation is reproducible.
        """

    @abc.abstractmethod
    def drawn(
        self, split: Split, rows: tf.data.Dataset, batch_size: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Return batches of (inputs, labels) of given rows, in their order.

        Args:
            split: The items.
            rows: int64 scalars, of known number. Rows may repeat.
            batch_size: Items per batch.
            augment: See `shuffled`.
        """

    @abc.abstractmethod
    def once(self, split: Split, batch_size: int) -> tuple[tf.data.Dataset, np.ndarray | None]:
        """Return batches of inputs, all of one size, in the fastest order.

        Returns:
            The batches, the last one filled up, and the row number of each item in this order.
            `None` means the order of the split.
        """

    @abc.abstractmethod
    def explain(self, split: Split) -> DataError | None:
        """Return the error to raise after a pipeline failed. It names an unreadable item."""


def row_numbers(count: int, multiple_of: int, seed: int | None = None) -> tf.data.Dataset:
    """Return the rows of `padded_rows` as a data set of int64 scalars.

    Args:
        count: Number of rows.
        multiple_of: Divisor of the number of scalars.
        seed: Seed of a new order in every epoch. `None` means ascending order.
    """
    rows = padded_rows(count, multiple_of)
    if seed is None:
        return tf.data.Dataset.from_tensor_slices(rows)
    orders = rows_of_epochs(lambda epoch: [np.random.default_rng([seed, epoch]).permutation(rows)])
    return orders.unbatch().apply(tf.data.experimental.assert_cardinality(len(rows)))


def padded_rows(count: int, multiple_of: int) -> np.ndarray:
    """Return int64 row numbers 0 to `count` - 1, then repeated rows up to a multiple.

    Replicas divide a batch by its full size. In a smaller last batch, some replicas get few rows or
    none. Their mean loss then weighs too much or is not a number. The repeated rows are spread
    evenly over all rows, so that the means over an epoch hardly change.

    Args:
        count: Number of rows.
        multiple_of: Divisor of the length of the array.
    """
    again = np.linspace(0, count - 1, -count % multiple_of).round().astype(np.int64)
    return np.concatenate([np.arange(count), again])


def rows_of_epochs(draw: Callable[[int], Iterable[np.ndarray]]) -> tf.data.Dataset:
    """Return a data set of int64 arrays (n,) of row numbers, drawn anew in each iteration over it.

    NumPy draws them, because tf.data mixes each of its seeds with the global seed, which belongs to
    the user.

    Args:
        draw: Function from the epoch, counted from 0, to its arrays.
    """
    epochs = itertools.count()

    def arrays() -> Iterator[np.ndarray]:
        yield from draw(next(epochs))

    signature = tf.TensorSpec((None,), tf.int64)
    return tf.data.Dataset.from_generator(arrays, output_signature=signature)
