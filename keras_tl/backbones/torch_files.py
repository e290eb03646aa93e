"""Read arrays from files of `torch.save`, without PyTorch and without running code in the files.

`torch.save` has two formats (torch/serialization.py). Before PyTorch 1.6 (`_legacy_save`), a file
was a series of pickles: a magic number, the version, system information, the object, and the keys
of the object's storages. After the pickles, the file contained the number of values (int64) and the
values of each storage, little-endian. Since PyTorch 1.6 (`_save`), files are zip archives with
`data.pkl`, `byteorder` and the values in `data/KEY`. In both formats, the pickled object contains
each tensor as a call of `torch._utils._rebuild_tensor_v2` on a part of a storage.
"""

import contextlib
import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from keras_tl.errors import WeightsError

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_ZIP = b"PK\x03\x04"
_DTYPES = {"FloatStorage": "f4", "HalfStorage": "f2", "DoubleStorage": "f8", "LongStorage": "i8"}


class _Storage(NamedTuple):
    kind: str
    key: str
    count: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]


def read_pickle(data: bytes, name: str) -> Any:
    """Read plain Python values from a pickle. `name` is the name of the file in error messages.

    Raises:
        WeightsError: The pickle is damaged, or refers to Python names that tensors do not need.
    """
    with _explained(name):
        return _Unpickler(io.BytesIO(data), name).load()


def read_tensors(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Read the tensors of a state dict, which may be stored under the key `model` of a dict.

    Args:
        data: Content of a `torch.save` file with float, half, double or long tensors.
        name: Name of the file in error messages.

    Returns:
        Read-only arrays by tensor name, with the tensors' shapes and dtypes. Arrays may be views of
        `data`.

    Raises:
        WeightsError: The file is damaged, or refers to Python names that tensors do not need.
    """
    with _explained(name):
        found, values = (_read_zip if data.startswith(_ZIP) else _read_legacy)(data, name)
        state = found["model"] if isinstance(found, dict) and "model" in found else found
        if not isinstance(state, dict):
            raise ValueError(
                f"the file contains an object of type {type(state).__name__}, not a state dict"
            )
        tensors = {key: part for key, part in state.items() if isinstance(part, _Tensor)}
        return {key: _array(part, values[part.storage.key]) for key, part in tensors.items()}


class _Unpickler(pickle.Unpickler):
    """Unpickler that accepts only the Python names that tensors need. Tensors become `_Tensor`s."""

    def __init__(self, file: BinaryIO, name: str):
        super().__init__(file, encoding="utf-8")
        self._file, self._name = file, name
        self.storages: dict[str, _Storage] = {}

    def load(self) -> Any:
        start = self._file.tell()
        for count, (operation, value, _) in enumerate(pickletools.genops(self._file)):
            # Refuse large numbers: unpickling allocates memory for all numbers up to the largest.
            if "PUT" in operation.name and value > count:
                raise ValueError(
                    f"the pickle uses the object number {value}, but its largest possible number "
                    f"is {count}"
                )
        self._file.seek(start)
        return super().load()

    def find_class(self, module: str, name: str) -> Any:
        # A hostile pickle can set attributes of the returned objects. Only the lambdas accept
        # attributes. This is harmless, because each call creates new lambdas.
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return lambda *parts: _Tensor(*parts[:4])
            case "torch._utils", "_rebuild_parameter":
                return lambda tensor, *_: tensor
            case "torch", kind if kind in _DTYPES:
                return kind
        found = f"{module}.{name}"[:80]
        raise WeightsError(
            f"{self._name} refers to {found!r}, which keras_tl does not load. Expected only "
            "float, half, double or long tensors, lists and dictionaries. Get the file from its "
            "publisher, or save only a state dict."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, count, *views = pid
        if kind != "storage" or dtype not in _DTYPES or not isinstance(key, str) or any(views):
            raise ValueError(f"the file contains storages other than {', '.join(_DTYPES)}")
        storage = _Storage(dtype, key, count)
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError(f"the storage {key!r} has two types")
        return storage


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except WeightsError:
        raise
    except Exception as error:  # A damaged pickle can raise any exception.
        reason = str(error).rstrip(".") or type(error).__name__
        raise WeightsError(
            f"Cannot read {name}: {reason}. Expected an undamaged file that fastai or torch.save "
            "wrote. Copy or download the file again."
        ) from error


def _read_legacy(data: bytes, name: str) -> tuple[Any, dict[str, np.ndarray]]:
    file = io.BytesIO(data)
    if [_Unpickler(file, name).load() for _ in range(2)] != [_MAGIC, _VERSION]:
        raise ValueError("the file does not begin like a file of torch.save")
    _Unpickler(file, name).load()  # Skip the system information: values are little-endian.
    unpickler = _Unpickler(file, name)
    found = unpickler.load()
    keys = _Unpickler(file, name).load()
    if sorted(keys) != sorted(unpickler.storages):
        raise ValueError("the tensors use storages that differ from those in the file's list")
    values = {}
    rest = memoryview(data)[file.tell() :]
    for key in keys:
        storage = unpickler.storages[key]
        if int.from_bytes(rest[:8], "little") != storage.count:
            raise ValueError(f"the storage {key!r} does not have {storage.count} values")
        dtype = np.dtype("<" + _DTYPES[storage.kind])
        values[key] = np.frombuffer(rest, dtype, storage.count, 8)
        rest = rest[8 + values[key].nbytes :]
    return found, values


def _read_zip(data: bytes, name: str) -> tuple[Any, dict[str, np.ndarray]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        # Refuse compression: a small file could unpack to a huge file. torch.save never compresses.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("the archive is compressed")
        (pickled,) = [file for file in sizes if file.endswith("/data.pkl")] or ["data.pkl"]
        root = pickled.removesuffix("data.pkl")
        unpickler = _Unpickler(io.BytesIO(archive.read(pickled)), name)
        found = unpickler.load()
        is_big = f"{root}byteorder" in sizes and archive.read(f"{root}byteorder") == b"big"
        values = {}
        for key, storage in unpickler.storages.items():
            place = f"{root}data/{key}"
            dtype = np.dtype((">" if is_big else "<") + _DTYPES[storage.kind])
            if sizes.get(place) != storage.count * dtype.itemsize:
                raise ValueError(f"the storage {key!r} does not have {storage.count} values")
            values[key] = np.frombuffer(archive.read(place), dtype)
    return found, values


def _array(tensor: _Tensor, values: np.ndarray) -> np.ndarray:
    """Return a view of the storage as a tensor. Raise if a tensor is empty or out of bounds."""
    _, offset, size, strides = tensor
    last = offset + sum((n - 1) * step for n, step in zip(size, strides, strict=True))
    is_inside = min((offset, *size, *strides)) >= 0 and last < len(values)
    if not is_inside or not 0 < math.prod(size) <= len(values):
        raise ValueError(
            f"a tensor of shape {size} does not fit into the {len(values):,} values of its storage"
        )
    steps = [step * values.itemsize if n > 1 else 0 for n, step in zip(size, strides, strict=True)]
    return np.lib.stride_tricks.as_strided(values[offset:], size, steps, writeable=False)
