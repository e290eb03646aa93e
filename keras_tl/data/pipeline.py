"""tf.data pipelines over a split: what those of images and of texts share."""

import abc
import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_tl.data.labelled_data import Split
from keras_tl.errors import DataError

# The same order on every run, and every row on every host that reads the data.
OPTIONS = tf.data.Options()
OPTIONS.deterministic = True
OPTIONS.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF


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
