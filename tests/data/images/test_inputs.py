"""What `predict` and `features` accept, and what they say to anything else."""

import base64
import io
import os
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.image_data import ImageData
from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.images.image_pipeline import read_image
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.tables.item_columns import ItemColumns
from keras_tl.errors import DataError, KerasTLError
from keras_tl.models.image_modality import ImageModality
from tests.conditions import audited

GREY = np.arange(20, dtype=np.uint8).reshape(4, 5)
COLOUR = np.stack([GREY, GREY + 100, GREY + 200], axis=-1)


@pytest.fixture
def folder(tmp_path):
    """Three images at two depths, a hidden one and a text, and the working directory beside."""
    (tmp_path / "photos" / "deeper").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b é.png", "deeper/c.png")):
        Image.fromarray(COLOUR + number).save(tmp_path / "photos" / name)
    Image.fromarray(COLOUR).save(tmp_path / "photos" / ".hidden.png")
    (tmp_path / "photos" / "notes.txt").write_text("not an image")
    return tmp_path / "photos"


# What is given, made from the folder; which files it means.
FILES = {
    "string": (lambda f: str(f / "a.png"), ["a.png"]),
    "path": (lambda f: f / "b é.png", ["b é.png"]),
    "strings": (lambda f: [str(f / "b é.png"), str(f / "a.png")], ["b é.png", "a.png"]),
    "paths": (lambda f: [f / "a.png", f / "a.png"], ["a.png", "a.png"]),
    "strings-and-paths": (lambda f: [str(f / "a.png"), f / "b é.png"], ["a.png", "b é.png"]),
    "tuple": (lambda f: (f / "a.png",), ["a.png"]),
    "generator": (lambda f: (f / name for name in ("a.png", "b é.png")), ["a.png", "b é.png"]),
    "pattern": (lambda f: str(f / "*.png"), ["a.png", "b é.png"]),
    "folder-in-a-list": (lambda f: [f / "deeper", f / "a.png"], ["deeper/c.png", "a.png"]),
    "several-patterns": (lambda f: [str(f / "b*.png"), str(f / "a*.png")], ["b é.png", "a.png"]),
    "pattern-of-folders": (
        lambda f: str(f / "**" / "[a-c]*.png"),
        ["a.png", "b é.png", "deeper/c.png"],
    ),
    "array": (lambda f: np.array([str(f / "b é.png"), str(f / "a.png")]), ["b é.png", "a.png"]),
    "series": (lambda f: pd.Series([str(f / "a.png")], index=[7]), ["a.png"]),
    "frame": (
        lambda f: pd.DataFrame({"label": [0, 1], "path": [str(f / "b é.png"), f / "a.png"]}),
        ["b é.png", "a.png"],
    ),
    "split": (
        lambda f: ImageSplit((str(f / "b é.png"), str(f / "a.png")), np.zeros(2)),
        ["b é.png", "a.png"],
    ),
    "folder": (lambda f: f, ["a.png", "b é.png", "deeper/c.png"]),
    "folder-string": (str, ["a.png", "b é.png", "deeper/c.png"]),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_read_in_the_order_given(folder, name):
    given, expected = FILES[name]
    inputs = read_inputs(given(folder))
    assert inputs.sources == tuple(str(folder / path) for path in expected)
    contents = [(folder / path).read_bytes() for path in expected]
    assert [c for batch in inputs.batches(2) for c in batch] == contents
    assert inputs.pixels is None
    inputs.check_valid(np.ones(len(expected), bool))
    split = ImageModality((4, 5), "crop").as_split(inputs)
    assert split.in_files
    assert split.images == inputs.sources


def test_a_file_is_opened_once(folder):
    paths = [str(folder / name) for name in ("a.png", "b é.png", "a.png")]
    expected = [Path(path).read_bytes() for path in paths]
    with audited("open") as opened:
        assert [c for batch in read_inputs(paths).batches(2) for c in batch] == expected
    assert sorted(path for path, *_ in opened if path in paths) == sorted(paths)


def test_a_file_that_may_not_be_read_is_named_at_once(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(folder / "b é.png"))
    with pytest.raises(DataError, match=r"Cannot read the image '.*b é.png': Permission denied."):
        read_inputs(folder)


def test_a_relative_path_is_read(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert read_inputs("a.png").sources == ("a.png",)
    assert read_inputs(os.curdir).sources[0] == os.path.join(os.curdir, "a.png")


def test_a_home_folder_is_found(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert read_inputs("~/a.png").sources == (str(folder / "a.png"),)
    assert read_inputs(["~/a.png"]).sources == (str(folder / "a.png"),)
    assert len(read_inputs("~").sources) == 3
    assert len(read_inputs("~/*.png").sources) == 2


def test_a_file_whose_name_is_a_pattern_is_a_file(folder):
    (folder / "[a].png").write_bytes((folder / "a.png").read_bytes())
    assert read_inputs(str(folder / "[a].png")).sources == (str(folder / "[a].png"),)


def test_frames_are_read_as_in_training(folder):
    settings = {"kind": "csv", "image": "photo", "root": str(folder)}
    columns = ItemColumns.of("image", settings=settings)
    frame = pd.DataFrame({"path": ["no.png"], "photo": ["a.png"]})
    assert read_inputs(frame, columns).sources == (str(folder / "a.png"),)
    (folder / "new.csv").write_text("photo;other\na.png;1\nb é.png;2\n", encoding="utf-8")
    assert columns.of_file(folder / "new.csv").given == [
        str(folder / n) for n in ("a.png", "b é.png")
    ]
    (folder / "excel.txt").write_text("photo\tother\na.png\t1\nb é.png\t2\n", encoding="utf-16")
    assert columns.of_file(folder / "excel.txt") == columns.of_file(folder / "new.csv")
    beside = ItemColumns.of("image", settings=settings | {"root": None})
    assert beside.of_file(folder / "new.csv") == columns.of_file(folder / "new.csv")


def _written(content):
    buffer = io.BytesIO()
    buffer.write(content)
    return buffer


def _saved(content):
    path = Path("saved.png")
    path.write_bytes(content)
    return path


CONTENTS = {
    "bytearray": bytearray,
    "memoryview": memoryview,
    "buffer": io.BytesIO,
    "buffer-just-written": _written,
    "open-file": lambda content: _saved(content).open("rb"),
    "array": lambda content: np.array(content, object),
    "tensor": tf.constant,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_bytes_of_a_file_are_one_image(folder, monkeypatch, name):
    monkeypatch.chdir(folder)
    # Bytes that are lines to whoever iterates over them.
    content = (folder / "a.png").read_bytes() + b"\n\n"
    given = CONTENTS[name](content)
    assert read_inputs(given).contents == [content]
    assert read_inputs([given, content]).contents == [content, content]
    getattr(given, "close", lambda: None)()


def test_bytes_are_decoded(folder):
    contents = [(folder / name).read_bytes() for name in ("a.png", "b é.png")]
    for given, expected in ((contents, contents), (contents[1], contents[1:])):
        inputs = read_inputs(given)
        assert list(inputs.batches(32)) == [expected]
        assert inputs.sources is None
        assert inputs.pixels is None
    images = ImageModality((4, 5), "crop").as_split(read_inputs(contents)).images
    np.testing.assert_allclose(images, [COLOUR, COLOUR + 1], atol=1e-3)


BATCH = np.stack([COLOUR, COLOUR + 1])
GREY_AS_COLOUR = np.repeat(GREY[..., None], 3, axis=-1)
ARRAYS = {
    "image": (COLOUR, [COLOUR]),
    "grey": (GREY, [GREY_AS_COLOUR]),
    "grey-with-channel": (GREY[..., None], [GREY_AS_COLOUR]),
    "batch": (BATCH, BATCH),
    "batch-of-grey": (np.stack([GREY] * 2), [GREY_AS_COLOUR] * 2),
    "floats": (COLOUR.astype(np.float64) + 0.5, [COLOUR + 0.5]),
    "alpha": (np.dstack([COLOUR, GREY]), [COLOUR]),
    "grey-and-alpha": (np.dstack([GREY, GREY + 9]), [GREY_AS_COLOUR]),
    "batch-of-alpha": (np.concatenate([BATCH, BATCH[..., :1]], axis=-1), BATCH),
    "list-of-alpha": ([np.dstack([COLOUR, GREY])], [COLOUR]),
    "square-with-alpha": (np.full((4, 4, 4), 7, np.uint8), np.full((1, 4, 4, 3), 7)),
    "three-rows": (COLOUR[:3], [COLOUR[:3]]),
    "one-grey-in-a-batch": (GREY[None], [GREY_AS_COLOUR]),
    "three-grey-in-a-batch": (np.stack([GREY] * 3)[..., None], [GREY_AS_COLOUR] * 3),
    "tensor": (tf.constant(COLOUR), [COLOUR]),
    "tensors": ([tf.constant(COLOUR), COLOUR + 1], BATCH),
    "pillow": (Image.fromarray(COLOUR), [COLOUR]),
    "pillows": ([Image.fromarray(COLOUR), Image.fromarray(COLOUR + 1)], BATCH),
    "split": (ImageSplit(BATCH, np.zeros(2)), BATCH),
    "dataset": (tf.data.Dataset.from_tensor_slices(BATCH), BATCH),
    "dataset-in-batches": (tf.data.Dataset.from_tensor_slices(BATCH).batch(2), BATCH),
    "dataset-with-labels": (tf.data.Dataset.from_tensor_slices((BATCH, [0, 1])), BATCH),
    "dataset-with-one-hot": (tf.data.Dataset.from_tensors((COLOUR, [0.0, 0, 0, 1])), [COLOUR]),
    "dataset-with-weights": (tf.data.Dataset.from_tensors((BATCH, [0, 1], [1.0, 2.0])), BATCH),
    "dataset-of-names": (
        tf.data.Dataset.from_tensors({"image": BATCH, "label": [0, 1], "id": ["x", "y"]}),
        BATCH,
    ),
    "dataset-of-grey": (
        tf.data.Dataset.from_tensors((np.stack([GREY] * 3), [0, 1, 0])),
        [GREY_AS_COLOUR] * 3,
    ),
    "list": ([COLOUR, COLOUR + 1], BATCH),
    "list-of-grey": ([GREY, GREY], [GREY_AS_COLOUR] * 2),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_become_a_batch_of_pixels(name):
    given, expected = ARRAYS[name]
    inputs = read_inputs(given)
    np.testing.assert_array_equal(inputs.pixels, expected)
    assert inputs.contents is None
    assert inputs.sources is None
    split = ImageModality((8, 8), "crop").as_split(inputs)
    assert split.images is inputs.pixels
    assert len(split) == len(expected)


def test_images_of_several_sizes_are_answered_in_their_order():
    images = [COLOUR, COLOUR + 1, COLOUR[:2], COLOUR + 2]
    for given in (images, tf.data.Dataset.from_generator(lambda: images, tf.uint8)):
        inputs = read_inputs(given)
        shapes = [batch.shape for batch in inputs.batches(32)]
        assert shapes == [(2, 4, 5, 3), (1, 2, 5, 3), (1, 4, 5, 3)]
        assert [batch.shape[0] for batch in inputs.batches(1)] == [1] * 4
        split = ImageModality((4, 5), "stretch").as_split(inputs)
        assert split.images.shape == (4, 4, 5, 3)
        np.testing.assert_allclose(
            split.images[[0, 1, 3]], np.stack([COLOUR, COLOUR + 1, COLOUR + 2])
        )
        assert inputs.take([2]).pixels[0].shape == (2, 5, 3)


MODES = ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")


@pytest.mark.parametrize("mode", MODES)
def test_a_pillow_image_is_decoded_as_its_file_is(tmp_path, mode):
    if mode == "I;16":
        image = Image.fromarray(GREY.astype(np.uint16) * 3000)
    else:
        alpha = np.dstack([COLOUR, GREY + 50])
        image = Image.fromarray(alpha if mode == "RGBA" else COLOUR).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    decoded = read_image((tmp_path / "a.png").read_bytes(), "a.png", (5, 4), "stretch")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(read_inputs(image).pixels[0], decoded)


def test_a_data_set_of_files_is_read_as_bytes(folder):
    content = (folder / "a.png").read_bytes()
    dataset = tf.data.Dataset.from_tensor_slices(([content, content], [0, 1]))
    for given in (dataset, dataset.batch(2), dataset.map(lambda image, label: {"image": image})):
        assert read_inputs(given).contents == [content, content]


def test_a_data_set_of_paths_is_explained(folder):
    path = str(folder / "a.png")
    dataset = tf.data.Dataset.from_tensor_slices(([path], [0]))
    for given in (dataset, tf.constant([path]), path.encode()):
        with pytest.raises(DataError, match=r"is the path of a file\. Pass the path as str"):
            read_inputs(given).check_valid(np.array([False]))


def closed(folder):
    file = io.BytesIO(b"GIF89a")
    file.close()
    return file


def truncated(folder):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, "JPEG")
    return Image.open(io.BytesIO(content.getvalue()[:1500]))


# What is given, made from the folder; what the message must say.
ERRORS = {
    "missing-file": (lambda f: f / "absent.jpg", r"Cannot read the image '.*absent\.jpg': No such"),
    "missing-among-others": (lambda f: [f / "a.png", f / "no.png"], r"Cannot read .*no\.png"),
    "empty-list": (lambda f: [], r"at least one image: .*\. Received: an empty list"),
    "none": (
        lambda f: None,
        r"Expected at least one image: paths, a folder, bytes or arrays.*NoneType",
    ),
    "number": (lambda f: 3, r"Received: int"),
    "numbers": (lambda f: [1, 2.0], r"Received: float, int"),
    "channels-first": (
        lambda f: np.zeros((3, 8, 9)),
        r"channels first, or 3 grey images.*moveaxis\(x, 0, -1\).*x\[\.\.\., None\]",
    ),
    "channels-first-alpha": (lambda f: np.zeros((4, 8, 9)), r"channels first, or 4 grey images"),
    "channels-first-batch": (
        lambda f: np.zeros((2, 3, 8, 9)),
        r"Received: \(3, 8, 9\), with the channels first.*moveaxis\(x, -3, -1\)",
    ),
    "channels-first-list": (lambda f: [np.zeros((3, 8, 9))], r"with the channels first"),
    "channels-first-data-set": (
        lambda f: tf.data.Dataset.from_tensors(np.zeros((3, 8, 9))),
        r"channels first, or 3 grey images",
    ),
    "endless-data-set": (
        lambda f: tf.data.Dataset.from_tensors(COLOUR).repeat(),
        r"never ends\. Remove \.repeat\(\)",
    ),
    "failing-data-set": (
        lambda f: tf.data.Dataset.from_tensors(".").map(tf.io.read_file),
        r"The data set failed: ",
    ),
    "data-set-of-other-names": (
        lambda f: tf.data.Dataset.from_tensors({"pixels": COLOUR}),
        r"data set elements with the keys 'image'\. Received the keys 'pixels'",
    ),
    "data": (
        lambda f: ImageData.from_arrays(np.stack([COLOUR] * 8), [0, 1] * 4, verbose=False),
        r"Expected one split\. Received: all splits, in ImageData\. "
        r"Pass a split, such as data\.split\('test'\)",
    ),
    "dictionary": (lambda f: {"image": COLOUR}, r"list or an array of items\. Received: dict"),
    "set": (lambda f: {"a.png"}, r"list or an array of items\. Received: set"),
    "frame-of-others": (
        lambda f: pd.DataFrame({"file": ["a.png"]}),
        r"The data frame has no column 'path'\. It has: 'file'\. Use the column names of the tr",
    ),
    "frame-with-a-gap": (
        lambda f: pd.DataFrame({"path": ["a.png", None]}),
        r"expected the path of an image in column 'path', received an empty cell in row 1",
    ),
    "closed-file": (closed, r"Cannot read the open file: I/O operation on closed file\."),
    "file-of-numbers": (
        lambda f: SimpleNamespace(read=lambda: 5),
        r"an open file with bytes or text\. Its read\(\) returned int",
    ),
    "truncated-pillow-image": (truncated, r"Cannot decode the Pillow image: .*truncated"),
    "no-match": (lambda f: str(f / "*.jpg"), r"No file matches the pattern '.*\*\.jpg'"),
    "base64": (
        lambda f: base64.b64encode((f / "a.png").read_bytes() * 50).decode(),
        r"looks like base64.* base64\.b64decode",
    ),
    "data-url": (
        lambda f: "data:image/png;base64," + base64.b64encode(bytes(9000)).decode(),
        r"looks like base64",
    ),
    "long-text": (lambda f: "long " * 9000, r"Expected a path\. Received: 'long"),
    "null": (lambda f: "a\0.png", r"Expected a path\. Received: 'a\\x00\.png'"),
    "symbolic-tensor": (
        lambda f: keras.Input((4, 4, 3)),
        r"convert to an array\. Received: KerasTensor \(",
    ),
    "paths-and-bytes": (lambda f: ["a.png", b"abc"], r"Received: bytes, str"),
    "paths-and-arrays": (lambda f: ["a.png", COLOUR], r"Received: ndarray, str"),
    "vector": (lambda f: np.zeros(5), r"given image as numbers of shape.*Received: shape \(5,\)"),
    "batch-in-a-list": (lambda f: [BATCH], r"each given image.*Received: shape \(2, 4, 5, 3\)"),
    "no-images": (lambda f: np.zeros((0, 4, 4, 3)), r"Received: shape \(0, 4, 4, 3\)"),
    "five-channels": (lambda f: np.zeros((2, 8, 8, 5)), r"shape \(2, 8, 8, 5\)"),
    "one-not-finite": (lambda f: [COLOUR / 1.0, COLOUR * np.nan], r"Received values from nan"),
    "scaled": (lambda f: COLOUR / 255, r"given pixels in \[0, 255\].*scaled to \[0, 1\]"),
    "negative": (lambda f: COLOUR - 127.5, r"given pixels in \[0, 255\]"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_anything_else_is_explained(folder, name):
    given, message = ERRORS[name]
    with pytest.raises(KerasTLError, match=message) as error:
        read_inputs(given(folder))
    assert len(str(error.value)) < 600


def test_a_folder_without_images_is_named(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match=r"No image \(JPEG.*WebP\) below the folder"):
        read_inputs(tmp_path)


def test_the_first_damaged_image_is_named(folder):
    (folder / "b é.png").write_bytes(b"damaged")
    with pytest.raises(
        DataError, match=r"Cannot decode .*b é\.png: not an image: .* Expected a JPEG"
    ):
        read_inputs(folder).check_valid(np.array([True, False]))
    contents = [Path(folder / "a.png").read_bytes(), b"damaged"]
    for check in (
        lambda inputs: inputs.check_valid(np.array([True, False])),
        lambda inputs: ImageModality((4, 4), "crop").as_split(inputs),
    ):
        with pytest.raises(DataError, match=r"Cannot decode item 1: .* begins with 'damaged'"):
            check(read_inputs(contents))


def test_an_image_too_large_to_answer_for_is_named():
    png = b"\x89PNG\r\n\x1a\n" + bytes(8) + (50_000).to_bytes(4, "big") * 2
    with pytest.raises(DataError, match=r"item 0: too large: 50,000 x 50,000 pixels.* 178 mega"):
        read_inputs(png).check_valid(np.array([False]))
