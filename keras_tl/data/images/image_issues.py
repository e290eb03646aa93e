"""Reasons why a file is not a usable image, worded for messages. They need no TensorFlow."""

from keras_tl.data.images.headers import image_format, image_size, why_not
from keras_tl.data.images.jpeg import jpeg_damage
from keras_tl.data.images.unsupported import unsupported_issue

# Largest number of pixels, as in Pillow: 512 MiB at three bytes per pixel.
MOST_PIXELS = 178_956_970


def format_problem(start: bytes) -> str | None:
    """Return the reason why the format of a file is not supported, `None` if it is supported.

    Args:
        start: the first `headers.START` bytes of the file or more, fewer only if it is shorter.
    """
    if not start:
        return "empty (0 bytes)"
    return why_not(start) if image_format(start) is None else None


def image_problem(content: bytes) -> str | None:
    """Find a reason why a file is not a usable image, without decoding the file.

    Returns:
        A phrase that begins with the kind of problem, such as `"another format: TIFF image, ..."`.
        `None` if no problem was found.
    """
    if problem := format_problem(content):
        return problem
    kind = image_format(content)
    size = image_size(content, kind)
    if size and size[0] * size[1] > MOST_PIXELS:
        return (
            f"too large: {size[0]:,} x {size[1]:,} pixels, more than the limit of "
            f"{MOST_PIXELS // 10**6} megapixels"
        )
    return jpeg_damage(content) if kind == "JPEG" else unsupported_issue(content, kind)


def why_no_image(content: bytes) -> str:
    """Return the reason why the decoder refused a file."""
    return image_problem(content) or damaged(content)


def damaged(content: bytes) -> str:
    """Return the reason for a file in which the decoder finds a problem, but no check does."""
    return f"truncated or damaged {image_format(content)}"
