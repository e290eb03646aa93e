"""Files that the documentation names, and short forms of what its code would do for minutes."""

import contextlib
import dataclasses
import itertools
import shutil
from functools import partial
from unittest import mock

import keras
import pytest

import keras_tl as ktl
from keras_tl.backbones import catalogue
from keras_tl.backbones.awd_lstm.model import SIZES
from keras_tl.backbones.loading import seeded
from keras_tl.base.keras_compat import eagerly
from keras_tl.selection import plan
from keras_tl.training import policies
from tests import hub_modules, kerashub_presets
from tests.backbones.test_awd_fastai import write_archive, write_folder
from tests.conftest import small_network
from tests.made_images import encode, photo

# Backbones of the catalogue for which a small network stands.
BACKBONES = (
    *("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"),
    *("mobilenet_v2", "resnet50", "vgg16"),
)
STARS = {"good": 5, "bad": 1}
IMAGE_SIZE = 32


class Site:
    """A folder in which pages run one after another, each with new copies of the same files.

    A copy has the path, the size and the time of the first file. So the cached features, the cached
    checks and a saved run hold for the copy.
    """

    def __init__(self, folder):
        self.folder = folder / "page"
        self._kept = folder / "kept"

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def add(self, write):
        """Call `write(folder)`, or copy the files that `write` wrote for an earlier page."""
        kept = self._kept / write.__name__
        if kept.exists():
            _copy(kept.iterdir(), self.folder)
            return
        before = {*self.folder.iterdir()}
        write(self.folder)
        kept.mkdir(parents=True)
        _copy({*self.folder.iterdir()} - before, kept)


def _copy(paths, folder):
    for path in paths:
        copy = shutil.copytree if path.is_dir() else shutil.copy2
        copy(path, folder / path.name)


def write_photos(folder, per_class=12):
    for name, first in (("cat", 0), ("dog", per_class)):
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            content = encode(photo(first + number).convert("RGB"), "JPEG")
            (folder / name / f"{number}.jpg").write_bytes(content)


def write_table(path, columns, rows, separator=","):
    lines = [separator.join(map(str, row)) for row in (columns, *rows)]
    path.write_text("\n".join([*lines, ""]), "utf-8")


def reviews(per_class, start=0):
    """Different texts of words that are in the vocabularies of all tiny models, and their moods."""
    for number, mood in itertools.product(range(start, start + per_class), STARS):
        yield f"the cat {mood} film{' the' * (number % 8)}{' cat' * (number // 8)}", mood


def write_files(folder):
    """Write the photos and texts that the pages name."""
    write_photos(folder / "photos", per_class=24)
    (folder / "new_photos").mkdir()
    names = ("a.jpg", "b.jpg", "b.png", "new_photos/1.jpg", "new_photos/2.jpg")
    for number, name in enumerate(names, start=100):
        kind = "PNG" if name.endswith("png") else "JPEG"
        (folder / name).write_bytes(encode(photo(number).convert("RGB"), kind))
    photos = [f"photos/{name}/{number}.jpg" for name in ("cat", "dog") for number in range(24)]
    rows = [
        (path, path.split("/")[1], path, path.split("/")[1], ("left", "right")[number % 2])
        for number, path in enumerate(photos)
    ]
    write_table(folder / "photos.csv", ("path", "label", "file", "breed", "camera"), rows)
    texts = [*reviews(40)]
    rows = [(text, STARS[mood], mood) for text, mood in texts]
    write_table(folder / "reviews.csv", ("review", "stars", "mood"), rows)
    for number, name in enumerate(("train", "validation", "test")):
        write_table(folder / f"{name}.csv", ("text", "label"), reviews(12, 12 * number))
    rows = [("the film", text, mood) for text, mood in texts]
    write_table(folder / "pairs.tsv", ("premise", "hypothesis", "label"), rows, "\t")
    for number, (text, mood) in enumerate(texts):
        path = folder / "aclImdb" / {"good": "pos", "bad": "neg"}[mood] / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for name in ("corpus.txt", "wikipedia.txt"):
        (folder / name).write_text("\n".join([*(text for text, _ in texts), ""]), "utf-8")


def save_run(folder):
    """A run with a trained head in `runs/photos`."""
    data = ktl.ImageData.from_folder(folder / "photos")
    learner = ktl.Learner("efficientnet_lite0", data, seed=0, verbose=False)
    learner.fit_head()
    learner.save(folder / "runs" / "photos")


_NEWER = "it needs a newer Keras than ours may be"


def save_encoder(folder, name="bert"):
    """A tiny text encoder, a preset of KerasHub."""
    pytest.importorskip("keras_hub", reason=_NEWER)
    kerashub_presets.make_bert(folder / name)


def save_converted(folder):
    """The files that the scripts for VGG16 and the sentence encoder write."""
    tiny_network().save_weights(folder / "vgg16_imagenet.weights.h5")
    save_encoder(folder, "paraphrase_minilm")


def save_classifier(folder):
    """A classifier of KerasHub with the encoder of `save_encoder`."""
    models = pytest.importorskip("keras_hub", reason=_NEWER).models
    classifier = models.TextClassifier.from_preset(str(folder / "bert"), num_classes=2)
    classifier.save_to_preset(str(folder / "my_classifier"))


def export_texts(folder):
    """An ONNX file of a text model with the encoder of `save_encoder`, and its tokenizer."""
    data = ktl.TextData.from_csv(folder / "reviews.csv", text="review", label="stars")
    learner = ktl.Learner(f"kerashub:{folder / 'bert'}", data, seed=0, verbose=False)
    learner.fit_head()
    learner.export(folder / "texts.onnx", format="onnx")


def save_fastai_model(folder):
    write_archive(folder / "wt103-fwd")


def save_fastai_folder(folder):
    write_folder(folder / "fastai_lm")


def save_keras_model(folder):
    inputs = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(8, 3, strides=4)(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    keras.Model(inputs, x, name="mine").save(folder / "my_backbone.keras")


def save_module(folder):
    hub_modules.make_image_module(folder / "my_module", size=32)


def need_litert(folder):
    pytest.importorskip("ai_edge_litert", reason="not every platform has it")


def tiny_network(include_top=False, weights="imagenet", input_shape=None):
    """A network in place of one of `keras.applications`; "imagenet" gives the same weights."""
    with seeded(0) if weights == "imagenet" else contextlib.nullcontext():
        return small_network()


def stand_in(name, size):
    """A record with the name of a backbone, whose network is small."""
    spec = catalogue.CATALOGUE[name]
    return dataclasses.replace(
        spec,
        builder=tiny_network,
        preprocessing="tf",
        image_size=(size, size),
        features=16,
        blocks=(),
        weights=dataclasses.replace(spec.weights, bundled=None, package=None),
        scales_inside=False,
    )


def digits_in_short(digits):
    """Return a function in place of `ImageData.digits`: small images, and two of the classes."""

    def few(**options):
        return digits(**options | {"image_size": IMAGE_SIZE}).subset(["0", "1"], per_class=20)

    return few


@contextlib.contextmanager
def in_short(image_size=IMAGE_SIZE):
    """Small networks, and few epochs where the code of the pages names no number.

    Code that names a number, such as `fit_head(epochs=20)`, trains this number of epochs.
    `image_size` is the default size of the networks in pixels.
    """
    standard, heads = policies.POLICIES["standard"], policies.HEADS
    # Eager LSTM layers take most of the time. More rows have fewer time steps.
    language_model = dataclasses.replace(ktl.ulmfit.PRETRAINING, epochs=1, batch_size=16)
    with pytest.MonkeyPatch.context() as patch, eagerly():
        for name in BACKBONES:
            patch.setitem(catalogue._registered, name, stand_in(name, image_size))
        for family, (phase,) in [*standard.items()]:
            patch.setitem(standard, family, (dataclasses.replace(phase, epochs=1),))
        for family, phase in [*heads.items()]:
            patch.setitem(heads, family, dataclasses.replace(phase, epochs=1, min_steps=0))
        patch.setitem(SIZES, "small", {"embedding_size": 8, "hidden_size": 10, "layers": 1})
        for name in ("pretrain", "fine_tune_lm"):
            short = partial(getattr(ktl.ulmfit, name), phase=language_model)
            patch.setattr(ktl.ulmfit, name, short)
        patch.setattr(plan, "FOLDS", 2)
        patch.setattr(ktl.ImageData, "digits", digits_in_short(ktl.ImageData.digits))
        protocol = ktl.Protocol(epochs=2)
        patch.setattr(ktl, "compare", partial(ktl.compare, seeds=2, protocol=protocol))
        with mock.patch.dict(policies.FEWEST_STEPS, clear=True):
            yield
