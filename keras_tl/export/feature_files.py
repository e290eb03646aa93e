"""Features of many images as a file that other tools read: .npy or Parquet."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from keras_tl.errors import ConfigError, unknown
from keras_tl.files import whole_file


def check_feature_file(path: Path) -> None:
    """Raises `ConfigError` unless the name ends as one of the formats does."""
    if path.suffix.lower() not in _WRITERS:
        raise ConfigError(unknown("format of features", path.suffix, _WRITERS))


def write_features(
    path: Path, batches: Iterable[np.ndarray], shape: tuple[int, int], sources: tuple[str, ...]
) -> None:
    """Writes features a batch at a time; the file appears whole or not at all.

    Args:
        path: `.npy`: a float32 array (n, d). `.parquet`: columns `source` (string) and
            `features` (lists of d float32).
        batches: float32 arrays of n rows together, each of d values in any shape.
        shape: (n, d).
        sources: the path of each image, or its number where there is none.

    Raises:
        ConfigError: another suffix.
    """
    check_feature_file(path)
    rows = (np.reshape(batch, (len(batch), -1)) for batch in batches)
    with whole_file(path) as temporary:
        _WRITERS[path.suffix.lower()](temporary, rows, shape, sources)


def _write_npy(
    path: Path, batches: Iterator[np.ndarray], shape: tuple[int, int], sources: tuple[str, ...]
) -> None:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    done = 0
    for rows in batches:
        array[done : done + len(rows)] = rows
        done += len(rows)
    array.flush()


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
