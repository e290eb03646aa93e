"""What all constructors of `TextData` take, checked before anything is read."""

import dataclasses

from keras_tl.base.config import SHORTEST_SEQUENCE, check_range
from keras_tl.data.options import CheckedSplitOptions, SplitOptions


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

    attributes = ("sequence_length",)

    sequence_length: int | None = None

    def __post_init__(self):
        super().__post_init__()
        if self.sequence_length is not None:
            check_range("sequence_length", self.sequence_length, SHORTEST_SEQUENCE, whole=True)
