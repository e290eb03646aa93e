"""Batches of which some items are not images, and how large an image a file declares."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.images import batch_decoding
from keras_tl.data.images.batch_decoding import declared_pixels, load_images
from keras_tl.data.images.decoder import load_image
from keras_tl.data.images.headers import image_format, image_size
from keras_tl.data.images.image_issues import MOST_PIXELS

RNG = np.random.default_rng(0)
SIZE = (12, 10)


def image(width=53, height=37):
    return Image.fromarray(RNG.integers(0, 255, (height, width, 3)).astype(np.uint8))


def encode(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def as_function(function, shape):
    spec = tf.TensorSpec(shape, tf.string)
    return tf.function(function, input_signature=[spec], autograph=False)


LOAD = as_function(lambda contents: load_images(contents, SIZE, "crop"), [None])
DECLARED = as_function(declared_pixels, [])

IMAGES = {
    "jpeg": encode(image(), "JPEG"),
    "progressive": encode(image(), "JPEG", progressive=True),
    "png": encode(image(), "PNG"),
    "png-palette": encode(image().convert("P"), "PNG"),
    "bmp": encode(image(), "BMP"),
    "gif": encode(image(), "GIF"),
    "webp": encode(image(), "WEBP"),
    "webp-lossless": encode(image(), "WEBP", lossless=True),
    "webp-extended": encode(image(), "WEBP", exif=b"Exif\x00\x00II"),
}
# A PNG file of 400 megapixels in some hundred kilobytes.
BOMB = encode(Image.new("1", (20_000, 20_000)), "PNG")
NO_IMAGES = {
    "empty": b"",
    "text": b"no image",
    "bytes": bytes(range(256)),
    "truncated-jpeg": IMAGES["jpeg"][:700],
    "truncated-png": IMAGES["png"][:700],
    "only-a-start": b"\xff\xd8\xff",
    "bomb": BOMB,
}


def test_the_others_of_a_batch_are_loaded_as_ever():
    contents = [*IMAGES.values(), *NO_IMAGES.values()]
    order = RNG.permutation(len(contents))
    pixels, valid = LOAD(tf.constant([contents[row] for row in order]))
    np.testing.assert_array_equal(valid, order < len(IMAGES))
    for row, values in zip(order, pixels.numpy(), strict=True):
        if row < len(IMAGES):
            np.testing.assert_array_equal(values, load_image(contents[row], SIZE, "crop"))
        else:
            assert not values.any()


@pytest.mark.parametrize("name", NO_IMAGES)
def test_what_is_no_image_is_said_also_when_it_is_alone(name):
    pixels, valid = LOAD(tf.constant([NO_IMAGES[name]]))
    assert pixels.shape == (1, *SIZE, 3)
    assert valid.numpy().tolist() == [False]


def test_no_item_is_a_batch_too():
    pixels, valid = LOAD(tf.constant([], tf.string))
    assert pixels.shape == (0, *SIZE, 3)
    assert valid.shape == (0,)


@pytest.mark.parametrize("name", IMAGES)
def test_the_size_declared_is_read_as_in_python(name):
    content = IMAGES[name]
    width, height = image_size(content, image_format(content))
    assert float(DECLARED(content)) == width * height == 53 * 37


def test_the_bomb_is_one():
    assert len(BOMB) < 10**6
    assert float(DECLARED(BOMB)) == 4e8 > MOST_PIXELS
    # Without the limit it would be an image as any other: one as large as the limit is.
    assert LOAD(tf.constant([encode(Image.new("1", (900, 800)), "PNG")]))[1].numpy().all()


def test_what_is_too_large_is_never_decoded(monkeypatch):
    decoded = []

    def decode(content, size, how, value_range):
        def note(value):
            decoded.append(value)
            return np.zeros((*size, 3), np.float32)

        # Without a state, as decoding is: TensorFlow itself puts no order on it.
        return tf.numpy_function(note, [content], tf.float32, stateful=False)

    monkeypatch.setattr(batch_decoding, "load_image", decode)
    _, valid = load_images(tf.constant([BOMB, IMAGES["png"]]), SIZE, "crop")
    assert valid.numpy().tolist() == [False, True]
    assert decoded == [IMAGES["png"]]


@pytest.mark.parametrize("most", [53 * 37 - 1, 53 * 37])
def test_the_limit_is_the_largest_that_is_decoded(most, monkeypatch):
    # What a file declares is compared, whatever its format.
    monkeypatch.setattr(batch_decoding, "load_image", lambda *_: tf.ones((*SIZE, 3)))
    contents = tf.constant(list(IMAGES.values()))
    _, valid = load_images(contents, SIZE, "crop", most_pixels=most)
    assert set(valid.numpy()) == {most == 53 * 37}


def test_a_gif_counts_with_all_frames_a_byte_a_pixel():
    frames = [image() for _ in range(9)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert float(DECLARED(content)) == 3 * 53 * 37
    # One frame far larger than the canvas: after the header and 4 colours, a descriptor.
    canvas = b"GIF89a" + bytes([10, 0, 10, 0, 0x81, 0, 0]) + bytes(12)
    frame = b"," + bytes(4) + b"\xff\xff\xff\xff" + b"\x00\x02\x01\x44\x00"
    assert float(DECLARED(canvas + frame + b";")) == 65535**2 / 3
    assert float(DECLARED(canvas + b"!\xf9\x02ab\x01c\x00" + frame + frame)) == 2 * 65535**2 / 3


@pytest.mark.parametrize("name", ["gif", "webp", "webp-lossless", "webp-extended", "bmp", "png"])
def test_a_header_that_is_cut_or_spoilt_is_no_error(name):
    for length in range(60):
        DECLARED(IMAGES[name][:length])
    for _ in range(40):
        spoilt = bytearray(IMAGES[name][: RNG.integers(8, 500)])
        for at in RNG.integers(6, len(spoilt), 8):
            spoilt[at] = RNG.integers(256)
        assert float(DECLARED(bytes(spoilt))) >= 0


def test_sides_that_no_integer_holds_are_too_large():
    png = IMAGES["png"][:16] + b"\xff" * 8 + IMAGES["png"][24:]
    assert float(DECLARED(png)) > MOST_PIXELS
    bmp = IMAGES["bmp"][:22] + (-37).to_bytes(4, "little", signed=True) + IMAGES["bmp"][26:]
    assert float(DECLARED(bmp)) == 53 * 37  # Its rows go downwards.
