"""PNG files of 16 bits a value: which values they hold, and which of them are black and white."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_tl.data.images.headers import image_format
from keras_tl.errors import ConfigError

ValueRange = tuple[int, int] | None
# All values of 16 bits: each becomes its high byte.
ALL_VALUES = (0, 2**16 - 1)
# How many files are decoded to see their values.
MOST_SAMPLED = 64
_DEPTH_AT = 24


def check_value_range(value_range: Sequence[int] | None) -> ValueRange:
    """Gives a range of values as (black, white).

    Raises:
        ConfigError: it is not two whole numbers, the first below the second, in [0, 65535].
    """
    if value_range is None:
        return None
    pair = tuple(value_range) if np.ndim(value_range) == 1 else ()
    whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in pair)
    if len(pair) != 2 or not whole or not 0 <= pair[0] < pair[1] <= ALL_VALUES[1]:
        raise ConfigError(
            "value_range must be two whole numbers from 0 to 65535, the smaller one first: the "
            "values of black and of white in PNG files of 16 bits, such as (0, 4095). Received: "
            f"{value_range!r:.200}."
        )
    return int(pair[0]), int(pair[1])


def has_16_bits(start: bytes) -> bool:
    """Whether a file that begins so, with 25 bytes or more, is a PNG file of 16 bits a value."""
    return image_format(start) == "PNG" and start[_DEPTH_AT : _DEPTH_AT + 1] == b"\x10"


@dataclasses.dataclass(frozen=True)
class ValuesOf16Bits:
    """The values of image files that have 16 bits for each.

    Attributes:
        files: number of files that were asked about.
        count: how many of them have 16 bits a value.
        sampled: how many of those were decoded.
        low: the smallest value in these.
        high: the largest.
    """

    files: int
    count: int
    sampled: int
    low: int
    high: int

    @property
    def fitting(self) -> tuple[int, int]:
        """The range of as many bits as the largest value needs, 8 or more."""
        return 0, 2 ** max(8, self.high.bit_length()) - 1

    def wastes(self, value_range: ValueRange) -> bool:
        """Whether half of a range of values or more stands in no file: images are too dark."""
        return self.count > 0 and (value_range or ALL_VALUES)[1] > 2 * self.fitting[1]

    def __str__(self) -> str:
        which = "them" if self.sampled == self.count else f"{self.sampled:,} of them"
        return (
            f"{self.count:,} of {self.files:,} files have 16 bits a value; the values in {which} "
            f"go from {self.low:,} to {self.high:,}"
        )


def values_of(paths: Sequence[str], files: int) -> ValuesOf16Bits:
    """Decodes some files of 16 bits a value, spread evenly over all.

    Args:
        paths: those that have 16 bits a value.
        files: how many files they were among.
    """
    places = np.linspace(0, len(paths) - 1, min(len(paths), MOST_SAMPLED)).round().astype(int)
    found = [limits for row in places if (limits := _limits(paths[row])) is not None]
    lows, highs = zip(*found, strict=True) if found else ((0,), (0,))
    return ValuesOf16Bits(files, len(paths) if found else 0, len(found), min(lows), max(highs))


def values_in_sample(paths: Sequence[str]) -> ValuesOf16Bits:
    """The same for files of any kind, of which some, spread evenly over all, are looked at."""
    places = np.linspace(0, len(paths) - 1, min(len(paths), MOST_SAMPLED)).round().astype(int)
    sample = [paths[row] for row in places]
    return values_of([path for path in sample if has_16_bits(_read(path, 64))], len(sample))


def _limits(path: str) -> tuple[int, int] | None:
    """The smallest and the largest value, transparency apart; `None` for a damaged file."""
    try:
        values = tf.io.decode_png(_read(path), dtype=tf.uint16).numpy()
    except tf.errors.InvalidArgumentError:
        return None
    if values.shape[-1] in (2, 4):
        values = values[..., :-1]
    return int(values.min()), int(values.max())


def _read(path: str, size: int = -1) -> bytes:
    """The first bytes of a file, none of one that cannot be read: others say so."""
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError:
        return b""
