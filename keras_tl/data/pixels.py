"""Shape and value checks of image arrays."""

from collections.abc import Sequence

import numpy as np

from keras_tl.errors import DataError

# Supported numbers of channels: grey, grey and alpha, RGB, RGBA.
CHANNELS = (1, 2, 3, 4)
# Lengths of a first axis that may hold the channels (RGB or RGBA), as in PyTorch.
_FIRST = (3, 4)


def check_pixels(x: np.ndarray, name: str) -> np.ndarray:
    """Check images and convert them to three channels.

    Args:
        x: Images (n, height, width) or (n, height, width, channels), with values in [0, 255]. The
            number of channels is 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA). An alpha
            channel is dropped.
        name: Name of the images in messages, such as `"train"`.

    Returns:
        Array (n, height, width, 3) with unchanged pixel values.

    Raises:
        DataError: The shape or the values of the images are invalid.
    """
    x = in_colour(np.asarray(x), name)
    check_values([x], name)
    return x


def in_colour(x: np.ndarray, name: str) -> np.ndarray:
    """Convert images as `check_pixels` does, but check only the shape, not the pixel values."""
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim == 4 and x.shape[-1] not in CHANNELS and x.shape[1] in CHANNELS:
        raise DataError(
            f"Expected each {name} image as (height, width, channels). Received: {x.shape[1:]}, "
            "with the channels first. Move the channels to the end: numpy.moveaxis(x, -3, -1)."
        )
    if x.ndim != 4 or x.shape[-1] not in CHANNELS or x.dtype.kind not in "iuf" or 0 in x.shape:
        raise DataError(
            f"Expected the {name} images as numbers of shape (n, height, width, 3), or "
            f"(n, height, width) for grey. Received: shape {x.shape}, dtype {x.dtype}."
        )
    return np.repeat(x[..., :1], 3, axis=-1) if x.shape[-1] < 3 else x[..., :3]


def check_values(arrays: Sequence[np.ndarray], name: str) -> None:
    """Raise `DataError` unless the pixel values of all arrays seem to be in the range [0, 255]."""
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
    """Convert an image or a batch of images to a batch (n, height, width, 3).

    This function does not check the pixel values. If `is_batch` is false, the shape decides whether
    the array is an image or a batch.

    Raises:
        DataError: The shape of the array is invalid, or fits both an image with channels first and
            a batch of grey images.
    """
    if x.ndim == 4:
        return in_colour(x, name)
    if x.ndim == 3 and x.shape[-1] not in CHANNELS:
        if x.shape[0] in _FIRST and not is_batch:
            raise DataError(
                f"An array of shape {x.shape} can be one image with its channels first, or "
                f"{x.shape[0]} grey images. For one image, pass numpy.moveaxis(x, 0, -1). For grey "
                "images, pass x[..., None]."
            )
        return in_colour(x, name)
    return as_image(x, name)[None]


def as_image(x: np.ndarray, name: str) -> np.ndarray:
    """Check the shape of an image, and convert the image to (height, width, 3)."""
    if x.ndim not in (2, 3):
        raise DataError(
            f"Expected each {name} image as numbers of shape (height, width, 3), or "
            f"(height, width) for grey. Received: shape {x.shape}, dtype {x.dtype}."
        )
    return in_colour(x[None], name)[0]
