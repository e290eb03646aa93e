"""Reasons why the bytes of a file give no image, as messages state them. Needs no TensorFlow."""

from keras_tl.data.images.headers import image_format, image_size, why_not
from keras_tl.data.images.jpeg import jpeg_damage
from keras_tl.data.images.unsupported import unsupported_issue

# The limit of Pillow: half a gigabyte.
MOST_PIXELS = 178_956_970


def format_problem(start: bytes) -> str | None:
    """Return the reason why a file is in none of the formats, `None` if it is in one.

    Args:
        start: first bytes of the file, `headers.START` or more if it has them.
    """
    if not start:
        return "empty (0 bytes)"
    return why_not(start) if image_format(start) is None else None


def image_problem(content: bytes) -> str | None:
    """Return the reason that shows without decoding, such as `"another format: TIFF image, ..."`.

    Returns:
        A phrase that begins with the kind of reason, `None` if no reason shows.
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
    """Return the reason why the decoder refuses a file."""
    return image_problem(content) or damaged(content)


def damaged(content: bytes) -> str:
    """Return the reason for a file that only the decoder refuses."""
    return f"truncated or damaged {image_format(content)}"
