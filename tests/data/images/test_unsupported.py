"""BMP and GIF files that TensorFlow cannot decode, or would decode wrongly: refused by name."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.images.batch_decoding import declared_pixels, load_images
from keras_tl.data.images.decoder import decode_image
from keras_tl.data.images.file_check import check_files
from keras_tl.data.images.headers import image_format, image_size
from keras_tl.data.images.image_inputs import read_inputs
from keras_tl.data.images.image_pipeline import read_image
from keras_tl.data.images.unsupported import unsupported_issue
from keras_tl.errors import DataError
from tests.made_images import OTHER, PALETTE, RGB, RGBA, encode

WIDTH, HEIGHT = 13, 7
RNG = np.random.default_rng(0)
PLAIN, RLE_8, RLE_4, MASKS = range(4)
BGR, RGB_MASKS, GREEN_OF_6 = (
    struct.pack("<III", *masks)
    for masks in [(0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000), (0xF800, 0x7E0, 0x1F)]
)


def bmp(bits, compression=PLAIN, header=40, masks=b"", down=False):
    """A BMP file of random values."""
    palette = RNG.bytes((3 if header == 12 else 4) * 2**bits) if bits <= 8 else b""
    row = -(-WIDTH * bits // 32) * 4
    data = RNG.bytes(row * HEIGHT)
    if compression in (RLE_8, RLE_4):
        # More bytes than the image has pixels: the decoder would take them for those.
        data = b"".join(bytes([1, n]) for n in RNG.bytes(WIDTH)) * HEIGHT + b"\x00\x01"
    if header == 12:
        about = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
    else:
        sides = WIDTH, -HEIGHT if down else HEIGHT
        about = struct.pack("<IiiHHI", header, *sides, 1, bits, compression).ljust(40, b"\x00")
        about = (about + masks).ljust(header, b"\x00")
    start = 14 + len(about) + len(palette)
    size = start + len(data)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, start) + about + palette + data


def gif(width, height, left=0, top=0, extension=b""):
    """A GIF file of one frame of WIDTH x HEIGHT pixels on a canvas of another size."""
    content = encode(PALETTE.resize((WIDTH, HEIGHT)), "GIF")
    at = 13 + (3 << (content[10] % 8 + 1))
    at = content.index(b",", at)
    place = struct.pack("<HH", left, top)
    canvas = struct.pack("<HH", width, height)
    start = content[:6] + canvas + content[10:at]
    return start + extension + b"," + place + content[at + 5 :]


COMMENT = b"!\xfe\x05hello\x00"
# The file, and what is said of it.
REFUSED = {
    "bmp-1-bit": (bmp(1), "1-bit pixels"),
    "bmp-4-bits": (bmp(4), "4-bit pixels"),
    "bmp-16-bits": (bmp(16), "16-bit pixels"),
    "bmp-16-bits-and-masks": (bmp(16, MASKS, 56, GREEN_OF_6), "16-bit pixels"),
    "bmp-rle-8": (bmp(8, RLE_8), "run-length encoding (RLE)"),
    "bmp-rle-4": (bmp(4, RLE_4), "run-length encoding (RLE)"),
    "bmp-other-order": (bmp(32, MASKS, 56, RGB_MASKS), "colours in another order than blue, green"),
    **{f"bmp-os2-{n}": (bmp(n, header=12), "an OS/2 header (12 bytes)") for n in (1, 4, 8, 24)},
    "gif-small-frame": (gif(20, 12), "the first frame covers only 13 x 7 of 20 x 12 pixels"),
    "gif-frame-elsewhere": (gif(20, 7, 7), "the first frame covers only 13 x 7 of 20 x 7 pixels"),
    "gif-behind-a-comment": (
        gif(13, 8, extension=COMMENT),
        "the first frame covers only 13 x 7 of 13 x 8",
    ),
}
TAKEN = {
    "bmp-8": bmp(8),
    "bmp-8-from-the-top": bmp(8, down=True),
    "bmp-24": bmp(24),
    "bmp-24-from-the-top": bmp(24, down=True),
    "bmp-32": bmp(32),
    "bmp-32-masks": bmp(32, MASKS, 56, BGR),
    "bmp-version-5": bmp(24, header=124),
    "bmp-by-pillow": encode(RGB, "BMP"),
    "bmp-alpha-by-pillow": encode(RGBA, "BMP"),
    "gif": gif(WIDTH, HEIGHT),
    "gif-behind-a-comment": gif(WIDTH, HEIGHT, extension=COMMENT),
    "gif-animated": encode(PALETTE, "GIF", save_all=True, append_images=[OTHER.quantize(16)]),
}
in_graph = tf.function(
    decode_image, input_signature=[tf.TensorSpec((), tf.string)], autograph=False
)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_name(name):
    content, reason = REFUSED[name]
    for decode in (decode_image, in_graph):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decode(tf.constant(content))
    kind = image_format(content)
    said = unsupported_issue(content, kind)
    assert said.startswith(f"unsupported {kind}: {reason}")
    assert said.endswith(", convert the file to PNG")
    with pytest.raises(DataError) as caught:
        read_image(content, "photos/a.bmp", (8, 8), "crop")
    assert str(caught.value).startswith(f"Cannot decode photos/a.bmp: {said}. Expected a JPEG")
    with pytest.raises(DataError) as caught:
        read_inputs(content).check_valid(np.array([False]))
    assert said in str(caught.value)


@pytest.mark.parametrize("name", REFUSED)
def test_its_size_is_what_the_file_says(name):
    content, _ = REFUSED[name]
    width, height = image_size(content, image_format(content))
    canvas = struct.unpack_from("<HH", content, 6)
    assert (width, height) == (canvas if name.startswith("gif") else (WIDTH, HEIGHT))
    assert float(declared_pixels(tf.constant(content))) == width * height


def test_the_serving_graph_calls_them_invalid():
    contents = [*(content for content, _ in REFUSED.values()), *TAKEN.values()]
    pixels, valid = load_images(tf.constant(contents), (7, 9), "crop")
    assert valid.numpy().tolist() == [False] * len(REFUSED) + [True] * len(TAKEN)
    assert not pixels.numpy()[: len(REFUSED)].any()


def test_the_file_check_leaves_them_out(tmp_path):
    paths = {}
    for name, (content, _) in REFUSED.items():
        path = tmp_path / f"{name}.{image_format(content).lower()}"
        path.write_bytes(content)
        paths[str(path)] = unsupported_issue(content, image_format(content))
    check = check_files([*paths], max_bad=1)
    assert {bad.path: bad.reason for bad in check.bad} == paths
    assert {bad.kind for bad in check.bad} == {"unsupported BMP", "unsupported GIF"}


@pytest.mark.parametrize("name", TAKEN)
def test_the_others_are_pillows(name):
    content = TAKEN[name]
    assert unsupported_issue(content, image_format(content)) is None
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(in_graph(content), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("name", REFUSED)
def test_one_that_is_cut_short_never_is_another_error(name):
    content, _ = REFUSED[name]
    for length in range(2, min(len(content), 90), 3):
        unsupported_issue(content[:length], image_format(content))
        with pytest.raises(tf.errors.InvalidArgumentError):
            in_graph(content[:length])
