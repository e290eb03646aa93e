"""Features of the frozen backbone, computed once per item and found again by what they are.

An entry is a folder `features/<key>/` with `features.bin` (float32 rows) and `about.json`. The
key is a SHA-256 of everything the features depend on, so that anything changed means another
key: an entry is never wrong, only unused.
"""

import dataclasses
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.config import CacheConfig
from keras_tl.data.pipeline import row_numbers, with_options
from keras_tl.errors import CacheError
from keras_tl.files import cache_root, whole_folder, write_json

# Raised whenever the same key would stand for other features.
_FORMAT = 2


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

    def read(self, indices: np.ndarray) -> np.ndarray:
        """float32 array (len(indices), ...): these rows."""
        if self.rows is not None:
            return self.rows[indices]
        # Explicit reads: pages of a memory map would count as this process's memory.
        result = np.empty((len(indices), *self.shape[1:]), np.float32)
        size = result[:1].nbytes
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            for row, index in zip(result, indices, strict=True):
                os.preadv(descriptor, [memoryview(row).cast("B")], int(index) * size)
        finally:
            os.close(descriptor)
        return result

    def dataset(
        self, labels: np.ndarray, batch_size: int, seed: int | None, whole_batches: bool = False
    ) -> tf.data.Dataset:
        """Batches of (features, labels).

        Args:
            labels: int array (n,).
            batch_size: rows a batch.
            seed: a new order in every epoch, fixed by the seed; `None`: in order.
            whole_batches: fill up the last batch, see `keras_tl.data.pipeline.row_numbers`.
        """
        all_labels = tf.constant(labels)

        def load(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            features = tf.numpy_function(self.read, [rows], tf.float32)
            return tf.ensure_shape(features, (None, *self.shape[1:])), tf.gather(all_labels, rows)

        rows = row_numbers(len(self), batch_size if whole_batches else 1, seed)
        return with_options(rows.batch(batch_size).map(load).prefetch(2))


class FeatureCache:
    """Finds and keeps features.

    Args:
        config: where they are kept.

    Attributes:
        config: the same.
        root: the folder of all that is kept.
    """

    def __init__(self, config: CacheConfig):
        self.config = config
        self.root = Path(config.folder).expanduser() if config.folder else cache_root()
        self._folder = self.root / "features"
        self._in_memory: dict[str, Features] = {}

    def get(
        self,
        made_from: dict[str, Any],
        shape: tuple[int, ...],
        compute: Callable[[], Iterable[np.ndarray]],
    ) -> Features:
        """The features made from this; computed if they are not there.

        Args:
            made_from: everything they depend on, as JSON types.
            shape: (n, ...), their shape.
            compute: gives them in order, in batches.

        Raises:
            CacheError: the folder cannot be written, or the disk has no room.
        """
        found = self.find(made_from, shape)
        if found is not None:
            return found
        key = _key(made_from)
        if self.config.where == "memory":
            rows = _fill(np.empty(shape, np.float32), compute())
            self._in_memory[key] = Features(shape, rows=rows)
        else:
            self._write(self._folder / key, made_from, shape, compute)
        return self.find(made_from, shape)

    def find(self, made_from: dict[str, Any], shape: tuple[int, ...]) -> Features | None:
        """The features made from this, `None` if they are not there; see `get`."""
        key = _key(made_from)
        if self.config.where == "memory":
            return self._in_memory.get(key)
        entry = self._folder / key
        if not self._is_whole(entry, shape):
            return None
        os.utime(entry)
        features = Features(shape, path=entry / "features.bin")
        if self.config.where == "auto" and _bytes(shape) <= self.config.memory_limit:
            rows = np.fromfile(features.path, np.float32).reshape(shape)
            return Features(shape, rows=rows)
        return features

    @staticmethod
    def _is_whole(entry: Path, shape: tuple[int, ...]) -> bool:
        file = entry / "features.bin"
        return file.exists() and file.stat().st_size == _bytes(shape)

    def _write(self, entry: Path, made_from: dict, shape: tuple[int, ...], compute) -> None:
        needed = _bytes(shape)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(needed)
            free = shutil.disk_usage(self._folder).free
            if needed > free:
                raise CacheError(
                    f"The features need {needed / 2**30:.1f} GiB on disk; {self._folder} has "
                    f"{free / 2**30:.1f} GiB left. Free some, pass another folder with "
                    "CacheConfig(folder=...), use pooling='avg', or cache='off'."
                )
            with whole_folder(entry, replace=True) as folder:
                with open(folder / "features.bin", "wb") as file:
                    written = 0
                    for rows in compute():
                        file.write(np.ascontiguousarray(rows, np.float32).data)
                        written += len(rows)
                _check_count(written, shape)
                about = made_from | {"shape": list(shape), "dtype": "float32"}
                write_json(folder / "about.json", about)
        except OSError as error:
            raise CacheError(
                f"Cannot write the feature cache in {self._folder}: {error}. Set KERAS_TL_CACHE "
                "or CacheConfig(folder=...) to a folder that can be written, or use "
                "cache='memory'."
            ) from error

    def _make_room(self, needed: int) -> None:
        entries = sorted(
            (f for f in self._folder.iterdir() if not f.name.startswith(".")),
            key=lambda f: f.stat().st_mtime,
        )
        sizes = {e: sum(f.stat().st_size for f in e.iterdir()) for e in entries}
        total = sum(sizes.values()) + needed
        for entry in entries:
            if total <= self.config.folder_limit:
                break
            shutil.rmtree(entry, ignore_errors=True)
            total -= sizes[entry]


def weights_fingerprint(layer: keras.layers.Layer) -> str:
    """SHA-256 of the values of all weights of a layer, in order."""
    digest = hashlib.sha256()
    for weight in layer.weights:
        digest.update(f"{weight.shape} {weight.dtype}".encode())
        digest.update(np.ascontiguousarray(weight.numpy()).data)
    return digest.hexdigest()


def _key(made_from: dict[str, Any]) -> str:
    text = json.dumps(made_from | {"format": _FORMAT}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _bytes(shape: tuple[int, ...]) -> int:
    return math.prod(shape) * np.dtype(np.float32).itemsize


def _fill(array: np.ndarray, batches: Iterable[np.ndarray]) -> np.ndarray:
    done = 0
    for rows in batches:
        array[done : done + len(rows)] = rows
        done += len(rows)
    _check_count(done, array.shape)
    return array


def _check_count(count: int, shape: tuple[int, ...]) -> None:
    if count != shape[0]:
        raise CacheError(f"Expected features of {shape[0]} items, computed {count}.")
