"""Rows of features, in memory or in a file, and batches of them."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_tl.data.pipeline import OPTIONS, row_numbers


@dataclasses.dataclass(frozen=True)
class Features:
    """Rows of float32 features, in memory or in a file.

    Attributes:
        shape: (n, ...), the shape of all rows together.
        rows: the array, when they are in memory.
        path: the file of the rows, when they are not.
    """

    shape: tuple[int, ...]
    rows: np.ndarray | None = None
    path: Path | None = None

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def all_rows(self) -> np.ndarray:
        """float32 array (n, ...): all rows; those of a file are read."""
        return self.read(np.arange(len(self))) if self.rows is None else self.rows

    def read(self, indices: np.ndarray) -> np.ndarray:
        """float32 array (len(indices), ...): these rows."""
        if self.rows is not None:
            return self.rows[indices]
        # Explicit reads: pages of a memory map would count as this process's memory.
        result = np.empty((len(indices), *self.shape[1:]), np.float32)
        size = result[:1].nbytes
        with open(self.path, "rb", buffering=0) as file:
            for row, index in zip(result, indices, strict=True):
                file.seek(int(index) * size)
                file.readinto(memoryview(row).cast("B"))
        return result

    def dataset(
        self, labels: np.ndarray, batch_size: int, seed: int | None, whole_batches: bool = False
    ) -> tf.data.Dataset:
        """Batches of (features, labels).

        Args:
            labels: array (n, ...).
            batch_size: rows a batch.
            seed: a new order in every epoch, fixed by the seed; `None`: in order.
            whole_batches: fill up the last batch, see `keras_tl.data.pipeline.row_numbers`.
        """
        all_labels = tf.constant(labels)

        def load(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            features = tf.numpy_function(self.read, [rows], tf.float32)
            return tf.ensure_shape(features, (None, *self.shape[1:])), tf.gather(all_labels, rows)

        rows = row_numbers(len(self), batch_size if whole_batches else 1, seed)
        return rows.batch(batch_size).map(load).prefetch(2).with_options(OPTIONS)


def with_gaps(
    batches: Iterable[np.ndarray], present: np.ndarray, width: int
) -> Iterator[np.ndarray]:
    """Puts rows of NaN between rows, in the places of items that have none.

    Args:
        batches: float32 arrays (k, width), together a row for each item that is present.
        present: bool (n,).
        width: values a row.

    Yields:
        The same rows and the others, n together.
    """
    places, done, start = np.flatnonzero(present), 0, 0
    for rows in batches:
        done += len(rows)
        stop = int(places[done]) if done < len(places) else len(present)
        filled = np.full((stop - start, width), np.nan, np.float32)
        filled[present[start:stop]] = rows
        yield filled
        start = stop
    if start < len(present):
        yield np.full((len(present) - start, width), np.nan, np.float32)
