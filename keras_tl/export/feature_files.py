"""Write the features of many images to a file for other tools: .npy or Parquet."""

import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from keras_tl.base.files import whole_file
from keras_tl.base.reporting import size_text
from keras_tl.errors import ConfigError, unknown


def check_feature_file(path: Path) -> None:
    """Raise `ConfigError` unless the suffix of the file is .npy or .parquet."""
    if path.suffix.lower() not in _WRITERS:
        raise ConfigError(unknown("format of features", path.suffix, _WRITERS))


def write_features(
    path: Path, batches: Iterable[np.ndarray], shape: tuple[int, int], sources: tuple[str, ...]
) -> None:
    """Write features to a file, batch by batch. If the call fails, it leaves no partial file.

    The function first checks the free disk space. It reserves the space of a `.npy` file, if the
    operating system can.

    Args:
        path: File to write. A `.npy` file gets a float32 array (n, d). A `.parquet` file gets the
            columns `source` (string) and `features` (lists of d float32).
        batches: Features as float32 arrays with n rows in total. Each row has the d features of an
            image, and may have more than one dimension.
        shape: Number of images and number of features of each image, (n, d).
        sources: Path of each image, or the number of an image without a path. In the written file,
            escape sequences replace the bytes of a path that are not UTF-8.

    Raises:
        ConfigError: The suffix of the path is unknown, or the disk has too little free space.
    """
    check_feature_file(path)
    _check_room(path, math.prod(shape) * np.dtype(np.float32).itemsize)
    sources = tuple(name.encode("utf-8", "backslashreplace").decode() for name in sources)
    rows = (np.reshape(batch, (len(batch), -1)) for batch in batches)
    with whole_file(path) as temporary:
        _WRITERS[path.suffix.lower()](temporary, rows, shape, sources)


def _check_room(path: Path, needed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise ConfigError(
            f"The features need {size_text(needed)} on disk, {size_text(needed - free)} more than "
            f"{str(path.parent)!r} has left. Free some space, or choose a path on another disk."
        )


def _write_npy(
    path: Path, batches: Iterator[np.ndarray], shape: tuple[int, int], sources: tuple[str, ...]
) -> None:
    # Do not use a memory map: on a full disk, a write to a memory map kills the process.
    with open(path, "wb") as file:
        about = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, about)
        if hasattr(os, "posix_fallocate") and (size := math.prod(shape) * 4):
            os.posix_fallocate(file.fileno(), file.tell(), size)
        for rows in batches:
            file.write(np.ascontiguousarray(rows, "<f4").data)


def _write_parquet(
    path: Path, batches: Iterator[np.ndarray], shape: tuple[int, int], sources: tuple[str, ...]
) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    kind = pa.list_(pa.float32(), shape[1])
    schema = pa.schema([("source", pa.string()), ("features", kind)])
    done = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in batches:
            names = pa.array(sources[done : done + len(rows)], pa.string())
            values = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), shape[1])
            writer.write_table(pa.Table.from_arrays([names, values], schema=schema))
            done += len(rows)


_WRITERS: dict[str, Callable] = {".npy": _write_npy, ".parquet": _write_parquet}
