"""Image data sets of TensorFlow Datasets (https://www.tensorflow.org/datasets)."""

import contextlib
import dataclasses
import difflib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from keras_tl.data.stored import Encoder, Stored, find_stored, store, suffix_of
from keras_tl.errors import DataError, unknown
from keras_tl.reporting import only_errors

_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "test": "test"}
_OFFLINE = (
    "Without a network, copy the prepared folder of another machine into data_dir, or run this "
    "once where there is one."
)


@dataclasses.dataclass(frozen=True)
class BuilderData:
    """What a data set holds.

    Attributes:
        splits: the image files and labels of each split.
        class_names: the names that labels count; `None` if they do not.
        task: the task, where the labels do not decide it.
    """

    splits: Stored
    class_names: list[str] | None
    task: str | None


@dataclasses.dataclass(frozen=True)
class _Label:
    """A label feature: as in `BuilderData`, and what makes one example's label of its value."""

    class_names: list[str] | None
    task: str | None
    code: Callable[[Any], Any]


def read_builder(
    name: str,
    data_dir: str | os.PathLike | None,
    download: bool,
    image: str | None = None,
    label: str | None = None,
) -> BuilderData:
    """Reads a data set. Its images are kept as files, so that it is read only once.

    Args: see `keras_tl.ImageData.from_tfds`.

    Raises:
        DataError: there is no such data set, it is not there and cannot be fetched, or is not
            of images with a label.
        CacheError: the images cannot be kept.
    """
    tfds = _tfds()
    with only_errors("absl"):
        builder = _open(tfds, name, data_dir)
        _prepare(builder, name, download)
        image, label = _choose(tfds, name, builder.info, image, label)
        kind = _label_kind(tfds, builder.info.features[label])
        splits = _splits(name, builder.info.splits)
        key = _key(builder, splits, image, label)
        stored = find_stored(key) or store(
            key,
            {
                ours: _examples(tfds, builder, theirs, image, label, kind.code)
                for ours, theirs in splits.items()
            },
        )
    if kind.class_names is not None:
        # What competitions publish without labels is marked by -1.
        stored = {s: v for s, v in stored.items() if s == "train" or (v[1] >= 0).any()}
    return BuilderData(stored, kind.class_names, kind.task)


def _tfds() -> ModuleType:
    import tensorflow_datasets

    return tensorflow_datasets


@contextlib.contextmanager
def _explained(what: str, hint: str) -> Iterator[None]:
    """Turns what a data set's own code raises, which may be anything, into one sentence."""
    try:
        yield
    except ImportError as error:
        raise DataError(f"{what}: {error}. Install the package that it needs, with pip.") from error
    except Exception as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise DataError(f"{what}: {lines[0].rstrip('.')}. {hint}") from error


def _open(tfds: ModuleType, name: str, data_dir: str | os.PathLike | None) -> Any:
    if data_dir is not None:
        data_dir = os.path.expanduser(data_dir)
    with _explained(f"Cannot open the data set {name!r}", "See its page in the tfds catalogue."):
        try:
            return tfds.builder(name, data_dir=data_dir)
        except tfds.core.registered.DatasetNotFoundError:
            pass
    is_folder = data_dir is not None and os.path.isdir(data_dir)
    # The list of the community's data sets is on the network.
    builders = tfds.list_builders(with_community_datasets=False)
    known = sorted({*(os.listdir(data_dir) if is_folder else []), *builders})
    near = difflib.get_close_matches(name.partition("/")[0].partition(":")[0], known, n=5)
    if near:
        raise DataError(
            f"{unknown('data set', name, near)} Prepared ones are looked for in "
            f"{str(data_dir or tfds.core.constants.DATA_DIR)!r}."
        )
    raise DataError(
        f"Unknown data set {name!r}. tensorflow_datasets.list_builders() lists the known ones; "
        f"prepared ones are looked for in {str(data_dir or tfds.core.constants.DATA_DIR)!r}."
    )


def _prepare(builder: Any, name: str, download: bool) -> None:
    if builder.is_prepared():
        return
    if not download:
        raise DataError(
            f"The data set {name!r} is not in {str(builder.data_path)!r}, and download=False. "
            f"{_OFFLINE}"
        )
    # It tells what it does on standard output, where commands answer.
    with (
        _explained(f"Cannot fetch the data set {name!r}", _OFFLINE),
        contextlib.redirect_stdout(sys.stderr),
    ):
        builder.download_and_prepare()


def _choose(
    tfds: ModuleType, name: str, info: Any, image: str | None, label: str | None
) -> tuple[str, str]:
    """The names of the features that are the image and its label."""
    features = dict(info.features.items())
    for given in (image, label):
        if given is not None and given not in list(features):
            raise DataError(f"{name!r}: {unknown('feature', given, features)}")
    keys = info.supervised_keys
    is_pair = isinstance(keys, tuple) and len(keys) == 2 and {*map(type, keys)} == {str}
    usual = [[key] for key in keys] if is_pair else [[], []]
    kinds = tfds.features
    images = [
        key
        for key, feature in features.items()
        if isinstance(feature, kinds.Image) and not isinstance(feature, kinds.LabeledImage)
    ]
    classes = [key for key, feature in features.items() if _class_names(feature) is not None]
    values = [key for key, feature in features.items() if _is_number(feature)]
    labels = classes or values
    image = image or _pick(name, "image", images, [*usual[0], "image"], features)
    label = label or _pick(name, "label", labels, [*usual[1], "label"], features)
    return image, label


def _pick(name: str, what: str, candidates: list[str], usual: list[str], features: Mapping) -> str:
    for key in usual:
        if key in candidates:
            return key
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise DataError(
            f"The data set {name!r} has several features that could be the {what}: "
            f"{', '.join(candidates)}. Say which: {what}={candidates[0]!r}."
        )
    raise DataError(
        f"Expected a data set of images with a label each. {name!r} has no {what} among its "
        f"features: {', '.join(features)}."
    )


def _class_names(feature: Any) -> list[str] | None:
    """The names of a ClassLabel, or of a sequence of them."""
    names = getattr(getattr(feature, "feature", feature), "names", None)
    return list(names) if names else None


def _is_number(feature: Any) -> bool:
    return feature.shape == () and np.dtype(feature.np_dtype).kind in "iuf"


def _label_kind(tfds: ModuleType, feature: Any) -> _Label:
    names = _class_names(feature)
    if names is not None and isinstance(feature, tfds.features.Sequence):

        def mask(present: np.ndarray) -> np.ndarray:
            return np.isin(np.arange(len(names)), present).astype(np.float32)

        return _Label(names, "multilabel", mask)
    if names is not None:
        return _Label(names, None, int)
    if isinstance(feature, tfds.features.Text):
        return _Label(None, None, lambda text: text.decode("utf-8", "replace"))
    if _is_number(feature):
        return _Label(None, "regression", float)
    raise DataError(
        f"Expected a label that is a class, a list of classes, a number or a text. Received: "
        f"{feature}."
    )


def _splits(name: str, found: Mapping[str, Any]) -> dict[str, str]:
    """Our names of the splits, and the data set's."""
    if len(found) == 1:
        return {"train": next(iter(found))}
    splits = {_SPLITS[split]: split for split in found if split in _SPLITS}
    if "train" not in splits:
        raise DataError(
            f"Expected a data set with a train split. {name!r} has: {', '.join(found) or 'none'}."
        )
    return splits


def _key(builder: Any, splits: Mapping[str, str], image: str, label: str) -> str:
    """Names the data set as it is on disk now."""
    path = os.fspath(builder.data_path)
    files = []
    if os.path.isdir(path):  # Not in a bucket.
        with os.scandir(path) as entries:
            files = sorted((e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in entries)
    sizes = {ours: builder.info.splits[theirs].num_examples for ours, theirs in splits.items()}
    made_from = [builder.info.full_name, os.path.abspath(path), files, sizes, image, label]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:32]


def _examples(
    tfds: ModuleType, builder: Any, split: str, image: str, label: str, code: Callable
) -> Iterator[tuple[bytes, Any]]:
    """Each image as an image file's bytes, those of the data set where we can decode them."""
    feature = builder.info.features[image]
    in_files = np.dtype(feature.np_dtype).kind == "u"
    decode = tfds.decode
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        # One file after the other: the order must be the same in every process.
        read_config=tfds.ReadConfig(interleave_cycle_length=1),
        decoders=decode.PartialDecoding(
            {image: True, label: True},
            decoders={image: decode.SkipDecoding()} if in_files else None,
        ),
    )
    encoder = Encoder(split)
    for example in dataset.as_numpy_iterator():
        content = example[image]
        if in_files and suffix_of(content) is None:
            content = np.asarray(feature.decode_example(content))
        yield encoder.encode(content), code(example[label])
    encoder.finish()
