"""Damage to JPEG files that the decoder does not report; and the files that only look damaged."""

import io
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_tl.data.images.decoder import decode_image
from keras_tl.data.images.jpeg import jpeg_damage, jpeg_size


def encode(pixels, mode="RGB", **options):
    file = io.BytesIO()
    try:
        Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    except OSError:
        # Pillow's buffer is too small for some noise.
        return None
    return file.getvalue()


def decodes(content):
    try:
        decode_image(tf.constant(content), (1, 1))
    except tf.errors.InvalidArgumentError:
        return False
    return True


def photo(width=320, height=240, seed=0):
    """Shapes and grain, as a photo has them."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), float)
    return np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)


def regular(width, height):
    """Images whose coded form is as regular as it can be: what could be mistaken for zeros."""
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(0)
    tile = rng.integers(118, 138, (8, 8))
    greys = {
        "white": np.full_like(x, 255),
        "black": np.zeros_like(x),
        "to-the-right": x * 255 // max(width - 1, 1),
        "upwards": 255 - y * 255 // max(height - 1, 1),
        "dots": 255 - 200 * ((x % 8 == 0) & (y % 8 == 0)),
        "stripes": 255 * (x % 8 < 1),
        "tiles": np.tile(tile, (height // 8 + 1, width // 8 + 1))[:height, :width],
        "text": np.where((y % 40 < 3) & (x % 50 < 20), 0, 255),
        "noise": rng.integers(0, 256, x.shape),
    } | {f"checks-{cell}": 255 * ((x // cell + y // cell) % 2) for cell in (1, 2, 3, 8)}
    images = {name: np.repeat(grey[..., None], 3, axis=2) for name, grey in greys.items()}
    images["red"] = images["black"] + [255, 0, 0]
    return {name: image.astype(np.uint8) for name, image in images.items()}


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
@pytest.mark.parametrize("size", [(32, 32), (600, 400), (1100, 800)])
def test_regular_images_are_not_damaged(size, options):
    qualities = (5, 75, 100) if size[0] < 1000 else (5, 75)
    for name, pixels in regular(*size).items():
        for quality, mode in itertools.product(qualities, ("RGB", "L")):
            content = encode(pixels, mode, quality=quality, **options)
            if content:
                assert jpeg_damage(content) is None, (name, quality, mode)
                assert jpeg_size(content) == size


@pytest.mark.parametrize("restarts", [0, 3])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_photos_are_not_damaged(subsampling, mode, restarts):
    for options in ({}, {"optimize": True}, {"progressive": True}):
        content = encode(
            photo(), mode, subsampling=subsampling, restart_marker_blocks=restarts, **options
        )
        assert jpeg_damage(content) is None
        for after in (b"more", b"\x00" * 5000, b"\xff\xd8\xff" + b"\x00" * 500):
            assert jpeg_damage(content + after) is None


@pytest.mark.parametrize("where", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("length", [64, 512, 4096])
@pytest.mark.parametrize("quality", [50, 90])
def test_zeros_in_a_photo_are_found_though_it_is_decoded(quality, length, where):
    content = encode(photo(), quality=quality)
    start = 650 + int(where * (len(content) - 650 - length - 100))
    zeros = content[:start] + bytes(length) + content[start + length :]
    assert decodes(zeros)
    assert jpeg_damage(zeros).startswith("damaged JPEG: zeros in place of the image from byte")


@pytest.mark.parametrize("where", [0.35, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(4))
def test_a_sector_of_zeros_is_found_in_progressive_photos(seed, where):
    content = encode(photo(seed=seed), progressive=True)
    start = int(where * len(content)) // 512 * 512
    zeros = content[:start] + bytes(2048) + content[start + 2048 :]
    assert jpeg_damage(zeros) or not decodes(zeros)


def test_zeros_anywhere_in_a_thumbnail_are_found():
    content = encode(photo(32, 32))
    for start in range(150, len(content) - 66, 7):
        zeros = content[:start] + bytes(64) + content[start + 64 :]
        assert jpeg_damage(zeros) or not decodes(zeros), start


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}])
@pytest.mark.parametrize("name", ["photo", "white"])
def test_what_is_called_truncated_cannot_be_decoded(name, options):
    pixels = photo(64, 48) if name == "photo" else regular(64, 48)[name]
    content = encode(pixels, **options)
    lengths = range(2, len(content), 3)
    truncated = [n for n in lengths if jpeg_damage(content[:n]) == "truncated JPEG"]
    assert len(truncated) > 10
    assert not any(decodes(content[:n]) for n in truncated[::7])
    # Where the rest was filled up with zeros, TensorFlow may take them for the image.
    filled = [content[:n] + bytes(2000) for n in lengths]
    assert all(jpeg_damage(part) or not decodes(part) for part in filled)


def test_any_bytes_are_looked_at_without_an_error():
    rng = np.random.default_rng(0)
    for options in ({}, {"progressive": True}):
        content = encode(photo(48, 48), **options)
        for _ in range(500):
            changed = bytearray(content)
            for at in rng.integers(2, len(content), rng.integers(1, 20)):
                changed[at] = rng.choice([0, 255, rng.integers(256)])
            changed = bytes(changed[: rng.integers(2, len(changed))])
            jpeg_damage(changed), jpeg_size(changed)
