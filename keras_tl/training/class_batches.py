"""Batches in which classes are equally frequent, for contrastive training."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_tl.data.labelled_data import Split
from keras_tl.data.pipeline import Pipeline, rows_of_epochs

# Of a class in a batch, as long as the batch has room for two classes.
_ITEMS_A_CLASS = 4
# Of an epoch: a few items are drawn again and again, in other batches.
_FEWEST_BATCHES = 10


@dataclasses.dataclass(frozen=True)
class ClassBatches:
    """Draws the rows of batches of a few classes, equally many items of each.

    Every replica's share of a batch is drawn by itself, as pairs are made within it.

    Args:
        labels: int64 (n,): the class of each item; at least two classes.
        batch_size: the largest size of a batch, at least 4 a replica.
        replicas: that share a batch.
        seed: fixes all epochs.
    """

    labels: np.ndarray
    batch_size: int
    replicas: int
    seed: int

    @property
    def classes(self) -> int:
        """How many classes a replica's share of a batch has: as many as leave room for 4 items."""
        share = self.batch_size // self.replicas
        return min(len(np.unique(self.labels)), max(2, share // _ITEMS_A_CLASS))

    @property
    def items(self) -> int:
        """How many items a replica's share has of each class: no more than the largest class."""
        fitting = self.batch_size // self.replicas // self.classes
        largest = np.unique(self.labels, return_counts=True)[1].max()
        return min(fitting, max(2, int(largest)))

    @property
    def size(self) -> int:
        """Items of a batch."""
        return self.replicas * self.classes * self.items

    @property
    def count(self) -> int:
        """Batches of an epoch: as many as the items fill, and at least ten."""
        return max(_FEWEST_BATCHES, -(-len(self.labels) // self.size))

    def rows(self, epoch: int) -> np.ndarray:
        """int64 (count, size): the rows of an epoch's batches, always the same ones.

        Within a replica's share no item stands twice, unless its class has too few. Over an epoch
        the items of a class are drawn equally often, or once more.
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
    """Rows that are drawn like cards: none comes again before all have come."""

    def __init__(self, rows: np.ndarray, rng: np.random.Generator):
        self._rows = rows
        self._rng = rng
        self._drawn = np.zeros(len(rows), np.int64)

    def draw(self, count: int) -> np.ndarray:
        """int64 (count,): different rows, unless there are fewer."""
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
    """Batches of (inputs, labels) for contrastive training, of known number.

    Args:
        pipeline: makes inputs of the items.
        split: the items, with one class each.
        batch_size: see `ClassBatches`.
        replicas: see `ClassBatches`.
        seed: a new draw in every epoch, fixed by the seed.
        augment: see `Pipeline.shuffled`.
    """
    plan = ClassBatches(split.labels, batch_size, replicas, seed)
    drawn = rows_of_epochs(plan.rows).unbatch()
    count = tf.data.experimental.assert_cardinality(plan.count * plan.size)
    return pipeline.drawn(split, drawn.apply(count), plan.size, augment)
