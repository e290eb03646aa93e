"""Text data sets of TensorFlow Datasets (https://www.tensorflow.org/datasets)."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_tl.base.reporting import only_errors
from keras_tl.data.labelled_data import LabelledItems
from keras_tl.data.texts.text_split import Texts
from keras_tl.data.tfds.prepared import Prepared, open_prepared, published
from keras_tl.errors import DataError, quoted, unknown
from keras_tl.tasks.labels.task_choice import read_splits

# Usual names of the two features of a text pair, and of the feature of a single text.
_PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("text1", "text2"),
)
_SINGLE = ("text", "sentence")


def read_text_builder(
    name: str,
    data_dir: str | os.PathLike[str] | None,
    download: bool,
    text: str | None = None,
    text_pair: str | None = None,
    label: str | None = None,
    task: str | None = None,
) -> LabelledItems:
    """Read a text data set into memory, see `keras_tl.TextData.from_tfds`."""
    with only_errors("absl"):
        found = open_prepared(name, data_dir, download, "text")
        found.check_given(text, text_pair, label)
        text, text_pair = _choose(found, text, text_pair, label)
        label = label or found.pick_label()
        kind = found.label_kind(label)
        features = [feature for feature in (text, text_pair, label) if feature is not None]
        splits = {}
        for ours, theirs in found.splits().items():
            examples = list(found.examples(theirs, features))
            if not examples:
                raise DataError(
                    f"The {theirs} split of {quoted(name)} is empty. Prepare the data set again."
                )
            texts = Texts.read(
                [example[text] for example in examples],
                None if text_pair is None else [example[text_pair] for example in examples],
                [f"{theirs} row {row}" for row in range(len(examples))],
            )
            splits[ours] = (texts, np.array([kind.code(example[label]) for example in examples]))
    settings = {
        "kind": "tfds",
        "data_dir": None if data_dir is None else os.fspath(data_dir),
        **{"text": text, "text_pair": text_pair, "label": label, "task": task},
    }
    read = read_splits(published(splits), "text", kind.class_names, task or kind.task)
    return LabelledItems(*read, settings)


def text_features(builder: Any) -> list[str]:
    """Return the names of the features that are texts."""
    return [
        key
        for key, feature in builder.info.features.items()
        if feature.shape == () and np.dtype(feature.np_dtype).kind in "OSU"
    ]


def _choose(
    found: Prepared, text: str | None, text_pair: str | None, label: str | None
) -> tuple[str, str | None]:
    """Return the name of the text feature, and of the feature of second texts (or `None`)."""
    texts = [key for key in text_features(found.builder) if key != label]
    for given in (text, text_pair):
        if given is not None and given not in texts:
            raise DataError(f"{quoted(found.name)}: {unknown('text feature', given, texts)}")
    if text is None:
        declared = found.supervised_keys[0]
        pairs = [declared, *_PAIRS] if text_pair is None and declared not in texts else []
        for pair in pairs:
            if _is_pair(pair, texts):
                return tuple(pair)
        others = [key for key in texts if key != text_pair]
        text = found.pick("text", others, [declared, *_SINGLE])
    return text, text_pair


def _is_pair(keys: Any, texts: Sequence[str]) -> bool:
    return isinstance(keys, tuple | list) and len(keys) == 2 and all(key in texts for key in keys)
