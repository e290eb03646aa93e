"""Features in memory or in a file, and a store of computed features, which finds them by a key.

An entry of the store is a folder `features/<key>/` with `features.bin` (float32 rows) and
`about.json`. The key is a SHA-256 of all facts that the features depend on. A change of one fact
changes the key, so that the store cannot find outdated features.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_tl.base.config import CacheConfig
from keras_tl.base.files import cache_root, local_path, whole_folder, write_json
from keras_tl.base.reporting import size_text
from keras_tl.data.pipeline import OPTIONS, row_numbers
from keras_tl.errors import CacheError, quoted

# Increase this number if new code computes different features for the same items and settings.
_FORMAT = 2


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
            seed: Seed of the order of the rows. The order is random and changes in each epoch. With
                `seed=None`, the rows keep their stored order.
            whole_batches: Whether repeated rows fill up the last batch, see
                `keras_tl.data.pipeline.row_numbers`.
        """
        all_labels = tf.constant(labels)

        @tf.autograph.experimental.do_not_convert
        def load(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            features = tf.numpy_function(self.read, [rows], tf.float32)
            return tf.ensure_shape(features, (None, *self.shape[1:])), tf.gather(all_labels, rows)

        rows = row_numbers(len(self), batch_size if whole_batches else 1, seed)
        return rows.batch(batch_size).map(load).prefetch(2).with_options(OPTIONS)


class FeatureStore:
    """Stores computed features, and finds stored features by their key.

    With `where="memory"`, all features stay in memory. With `where="auto"`, features up to
    `CacheConfig.memory_limit` bytes stay in memory, so that a file is read only once.

    Attributes:
        root: Folder of the cache.
    """

    def __init__(self, config: CacheConfig):
        self.config = config
        self.root = local_path(config.folder) if config.folder else cache_root()
        self._folder = self.root / "features"
        self._in_memory: dict[str, Features] = {}
        # Keys of the features that this store has given out as files.
        self._in_files: set[str] = set()

    def get(
        self,
        made_from: dict[str, Any],
        shape: tuple[int, ...],
        compute: Callable[[], Iterable[np.ndarray]],
    ) -> Features:
        """Return stored features. Compute missing features, and store them unless `where="off"`.

        Args:
            made_from: Items, weights and settings that determine the features, as JSON types.
            shape: (n, ...), the shape of the features.
            compute: Function that returns batches of the features, in the order of the rows.

        Raises:
            CacheError: The cache folder is not writable, or the disk is full.
        """
        found = self.find(made_from, shape)
        if found is not None:
            return found
        key = _key(made_from)
        if self.config.where in ("memory", "off"):
            features = Features(shape, rows=_fill(np.empty(shape, np.float32), compute()))
            return features if self.config.where == "off" else self._hold(key, features)
        self._write(self._folder / key, made_from, shape, compute)
        return self.find(made_from, shape)

    def find(self, made_from: dict[str, Any], shape: tuple[int, ...]) -> Features | None:
        """Return the stored features, see `get`, or `None` if the features are not stored."""
        key = _key(made_from)
        if key in self._in_memory:
            return self._hold(key, self._in_memory.pop(key))
        if self.config.where in ("memory", "off"):
            return None
        path = self._folder / key / "features.bin"
        # Another process may delete the entry at the same time.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if path.stat().st_size != _bytes(shape):
                return None
            with contextlib.suppress(PermissionError):  # Another user may own the entry.
                os.utime(path.parent)
            if self.config.where == "auto" and _bytes(shape) <= self.config.memory_limit:
                rows = np.fromfile(path, np.float32).reshape(shape)
                return self._hold(key, Features(shape, rows=rows))
            self._in_files.add(key)
            return Features(shape, path=path)
        return None

    def _hold(self, key: str, features: Features) -> Features:
        """Keep features in memory. Above `memory_limit`, drop the least recently used features."""
        self._in_memory[key] = features
        if self.config.where == "auto":
            total = sum(_bytes(kept.shape) for kept in self._in_memory.values())
            for oldest in [*self._in_memory][:-1]:
                if total <= self.config.memory_limit:
                    break
                total -= _bytes(self._in_memory.pop(oldest).shape)
        return features

    def _write(self, entry: Path, made_from: dict, shape: tuple[int, ...], compute) -> None:
        needed = _bytes(shape)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(needed)
            free = shutil.disk_usage(self._folder).free
            if needed > free:
                raise CacheError(
                    f"The features need {size_text(needed)} on disk, {size_text(needed - free)} "
                    f"more than the free space in {quoted(str(self._folder))}. Free some space, "
                    "set KERAS_TL_CACHE or CacheConfig(folder=...) to another folder, or use "
                    "pooling='avg' or cache='off'."
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
                "or CacheConfig(folder=...) to a writable folder, or use cache='memory'."
            ) from error

    def _make_room(self, needed: int) -> None:
        used, sizes = {}, {}
        for entry in self._folder.iterdir():
            # Another process may delete the entry at the same time.
            with contextlib.suppress(FileNotFoundError):
                if entry.is_dir() and not entry.name.startswith("."):
                    used[entry] = entry.stat().st_mtime
                    sizes[entry] = sum(file.stat().st_size for file in entry.iterdir())
        total = sum(sizes.values()) + needed
        for entry in sorted(sizes, key=used.__getitem__):
            if total <= self.config.folder_limit:
                break
            # Training may still read the files that this store has given out.
            if entry.name not in self._in_files:
                shutil.rmtree(entry, ignore_errors=True)
                total -= sizes[entry]


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
        raise CacheError(
            f"Expected features of {shape[0]} items. Received features of {count} items."
        )
