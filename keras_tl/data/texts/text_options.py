"""Options that all constructors of `TextData` accept, checked before any file is read."""

import dataclasses

from keras_tl.base.config import SHORTEST_SEQUENCE, check_range
from keras_tl.data.options import CheckedSplitOptions, SplitOptions


class TextOptions(SplitOptions, total=False):
    """Options that all constructors of `TextData` accept, in addition to `SplitOptions`.

    Attributes:
        sequence_length: Maximum number of tokens that the model reads of a text, or of both texts
            of a pair. `None`: the learner chooses the maximum from the lengths of the texts.

    Example:
        >>> options = ktl.TextOptions(sequence_length=32)
        >>> ktl.TextData.from_folder("reviews/", **options).sequence_length
        32
    """

    sequence_length: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckedTextOptions(CheckedSplitOptions):
    """`TextOptions` with default values. The constructor checks the values.

    Raises:
        ConfigError: An option has an invalid value.
    """

    attributes = ("sequence_length",)

    sequence_length: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sequence_length is not None:
            check_range("sequence_length", self.sequence_length, SHORTEST_SEQUENCE, whole=True)
