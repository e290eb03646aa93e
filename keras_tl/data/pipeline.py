"""Common parts of the tf.data pipelines of images and texts."""

import abc
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_tl.data.labelled_data import Split
from keras_tl.errors import DataError

# Keep the same order of batches in every run. Switch off sharding, so that every host reads all
# rows.
OPTIONS = tf.data.Options()
OPTIONS.deterministic = True
OPTIONS.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF


class Pipeline(abc.ABC):
    """Converts the items of a split to batches of model inputs and labels."""

    @abc.abstractmethod
    def ordered(self, split: Split, batch_size: int) -> tf.data.Dataset:
        """Return batches of (inputs, labels) for validation. The batches are equal in every run."""

    @abc.abstractmethod
    def shuffled(
        self, split: Split, batch_size: int, seed: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Return training batches of (inputs, labels), in a new order in every epoch.

        The returned data set knows its number of batches (its cardinality).

        Args:
            split: Split with the items of the batches.
            batch_size: Number of items per batch.
            seed: Seed of the random orders of all epochs.
            augment: Function that augments a batch (inputs, labels). `augment` is never called in
                parallel, so that a seeded augmentation is reproducible.
        """

    @abc.abstractmethod
    def drawn(
        self, split: Split, rows: tf.data.Dataset, batch_size: int, augment: Callable | None = None
    ) -> tf.data.Dataset:
        """Return batches of (inputs, labels) with the items of the given rows, in this order.

        Args:
            split: Split with the items of the batches.
            rows: Data set of row numbers, int64 scalars, with known cardinality. A row number may
                occur more than once.
            batch_size: Number of items per batch.
            augment: See `shuffled`.
        """

    @abc.abstractmethod
    def once(self, split: Split, batch_size: int) -> tuple[tf.data.Dataset, np.ndarray | None]:
        """Return the inputs of all items, in batches of equal size and in the fastest order.

        Returns:
            The batches, and the row number of each item in the order of the batches. `None` instead
            of row numbers means the order of the split. Repeated items fill up the last batch.
        """

    def explain(self, split: Split) -> DataError | None:
        """Return an error that names an unreadable item, or `None` if all items are readable.

        The trainer calls `explain` after an error in a pipeline.
        """
        return None


def row_numbers(count: int, multiple_of: int, seed: int | None = None) -> tf.data.Dataset:
    """Return the row numbers of `padded_rows` as a data set of int64 scalars.

    `seed` is the seed of the random orders: each epoch has a new order. `None` means the order of
    `padded_rows`.
    """
    rows = padded_rows(count, multiple_of)
    if seed is None:
        return tf.data.Dataset.from_tensor_slices(rows)
    orders = rows_of_epochs(lambda epoch: [np.random.default_rng([seed, epoch]).permutation(rows)])
    return orders.unbatch().apply(tf.data.experimental.assert_cardinality(len(rows)))


def padded_rows(count: int, multiple_of: int) -> np.ndarray:
    """Return int64 row numbers 0 to `count` - 1, some repeated to get a multiple of `multiple_of`.

    With several replicas, each replica takes the same number of rows, computed for a full batch. If
    the last batch were smaller, some replicas would get few rows or none. The mean loss of a
    replica with few rows would have too much weight in the gradient. The mean loss of a replica
    without rows would be NaN. The repeated rows are spread evenly over all rows, so that the means
    over an epoch hardly change.
    """
    again = np.linspace(0, count - 1, -count % multiple_of).round().astype(np.int64)
    return np.concatenate([np.arange(count), again])


def rows_of_epochs(draw: Callable[[int], Iterable[np.ndarray]]) -> tf.data.Dataset:
    """Return a data set of row numbers, int64 arrays (n,). Each pass over the data is a new epoch.

    Draw the row numbers with NumPy, because tf.data mixes every seed with TensorFlow's global seed,
    which the user may set.

    Args:
        draw: Function that takes the epoch, counted from 0, and returns the arrays of this epoch.
    """
    epochs = itertools.count()

    def arrays() -> Iterator[np.ndarray]:
        yield from draw(next(epochs))

    signature = tf.TensorSpec((None,), tf.int64)
    return tf.data.Dataset.from_generator(arrays, output_signature=signature)
