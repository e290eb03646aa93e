"""Arrays of images."""

import numpy as np

from keras_tl.errors import DataError


def check_pixels(x: np.ndarray, name: str) -> np.ndarray:
    """Checks an array of images.

    Args:
        x: (n, height, width), (n, height, width, 1) or (n, height, width, 3), values in
            [0, 255].
        name: what the images are, for messages.

    Returns:
        The same values as (n, height, width, 3).

    Raises:
        DataError: the shape or the values are not as described.
    """
    x = np.asarray(x)
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or x.shape[-1] not in (1, 3) or x.dtype.kind not in "iuf" or 0 in x.shape:
        raise DataError(
            f"Expected the {name} images as numbers of shape (n, height, width, 3), or "
            f"(n, height, width) for grey. Received: shape {x.shape}, dtype {x.dtype}."
        )
    low, high = float(x.min()), float(x.max())
    if not (low >= 0 and high <= 255):
        raise DataError(
            f"Expected {name} pixels in [0, 255]. Received values from {low:g} to {high:g}. "
            "Undo the normalisation: the preprocessing is part of the model."
        )
    if x.dtype.kind == "f" and 0 < high <= 1:
        raise DataError(
            f"Expected {name} pixels in [0, 255]. Received floats from {low:g} to {high:g}, "
            "which look scaled to [0, 1]. Multiply them by 255: the preprocessing is part of "
            "the model."
        )
    return np.repeat(x, 3, axis=-1) if x.shape[-1] == 1 else x
