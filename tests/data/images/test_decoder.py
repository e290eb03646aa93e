"""The one decoder: every format against Pillow, in every mode of execution; resizing."""

import contextlib
import functools
import io
import struct
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.images.decoder import RESIZES, decode_image, load_image, resize
from keras_tl.data.images.formats import FORMATS
from keras_tl.data.images.image_issues import why_no_image
from keras_tl.data.images.image_pipeline import ImagePipeline, read_image
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import ConfigError, DataError
from tests.made_images import (
    GREY,
    OTHER,
    PALETTE,
    RGB,
    RGBA,
    app,
    encode,
    in_jpeg,
    photo,
    tiff,
    upright_pixels,
)

# TensorFlow decodes JPEG by libjpeg's fast transform, Pillow by the accurate one.
JPEG = 16


SIXTEEN_BITS = np.random.default_rng(2).integers(0, 2**16, (19, 27)).astype(np.uint16)


# Name: bytes, largest difference from Pillow's pixels.
CASES = {
    "jpeg": (encode(RGB, "JPEG", quality=95), JPEG),
    "jpeg-grey": (encode(GREY, "JPEG"), JPEG),
    "jpeg-cmyk": (encode(RGB.convert("CMYK"), "JPEG", quality=95), JPEG),
    "jpeg-progressive": (encode(RGB, "JPEG", progressive=True), JPEG),
    "png": (encode(RGB, "PNG"), 0),
    "png-alpha": (encode(RGBA, "PNG"), 0),
    "png-grey": (encode(GREY, "PNG"), 0),
    "png-grey-alpha": (encode(RGBA.convert("LA"), "PNG"), 0),
    "png-palette": (encode(PALETTE, "PNG"), 0),
    "png-palette-transparent": (encode(PALETTE, "PNG", transparency=3), 0),
    "png-1-bit": (encode(GREY.convert("1"), "PNG"), 0),
    "bmp": (encode(RGB, "BMP"), 0),
    "bmp-alpha": (encode(RGBA, "BMP"), 0),
    "bmp-grey": (encode(GREY, "BMP"), 0),
    "bmp-palette": (encode(PALETTE, "BMP"), 0),
    "gif": (encode(PALETTE, "GIF"), 0),
    "gif-animated": (encode(PALETTE, "GIF", save_all=True, append_images=[OTHER.quantize(16)]), 0),
    "webp": (encode(RGB, "WebP", lossless=True), 0),
    "webp-alpha": (encode(RGBA, "WebP", lossless=True, exact=True), 0),
    # Without alpha, TensorFlow's own decoder writes past the end of its buffer.
    "webp-animated": (
        encode(RGB, "WebP", lossless=True, save_all=True, append_images=[OTHER]),
        0,
    ),
    "webp-animated-alpha": (
        encode(RGBA, "WebP", lossless=True, exact=True, save_all=True, append_images=[photo(1)]),
        0,
    ),
}


def header_of(content, at, value):
    """The same file with a 32-bit number of its header changed."""
    return content[:at] + struct.pack("<i", value) + content[at + 4 :]


BMP = CASES["bmp-palette"][0]
NOT_IMAGES = {
    "empty": b"",
    "one-byte": b"\xff",
    # Bytes that are not UTF-8 must not break TensorFlow's own message about them.
    "shorter-than-a-header": b"\xff\xd8\xff",
    "text": b"these are not the bytes of an image, though there are enough of them",
    "tiff": encode(RGB, "TIFF"),
    "bmp-palette-outside-the-file": header_of(BMP, 14, 2**20),
    "bmp-palette-cut-short": header_of(BMP, 10, 14 + 40 + 6),
    "bmp-without-palette": header_of(BMP, 10, 0),
} | {f"{name}-header-only": CASES[name][0][:20] for name in ("jpeg", "png", "gif", "webp", "bmp")}
TRUNCATED = {
    f"{name}-half": content[: len(content) // 2]
    for name, (content, _) in CASES.items()
    if name in ("jpeg", "png", "webp", "bmp", "bmp-palette")
}

in_function = tf.function(decode_image, input_signature=[tf.TensorSpec((), tf.string)])


@tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
def in_map_fn(contents):
    return tf.map_fn(decode_image, contents, fn_output_signature=tf.uint8)


def in_pipeline(contents):
    """The pixels or the error of each file, from one pipeline: starting one takes seconds."""
    images = iter(tf.data.Dataset.from_tensor_slices(contents).map(decode_image))
    for _ in contents:
        try:
            yield next(images)
        except tf.errors.OpError as error:
            yield error


MODES = {
    "eager": lambda content: decode_image(tf.constant(content)),
    "function": lambda content: in_function(tf.constant(content)),
    "map_fn": lambda content: in_map_fn(tf.constant([content]))[0],
}


def pillow_pixels(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", CASES)
def test_pixels_are_pillows(name):
    content, tolerance = CASES[name]
    pixels = decode_image(tf.constant(content)).numpy()
    expected = pillow_pixels(content)
    assert pixels.dtype == np.uint8
    assert pixels.shape == expected.shape == (19, 27, 3)
    difference = np.abs(pixels.astype(int) - expected)
    assert difference.max() <= tolerance
    assert difference.mean() <= tolerance / 4


def test_sixteen_bits_become_the_high_eight():
    content = encode(Image.fromarray(SIXTEEN_BITS), "PNG")
    pixels = decode_image(tf.constant(content)).numpy()
    np.testing.assert_array_equal(pixels, np.repeat(SIXTEEN_BITS[..., None] >> 8, 3, axis=-1))


@pytest.mark.parametrize("name", ["gif-animated", "webp-animated", "webp-animated-alpha"])
def test_an_animation_gives_its_first_frame(name):
    content, _ = CASES[name]
    with Image.open(io.BytesIO(content)) as image:
        assert image.n_frames == 2
        image.seek(1)
        second = np.asarray(image.convert("RGB"))
    assert np.abs(decode_image(tf.constant(content)).numpy().astype(int) - second).max() > 50


@pytest.mark.parametrize("mode", ["function", "map_fn"])
def test_every_mode_gives_the_same_pixels(mode):
    for name, (content, _) in CASES.items():
        np.testing.assert_array_equal(MODES[mode](content), MODES["eager"](content), err_msg=name)


def test_a_pipeline_gives_the_same_pixels():
    contents = [content for content, _ in CASES.values()]
    for name, content, pixels in zip(CASES, contents, in_pipeline(contents), strict=True):
        np.testing.assert_array_equal(pixels, MODES["eager"](content), err_msg=name)


def test_the_graph_knows_the_channels():
    assert in_function.get_concrete_function().output_shapes.as_list() == [None, None, 3]


LARGE = photo().resize((243, 161), Image.Resampling.BICUBIC).convert("RGB")
# Files of 161 x 243 pixels, the size they will be resized to, and the size they are decoded at:
# as small as JPEG allows, while it is at least twice as large.
REDUCED = [
    ("JPEG", (161, 243), (161, 243)),
    ("JPEG", (41, 40), (161, 243)),
    ("JPEG", (40, 61), (161, 243)),
    ("JPEG", (40, 60), (81, 122)),
    ("JPEG", (20, 20), (41, 61)),
    ("JPEG", (10, 10), (21, 31)),
    ("JPEG", (1, 1), (21, 31)),
    ("PNG", (10, 10), (161, 243)),
    ("BMP", (10, 10), (161, 243)),
    ("WebP", (10, 10), (161, 243)),
]


@pytest.mark.parametrize(("file_format", "size", "expected"), REDUCED)
def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(file_format, size, expected):
    content = tf.constant(encode(LARGE, file_format))
    assert decode_image(content, size).shape == (*expected, 3)


# Width and height, and how much the pixels may differ, in the mean and at most. Sides that are no
# multiple of the divisor are rounded up, which stretches the image by part of a pixel.
FRACTIONS = [((240, 160), 2, 24), ((243, 161), 6, 64)]


@pytest.mark.parametrize("size", [(40, 60), (24, 24), (20, 20)])
@pytest.mark.parametrize("how", RESIZES)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(("sides", "mean", "most"), FRACTIONS)
def test_a_fraction_looks_as_the_whole_does(sides, mean, most, mode, how, size):
    content = tf.constant(encode(LARGE.resize(sides).convert(mode), "JPEG", quality=95))
    pixels = load_image(content, size, how).numpy()
    whole = resize(decode_image(content), size, how).numpy()
    assert pixels.shape == (*size, 3)
    assert np.abs(pixels - whole).mean() < mean
    assert np.abs(pixels - whole).max() < most


def test_training_prediction_and_serving_see_the_same_pixels():
    contents = [encode(LARGE, "JPEG"), *(content for content, _ in CASES.values())]
    load = functools.partial(load_image, size=(20, 24), how="crop")
    serving = tf.function(lambda batch: tf.map_fn(load, batch, fn_output_signature=tf.float32))
    training = tf.data.Dataset.from_tensor_slices(contents).map(load)
    prediction = [read_image(content, "an image", (20, 24), "crop") for content in contents]
    np.testing.assert_allclose(list(training), prediction, atol=1e-3)
    np.testing.assert_allclose(serving(tf.constant(contents)), prediction, atol=1e-3)


MODES["for-a-size"] = tf.function(
    lambda content: load_image(content, (4, 4), "crop"),
    input_signature=[tf.TensorSpec((), tf.string)],
)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NOT_IMAGES | TRUNCATED)
def test_anything_else_is_an_error_of_tensorflow(name, mode):
    with pytest.raises(tf.errors.InvalidArgumentError):
        MODES[mode]((NOT_IMAGES | TRUNCATED)[name])


def test_anything_else_is_an_error_in_a_pipeline_too():
    broken = NOT_IMAGES | TRUNCATED
    *errors, last = in_pipeline([*broken.values(), CASES["png"][0]])
    for name, error in zip(broken, errors, strict=True):
        assert isinstance(error, tf.errors.InvalidArgumentError), name
    np.testing.assert_array_equal(last, MODES["eager"](CASES["png"][0]))


@pytest.mark.parametrize("name", NOT_IMAGES | TRUNCATED)
def test_the_error_for_people_names_the_source_and_the_formats(name):
    content = (NOT_IMAGES | TRUNCATED)[name]
    with pytest.raises(DataError) as caught:
        read_image(content, "photos/broken.jpg", (8, 8), "crop")
    message = str(caught.value)
    assert "photos/broken.jpg" in message
    assert why_no_image(content) in message
    assert all(known in message for known in FORMATS)


def test_read_image_decodes_and_resizes():
    pixels = read_image(CASES["png"][0], "a.png", (19, 27), "crop")
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, pillow_pixels(CASES["png"][0]), atol=1e-3)


def checkerboard(height, width, cell=1):
    rows, columns = np.indices((height, width)) // cell
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, axis=-1)


def ramp(height, width, axis):
    """Pixels equal to their row's (axis 0) or column's number."""
    return np.repeat(np.indices((height, width))[axis][..., None], 3, axis=-1).astype(np.float32)


@pytest.mark.parametrize("how", RESIZES)
@pytest.mark.parametrize("size", [(32, 32), (16, 40), (7, 3)])
@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (31, 33), (64, 20), (200, 300)])
def test_any_image_gets_to_the_size_and_stays_in_range(shape, size, how):
    # Sharp edges make bicubic interpolation overshoot.
    for cell in (1, 5):
        pixels = resize(checkerboard(*shape, cell), size, how).numpy()
        assert pixels.shape == (*size, 3)
        assert pixels.dtype == np.float32
        assert pixels.min() >= 0
        assert pixels.max() <= 255


@pytest.mark.parametrize("how", RESIZES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.float16, np.float64])
def test_an_image_of_the_right_size_is_unchanged(dtype, how):
    image = np.asarray(RGB).astype(dtype)
    np.testing.assert_allclose(resize(image, (19, 27), how), np.asarray(RGB), atol=1e-3)


@pytest.mark.parametrize("how", RESIZES)
@pytest.mark.parametrize("size", [(19, 27), (12, 31)])
def test_a_batch_is_resized_as_each_of_its_images(size, how):
    images = np.stack([np.asarray(RGB), np.asarray(OTHER)])
    single = np.stack([resize(image, size, how) for image in images])
    np.testing.assert_array_equal(resize(images, size, how), single)


@pytest.mark.parametrize("how", RESIZES)
def test_a_graph_knows_the_size(how):
    function = tf.function(
        lambda image: resize(image, (12, 20), how),
        input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)],
    )
    assert function.get_concrete_function().output_shapes.as_list() == [12, 20, 3]
    np.testing.assert_allclose(function(np.asarray(RGB)), resize(RGB, (12, 20), how), atol=1e-3)


# Shape, size, and the rows and columns that are kept.
CROPS = [
    ((40, 100), (20, 20), (0, 40), (30, 70)),
    ((100, 40), (20, 20), (30, 70), (0, 40)),
    ((60, 60), (20, 40), (15, 45), (0, 60)),
    ((60, 60), (40, 20), (0, 60), (15, 45)),
    ((50, 50), (224, 224), (0, 50), (0, 50)),
    ((333, 333), (37, 37), (0, 333), (0, 333)),
]


@pytest.mark.parametrize(("shape", "size", "rows", "columns"), CROPS)
def test_crop_keeps_the_centre_and_the_aspect(shape, size, rows, columns):
    for axis, kept in ((0, rows), (1, columns)):
        image = ramp(*shape, axis) * (255 / max(shape))
        part = image[slice(*rows), slice(*columns)]
        cropped = resize(image, size, "crop").numpy()
        np.testing.assert_array_equal(cropped, resize(part, size, "stretch"))
        assert cropped.mean() == pytest.approx((kept[0] + kept[1] - 1) / 2 * 255 / max(shape), 0.01)


@pytest.mark.parametrize("how", RESIZES)
def test_only_stretch_changes_the_shape_of_a_square(how):
    image = np.zeros((40, 80, 3), np.uint8)
    image[10:30, 30:50] = 255
    white = resize(image, (32, 32), how).numpy()[..., 0] > 127
    height, width = white.any(axis=1).sum(), white.any(axis=0).sum()
    assert (height == 2 * width) if how == "stretch" else (height == width)


# Shape, size, and the height and width of the image inside the borders.
PADS = [
    ((40, 80), (32, 32), (16, 32)),
    ((80, 40), (32, 32), (32, 16)),
    ((50, 50), (20, 31), (20, 20)),
    ((33, 47), (32, 32), (22, 32)),
    ((1, 500), (32, 32), (1, 32)),
    ((500, 2), (16, 24), (16, 1)),
    ((10, 10), (30, 30), (30, 30)),
]


@pytest.mark.parametrize(("shape", "size", "inner"), PADS)
def test_pad_shows_all_of_the_image_centred_on_black(shape, size, inner):
    image = ramp(*shape, 0) + ramp(*shape, 1) + 1
    image *= 255 / image.max()
    padded = resize(image, size, "pad").numpy()
    top, left = ((whole - part) // 2 for whole, part in zip(size, inner, strict=True))
    expected = np.zeros((*size, 3), np.float32)
    expected[top : top + inner[0], left : left + inner[1]] = resize(image, inner, "stretch")
    np.testing.assert_array_equal(padded, expected)


def test_stretch_shows_all_of_the_image():
    image = ramp(30, 90, 1)
    stretched = resize(image, (30, 30), "stretch").numpy()
    np.testing.assert_allclose(stretched, ramp(30, 30, 1) * 3 + 1, atol=0.5)


def test_an_unknown_way_lists_the_choices():
    with pytest.raises(ConfigError, match=r"Unknown resize 'zoom'.*'crop', 'pad', 'stretch'"):
        resize(np.zeros((4, 4, 3)), (2, 2), "zoom")


@pytest.mark.parametrize("size", [(40, 50), (64, 64), (160, 51)])
def test_enlarging_is_the_same_with_and_without_antialiasing(size):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.float32)
    smoothed = tf.image.resize(pixels, size, tf.image.ResizeMethod.BICUBIC, antialias=True)
    expected = np.clip(smoothed, 0, 255)
    np.testing.assert_allclose(resize(pixels, size, "stretch"), expected, atol=0.25)


@pytest.mark.parametrize("side", [896, 1000, 3600])
@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same(side, how):
    coarse = np.random.default_rng(0).uniform(0, 255, (8, 10, 3))
    pixels = tf.image.resize(coarse, (side, side + 8), tf.image.ResizeMethod.BILINEAR)
    content = tf.io.encode_jpeg(tf.cast(pixels, tf.uint8), quality=95)
    size = (224, 224)
    decoded = decode_image(content, size)
    assert min(decoded.shape[:2]) >= 2 * 224
    assert min(decoded.shape[:2]) < 4 * 224
    full = resize(decode_image(content), size, how)
    assert np.abs(load_image(content, size, how) - full).mean() < 1


ORDERS = {"little": "<", "big": ">"}
BEFORE = {
    "first": b"",
    "after-jfif": app(0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
    "after-others": app(0, b"JFXX\x00\x10")
    + app(13, b"Photoshop 3.0\x00" * 9)
    + app(2, b"ICC" * 99),
    "after-xmp": app(1, b"http://ns.adobe.com/xap/1.0/\x00<x/>"),
    "after-a-comment": b"\xff\xfe\x00\x07hello",
}
TURNS = range(1, 9)
# The same photo with each orientation, as a camera and as other programs write it.
TURNED = {
    f"jpeg-{turn}-{name}": in_jpeg(CASES["jpeg"][0], tiff(turn, order))
    for turn in TURNS
    for name, order in ORDERS.items()
}
TURNED |= {
    f"jpeg-{where}": in_jpeg(CASES["jpeg-progressive"][0], tiff(6, ">"), before)
    for where, before in BEFORE.items()
}
TURNED |= {
    f"{name}-{turn}": encode(RGB, file_format, exif=tiff(turn, order), **options)
    for turn in TURNS
    for name, order, file_format, options in [
        ("png", ">", "PNG", {}),
        ("png-little", "<", "PNG", {}),
        ("webp", "<", "WebP", {"lossless": True}),
    ]
}
TURNED |= {
    "jpeg-grey": in_jpeg(CASES["jpeg-grey"][0], tiff(5, "<")),
    "jpeg-cmyk": in_jpeg(CASES["jpeg-cmyk"][0], tiff(7, ">")),
    "jpeg-directory-elsewhere": in_jpeg(CASES["jpeg"][0], tiff(8, "<", first_directory=1001)),
    "jpeg-many-entries": in_jpeg(CASES["jpeg"][0], tiff(2, ">", entries=64)),
    "jpeg-by-pillow": encode(RGB, "JPEG", exif=tiff(4, "<")),
    "png-alpha": encode(RGBA, "PNG", exif=tiff(6, ">")),
    "webp-alpha": encode(RGBA, "WebP", lossless=True, exact=True, exif=tiff(6, "<")),
    "webp-animated": encode(
        RGB, "WebP", lossless=True, save_all=True, append_images=[OTHER], exif=tiff(6, "<")
    ),
}


TURNING = {
    "eager": lambda: map(MODES["eager"], TURNED.values()),
    "function": lambda: map(MODES["function"], TURNED.values()),
    "map_fn": lambda: map(MODES["map_fn"], TURNED.values()),
    "tf.data": lambda: tf.data.Dataset.from_tensor_slices([*TURNED.values()]).map(decode_image),
}


@pytest.mark.parametrize("mode", TURNING)
def test_photos_are_upright_as_pillow_turns_them(mode):
    for (name, content), pixels in zip(TURNED.items(), TURNING[mode](), strict=True):
        expected = upright_pixels(content)
        assert pixels.shape == expected.shape, name
        difference = np.abs(np.asarray(pixels, int) - expected).max()
        assert difference <= (JPEG if name.startswith("jpeg") else 0), name


def test_the_cases_are_turned_in_all_eight_ways():
    seen = {upright_pixels(content).tobytes() for name, content in TURNED.items() if "png" in name}
    assert len(seen) >= len(TURNS)


def test_the_input_pipeline_turns_photos_that_are_files(tmp_path):
    contents = [in_jpeg(CASES["jpeg"][0], tiff(turn, ">")) for turn in TURNS]
    paths = [tmp_path / f"{turn}.jpg" for turn in TURNS]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    split = ImageSplit(tuple(map(str, paths)), np.zeros(len(paths), np.int64))
    found = ImagePipeline((24, 20), "stretch").pixels(split)
    expected = [resize(upright_pixels(content), (24, 20), "stretch") for content in contents]
    assert np.abs(found - np.stack(expected)).max() <= JPEG


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("size", [(20, 60), (60, 20), (5, 11)])
def test_the_fraction_is_of_the_turned_photo(turn, size):
    content = in_jpeg(encode(LARGE, "JPEG"), tiff(turn, ">"))
    whole, fraction = decode_image(tf.constant(content)), decode_image(tf.constant(content), size)
    ratio = min(whole.shape[0] // (2 * size[0]), whole.shape[1] // (2 * size[1]))
    ratio = max(divisor for divisor in (1, 2, 4, 8) if divisor <= max(ratio, 1))
    assert fraction.shape == (-(-whole.shape[0] // ratio), -(-whole.shape[1] // ratio), 3)


GOOD = tiff(6, "<")
# Exif data that say nothing, or nonsense: the photo is taken as it is.
UPRIGHT = {
    "empty": b"",
    "only-an-order": b"II",
    "only-a-start": GOOD[:8],
    "no-entries": GOOD[:10],
    "cut-entry": GOOD[:-60],
    "neither-order": b"XX" + GOOD[2:],
    "wrong-number": b"II+" + GOOD[3:],
    "a-byte": tiff(6, "<", kind=1),
    "orientation-0": tiff(0, "<"),
    "orientation-9": tiff(9, ">"),
    "orientation-65535": tiff(65535, ">"),
    "directory-at-the-end": GOOD[:4] + struct.pack("<I", len(GOOD)) + GOOD[8:],
    "directory-far-outside": GOOD[:4] + b"\xff\xff\xff\xff" + GOOD[8:],
    "directory-a-little-outside": GOOD[:4] + struct.pack("<I", len(GOOD) + 1) + GOOD[8:],
    "count-of-65535-and-no-entry": GOOD[:8] + b"\xff\xff",
}


@pytest.mark.parametrize("name", UPRIGHT)
def test_exif_data_that_are_broken_change_nothing(name):
    for order, content in [
        ("jpeg", in_jpeg(CASES["jpeg"][0], UPRIGHT[name])),
        ("png", encode(RGB, "PNG", exif=UPRIGHT[name] or b"x")),
    ]:
        expected = MODES["function"](CASES[order][0])
        np.testing.assert_array_equal(MODES["function"](content), expected, err_msg=order)


def test_exif_segments_of_any_bytes_never_are_an_error():
    rng = np.random.default_rng(0)
    expected = np.asarray(MODES["function"](CASES["jpeg"][0]))
    for number in range(300):
        exif = bytearray(tiff(1 + number % 8, "<>"[number % 2], first_directory=8 + number))
        for at in rng.integers(0, len(exif), rng.integers(1, 30)):
            exif[at] = rng.integers(256)
        exif = bytes(exif[: rng.integers(0, len(exif) + 1)])
        pixels = np.asarray(MODES["function"](in_jpeg(CASES["jpeg"][0], exif)))
        assert sorted(pixels.shape) == sorted(expected.shape)
        assert np.array_equal(np.sort(pixels, None), np.sort(expected, None))


@pytest.mark.parametrize("name", ["jpeg-6-big", "png-6", "webp-6"])
def test_a_turned_photo_that_is_cut_short_is_the_error_it_was(name):
    content = TURNED[name]
    for length in range(0, len(content) - 40, 37):
        with pytest.raises(tf.errors.InvalidArgumentError):
            MODES["function"](content[:length])


def test_segments_of_no_length_do_not_keep_the_decoder_busy():
    for segment in (b"\xff\xe1\x00\x00", b"\xff\xe1\x00\x02", b"\xff\xe1\xff\xff"):
        content = CASES["jpeg"][0][:2] + segment * 10_000 + CASES["jpeg"][0][2:]
        began = time.perf_counter()
        with contextlib.suppress(tf.errors.InvalidArgumentError):
            MODES["function"](content)
        assert time.perf_counter() - began < 5
