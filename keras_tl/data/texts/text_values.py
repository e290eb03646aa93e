"""Rules for texts: which values are texts, and which texts get a prediction.

`text_problem` decides which texts get a prediction. `keras_tl.models.text_modality` implements the
rule of `text_problem` with TensorFlow operations, for exported models.
"""

import math
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_tl.errors import DataError, quoted

_BYTE_ORDER_MARK = "\ufeff"
# Unicode categories of characters without visible content, such as spaces and line ends.
BLANK = ("Z", "Cc", "Cf")
BLANK_PROBLEM = "blank: only spaces, control characters or invisible marks"


def as_text(value: Any, place: str) -> str:
    """Convert a value to a text without byte order mark. A missing value becomes an empty text.

    Args:
        value: A `str` or UTF-8 bytes. A missing value is `None` or NaN.
        place: Place of the value in the data source, for messages.

    Raises:
        DataError: The value is not a text, or its bytes are not UTF-8.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        if line := _line_that_is_no_utf_8(value):
            raise DataError(
                f"Expected texts in UTF-8, found invalid bytes in {place}, line {line} of the "
                "text. Save the text as UTF-8."
            )
        value = value.decode()
    if not is_unicode(value):
        raise DataError(
            f"Expected a text in {place}. Received: {quoted(value)}, of type "
            f"{type(value).__name__}."
        )
    return str(value).removeprefix(_BYTE_ORDER_MARK)


def text_problem(text: str | bytes) -> str | None:
    """Return why a text gets no prediction, or `None` if the text is readable.

    Args:
        text: A text from `as_text`, or bytes that are not UTF-8.
    """
    if isinstance(text, bytes):
        return f"not UTF-8: invalid bytes in line {_line_that_is_no_utf_8(text)}"
    return BLANK_PROBLEM if is_blank(text) else None


def _line_that_is_no_utf_8(content: bytes) -> int | None:
    """Return the number of the first line, from 1, with bytes that are not UTF-8, or `None`."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content[: error.start].count(b"\n") + 1
    return None


def read_text_file(path: str) -> bytes:
    """Return the content of a text file, or raise `DataError` for an unreadable file."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read the text {quoted(path)}: {error.strerror}.") from error


def refuse_paths(texts: Sequence[Any], cure: str) -> None:
    """Raise `DataError` if every text is an existing path: the user may mean the files' contents.

    Bytes are never paths. The message ends with the advice `cure`.
    """
    if len(texts) and all(isinstance(text, str) and os.path.exists(text) for text in texts):
        raise DataError(
            "Expected texts. Received: paths of existing files or folders, such as "
            f"{quoted(texts[0])}. It is not clear whether the texts are the paths or the "
            f"contents of the files. {cure}"
        )


def is_blank(text: str) -> bool:
    """Whether a text is empty or has only spaces, control characters and invisible marks."""
    return all(unicodedata.category(character).startswith(BLANK) for character in text)


def is_utf_8(content: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    return _line_that_is_no_utf_8(content) is None


def is_unicode(value: Any) -> bool:
    """Whether a value is a `str` without lone surrogates, which UTF-8 cannot encode."""
    if not isinstance(value, str):
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
