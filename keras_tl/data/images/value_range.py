"""16-bit PNG files: the range of their pixel values, and the values that mean black and white."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_tl.data.images.headers import image_format
from keras_tl.errors import ConfigError

ValueRange = tuple[int, int] | None
# The range of all 16-bit values. With this range, decoding keeps the high byte of each value.
ALL_VALUES = (0, 2**16 - 1)
# Largest number of files that are decoded to find the range of their values.
MOST_SAMPLED = 64


def check_value_range(value_range: Sequence[int] | None) -> ValueRange:
    """Check the argument `value_range` of a user, and return it as (black, white) or `None`.

    Raises:
        ConfigError: `value_range` is not two integers in [0, 65535], the smaller integer first.
    """
    if value_range is None:
        return None
    pair = tuple(value_range) if np.ndim(value_range) == 1 else ()
    whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in pair)
    if len(pair) != 2 or not whole or not 0 <= pair[0] < pair[1] <= ALL_VALUES[1]:
        raise ConfigError(
            "value_range must be two whole numbers from 0 to 65535, the smaller first, such as "
            "(0, 4095). These are the values of black and white in 16-bit PNG files. Received: "
            f"{value_range!r:.200}."
        )
    return int(pair[0]), int(pair[1])


def has_16_bits(start: bytes) -> bool:
    """Return whether a file is a PNG file with 16 bits per value, from its first 25 bytes."""
    return image_format(start) == "PNG" and start[24:25] == b"\x10"


@dataclasses.dataclass(frozen=True)
class SixteenBitRange:
    """Range of the values in 16-bit PNG files.

    Attributes:
        files: Number of all image files.
        count: Number of 16-bit PNG files among all image files.
        sampled: Number of 16-bit files that were decoded to find the range.
        low: Smallest value in the decoded files.
        high: Largest value in the decoded files.
    """

    files: int
    count: int
    sampled: int
    low: int
    high: int

    @property
    def fitting(self) -> tuple[int, int]:
        """The range (0, 2**b - 1), where b is the number of bits of `high`, but at least 8."""
        return 0, 2 ** max(8, self.high.bit_length()) - 1

    def wastes(self, value_range: ValueRange) -> bool:
        """Whether images are too dark: no file has values in the upper half of `value_range`."""
        return self.count > 0 and (value_range or ALL_VALUES)[1] > 2 * self.fitting[1]

    def __str__(self) -> str:
        which = "them" if self.sampled == self.count else f"{self.sampled:,} of them"
        return (
            f"{self.count:,} of {self.files:,} files have 16 bits per value. The values in "
            f"{which} range from {self.low:,} to {self.high:,}"
        )


def values_of(paths: Sequence[str], files: int) -> SixteenBitRange:
    """Return the range of the values in the 16-bit PNG files `paths`, from a sample of these files.

    `files` is the number of all image files.
    """
    found = [limits for path in _sample(paths) if (limits := _limits(path)) is not None]
    lows, highs = zip(*found, strict=True) if found else ((0,), (0,))
    return SixteenBitRange(files, len(paths) if found else 0, len(found), min(lows), max(highs))


def values_in_sample(paths: Sequence[str]) -> SixteenBitRange:
    """Return the range of the values in 16-bit PNG files, from a sample of all image files."""
    sample = _sample(paths)
    return values_of([path for path in sample if has_16_bits(_read(path, 64))], len(sample))


def _sample(paths: Sequence[str]) -> list[str]:
    """Return at most `MOST_SAMPLED` paths, evenly spread over all paths."""
    rows = np.linspace(0, len(paths) - 1, min(len(paths), MOST_SAMPLED)).round().astype(int)
    return [paths[row] for row in rows]


def _limits(path: str) -> tuple[int, int] | None:
    """Return the smallest and largest value of a PNG file without alpha, `None` if damaged."""
    try:
        values = tf.io.decode_png(_read(path), dtype=tf.uint16).numpy()
    except tf.errors.InvalidArgumentError:
        return None
    if values.shape[-1] in (2, 4):
        values = values[..., :-1]
    return int(values.min()), int(values.max())


def _read(path: str, size: int = -1) -> bytes:
    """Return the first bytes of a file, b"" if it is unreadable. Training reports the error."""
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError:
        return b""
