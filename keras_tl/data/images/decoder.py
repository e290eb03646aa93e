"""The only image decoder: training, prediction and serving use it to turn bytes into pixels.

The decoder consists of TensorFlow operations. The same code runs in `tf.data` pipelines, eagerly
and inside an exported graph, so all three give the same pixels.
"""

import functools
from typing import get_args

import tensorflow as tf

from keras_tl.base.choices import Resize
from keras_tl.base.config import check_choice
from keras_tl.data.images import metadata, orientation
from keras_tl.data.images.byte_strings import filled, header_number
from keras_tl.data.images.unsupported import CURE, HEADER_SIZE, bmp_problems
from keras_tl.data.images.value_range import ALL_VALUES, ValueRange

RESIZES: tuple[Resize, ...] = get_args(Resize)
# Version of the decoder. Increase the version if the decoded pixels of any file change, so that
# cached features are computed again.
DECODER = 2
_JPEG_RATIOS = (1, 2, 4, 8)
_LARGEST_JPEG = (2**16, 2**16)
_ANIMATION_FLAG = 0x02
_BYTES, _TWO_NUMBERS = tf.TensorSpec((), tf.string), tf.TensorSpec((2,), tf.int32)


def load_image(
    content: tf.Tensor, size: tuple[int, int], how: str, value_range: ValueRange = None
) -> tf.Tensor:
    """Decode one image file and resize it to the input size of the backbone.

    See `decode_image` for `content` and `value_range`, and `resize` for `size` and `how`.

    Returns:
        float32 tensor (*size, 3) with values in [0, 255].
    """
    pixels = resize(decode_image(content, size, value_range), size, how)
    return tf.ensure_shape(pixels, (*size, 3))


def decode_image(
    content: tf.Tensor, size: tuple[int, int] | None = None, value_range: ValueRange = None
) -> tf.Tensor:
    """Decode one image file to RGB pixels of 8 bits.

    Greyscale becomes three equal channels, and CMYK becomes RGB. An alpha channel is dropped. Of an
    animation, only the first frame is decoded. The decoder turns a photo upright by the orientation
    in its Exif data, or else in its XMP.

    Args:
        content: Bytes of a JPEG, PNG, BMP, GIF or WebP file, scalar string tensor.
        size: (height, width) to which the caller resizes the image later. A JPEG image of at least
            four times this size is decoded at 1/2, 1/4 or 1/8 of the full size, to save time. A
            JPEG image decoded at a smaller size is at least twice as large as `size`. `None`:
            decode at full size.
        value_range: Values of black and white in 16-bit PNG files, integers. Values outside
            `value_range` become black or white. Each 8-bit value stands for one of 256 equal parts
            of `value_range`. `None` means the range (0, 65535), for which decoding keeps the high
            byte of each value. `value_range` has no effect on files with 8 bits per value.

    Returns:
        RGB pixels, uint8 tensor (height, width, 3).

    Raises:
        tf.errors.InvalidArgumentError: The bytes are not a JPEG, PNG, BMP, GIF or WebP file, or the
            file is unsupported, see `keras_tl.data.images.unsupported`.
    """
    header = metadata.header_of(content)
    wanted = tf.constant(size or _LARGEST_JPEG)
    values = tf.constant(value_range or ALL_VALUES)

    def jpeg() -> tf.Tensor:
        return _decode_jpeg(content, wanted if size else None)

    rare = ~metadata.is_jpeg(header) | metadata.may_be_there(header)
    # A separate function decodes rare files, so that its operations take no time for other files.
    image = tf.cond(rare, lambda: _rare_image(content, header, wanted, values), jpeg)
    return tf.ensure_shape(image, (None, None, 3))


def resize(images: tf.Tensor, size: tuple[int, int], how: str) -> tf.Tensor:
    """Resize images to the input size of the backbone: antialiased bicubic (Keys, 1981, a = -0.5).

    Args:
        images: Tensor (height, width, 3) or (batch, height, width, 3) of any numeric dtype, with
            values in [0, 255].
        size: (height, width) of the resized images in pixels.
        how: `"crop"` keeps the largest central part with the aspect ratio of `size`. `"pad"` keeps
            the whole image and centres it on black. `"stretch"` keeps the whole image and stretches
            it to the aspect ratio of `size`.

    Returns:
        float32 tensor (..., *size, 3) with values in [0, 255].
    """
    check_choice("resize", how, RESIZES)
    images = tf.convert_to_tensor(images)
    # Do not convert uint8: a large image as float32 would take four times the memory.
    if images.dtype != tf.uint8:
        images = tf.cast(images, tf.float32)
    if how == "crop":
        images = _central_part(images, size)
    inner = _size_within(images, size) if how == "pad" else size
    resized = _bicubic(images, inner)
    # Bicubic interpolation can give values outside [0, 255] at sharp edges.
    resized = tf.clip_by_value(resized, 0.0, 255.0)
    if how == "pad":
        top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
        resized = tf.image.pad_to_bounding_box(resized, top, left, *size)
    return resized


def _bicubic(images: tf.Tensor, size: tuple) -> tf.Tensor:
    def interpolate(antialias: bool) -> tf.Tensor:
        return tf.image.resize(images, size, tf.image.ResizeMethod.BICUBIC, antialias=antialias)

    # Antialiasing takes four times as long, and changes the result only if the image shrinks.
    shape = tf.shape(images)
    shrinks = (shape[-3] > size[0]) | (shape[-2] > size[1])
    return tf.cond(shrinks, lambda: interpolate(True), lambda: interpolate(False))


def _size_within(images: tf.Tensor, size: tuple[int, int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the largest size within `size` with the aspect ratio of the images, at least 1 x 1."""
    shape = tf.shape(images)
    height, width = shape[-3], shape[-2]
    # Sides of at least 1 pixel avoid an error of `tf.image.resize_with_pad` for narrow images.
    return (
        tf.clip_by_value(height * size[1] // width, 1, size[0]),
        tf.clip_by_value(width * size[0] // height, 1, size[1]),
    )


def _central_part(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    shape = tf.shape(images)
    height, width = shape[-3], shape[-2]
    # Use integers: rounding a float ratio would cut one row off some square images.
    kept_height = tf.clip_by_value(width * size[0] // size[1], 1, height)
    kept_width = tf.clip_by_value(height * size[1] // size[0], 1, width)
    top = (height - kept_height) // 2
    left = (width - kept_width) // 2
    return images[..., top : top + kept_height, left : left + kept_width, :]


def _decode_jpeg(content: tf.Tensor, size: tf.Tensor | None) -> tf.Tensor:
    """Decode a JPEG file at the smallest size of at least twice `size` (`None`: full size)."""

    def decode(ratio: int) -> tf.Tensor:
        # The default DCT method has errors of up to 15 grey levels, and is not faster.
        return tf.io.decode_jpeg(content, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    if size is None:
        return decode(1)
    possible = tf.reduce_min(tf.io.extract_jpeg_shape(content)[:2] // (2 * size))
    index = tf.searchsorted(_JPEG_RATIOS[1:], [possible], side="right")[0]
    return tf.switch_case(index, [functools.partial(decode, ratio) for ratio in _JPEG_RATIOS])


@tf.function(
    input_signature=[_BYTES, _BYTES, _TWO_NUMBERS, _TWO_NUMBERS],
    autograph=False,
    # Do not inline this function into the graph. Otherwise every image would decode more slowly:
    # TensorFlow takes some microseconds to skip each operation of a branch that is not taken.
    experimental_attributes={"_noinline": True},
)
def _rare_image(content, header, size, value_range):
    """Decode a file that may need rotation, or preparation for the decoder of TensorFlow."""
    turn = orientation.read(content, header)
    size = tf.where(orientation.is_transposed(turn), size[::-1], size)
    decoders = {
        metadata.is_jpeg: lambda: _decode_jpeg(content, size),
        metadata.is_png: lambda: _decode_png(content, header, value_range),
        metadata.is_webp: lambda: _decode_webp(content, header),
        metadata.is_bmp: lambda: _decode_bmp(content, header),
        metadata.is_gif: lambda: _decode_gif(content, header),
    }
    found = tf.stack([*(is_format(header) for is_format in decoders), True])
    kind = tf.argmax(found, output_type=tf.int32)
    image = tf.switch_case(kind, [*decoders.values(), lambda: _decode(content)])
    return tf.cond(turn == 1, lambda: image, lambda: orientation.upright(image, turn))


def _decode_png(content: tf.Tensor, header: tf.Tensor, value_range: tf.Tensor) -> tf.Tensor:
    def scaled() -> tf.Tensor:
        black, white = tf.unstack(value_range)
        values = tf.cast(tf.io.decode_png(content, channels=3, dtype=tf.uint16), tf.int32)
        levels = 256 * (values - black) // (white - black + 1)
        return tf.cast(tf.clip_by_value(levels, 0, 255), tf.uint8)

    # For the full value range, `decode_png` keeps the high bytes too, and needs less memory.
    other_range = tf.reduce_any(value_range != ALL_VALUES)
    has_16_bits = tf.strings.substr(header, 24, 1) == b"\x10"
    return tf.cond(has_16_bits & other_range, scaled, lambda: tf.io.decode_png(content, channels=3))


def _decode_webp(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    is_animated = metadata.is_flagged(header, _ANIMATION_FLAG)
    safe = tf.cond(is_animated, lambda: _with_alpha(content), lambda: content)
    # The WebP decoder of TensorFlow cannot drop an alpha channel.
    return tf.io.decode_image(safe, channels=0, expand_animations=False)[..., :3]


def _with_alpha(content: tf.Tensor) -> tf.Tensor:
    """Return a WebP file with a changed header, which declares an alpha channel.

    TensorFlow 2.21 copies the four channels of an animation frame into a buffer with the declared
    number of channels. If an animated WebP file declares three channels, TensorFlow corrupts the
    memory of the process.
    """
    flags = tf.io.decode_raw(tf.strings.substr(content, 20, 1), tf.uint8)[0]
    with_alpha = tf.constant([bytes([flags | 0x10]) for flags in range(256)])
    flags = tf.gather(with_alpha, tf.cast(flags, tf.int32))
    before, after = tf.strings.substr(content, 0, 20), tf.strings.substr(content, 21, -1)
    return before + flags + after


def _decode(content: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_image(content, channels=3, expand_animations=False)


def _decode_bmp(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    problems = bmp_problems(functools.partial(header_number, filled(content, 0, HEADER_SIZE)))
    supported = ~tf.reduce_any([*problems.values()])
    content = _if_supported(supported, content, "an unsupported BMP file")
    has_palette = tf.strings.substr(header, 28, 2) == b"\x08\x00"
    return tf.cond(has_palette, lambda: _decode_palette_bmp(content), lambda: _decode(content))


def _decode_palette_bmp(content: tf.Tensor) -> tf.Tensor:
    # `decode_bmp` returns indices into the palette as grey levels. To get the single channel of the
    # file, pass `channels=0`, because `channels=1` is an error.
    indices = tf.io.decode_bmp(content, channels=0)[..., 0]
    # BITMAPFILEHEADER holds the offset of the pixels at byte 10. BITMAPINFOHEADER starts at byte 14
    # with its own size. The palette follows BITMAPINFOHEADER: four bytes (blue, green, red, 0) for
    # each colour.
    pixels_at, header_size = (
        tf.io.decode_raw(tf.strings.substr(content, at, 4), tf.int32)[0] for at in (10, 14)
    )
    palette = tf.io.decode_raw(content, tf.uint8)[14 + header_size : pixels_at]
    colours = tf.reshape(palette, (-1, 4))[:, 2::-1]
    return tf.gather(colours, tf.cast(indices, tf.int32))


def _decode_gif(content: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    image = _decode(content)
    sides = tf.cast(tf.io.decode_raw(tf.strings.substr(header, 6, 4), tf.uint16), tf.int32)
    supported = tf.reduce_all(tf.shape(image)[:2] >= sides[::-1])
    name = "a GIF file whose first frame is smaller than its canvas"
    return _if_supported(supported, image, name)


def _if_supported(supported: tf.Tensor, value: tf.Tensor, name: str) -> tf.Tensor:
    """Return `value` if `supported`, else raise `InvalidArgumentError`, see `unsupported_issue`."""
    check = tf.debugging.Assert(
        supported, [f"Expected a supported image. Received {name}: {CURE}."]
    )
    with tf.control_dependencies([check] if check is not None else []):
        return tf.identity(value)
