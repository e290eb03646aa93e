"""Options that all constructors of `ImageData` accept, checked before any data are read."""

import dataclasses
from typing import Any

import numpy as np

from keras_tl.base.choices import Resize
from keras_tl.base.config import check_choice, check_range
from keras_tl.data.images.augmentation import AUGMENTATIONS, Augmentation, check_augmentation
from keras_tl.data.images.decoder import RESIZES
from keras_tl.data.images.value_range import ValueRange, check_value_range
from keras_tl.data.options import CheckedSplitOptions, SplitOptions
from keras_tl.errors import ConfigError, quoted, unknown

ImageSize = int | tuple[int, int] | None


def check_image_size(image_size: ImageSize) -> tuple[int, int] | None:
    """Return an image size as (height, width), or `None` for the backbone's default size."""
    if image_size is None:
        return None
    given: Any = image_size
    pair: Any = (given, given) if np.ndim(given) == 0 else tuple(given)
    if len(pair) != 2:
        raise ConfigError(
            f"image_size must be one number, or (height, width). Received: {quoted(image_size)}."
        )
    for side in pair:
        check_range("image_size", side, 1, whole=True)
    return pair


class DataOptions(SplitOptions, total=False):
    """Options that all constructors of `ImageData` accept, in addition to `SplitOptions`.

    Attributes:
        image_size: Side of square images in pixels, or (height, width). `None`: use the default
            image size of the backbone.
        resize: Method of resizing: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.images.decoder.resize`).
        augmentation: Augmentation that training with `augment=True` applies to these images.
        check_files: Whether to check all image files, and to leave out files that training cannot
            use (see `keras_tl.data.images.file_check.check_files`). For unchanged files, the check
            results come from a cache. Arrays, a `tf.data.Dataset` and TensorFlow Datasets have no
            file check.
        value_range: Values of black and white in 16-bit PNG files, such as `(0, 4095)` for X-rays
            of 12 bits. Values outside `value_range` become black or white. The trained model stores
            `value_range`. `value_range` has no effect on files with 8 bits per value. `None`: 0 is
            black and 65535 is white.

    Example:
        >>> options = ktl.DataOptions(resize="pad", seed=1)
        >>> ktl.ImageData.from_folder("photos/", **options).resize
        'pad'
    """

    image_size: ImageSize
    resize: Resize
    augmentation: Augmentation
    check_files: bool
    value_range: ValueRange


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedOptions(CheckedSplitOptions):
    """`DataOptions` as a dataclass with default values. The constructor checks the values.

    Raises:
        ConfigError: An option has an invalid value.
    """

    recorded = ("validation_split", "test_split", "seed", "check_files", "max_bad")
    attributes = ("image_size", "resize", "augmentation", "value_range")

    image_size: ImageSize = None
    resize: Resize = "crop"
    augmentation: Augmentation = "standard"
    check_files: bool = True
    value_range: ValueRange = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "value_range", check_value_range(self.value_range))
        object.__setattr__(self, "image_size", check_image_size(self.image_size))
        check_choice("resize", self.resize, RESIZES)
        if isinstance(self.augmentation, bool):
            raise ConfigError(unknown("augmentation", self.augmentation, AUGMENTATIONS))
        check_augmentation(self.augmentation)
