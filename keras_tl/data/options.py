"""What all constructors of `ImageData` take, and the check of image sizes."""

from typing import TypedDict

import numpy as np

from keras_tl.config import check_range
from keras_tl.data.augmentation import Augmentation
from keras_tl.errors import ConfigError

ImageSize = int | tuple[int, int] | None


def check_image_size(image_size: ImageSize) -> tuple[int, int] | None:
    """Gives an image size as (height, width), `None` for the backbone's own.

    Raises:
        ConfigError: it is neither a positive whole number nor two of them.
    """
    if image_size is None:
        return None
    pair = (image_size, image_size) if np.ndim(image_size) == 0 else tuple(image_size)
    if len(pair) != 2:
        raise ConfigError(f"image_size must be one number or two. Received: {image_size!r}.")
    for side in pair:
        check_range("image_size", side, 1, whole=True)
    return pair


class DataOptions(TypedDict, total=False):
    """What all constructors of `ImageData` take.

    Attributes:
        image_size: side in pixels, or (height, width); `None` means the backbone's own.
        validation_split: share of the images that are not test images, in [0, 1); ignored where
            there is a validation split.
        test_split: share of all images, in [0, 1); ignored where there is a test split.
        seed: seed of the splits.
        resize: how images get to their size: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.decoding.resize`).
        augmentation: what `augment=True` means for these data.
        check: look at all files before anything else, and leave out those that cannot be used
            (see `keras_tl.data.checking.check_files`). What is known of unchanged files is
            remembered. Images that come from no files of the user's own are not checked.
        max_bad: share of the files that may be left out; above it is an error.
        verbose: report the progress of the check on standard error, on a terminal.
    """

    image_size: ImageSize
    validation_split: float
    test_split: float
    seed: int
    resize: str
    augmentation: Augmentation
    check: bool
    max_bad: float
    verbose: bool
