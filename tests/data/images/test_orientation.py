"""Where programs write the orientation of a photo: every place, against what Pillow finds there."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.images.decoder import decode_image
from tests.conftest import export_unverified, make_small_learner, make_tiny_data
from tests.made_images import RGB, app, encode, in_jpeg, tiff, upright_pixels

# TensorFlow decodes JPEG by libjpeg's fast transform, Pillow by the accurate one.
JPEG_DIFFERENCE = 16
JPEG = encode(RGB, "JPEG", quality=95)
PNG = encode(RGB, "PNG")
WEBP = encode(RGB, "WebP", lossless=True)
ELEMENT = b"<x:xmpmeta><rdf:RDF><tiff:Orientation>6</tiff:Orientation></rdf:RDF></x:xmpmeta>"
ATTRIBUTE = b'<x:xmpmeta><rdf:Description tiff:Orientation="8" tiff:Make="a"/></x:xmpmeta>'
NEITHER = b"<x:xmpmeta xmlns:tiff='...'><tiff:Orientation/><b>tiff:Orientation</b></x:xmpmeta>"
TURN_6 = tiff(6, ">")
NO_TAG = TURN_6.replace(b"\x01\x12", b"\x01\x13")
ICC = app(2, b"ICC_PROFILE\x00\x01\x01" + bytes(65_000))


def exif(structure):
    return app(1, b"Exif\x00\x00" + structure)


def xmp(text):
    return app(1, b"http://ns.adobe.com/xap/1.0/\x00" + text)


def jpeg(*segments):
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*chunks, behind=(), base=PNG):
    """The chunks before the image, and behind it."""
    image, end = base.index(b"IDAT") - 4, base.index(b"IEND") - 4
    return base[:image] + b"".join(chunks) + base[image:end] + b"".join(behind) + base[end:]


def webp(*chunks, flags=0x0C):
    body = WEBP[12:]
    width, height = (struct.pack("<I", side - 1)[:3] for side in RGB.size)
    first = b"VP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + width + height
    parts = [
        name + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)
        for name, data in chunks
    ]
    body = b"WEBP" + first + body + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def raw_profile(structure):
    """Exif data as ImageMagick writes them into text."""
    data = b"Exif\x00\x00" + structure
    lines = [data.hex()[at : at + 72] for at in range(0, 2 * len(data), 72)]
    return f"\nexif\n{len(data):8}\n{chr(10).join(lines)}\n".encode()


def text_chunk(keyword, text):
    return chunk(b"tEXt", keyword + b"\x00" + text)


def compressed_chunk(keyword, text):
    return chunk(b"zTXt", keyword + b"\x00\x00" + zlib.compress(text))


def international_chunk(text, compressed=False):
    text = zlib.compress(text) if compressed else text
    return chunk(b"iTXt", b"XML:com.adobe.xmp\x00" + bytes([compressed, 0]) + b"en\x00\x00" + text)


RAW = b"Raw profile type exif"
TIME, EXIF_CHUNK = chunk(b"tIME", bytes(7)), chunk(b"eXIf", TURN_6)
LARGE = tiff(6, "<", kind=4).replace(b"\x06\x00\x00\x00", b"\x06\x00\x01\x00")
CASES = {
    "jpeg-xmp-element": jpeg(xmp(ELEMENT)),
    "jpeg-xmp-attribute": jpeg(xmp(ATTRIBUTE)),
    "jpeg-xmp-says-nothing": jpeg(xmp(NEITHER)),
    "jpeg-xmp-later": jpeg(app(0, b"JFIF\x00" + bytes(9)), ICC, xmp(NEITHER + ATTRIBUTE)),
    "jpeg-xmp-0": jpeg(xmp(ELEMENT.replace(b"6", b"0"))),
    "jpeg-xmp-9": jpeg(xmp(ELEMENT.replace(b"6", b"9"))),
    "jpeg-exif-and-xmp": jpeg(xmp(ATTRIBUTE), exif(TURN_6)),
    "jpeg-exif-without-the-tag-and-xmp": jpeg(exif(NO_TAG), xmp(ATTRIBUTE)),
    "jpeg-exif-upright-and-xmp": jpeg(exif(tiff(1, "<")), xmp(ATTRIBUTE)),
    "jpeg-exif-invalid-and-xmp": jpeg(exif(tiff(9, "<")), xmp(ATTRIBUTE)),
    "jpeg-long-little": jpeg(exif(tiff(6, "<", kind=4))),
    "jpeg-long-signed": jpeg(exif(tiff(8, "<", kind=9))),
    "jpeg-short-signed": jpeg(exif(tiff(8, ">", kind=8))),
    "jpeg-byte": jpeg(exif(tiff(6, "<", kind=1))),
    "jpeg-long-too-large": jpeg(exif(LARGE)),
    "jpeg-exif-behind-64-KiB": jpeg(ICC, ICC, exif(TURN_6)),
    "jpeg-exif-behind-1-MiB": jpeg(*[ICC] * 16, exif(TURN_6)),
    "jpeg-fill-byte": jpeg(b"\xff" + exif(TURN_6)),
    "jpeg-fill-bytes-later": jpeg(app(0, b"JFXX\x00"), b"\xff" * 5 + exif(TURN_6)),
    "jpeg-name-in-another-segment": jpeg(app(4, b"Exif\x00\x00" + tiff(3, "<")), exif(TURN_6)),
    "jpeg-exif-behind-the-image": JPEG + exif(TURN_6),
    "jpeg-second-image-with-exif": jpeg(app(2, b"ICC")) + jpeg(exif(TURN_6)),
    "png-exif-behind-the-image": png(behind=[chunk(b"eXIf", TURN_6)]),
    "png-exif-behind-image-and-time": png(TIME, behind=[chunk(b"eXIf", TURN_6)]),
    "png-exif-behind-64-KiB": png(text_chunk(b"Comment", b"a" * 70_000), chunk(b"eXIf", TURN_6)),
    "png-exif-with-its-jpeg-name": png(chunk(b"eXIf", b"Exif\x00\x00" + TURN_6)),
    "png-raw-profile": png(text_chunk(RAW, raw_profile(TURN_6))),
    "png-raw-profile-compressed": png(compressed_chunk(RAW, raw_profile(TURN_6))),
    "png-raw-profile-behind": png(behind=[compressed_chunk(RAW, raw_profile(tiff(3, "<")))]),
    "png-exif-and-raw-profile": png(text_chunk(RAW, raw_profile(tiff(3, "<"))), EXIF_CHUNK),
    "png-xmp": png(international_chunk(ELEMENT)),
    "png-xmp-compressed": png(international_chunk(ATTRIBUTE, compressed=True)),
    "png-xmp-behind": png(behind=[international_chunk(ATTRIBUTE)]),
    "png-exif-and-xmp": png(international_chunk(ATTRIBUTE), chunk(b"eXIf", TURN_6)),
    "png-comment-about-xmp": png(text_chunk(b"Comment", b"XML:com.adobe.xmp")),
    "webp-xmp": webp((b"XMP ", ELEMENT)),
    "webp-exif-and-xmp": webp((b"EXIF", TURN_6), (b"XMP ", ATTRIBUTE)),
    "webp-exif-with-its-jpeg-name": webp((b"EXIF", b"Exif\x00\x00" + TURN_6)),
    "webp-exif-behind-an-odd-chunk": webp((b"ICCP", b"abc"), (b"EXIF", TURN_6)),
    "webp-not-flagged": webp((b"EXIF", TURN_6), (b"XMP ", ATTRIBUTE), flags=0),
}  # fmt: skip
# Those that stay as they are stored.
UPRIGHT = {
    *("jpeg-xmp-says-nothing", "jpeg-xmp-0", "jpeg-xmp-9", "jpeg-exif-upright-and-xmp"),
    *("jpeg-exif-invalid-and-xmp", "jpeg-byte", "jpeg-long-too-large"),
    *("jpeg-exif-behind-the-image", "jpeg-second-image-with-exif"),
    *("png-comment-about-xmp", "webp-not-flagged"),
}
in_graph = tf.function(
    decode_image, input_signature=[tf.TensorSpec((), tf.string)], autograph=False
)


@pytest.mark.parametrize("name", CASES)
def test_a_photo_is_turned_as_pillow_turns_it(name):
    content = CASES[name]
    expected = upright_pixels(content)
    difference = np.abs(in_graph(content).numpy().astype(int) - expected)
    assert difference.max() <= (JPEG_DIFFERENCE if name.startswith("jpeg") else 0)
    with Image.open(io.BytesIO(content)) as image:
        as_stored = np.asarray(image.convert("RGB"))
    assert np.array_equal(as_stored, expected) == (name in UPRIGHT)


def test_every_mode_turns_them_alike():
    turned = tf.data.Dataset.from_tensor_slices([*CASES.values()]).map(decode_image)
    for (name, content), pixels in zip(CASES.items(), turned, strict=True):
        np.testing.assert_array_equal(pixels, in_graph(content), err_msg=name)


@pytest.mark.slow
def test_the_exported_graph_turns_them(tmp_path):
    """It answers for each file as for its upright pixels, without this package's code."""
    turned = [in_jpeg(JPEG, tiff(turn, "<")) for turn in range(1, 9)]
    upright = [
        encode(Image.fromarray(np.asarray(in_graph(content))), "PNG")
        for content in [*turned, *CASES.values()]
    ]
    learner = make_small_learner(make_tiny_data(), image_size=(24, 20))
    folder = export_unverified(learner, tmp_path / "model")
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    found = serve(image_bytes=tf.constant([*turned, *CASES.values()]))
    expected = serve(image_bytes=tf.constant(upright))["probabilities"]
    assert found["valid"].numpy().all()
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    assert len(np.unique(np.round(expected[:8], 5), axis=0)) == 8


BROKEN = {
    "compressed": png(chunk(b"zTXt", RAW + b"\x00\x00" + b"these are no compressed bytes")),
    "compressed-cut": png(chunk(b"zTXt", RAW + b"\x00")),
    "no-hexadecimal": png(text_chunk(RAW, b"\nexif\n  8\nno hexadecimal digits")),
    "odd-digits": png(text_chunk(RAW, b"\nexif\n  8\n4949")),
    "no-lines": png(text_chunk(RAW, b"4949")),
    "international-cut": png(chunk(b"iTXt", b"XML:com.adobe.xmp\x00")),
    "international-no-text": png(chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00en")),
    "png-exif-cut": png(chunk(b"eXIf", b"II*\x00")),
    "webp-length-outside-the-file": webp((b"EXIF", b""))[:-4] + b"\xff\xff\xff\x7f",
    "jpeg-length-0": jpeg(b"\xff\xe4\x00\x02"),
    "jpeg-xmp-not-utf-8": jpeg(xmp(b"\xff\xfe tiff:Orientation\xff>6")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_metadata_change_nothing(name):
    content = BROKEN[name]
    base = WEBP if name.startswith("webp") else JPEG if name.startswith("jpeg") else PNG
    np.testing.assert_array_equal(in_graph(content), in_graph(base))
