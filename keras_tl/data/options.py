"""What all constructors of data take, checked before anything is read."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, TypedDict

import numpy as np

from keras_tl.config import SHORTEST_SEQUENCE, check_choice, check_range
from keras_tl.data.augmentation import AUGMENTATIONS, Augmentation, check_augmentation
from keras_tl.data.decoding import RESIZES
from keras_tl.data.value_range import ValueRange, check_value_range
from keras_tl.errors import ConfigError, quoted, unknown

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
        raise ConfigError(f"image_size must be one number or two. Received: {quoted(image_size)}.")
    for side in pair:
        check_range("image_size", side, 1, whole=True)
    return pair


class SplitOptions(TypedDict, total=False):
    """What all constructors of `ImageData` and of `TextData` take.

    Attributes:
        validation_split: share of the items that are not test items, in [0, 0.99]; ignored
            where there is a validation split.
        test_split: share of all items, in [0, 0.99]; ignored where there is a test split.
        seed: seed of the splits.
        groups: a column of a table, such as `"patient"`: items with one value in it stay in one
            split and in one fold of a cross-validation; the shares of the splits are then nearly
            those asked for. `None`: items do not belong together.
        max_bad: share of the items that may be left out, because they cannot be used; above it is
            an error.
        verbose: report progress on standard error, on a terminal.
    """

    validation_split: float
    test_split: float
    seed: int
    groups: Hashable | None
    max_bad: float
    verbose: bool


class DataOptions(SplitOptions, total=False):
    """What all constructors of `ImageData` take, besides `SplitOptions`.

    Attributes:
        image_size: side in pixels, or (height, width); `None` means the backbone's own.
        resize: how images get to their size: `"crop"`, `"pad"` or `"stretch"` (see
            `keras_tl.data.decoding.resize`).
        augmentation: what `augment=True` means for these data.
        check: look at all files before anything else, and leave out those that cannot be used
            (see `keras_tl.data.checking.check_files`). What is known of unchanged files is
            remembered. Images that come from no files of the user's own are not checked.
        value_range: the values of black and of white in PNG files of 16 bits a value, such as
            `(0, 4095)` for X-rays of 12 bits; values outside are black or white. It is part of the
            model. Files of 8 bits are taken as they are. `None`: (0, 65535).
    """

    image_size: ImageSize
    resize: str
    augmentation: Augmentation
    check: bool
    value_range: ValueRange


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedSplitOptions:
    """`SplitOptions` with their defaults, checked when made.

    Attributes:
        recorded: the names of those that decide which item is in which split.

    Raises:
        ConfigError: one of them is not as described.
    """

    recorded: ClassVar[tuple[str, ...]] = ("validation_split", "test_split", "seed", "max_bad")

    validation_split: float = 0.15
    test_split: float = 0.15
    seed: int = 0
    groups: Hashable | None = None
    max_bad: float = 0.05
    verbose: bool = True

    def __post_init__(self):
        check_range("validation_split", self.validation_split, 0, 0.99)
        check_range("test_split", self.test_split, 0, 0.99)
        check_range("seed", self.seed, 0, whole=True)
        check_range("max_bad", self.max_bad, 0, 1)

    def split_settings(self) -> dict[str, Any]:
        """Those that decide which item is in which split, as JSON types."""
        groups = {} if self.groups is None else {"groups": str(self.groups)}
        return {name: getattr(self, name) for name in self.recorded} | groups

    def kept(self, slices: Sequence[Hashable]) -> Sequence[Hashable]:
        """The columns of a table to keep: those asked for, and the one of the groups."""
        if self.groups is None or isinstance(slices, str) or self.groups in slices:
            return slices
        return [*slices, self.groups]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedOptions(CheckedSplitOptions):
    """`DataOptions` with their defaults, checked when made.

    Raises:
        ConfigError: one of them is not as described.
    """

    recorded = ("validation_split", "test_split", "seed", "check", "max_bad")

    image_size: ImageSize = None
    resize: str = "crop"
    augmentation: Augmentation = "standard"
    check: bool = True
    value_range: ValueRange = None

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "value_range", check_value_range(self.value_range))
        object.__setattr__(self, "image_size", check_image_size(self.image_size))
        check_choice("resize", self.resize, RESIZES)
        if isinstance(self.augmentation, bool):
            raise ConfigError(unknown("augmentation", self.augmentation, AUGMENTATIONS))
        check_augmentation(self.augmentation)


class TextOptions(SplitOptions, total=False):
    """What all constructors of `TextData` take, besides `SplitOptions`.

    Attributes:
        sequence_length: tokens of a text, or of both texts of a pair together, that a model reads
            at most; `None`: chosen from the texts' lengths once there is a tokenizer.
    """

    sequence_length: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedTextOptions(CheckedSplitOptions):
    """`TextOptions` with their defaults, checked when made.

    Raises:
        ConfigError: one of them is not as described.
    """

    sequence_length: int | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.sequence_length is not None:
            check_range("sequence_length", self.sequence_length, SHORTEST_SEQUENCE, whole=True)
