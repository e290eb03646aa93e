"""Rows of features, in memory or in a file, and batches of these rows."""

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
        rows: Array of all rows, or `None` if the rows are in a file.
        path: File with the rows, or `None` if the rows are in memory.
    """

    shape: tuple[int, ...]
    rows: np.ndarray | None = None
    path: Path | None = None

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def all_rows(self) -> np.ndarray:
        """All rows of features, float32 (n, ...), read from the file if needed."""
        return self.read(np.arange(len(self))) if self.rows is None else self.rows

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Return the rows with the given indices, float32 (len(indices), ...)."""
        if self.rows is not None:
            return self.rows[indices]
        # Do not use a memory map: its pages would count as memory of this process.
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
        """Return a data set of batches (features, labels).

        Args:
            seed: Seed of the random order of the rows, new in each epoch. With `seed=None`, the
                rows keep their stored order.
            whole_batches: Whether repeated rows fill up the last batch, see
                `keras_tl.data.pipeline.row_numbers`.
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
    """Insert rows of NaN at the places of items without features.

    Args:
        batches: float32 arrays (k, width), which together have one row for each item with features.
        present: bool (n,), whether each item has features.
        width: Number of values per row.

    Yields:
        Arrays of the given and the inserted rows, in the order of the items, n rows in total.
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
