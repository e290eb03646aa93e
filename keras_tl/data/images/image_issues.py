"""Reasons why a file is not a usable image, as phrases for messages. Needs no TensorFlow."""

from keras_tl.data.images.formats import IMAGE_FILES
from keras_tl.data.images.headers import image_format, image_size, why_not
from keras_tl.data.images.jpeg import jpeg_damage
from keras_tl.data.images.unsupported import unsupported_issue

# Largest number of pixels of a usable image, as in Pillow: 512 MiB at three bytes per pixel.
MOST_PIXELS = 178_956_970


def format_problem(start: bytes) -> str | None:
    """Return why the format of a file is not supported, `None` if the format is supported.

    `start` has at least the first `headers.START` bytes, or all bytes of a shorter file.
    """
    if not start:
        return "empty (0 bytes)"
    return why_not(start) if image_format(start) is None else None


def image_problem(content: bytes) -> str | None:
    """Return a problem that can be found without decoding the image file, or `None`.

    The result is a phrase that begins with the kind of problem, such as `"another format: TIFF
    image, ..."`.
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
    """Return the problem of a file that the decoder refuses, but `image_problem` accepts."""
    return f"truncated or damaged {image_format(content)}"


def cannot_decode(name: str, problem: str) -> str:
    """Return the error message for a file or bytes that are not an image."""
    return f"Cannot decode {name}: {problem}. Expected a {IMAGE_FILES.formats} image."
