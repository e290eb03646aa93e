"""What `predict` and `features` accept, and what they say to anything else."""

import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.inputs import read_inputs
from keras_tl.errors import DataError

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
    split = inputs.as_split((4, 5), "crop")
    assert split.in_files
    assert split.images == inputs.sources


def test_a_relative_path_is_read(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert read_inputs("a.png").sources == ("a.png",)
    assert read_inputs(os.curdir).sources[0] == os.path.join(os.curdir, "a.png")


def test_bytes_are_decoded(folder):
    contents = [(folder / name).read_bytes() for name in ("a.png", "b é.png")]
    for given, expected in ((contents, contents), (contents[1], contents[1:])):
        inputs = read_inputs(given)
        assert list(inputs.batches(32)) == [expected]
        assert inputs.sources is None
        assert inputs.pixels is None
    images = read_inputs(contents).as_split((4, 5), "crop").images
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
    split = inputs.as_split((8, 8), "crop")
    assert split.images is inputs.pixels
    assert len(split) == len(expected)


# What is given, made from the folder; what the message must say.
ERRORS = {
    "missing-file": (lambda f: f / "absent.jpg", r"Cannot read the image '.*absent\.jpg': No such"),
    "missing-among-others": (lambda f: [f / "a.png", f / "no.png"], r"Cannot read .*no\.png"),
    "folder-in-a-list": (lambda f: [f], r"Cannot read the image '.*photos': Is a directory"),
    "empty-list": (lambda f: [], r"at least one\. Received: an empty list"),
    "none": (lambda f: None, r"Expected image paths, a folder, bytes, or arrays.*NoneType"),
    "number": (lambda f: 3, r"Received: int"),
    "numbers": (lambda f: [1, 2.0], r"Received: float, int"),
    "pillow-image": (lambda f: Image.new("RGB", (2, 2)), r"Received: Image"),
    "paths-and-bytes": (lambda f: ["a.png", b"abc"], r"Received: bytes, str"),
    "paths-and-arrays": (lambda f: ["a.png", COLOUR], r"Received: ndarray, str"),
    "arrays-of-two-sizes": (
        lambda f: [COLOUR, COLOUR[:2]],
        r"one size\. Received sizes \[\(2, 5, 3\), \(4, 5, 3\)\]",
    ),
    "vector": (lambda f: np.zeros(5), r"given images as numbers of shape.*Received: shape \(5,\)"),
    "no-images": (lambda f: np.zeros((0, 4, 4, 3)), r"Received: shape \(0, 4, 4, 3\)"),
    "alpha": (lambda f: np.zeros((2, 4, 4, 4)), r"shape \(2, 4, 4, 4\)"),
    "scaled": (lambda f: COLOUR / 255, r"given pixels in \[0, 255\].*scaled to \[0, 1\]"),
    "negative": (lambda f: COLOUR - 127.5, r"given pixels in \[0, 255\]"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_anything_else_is_explained(folder, name):
    given, message = ERRORS[name]
    with pytest.raises(DataError, match=message):
        read_inputs(given(folder))


def test_a_folder_without_images_is_named(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match=r"No image \(JPEG.*WebP\) below the folder"):
        read_inputs(tmp_path)


def test_a_tensor_is_refused_and_named():
    with pytest.raises(DataError, match=r"Received: EagerTensor"):
        read_inputs(tf.zeros((2, 4, 4, 3)))


def test_the_first_damaged_image_is_named(folder):
    (folder / "b é.png").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"Cannot decode .*b é\.png: expected a JPEG"):
        read_inputs(folder).check_valid(np.array([True, False]))
    contents = [Path(folder / "a.png").read_bytes(), b"damaged"]
    for check in (
        lambda inputs: inputs.check_valid(np.array([True, False])),
        lambda inputs: inputs.as_split((4, 4), "crop"),
    ):
        with pytest.raises(DataError, match=r"Cannot decode item 1 of the bytes.*7 bytes"):
            check(read_inputs(contents))


def test_an_image_too_large_to_answer_for_is_named():
    png = b"\x89PNG\r\n\x1a\n" + bytes(8) + (50_000).to_bytes(4, "big") * 2
    with pytest.raises(DataError, match=r"item 0 .* 50,000 x 50,000 pixels.* at most 178 mega"):
        read_inputs(png).check_valid(np.array([False]))
