"""Data sets of TensorFlow Datasets and of tf.data: read once, kept as files, found again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_tl.base.files import remove_leftovers
from keras_tl.data import ImageData
from keras_tl.data.images.image_pipeline import ImagePipeline
from keras_tl.errors import CacheError, ConfigError, DataError

NO_SPLITS = {"validation_split": 0, "test_split": 0}
FEATURES = tfds.features


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The folder of the data sets, of each test's own."""
    monkeypatch.setenv("KERAS_TL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"


def image_of(number, channels=3, height=4):
    """Noise, as every image of a size of its own."""
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, (height, 5 + number % 3, channels)).astype(np.uint8)


def pixels_of(path):
    return tf.io.decode_image(tf.io.read_file(path)).numpy()


def sizes(data):
    return {name: len(split) for name, split in data.splits.items()}


# What examples hold besides the image, and one example's values.
IMAGE = FEATURES.Image(shape=(None, None, 3))
LABEL = FEATURES.ClassLabel(names=["cat", "dog", "emu"])
KINDS = {
    "classes": ({"image": IMAGE, "label": LABEL}, lambda n: {"label": n % 3}),
    "two": (
        {"image": IMAGE, "label": FEATURES.ClassLabel(names=["no", "yes"])},
        lambda n: {"label": n % 2},
    ),
    "other-names": (
        {"photo": IMAGE, "breed": LABEL, "file": FEATURES.Text()},
        lambda n: {"breed": n % 3, "file": "a"},
    ),
    "grey": (
        {"image": FEATURES.Image(shape=(None, None, 1)), "label": LABEL},
        lambda n: {"label": n % 3},
    ),
    "jpeg": (
        {"image": FEATURES.Image(encoding_format="jpeg"), "label": LABEL},
        lambda n: {"label": n % 3},
    ),
    "sequence": (
        {"image": IMAGE, "labels": FEATURES.Sequence(LABEL)},
        lambda n: {"labels": list(range(n % 3))},
    ),
    "float": (
        {"image": IMAGE, "age": FEATURES.Scalar(np.float32)},
        lambda n: {"age": n / 2},
    ),
    "int": ({"image": IMAGE, "label": FEATURES.Scalar(np.int64)}, lambda n: {"label": 10 * n}),
    "two-classes": (
        {"image": IMAGE, "species": LABEL, "breed": FEATURES.ClassLabel(names=["a", "b"])},
        lambda n: {"species": n % 3, "breed": n % 2},
    ),
    "no-label": ({"image": IMAGE, "name": FEATURES.Text()}, lambda n: {"name": "ab"[n % 2]}),
    "no-image": ({"label": LABEL}, lambda n: {"label": n % 3}),
    "unlabelled": (
        {"image": IMAGE, "label": LABEL},
        lambda n: {"label": -1 if n >= 100 else n % 3},
    ),
}
SPLITS = {"train": range(12), "test": range(100, 106)}


def prepare(data_dir, kind="classes", splits=None, version="1.0.0", supervised=None):
    """Prepares a data set called `tiny` on disk. Its code is known to nobody afterwards."""
    features, values = KINDS[kind]
    images = (key for key, feature in features.items() if isinstance(feature, FEATURES.Image))
    image = next(images, None)
    channels = features[image].shape[-1] if image else None

    with tfds.core.registered.skip_registration():

        class Tiny(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version(version)

            def _info(self):
                return tfds.core.DatasetInfo(
                    builder=self,
                    features=FEATURES.FeaturesDict(features),
                    supervised_keys=supervised,
                )

            def _split_generators(self, dl_manager):
                given = SPLITS if splits is None else splits
                return {name: self._generate_examples(rows) for name, rows in given.items()}

            def _generate_examples(self, rows):
                for row in rows:
                    own = {image: image_of(row, channels or 3)} if image else {}
                    yield row, own | values(row)

        Tiny(data_dir=data_dir).download_and_prepare()
    return data_dir


def load(data_dir, **options):
    return ImageData.from_tfds("tiny", data_dir=data_dir, download=False, **options)


def test_tests_leave_no_folders_in_tmp(tmp_path, folder_of_tfds):
    before = set(Path(folder_of_tfds).iterdir())
    prepare(tmp_path)
    assert set(Path(folder_of_tfds).iterdir()) > before


def test_a_prepared_data_set_is_loaded_by_its_name(tmp_path):
    prepare(tmp_path)
    data = load(tmp_path, **NO_SPLITS)
    assert (data.task, data.class_names) == ("multiclass", ("cat", "dog", "emu"))
    assert sizes(data) == {"train": 12, "test": 6}
    found = {}
    for name, rows in SPLITS.items():
        split = data.splits[name]
        known = {image_of(row).tobytes(): row for row in rows}
        found[name] = [known[pixels_of(path).tobytes()] for path in split.images]
        assert sorted(found[name]) == list(rows)
        assert split.labels.tolist() == [row % 3 for row in found[name]]
    assert ImagePipeline((4, 4), "crop").pixels(data.splits["test"]).shape == (6, 4, 4, 3)


# The kind, arguments; the task, the class names, the first image's suffix, and what a label is.
READ = {
    "classes": ({}, "multiclass", ("cat", "dog", "emu"), ".png", lambda n: n % 3),
    "two": ({}, "binary", ("no", "yes"), ".png", lambda n: n % 2),
    "other-names": ({}, "multiclass", ("cat", "dog", "emu"), ".png", lambda n: n % 3),
    "grey": ({}, "multiclass", ("cat", "dog", "emu"), ".png", lambda n: n % 3),
    "jpeg": ({}, "multiclass", ("cat", "dog", "emu"), ".jpg", lambda n: n % 3),
    "sequence": (
        {},
        "multilabel",
        ("cat", "dog", "emu"),
        ".png",
        lambda n: [float(label < n % 3) for label in range(3)],
    ),
    "float": ({}, "regression", (), ".png", lambda n: n / 2),
    "int": ({}, "regression", (), ".png", lambda n: 10 * n),
    "two-classes": ({"label": "breed"}, "binary", ("a", "b"), ".png", lambda n: n % 2),
    "no-label": ({"label": "name"}, "binary", ("a", "b"), ".png", lambda n: n % 2),
}


@pytest.mark.parametrize("kind", READ)
def test_every_kind_of_label(tmp_path, kind):
    options, task, class_names, suffix, label_of = READ[kind]
    prepare(tmp_path, kind, {"train": range(12)})
    data = load(tmp_path, **options, **NO_SPLITS)
    assert (data.task, data.class_names) == (task, class_names)
    split = data.splits["train"]
    assert {os.path.splitext(path)[1] for path in split.images} == {suffix}
    channels = 1 if kind == "grey" else 3
    if suffix == ".png":
        known = {image_of(n, channels).tobytes(): n for n in range(12)}
        rows = [known[pixels_of(path).tobytes()] for path in split.images]
        assert split.labels.tolist() == [label_of(n) for n in rows]
    else:
        assert sorted(split.labels.tolist()) == sorted(label_of(n) for n in range(12))


def test_supervised_keys_decide(tmp_path):
    prepare(tmp_path, "two-classes", supervised=("image", "species"))
    assert load(tmp_path, **NO_SPLITS).class_names == ("cat", "dog", "emu")


# The splits of the data set, and the sizes that come of them with halves for test and validation.
SPLITS_FOUND = [
    ({"train": 24}, {"train": 6, "validation": 6, "test": 12}),
    ({"everything": 24}, {"train": 6, "validation": 6, "test": 12}),
    ({"train": 12, "test": 3}, {"train": 6, "validation": 6, "test": 3}),
    ({"train": 12, "validation": 3}, {"train": 6, "validation": 3, "test": 6}),
    (
        {"train": 12, "validation": 3, "test": 4, "extra": 5},
        {"train": 12, "validation": 3, "test": 4},
    ),
]


@pytest.mark.parametrize(("splits", "expected"), SPLITS_FOUND)
def test_the_splits_of_the_data_set_are_taken(tmp_path, splits, expected):
    prepare(tmp_path, splits={name: range(count) for name, count in splits.items()})
    data = load(tmp_path, validation_split=0.5, test_split=0.5)
    assert sizes(data) == expected


def test_a_split_without_published_labels_is_left_out(tmp_path):
    prepare(tmp_path, "unlabelled")
    assert sizes(load(tmp_path, validation_split=0, test_split=0.25)) == {"train": 9, "test": 3}


@pytest.mark.slow
def test_files_are_written_once_and_found_by_every_process(tmp_path, kept, monkeypatch):
    prepare(tmp_path)
    data = load(tmp_path)
    (key,) = os.listdir(kept)
    program = (
        "import sys, json; from keras_tl.data import ImageData;"
        "from keras_tl.data.tfds import image_builders; del image_builders.store;"
        f"data = ImageData.from_tfds('tiny', data_dir={str(tmp_path)!r}, download=False);"
        "print(json.dumps(data.describe()['splits']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert str(data.describe()["splits"]).replace("'", '"') == done.stdout.strip()
    # What was damaged is written again, and so is what was prepared again.
    os.remove(data.splits["train"].images[0])
    assert sizes(load(tmp_path)) == sizes(data)
    assert os.path.exists(data.splits["train"].images[0])
    prepare(tmp_path, version="1.0.1")
    assert load(tmp_path).splits["train"].images[0] != data.splits["train"].images[0]
    assert len(os.listdir(kept)) == 2
    assert key in os.listdir(kept)


def test_the_same_seed_makes_the_same_splits(tmp_path):
    prepare(tmp_path, splits={"train": range(40)})
    first, again, other = (load(tmp_path, seed=seed) for seed in (0, 0, 1))
    assert first.describe() == again.describe()
    assert first.describe()["splits"] != other.describe()["splits"]


# Prepared or not, the name, arguments, what the message says.
TFDS_ERRORS = {
    "not-prepared": (None, "mnist", {}, r"'mnist' is not in '.*mnist.*copy the prepared data set"),
    "near": (
        None,
        "mnits",
        {},
        r"Unknown data set 'mnits'. Did you mean 'mnist'.*Prepared data sets must be in",
    ),
    "near-own": ("classes", "tinny", {}, r"Did you mean 'tiny'"),
    "unknown": (None, "my_photographs_of_x", {}, r"Unknown.*list_builders\(\) lists the known"),
    "version": (None, "mnist:1.0.0", {}, r"Cannot open the data set 'mnist:1.0.0': .*only: 3.0.1"),
    "config": (None, "mnist/small", {}, r"Cannot open .*BuilderConfig small not found"),
    "two-labels": (
        "two-classes",
        "tiny",
        {},
        r"several features that could be the label: .*species.*Choose one, such as label=",
    ),
    "no-label": ("no-label", "tiny", {}, r"images with a label each. 'tiny' has no label.*name"),
    "no-image": ("no-image", "tiny", {}, r"'tiny' has no image among its features: label"),
    "unknown-label": ("classes", "tiny", {"label": "lable"}, r"Unknown feature 'lable'.*'label'"),
    "two-label-columns": (
        "classes",
        "tiny",
        {"label": ["a", "b"]},
        r"Unknown feature \['a', 'b'\]",
    ),
    "image-as-label": ("classes", "tiny", {"label": "image"}, r"Expected a label that is a class"),
}


@pytest.mark.parametrize("name", TFDS_ERRORS)
def test_a_data_set_that_cannot_be_used_is_explained(tmp_path, kept, name, capfd):
    kind, data_set, options, message = TFDS_ERRORS[name]
    if kind:
        prepare(tmp_path, kind)
        capfd.readouterr()
    with pytest.raises(DataError, match=message) as caught:
        ImageData.from_tfds(data_set, data_dir=tmp_path, download=False, **options)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert not kept.exists()


def test_no_train_split_is_explained(tmp_path):
    prepare(tmp_path, splits={"validation": range(3), "test": range(3)})
    with pytest.raises(DataError, match=r"a train split. 'tiny' has: .*validation"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ConnectionError("no route\nto host"),
            r"Cannot fetch .*'broken_set': no route\. Run this once on",
        ),
        (AssertionError(), r"Cannot fetch the data set 'broken_set': AssertionError\. Run this"),
        (ModuleNotFoundError("No module named 'cv3'"), r"named 'cv3'\. Install the missing"),
    ],
)
def test_a_data_set_that_cannot_be_fetched_is_explained(tmp_path, capsys, error, message):
    class BrokenSet(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self, features=FEATURES.FeaturesDict(KINDS["classes"][0])
            )

        def _split_generators(self, dl_manager):
            raise error

        def _generate_examples(self):
            return []

    try:
        with pytest.raises(DataError, match=message):
            ImageData.from_tfds("broken_set", data_dir=tmp_path)
        assert capsys.readouterr().out == ""
        with pytest.raises(DataError, match=r"'broken_set' is not in .*download=False"):
            ImageData.from_tfds("broken_set", data_dir=tmp_path, download=False)
    finally:
        del tfds.core.registered._DATASET_REGISTRY["broken_set"]


def test_a_data_set_is_prepared_when_it_is_not_there(tmp_path):
    class FetchedSet(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self, features=FEATURES.FeaturesDict(KINDS["classes"][0])
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for n in range(6):
                yield n, {"image": image_of(n), "label": n % 3}

    try:
        data = ImageData.from_tfds("fetched_set", data_dir=tmp_path, **NO_SPLITS)
    finally:
        del tfds.core.registered._DATASET_REGISTRY["fetched_set"]
    assert sizes(data) == {"train": 6}


def dataset_of(labels, images=None, **signature):
    """A data set of images of different sizes, or of those given, with these labels."""
    images = [image_of(n) for n in range(len(labels))] if images is None else images

    def pairs():
        yield from zip(images, labels, strict=True)

    shape = signature.get("shape", (None, None, 3))
    first = np.asarray(labels[0])
    return tf.data.Dataset.from_generator(
        pairs,
        output_signature=(
            tf.TensorSpec(shape, signature.get("dtype", tf.uint8)),
            tf.TensorSpec(first.shape, tf.as_dtype(first.dtype)),
        ),
    )


X = np.stack([image_of(3 * n) for n in range(6)])
Y = [0, 1, 2, 0, 1, 2]
SLICES = tf.data.Dataset.from_tensor_slices


def unknown_shape(dataset):
    def decode(image, label):
        return tf.io.decode_image(tf.io.encode_png(image)), label

    return dataset.map(decode)


def encoded(dataset):
    return dataset.map(lambda image, label: (tf.io.encode_png(image), label))


# All of these hold X.
WAYS = {
    "unbatched": lambda: SLICES((X, Y)),
    "batched": lambda: SLICES((X, Y)).batch(4),
    "dictionaries": lambda: SLICES({"image": X, "label": Y, "more": Y}),
    "batched-dictionaries": lambda: SLICES({"label": Y, "image": X}).batch(6),
    "floats": lambda: SLICES((np.abs(X - np.float32(0.2)), Y)).batch(2),
    "ints": lambda: SLICES((X.astype(np.int32), Y)),
    "unknown-shape": lambda: unknown_shape(SLICES((X, Y))),
    "generator": lambda: dataset_of(Y, X),
    "ragged": lambda: SLICES((X, Y)).ragged_batch(4),
    "bytes": lambda: encoded(SLICES((X, Y))),
    "batched-bytes": lambda: encoded(SLICES((X, Y))).batch(4),
}


@pytest.mark.parametrize("way", WAYS)
def test_images_arrive_in_every_way(kept, way):
    data = ImageData.from_tfdata(WAYS[way](), **NO_SPLITS)
    split = data.splits["train"]
    assert split.labels.tolist() == Y
    np.testing.assert_array_equal([pixels_of(path) for path in split.images], X)
    assert all(path.startswith(str(kept)) and path.endswith(".png") for path in split.images)
    again = ImageData.from_tfdata(WAYS[way](), **NO_SPLITS)
    assert again.describe() == data.describe()
    assert len(os.listdir(kept)) == 1


def test_images_of_different_sizes(tmp_path):
    for dataset in (
        dataset_of(Y),
        dataset_of(Y).apply(tf.data.experimental.dense_to_ragged_batch(4)),
    ):
        data = ImageData.from_tfdata(dataset, **NO_SPLITS)
        for number, path in enumerate(data.splits["train"].images):
            np.testing.assert_array_equal(pixels_of(path), image_of(number))


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (6, 4, 5), (6, 4, 5, 1)])
def test_grey_images(shape):
    grey = np.stack([image_of(3 * n, 1)[..., 0] for n in range(6)])
    dataset = SLICES((grey[..., None] if shape[-1] == 1 else grey, Y))
    if shape[0] == 6:
        dataset = dataset.batch(6)
    assert dataset.element_spec[0].shape[1:] == shape[1:]
    data = ImageData.from_tfdata(dataset, **NO_SPLITS)
    found = np.stack([pixels_of(path)[..., 0] for path in data.splits["train"].images])
    np.testing.assert_array_equal(found, grey)
    if shape == (4, 5):  # All have the same files; their decoder takes seconds to start.
        pixels = ImagePipeline((4, 5), "crop").pixels(data.splits["train"])
        np.testing.assert_allclose(pixels, np.repeat(grey[..., None], 3, axis=-1), atol=1e-3)


@pytest.mark.parametrize(("channels", "is_batched"), [(2, False), (4, True)])
def test_alpha_is_left_out_as_of_files(channels, is_batched):
    images = np.stack([image_of(3 * n, 1)[..., [0] * channels] for n in range(6)])
    images[..., -1] = 255 - images[..., -1]
    dataset = SLICES((images, Y))
    data = ImageData.from_tfdata(dataset.batch(3) if is_batched else dataset, **NO_SPLITS)
    pixels = ImagePipeline(images.shape[1:3], "crop").pixels(data.splits["train"])
    np.testing.assert_allclose(pixels, images[..., [0, 0, 0]], atol=1e-3)


def test_bytes_stay_as_they_are(tmp_path):
    jpeg = tf.io.encode_jpeg(image_of(0)).numpy()
    gif = b"GIF89a..."
    data = ImageData.from_tfdata(SLICES(([jpeg, gif], [0, 1])), **NO_SPLITS)
    paths = data.splits["train"].images
    assert [os.path.splitext(path)[1] for path in paths] == [".jpg", ".gif"]
    assert [Path(path).read_bytes() for path in paths] == [jpeg, gif]


# Labels, arguments; the task, class names, and numbers that come of them.
LABELS = {
    "ints": ([5, 3, 5], {}, "binary", ("3", "5"), [1, 0, 1]),
    "named-ints": (
        [1, 0, 1],
        {"class_names": ["a", "b", "c"]},
        "multiclass",
        ("a", "b", "c"),
        [1, 0, 1],
    ),
    "bools": ([True, False, True], {}, "binary", ("False", "True"), [1, 0, 1]),
    "texts": (["né", "a", "b"], {}, "multiclass", ("a", "b", "né"), [2, 0, 1]),
    "floats": ([0.5, 1, 2], {}, "regression", (), [0.5, 1, 2]),
    "ints-as-targets": ([5, 3, 5], {"task": "regression"}, "regression", (), [5, 3, 5]),
    "float-classes": ([1.0, 0.0, 1.0], {"task": "binary"}, "binary", ("0", "1"), [1, 0, 1]),
    "keras-binary": ([[1.0], [0.0], [1.0]], {"class_names": "ab"}, "binary", ("a", "b"), [1, 0, 1]),
    "one-hot": ([[0.0, 1], [1, 0], [0, 1]], {}, "binary", ("0", "1"), [1, 0, 1]),
    "one-hot-named": (
        [[0, 1, 0], [1, 0, 0], [0, 0, 1]],
        {"task": "multiclass", "class_names": "abc"},
        "multiclass",
        ("a", "b", "c"),
        [1, 0, 2],
    ),
    "rows": ([[0, 1], [1, 1], [0, 0]], {}, "multilabel", ("0", "1"), [[0, 1], [1, 1], [0, 0]]),
    "one-hot-as-rows": (
        [[0, 1], [1, 0], [0, 1]],
        {"task": "multilabel", "class_names": "ab"},
        "multilabel",
        ("a", "b"),
        [[0, 1], [1, 0], [0, 1]],
    ),
}


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("batch", [None, 2])
def test_labels_of_every_kind(name, batch):
    labels, options, task, class_names, numbers = LABELS[name]
    dataset = SLICES((X[:3], labels))
    dataset = dataset if batch is None else dataset.batch(batch)
    data = ImageData.from_tfdata(dataset, **options, **NO_SPLITS)
    assert (data.task, data.class_names) == (task, class_names)
    assert data.splits["train"].labels.tolist() == numbers


def test_kerass_own_reader_of_folders(tmp_path):
    import keras

    for number in range(12):
        folder = tmp_path / "photos" / ("cat", "dog", "emu")[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        keras.utils.save_img(folder / f"{number}.png", image_of(number))
    for mode in ("int", "categorical"):
        dataset = keras.utils.image_dataset_from_directory(
            tmp_path / "photos", label_mode=mode, image_size=(8, 8), shuffle=False, verbose=False
        )
        data = ImageData.from_tfdata(dataset)
        assert (data.task, data.class_names) == ("multiclass", ("cat", "dog", "emu"))
        assert sum(sizes(data).values()) == 12


def test_given_splits_and_those_taken_from_train():
    data = ImageData.from_tfdata(
        SLICES((np.concatenate([X] * 4), Y * 4)),
        validation=SLICES((X, Y)),
        test=SLICES((X[:3], Y[:3])),
    )
    assert sizes(data) == {"train": 24, "validation": 6, "test": 3}
    data = ImageData.from_tfdata(SLICES((np.concatenate([X] * 4), Y * 4)), test=SLICES((X, Y)))
    assert sizes(data) == {"train": 20, "validation": 4, "test": 6}
    options = {"validation_split": 0.25, "test_split": 0.25}
    datas = [
        ImageData.from_tfdata(SLICES((np.concatenate([X] * 4), Y * 4)), seed=seed, **options)
        for seed in (0, 0, 1)
    ]
    assert datas[0].describe() == datas[1].describe()
    assert datas[0].describe()["splits"] != datas[2].describe()["splits"]


def test_other_labels_or_images_are_other_data(kept):
    for x, y in ((X, Y), (X, Y[::-1]), (255 - X, Y), (X[::-1], Y), (X, [0.5 * n for n in Y])):
        ImageData.from_tfdata(SLICES((x.copy(), y)), **NO_SPLITS)
    assert len(os.listdir(kept)) == 5
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in os.listdir(kept))


def test_dark_floats_are_not_taken_for_scaled_ones():
    dark = np.zeros((6, 4, 5, 3), np.float32)
    dark[:4, 0, 0] = 1
    dark[4] = 200
    assert sizes(ImageData.from_tfdata(SLICES((dark, Y)), **NO_SPLITS)) == {"train": 6}
    ImageData.from_tfdata(SLICES((dark * 0, Y)), **NO_SPLITS)
    ImageData.from_tfdata(SLICES((dark[:4].astype(np.uint8), Y[:4])), **NO_SPLITS)


def failing():
    def pairs():
        yield X[0], 0
        raise RuntimeError("the disk is gone")

    return tf.data.Dataset.from_generator(
        pairs, output_signature=(tf.TensorSpec((4, 5, 3), tf.uint8), tf.TensorSpec((), tf.int64))
    )


def many_scaled():
    """Says so soon, not after all of them."""
    pixels = np.full((1, 2, 2, 3), 0.5, np.float32)

    def pairs():
        for _ in range(150):
            yield pixels[0], 1
        raise AssertionError("all were read")

    return tf.data.Dataset.from_generator(
        pairs, output_signature=(tf.TensorSpec((2, 2, 3)), tf.TensorSpec((), tf.int64))
    )


def rows_of_several_lengths():
    types = (tf.TensorSpec((8, 8, 3), tf.uint8), tf.TensorSpec((None,), tf.int64))
    pairs = [(np.zeros((8, 8, 3), np.uint8), row) for row in ([0], [0, 1])]
    return tf.data.Dataset.from_generator(lambda: iter(pairs), output_signature=types)


TFDATA_ERRORS = {
    "no-dataset": (lambda: (X, Y), r"Expected a tf.data.Dataset of \(image, label\).*tuple"),
    "endless": (lambda: SLICES((X, Y)).repeat(), r"train data set never ends.*\.take\(1000\)"),
    "empty": (lambda: SLICES((X, Y)).take(0), r"The train data set is empty"),
    "images-only": (lambda: SLICES(X), r"Expected a tf.data.Dataset of .*Received elements"),
    "three": (lambda: SLICES((X, Y, Y)), r"Expected a tf.data.Dataset of .*Received elements"),
    "other-keys": (lambda: SLICES({"x": X, "y": Y}), r"'image' and 'label'.*'x'"),
    "fails": (failing, r"The train data set failed: .*the disk is gone"),
    "scaled": (lambda: SLICES((X / 255, Y)), r"train pixels in \[0, 255\].*scaled.*by 255"),
    "scaled-in-batches": (lambda: SLICES((X / 255, Y)).batch(4), r"scaled to \[0, 1\]"),
    "many-scaled": (many_scaled, r"scaled to \[0, 1\]"),
    "negative": (lambda: SLICES((X / 127.5 - 1, Y)), r"train pixels in \[0, 255\].*Undo"),
    "channels-first": (
        lambda: SLICES((np.zeros((2, 3, 8, 8)), [0, 1])),
        r"Received: \(3, 8, 8\), with the channels first",
    ),
    "vectors": (lambda: SLICES((np.zeros((4, 8)), [0, 1] * 2)), r"n, height, width"),
    "no-image-file": (
        lambda: SLICES(([b"II*\x00", b"abc"], [0, 1])),
        r"Image 0 of the train data set has no supported format .*JPEG",
    ),
    "labels-for-batch": (
        lambda: tf.data.Dataset.from_tensors((X, Y[:4])),
        r"one label for each image of a batch. Received: 6 images and labels of shape \(4,\)",
    ),
    "one-class": (lambda: SLICES((X, [1] * 6)), r"at least two classes, found 1: 1"),
    "label-maps": (lambda: SLICES((X, np.zeros((6, 2, 2)))), r"train labels of one kind"),
    "rows-of-several-lengths": (rows_of_several_lengths, r"train labels of one kind"),
    "rows-of-text": (lambda: SLICES((X, [["a", "b"]] * 6)), r"train labels of one kind"),
}


@pytest.mark.parametrize("name", TFDATA_ERRORS)
def test_what_cannot_be_used_is_explained_and_nothing_is_kept(kept, name):
    make, message = TFDATA_ERRORS[name]
    with pytest.raises(DataError, match=message) as caught:
        ImageData.from_tfdata(make())
    assert "\n" not in str(caught.value)
    if name != "one-class":
        assert not kept.exists() or os.listdir(kept) == []


def test_a_failing_test_split_leaves_nothing_behind(kept):
    with pytest.raises(DataError, match="The test data set failed"):
        ImageData.from_tfdata(SLICES((X, Y)), test=failing())
    assert os.listdir(kept) == []


def test_what_a_killed_process_left_is_cleared_away(kept):
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    left = kept / f".new-{int(done.stdout)}-0123abcd-xyz"
    (left / "train").mkdir(parents=True)
    ImageData.from_tfdata(SLICES((X, Y)), **NO_SPLITS)
    assert not left.exists()
    assert len(os.listdir(kept)) == 1


def test_what_a_process_is_writing_has_a_name_that_is_known_as_a_leftover(kept):
    names = set()

    def pairs():
        names.update(os.listdir(kept) if kept.exists() else ())
        yield from zip(X, Y, strict=True)

    signature = tf.TensorSpec(X.shape[1:], X.dtype), tf.TensorSpec((), tf.int64)
    dataset = tf.data.Dataset.from_generator(pairs, output_signature=signature)
    ImageData.from_tfdata(dataset, **NO_SPLITS)
    # A process that is killed while it writes leaves such a folder.
    (left,) = names
    gone = left.replace(str(os.getpid()), str(2**22), 1)  # No process can have this number.
    (kept / gone).mkdir()
    remove_leftovers(kept)
    assert gone not in os.listdir(kept)


def test_a_folder_that_cannot_be_written_is_explained(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_TL_CACHE", str(tmp_path / "file"))
    with pytest.raises(CacheError, match=r"Cannot store the images.*KERAS_TL_CACHE"):
        ImageData.from_tfdata(SLICES((X, Y)))
    prepare(tmp_path)
    with pytest.raises(CacheError, match=r"Cannot store the images.*KERAS_TL_CACHE"):
        load(tmp_path)


def test_a_wrong_task_is_explained():
    with pytest.raises(ConfigError, match=r"Unknown task 'classes'"):
        ImageData.from_tfdata(SLICES((X, Y)), task="classes")
