"""Reads the stored examples of formats in tests/formats: a folder for each version that wrote them.

tests/formats/0.2.0/
    expected.json     the items and labels, and for each stored file the numbers that it must give
    checksums.json    SHA-256 of all other files
    items/            images, 16 x 16
    runs/             by name
    exports/FORMAT/   by the name of the run
    ...               and what else users store, see tools/make_format_fixtures.py
"""

import dataclasses
import functools
import json
from pathlib import Path

import numpy as np
from PIL import Image

import keras_tl as ktl

FORMATS = Path(__file__).parent / "formats"
SPLITS = ("train", "validation", "test")
IMAGES, TEXTS, PAIRS = "images", "texts", "pairs"


@dataclasses.dataclass(frozen=True)
class StoredVersion:
    """The files that one version of keras_tl wrote."""

    folder: Path

    def __str__(self):
        return self.folder.name

    @functools.cached_property
    def expected(self):
        return json.loads((self.folder / "expected.json").read_text("utf-8"))

    def items(self, kind, split="test"):
        """Items as users pass them to `predict`: paths of images, texts, or pairs of texts."""
        found = self.expected["items"][kind][split]
        if kind == IMAGES:
            return [self.folder / name for name in found]
        return [tuple(pair) for pair in found] if kind == PAIRS else found

    def pixels(self, split="test"):
        """Images, uint8 (n, height, width, 3)."""
        return np.stack([np.asarray(Image.open(file)) for file in self.items(IMAGES, split)])

    def data(self, kind, task):
        """The data of the runs. There are no paths, so fingerprints depend only on the content."""
        labels = self.expected["labels"][kind][task]
        make, of = ktl.TextData, self.items
        if kind == IMAGES:
            make, of = ktl.ImageData, lambda _, split: self.pixels(split)
        (train, *held_out) = [(of(kind, split), labels[split]) for split in SPLITS]
        named = dict(zip(SPLITS[1:], held_out, strict=True))
        return make.from_arrays(*train, **named, task=task, verbose=False)


def stored_versions():
    """The versions whose files are stored, from the oldest on."""
    folders = (folder for folder in FORMATS.glob("*") if (folder / "expected.json").is_file())
    order = sorted(folders, key=lambda folder: [int(part) for part in folder.name.split(".")])
    return [StoredVersion(folder) for folder in order]


def numbers_of(predictions):
    """Numbers and decisions in the result of `predict`, as JSON types."""
    names = ("probabilities", "values")
    found = {name: getattr(predictions, name, None) for name in names}
    numbers = {name: value.tolist() for name, value in found.items() if value is not None}
    if "probabilities" in numbers:
        numbers["labels"] = [*map(_plain, predictions.labels)]
    return numbers


def _plain(labels):
    return labels if isinstance(labels, str) else list(labels)


def metrics_of(evaluation):
    """The metrics of a split that are single numbers."""
    return {k: v for k, v in evaluation.items() if isinstance(v, (int, float))}


def arrays_of(outputs):
    """Outputs of an export by name, as JSON types."""
    found = {name: np.asarray(value) for name, value in outputs.items()}
    return {
        name: [x.decode() for x in value.tolist()] if value.dtype == object else value.tolist()
        for name, value in found.items()
    }


def ask_saved_model(version, folder, kind):
    """The outputs of `serving_default` for the test items, in this process."""
    import tensorflow as tf

    if kind != IMAGES:
        import tensorflow_text  # noqa: F401 (the operations of the tokenizers)
    loaded = tf.saved_model.load(str(folder))
    items = version.items(kind)
    if kind == IMAGES:
        inputs = {"image_bytes": [file.read_bytes() for file in items]}
    elif kind == PAIRS:
        inputs = dict(zip(("text", "text_pair"), map(list, zip(*items, strict=True)), strict=True))
    else:
        inputs = {"text": items}
    answer = loaded.signatures["serving_default"]
    outputs = answer(**{name: tf.constant(values) for name, values in inputs.items()})
    return {name: value.numpy() for name, value in outputs.items()}


def ask_file(version, kind_of_file, file, kind):
    """The outputs of a LiteRT or ONNX file for the test items, as its companion describes them."""
    from keras_tl.export.runtimes.file_export import RUNTIMES

    about = json.loads(file.with_name(f"{file.name}.json").read_text("utf-8"))
    if kind == IMAGES:
        inputs = {"pixels": version.pixels().astype(np.float32)}
    else:
        preprocessor = ktl.load_preprocessor(file.with_name(f"{file.name}.tokenizer"))
        items = version.items(kind)
        columns = zip(*items, strict=True) if kind == PAIRS else [items]
        tokens = preprocessor(*map(list, columns))
        inputs = {name: tokens[name].numpy() for name in about["inputs"]}
    return RUNTIMES[kind_of_file].ask(file, inputs)
