"""Image data sets of TensorFlow Datasets (https://www.tensorflow.org/datasets)."""

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_tl.base.reporting import only_errors
from keras_tl.data.images.stored_images import Encoder, find_stored, store, suffix_of
from keras_tl.data.labelled_data import LabelledItems
from keras_tl.data.tfds.fetching import tfds_module
from keras_tl.data.tfds.prepared import LabelKind, Prepared, open_prepared, published
from keras_tl.tasks.labels.task_choice import read_splits


def read_builder(
    name: str,
    data_dir: str | os.PathLike[str] | None,
    download: bool,
    image: str | None = None,
    label: str | None = None,
    task: str | None = None,
) -> LabelledItems:
    """Read an image data set, see `keras_tl.ImageData.from_tfds`.

    The first call stores the images of a data set as files, and later calls read the files.
    """
    settings = {
        "kind": "tfds",
        "data_dir": None if data_dir is None else os.fspath(data_dir),
        **{"image": image, "label": label, "task": task},
    }
    with only_errors("absl"):
        found = open_prepared(name, data_dir, download, "image")
        found.check_given(image, label)
        usual = [found.supervised_keys[0], "image"]
        image = image or found.pick("image", image_features(found.builder), usual)
        label = label or found.pick_label()
        kind = found.label_kind(label)
        splits = found.splits()
        key = _key(found.builder, splits, image, label)
        stored = find_stored(key) or store(
            key,
            {ours: _examples(found, theirs, image, label, kind) for ours, theirs in splits.items()},
        )
    read = read_splits(published(stored), "image", kind.class_names, task or kind.task)
    return LabelledItems(*read, settings)


def image_features(builder: Any) -> list[str]:
    """Return the names of the features that are images."""
    kinds = tfds_module().features
    return [
        key
        for key, feature in builder.info.features.items()
        if isinstance(feature, kinds.Image) and not isinstance(feature, kinds.LabeledImage)
    ]


def _key(builder: Any, splits: dict[str, str], image: str, label: str) -> str:
    """Return the key of the stored images, a hash of the files and features of the data set."""
    path = os.fspath(builder.data_path)
    files = []
    if os.path.isdir(path):  # False for a folder in cloud storage.
        with os.scandir(path) as entries:
            files = sorted((e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in entries)
    sizes = {ours: builder.info.splits[theirs].num_examples for ours, theirs in splits.items()}
    made_from = [builder.info.full_name, os.path.abspath(path), files, sizes, image, label]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:32]


def _examples(
    found: Prepared, split: str, image: str, label: str, kind: LabelKind
) -> Iterator[tuple[bytes, Any]]:
    """Yield the bytes and label of each image: the original file if supported, else a PNG file."""
    feature = found.features[image]
    in_files = np.dtype(feature.np_dtype).kind == "u"
    decoders = {image: tfds_module().decode.SkipDecoding()} if in_files else None
    encoder = Encoder(split)
    for example in found.examples(split, (image, label), decoders):
        content = example[image]
        if in_files and suffix_of(content) is None:
            content = np.asarray(feature.decode_example(content))
        yield encoder.encode(content), kind.code(example[label])
    encoder.finish()
