"""Compare thumbnails of two images to decide whether both show the same picture."""

import numpy as np

from keras_tl.data.images.decoder import resize
from keras_tl.data.images.image_pipeline import ImagePipeline
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.value_range import ValueRange

# Side of a thumbnail in pixels. Thumbnails are so coarse that compression artefacts vanish, see
# docs/explanation/check-limits.md.
_SIDE = 12
# A thumbnail whose standard deviation is below 2 grey levels shows no picture to compare.
_FLAT = 2.0


def correlations(
    first: ImageSplit, second: ImageSplit, value_range: ValueRange = None
) -> np.ndarray:
    """Return Pearson's correlation of the thumbnails of n pairs of images.

    A thumbnail shows the whole image, for every aspect ratio. Each colour is centred around 0.
    Copies in another encoding, size or brightness have a correlation of nearly 1, unlike crops.

    Returns:
        Correlations in [-1, 1], float32 (n,). An image of a single colour has the correlation 0.
    """
    if not len(first):
        return np.zeros(0, np.float32)
    a, b = _centred(first, value_range), _centred(second, value_range)
    spreads = a.std(axis=1), b.std(axis=1)
    values = (a * b).mean(axis=1) / np.maximum(spreads[0] * spreads[1], 1e-9)
    return np.where(np.minimum(*spreads) < _FLAT, 0, values).astype(np.float32)


def _centred(split: ImageSplit, value_range: ValueRange) -> np.ndarray:
    pixels = pixels_at(split, (_SIDE, _SIDE), "stretch", value_range)
    return (pixels - pixels.mean(axis=(1, 2), keepdims=True)).reshape(len(split), -1)


def pixels_at(
    split: ImageSplit, size: tuple[int, int], how: str, value_range: ValueRange = None
) -> np.ndarray:
    """Return images as the input pipeline resizes them: float32 (n, *size, 3) in [0, 255].

    Args:
        split: n images that fit into memory. The function is slower for files than for arrays.
        size: Height and width of the returned images in pixels.
        how: Method of resizing, see `keras_tl.data.images.decoder.resize`.
        value_range: Values of black and white, see `keras_tl.data.images.decoder.decode_image`.
    """
    if split.in_files:
        return ImagePipeline(size, how, value_range=value_range).pixels(split)
    return resize(split.images, size, how).numpy()
