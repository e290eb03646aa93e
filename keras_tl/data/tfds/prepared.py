"""Prepared data sets of TensorFlow Datasets (https://www.tensorflow.org/datasets), any modality."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_tl.data.tfds.fetching import open_builder, prepare, tfds_module
from keras_tl.errors import DataError, quoted, unknown
from keras_tl.tasks.labels.plain_labels import label_text
from keras_tl.tasks.multilabel import Multilabel

_SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "test": "test"}


@dataclasses.dataclass(frozen=True)
class LabelKind:
    """Description of the label feature of a data set: the feature that holds the labels.

    Attributes:
        class_names: Names of the classes, in the order of the class numbers, or `None` for labels
            that are not classes.
        task: Name of the task. `None`: `read_splits` chooses the task from the labels.
        code: Function that converts a value of the label feature to a label.
    """

    class_names: list[str] | None
    task: str | None
    code: Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A prepared data set of TensorFlow Datasets.

    Attributes:
        name: Name of the data set, as the user passed it.
        builder: The `tfds.core.DatasetBuilder` of the data set.
        item: Word for one example in messages, `"image"` or `"text"`.
    """

    name: str
    builder: Any
    item: str

    @property
    def features(self) -> dict[str, Any]:
        """The features of the data set, by name."""
        return dict(self.builder.info.features.items())

    @property
    def supervised_keys(self) -> tuple[Any, Any]:
        """The input and target that the data set declares, `(None, None)` if it declares none."""
        keys = self.builder.info.supervised_keys
        is_pair = isinstance(keys, tuple) and len(keys) == 2
        return keys if is_pair else (None, None)

    def splits(self) -> dict[str, str]:
        """Return a mapping from the split names of keras_tl to the split names of the data set."""
        found = self.builder.info.splits
        if len(found) == 1:
            return {"train": next(iter(found))}
        splits = {_SPLITS[split]: split for split in found if split in _SPLITS}
        if "train" not in splits:
            raise DataError(
                f"Expected a data set with a train split. {quoted(self.name)} has: "
                f"{', '.join(found) or 'none'}."
            )
        return splits

    def check_given(self, *given: str | None) -> None:
        """Raise `DataError` if a name is neither `None` nor the name of a feature."""
        for name in given:
            if name is not None and name not in list(self.features):
                raise DataError(f"{quoted(self.name)}: {unknown('feature', name, self.features)}")

    def pick(self, what: str, candidates: Sequence[str], usual: Sequence[Any]) -> str:
        """Return the first feature in `usual` that is a candidate, or else the only candidate.

        Raises:
            DataError: There is no candidate, or there are several but none of them is in `usual`.
        """
        for key in usual:
            if key in candidates:
                return key
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise DataError(
                f"The data set {quoted(self.name)} has several features that could be the {what}: "
                f"{', '.join(candidates)}. Choose one, such as {what}={quoted(candidates[0])}."
            )
        raise DataError(
            f"Expected a data set of {self.item}s with a label each. {quoted(self.name)} has no "
            f"{what} among its features: {', '.join(self.features)}."
        )

    def pick_label(self) -> str:
        """Return the name of the label feature: a feature with classes, or else with numbers."""
        features = self.features
        classes = [key for key, feature in features.items() if _class_names(feature) is not None]
        values = [key for key, feature in features.items() if _is_number(feature)]
        return self.pick("label", classes or values, [self.supervised_keys[1], "label"])

    def label_kind(self, label: str) -> LabelKind:
        """Return the description of the feature with the name `label`.

        Raises:
            DataError: The feature does not hold labels.
        """
        feature = self.features[label]
        kinds = tfds_module().features
        names = _class_names(feature)
        if names is not None and isinstance(feature, kinds.Sequence):

            def mask(present: np.ndarray) -> np.ndarray:
                return np.isin(np.arange(len(names)), present).astype(np.float32)

            return LabelKind(names, Multilabel.kind, mask)
        if names is not None:
            return LabelKind(names, None, int)
        if isinstance(feature, kinds.Text):
            return LabelKind(None, None, label_text)
        if _is_number(feature):
            is_whole = np.dtype(feature.np_dtype).kind in "iu"
            return LabelKind(None, None, int if is_whole else float)
        raise DataError(
            f"Expected a label that is a class, a list of classes, a number or a text. Received: "
            f"{feature}."
        )

    def examples(
        self, split: str, features: Sequence[str], decoders: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the given features of each example as NumPy values, always in the same order.

        `split` is the name of a split in the data set. `decoders` maps names of features to
        decoders that replace the usual decoders.
        """
        tfds = tfds_module()
        dataset = self.builder.as_dataset(
            split=split,
            shuffle_files=False,
            # Read one file after the other, to get the same order in every process.
            read_config=tfds.ReadConfig(interleave_cycle_length=1),
            decoders=tfds.decode.PartialDecoding(dict.fromkeys(features, True), decoders=decoders),
        )
        yield from dataset.as_numpy_iterator()


def open_prepared(
    name: str, data_dir: str | os.PathLike[str] | None, download: bool, item: str
) -> Prepared:
    """Open a data set. Download and prepare a missing data set if `download` is true.

    Raises:
        DataError: The data set does not exist, or is not on disk and cannot be downloaded.
    """
    builder = open_builder(name, data_dir)
    prepare(builder, name, download)
    return Prepared(name, builder, item)


def published(splits: Mapping[str, tuple[Any, np.ndarray]]) -> dict[str, Any]:
    """Return the train split, and each other split unless its labels are all -1 (unpublished)."""

    def is_published(labels: np.ndarray) -> bool:
        return labels.dtype.kind not in "if" or bool((labels != -1).any())

    return {s: found for s, found in splits.items() if s == "train" or is_published(found[1])}


def _class_names(feature: Any) -> list[str] | None:
    """Return the class names of a `ClassLabel` or of a sequence of class labels, else `None`."""
    names = getattr(getattr(feature, "feature", feature), "names", None)
    return list(names) if names else None


def _is_number(feature: Any) -> bool:
    return feature.shape == () and np.dtype(feature.np_dtype).kind in "iuf"
