"""Batches with equally many items of each class, for contrastive training."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_tl.data.labelled_data import Split
from keras_tl.data.pipeline import Pipeline, rows_of_epochs

# Wanted number of items of each class in a replica's part of a batch. A small part has fewer items
# of each class, because each part has at least two classes. If the data have few classes, a part
# has more items of each class.
_ITEMS_A_CLASS = 4
# Minimum number of batches per epoch. If there are few items, an epoch uses each item several
# times.
_FEWEST_BATCHES = 10


@dataclasses.dataclass(frozen=True)
class ClassBatches:
    """Sampler of row numbers for batches with a few classes, and equally many items of each class.

    The sampler draws rows for each replica separately, because the contrastive loss compares only
    items of the same replica.

    Args:
        labels: Class number of each item, int64 (n,), with at least two classes.
        batch_size: Maximum number of items in a batch over all replicas, at least 4 per replica.
        replicas: Number of replicas that share a batch.
        seed: Seed of the random row numbers in all epochs.
    """

    labels: np.ndarray
    batch_size: int
    replicas: int
    seed: int

    @property
    def classes(self) -> int:
        """Number of classes per replica in a batch, from 2 to `batch_size / replicas / 4`."""
        share = self.batch_size // self.replicas
        return min(len(np.unique(self.labels)), max(2, share // _ITEMS_A_CLASS))

    @property
    def items(self) -> int:
        """Number of items per class and replica in a batch, at most the largest class's size."""
        fitting = self.batch_size // self.replicas // self.classes
        largest = np.unique(self.labels, return_counts=True)[1].max()
        return min(fitting, max(2, int(largest)))

    @property
    def size(self) -> int:
        """Number of items in a batch."""
        return self.replicas * self.classes * self.items

    @property
    def count(self) -> int:
        """Number of batches in an epoch: enough for one pass over the items, but at least ten."""
        return max(_FEWEST_BATCHES, -(-len(self.labels) // self.size))

    def rows(self, epoch: int) -> np.ndarray:
        """Return the row numbers of an epoch's batches, int64 (count, size).

        The row numbers depend only on the seed and the epoch. In a replica's part of a batch, an
        item occurs more than once only if its class has fewer than `items` items. In an epoch, all
        items of a class occur equally often, or some items occur once more than the others.
        """
        rng = np.random.default_rng([self.seed, epoch])
        numbers = np.unique(self.labels)
        decks = [_Deck(np.flatnonzero(self.labels == number), rng) for number in numbers]
        shares = self.count * self.replicas
        drawn = [
            decks[number].draw(self.items)
            for _ in range(shares)
            for number in rng.permutation(len(decks))[: self.classes]
        ]
        return np.concatenate(drawn).reshape(self.count, self.size)


class _Deck:
    """Sampler of one class's row numbers. A row repeats only after all other rows were drawn."""

    def __init__(self, rows: np.ndarray, rng: np.random.Generator):
        self._rows = rows
        self._rng = rng
        self._drawn = np.zeros(len(rows), np.int64)

    def draw(self, count: int) -> np.ndarray:
        """Return `count` row numbers, int64. Rows repeat only if `count` exceeds the class size."""
        shuffled = self._rng.permutation(len(self._rows))
        order = shuffled[np.argsort(self._drawn[shuffled], kind="stable")]
        chosen = np.resize(order, count)
        np.add.at(self._drawn, chosen, 1)
        return self._rows[chosen]


def class_batches(
    pipeline: Pipeline,
    split: Split,
    batch_size: int,
    replicas: int,
    seed: int,
    augment: Callable | None = None,
) -> tf.data.Dataset:
    """Return a data set of batches (inputs, labels) for contrastive training.

    Args:
        split: Split in which every item has exactly one class.
        batch_size: Maximum number of items in a batch, see `ClassBatches`.
        seed: Seed of the random choice of items in all epochs.
        augment: Function that augments the inputs, see `Pipeline.shuffled`. `None`: no
            augmentation.
    """
    plan = ClassBatches(split.labels, batch_size, replicas, seed)
    drawn = rows_of_epochs(plan.rows).unbatch()
    count = tf.data.experimental.assert_cardinality(plan.count * plan.size)
    return pipeline.drawn(split, drawn.apply(count), plan.size, augment)
