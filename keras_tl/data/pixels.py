"""Arrays of images."""

from collections.abc import Sequence

import numpy as np

from keras_tl.errors import DataError

# Grey, grey and alpha, RGB, RGBA.
CHANNELS = (1, 2, 3, 4)
# Those of colour, with which arrays of other libraries begin.
_FIRST = (3, 4)


def check_pixels(x: np.ndarray, name: str) -> np.ndarray:
    """Checks an array of images.

    Args:
        x: (n, height, width), or (n, height, width, channels) of grey (1), grey and alpha (2), RGB
            (3) or RGBA (4), values in [0, 255]. Alpha is left out, as the decoder does it with
            files.
        name: what the images are, for messages.

    Returns:
        The same values as (n, height, width, 3).

    Raises:
        DataError: the shape or the values are not as described.
    """
    x = in_colour(np.asarray(x), name)
    check_values([x], name)
    return x


def in_colour(x: np.ndarray, name: str) -> np.ndarray:
    """Does the same to the shape, and leaves the values unchecked."""
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim == 4 and x.shape[-1] not in CHANNELS and x.shape[1] in CHANNELS:
        raise DataError(
            f"Expected each {name} image as (height, width, channels). Received: {x.shape[1:]}, "
            "with the channels first. Move them to the end: numpy.moveaxis(x, -3, -1)."
        )
    if x.ndim != 4 or x.shape[-1] not in CHANNELS or x.dtype.kind not in "iuf" or 0 in x.shape:
        raise DataError(
            f"Expected the {name} images as numbers of shape (n, height, width, 3), or "
            f"(n, height, width) for grey. Received: shape {x.shape}, dtype {x.dtype}."
        )
    return np.repeat(x[..., :1], 3, axis=-1) if x.shape[-1] < 3 else x[..., :3]


def check_values(arrays: Sequence[np.ndarray], name: str) -> None:
    """Raises `DataError` unless the pixels of all arrays together seem to be in [0, 255]."""
    low = float(np.min([x.min() for x in arrays]))
    high = float(np.max([x.max() for x in arrays]))
    if not (low >= 0 and high <= 255):
        raise DataError(
            f"Expected {name} pixels in [0, 255]. Received values from {low:g} to {high:g}. "
            "Undo the normalisation: the preprocessing is part of the model."
        )
    if 0 < high <= 1 and all(x.dtype.kind == "f" for x in arrays):
        raise DataError(
            f"Expected {name} pixels in [0, 255]. Received floats from {low:g} to {high:g}, "
            "which look scaled to [0, 1]. Multiply them by 255: the preprocessing is part of "
            "the model."
        )


def as_images(x: np.ndarray, name: str, is_batch: bool = False) -> np.ndarray:
    """Takes an array for one image or for a batch, by its shape; the values are not checked.

    Args:
        x: an image, (height, width) or (height, width, channels), or a batch of images.
        name: what the images are, for messages.
        is_batch: whether it is known to be a batch.

    Returns:
        (n, height, width, 3).

    Raises:
        DataError: it is neither, or could be one image with its channels first as well as a batch
            of grey images.
    """
    if x.ndim == 4:
        return in_colour(x, name)
    if x.ndim == 3 and x.shape[-1] not in CHANNELS:
        if x.shape[0] in _FIRST and not is_batch:
            raise DataError(
                f"An array of shape {x.shape} can be one image with its channels first, or "
                f"{x.shape[0]} grey images. For one image give numpy.moveaxis(x, 0, -1), for grey "
                "images x[..., None]."
            )
        return in_colour(x, name)
    return as_image(x, name)[None]


def as_image(x: np.ndarray, name: str) -> np.ndarray:
    """Takes an array for one image, (height, width) or (height, width, channels).

    Returns:
        (height, width, 3); the values are not checked.

    Raises:
        DataError: it is no image.
    """
    if x.ndim not in (2, 3):
        raise DataError(
            f"Expected each {name} image as numbers of shape (height, width, 3), or "
            f"(height, width) for grey. Received: shape {x.shape}, dtype {x.dtype}."
        )
    return in_colour(x[None], name)[0]
