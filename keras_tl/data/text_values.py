"""What is a text."""

import math
import unicodedata
from typing import Any

from keras_tl.errors import DataError

_BYTE_ORDER_MARK = "\ufeff"
# Classes of Unicode: of characters that leave nothing to read, such as spaces and line ends.
BLANK = ("Z", "Cc", "Cf")


def as_text(value: Any, place: str) -> str:
    """One text, without a byte order mark; nothing is an empty text.

    Args:
        value: a str, bytes in UTF-8, or `None` or NaN for nothing.
        place: where it stands, for messages.

    Raises:
        DataError: it is none of these.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError as error:
            line = value[: error.start].count(b"\n") + 1
            raise DataError(
                f"Expected texts in UTF-8, found other bytes in {place}, line {line} of the text. "
                "Save it as UTF-8."
            ) from error
    if not is_unicode(value):
        raise DataError(
            f"Expected a text in {place}. Received: {value!r}, of type {type(value).__name__}."
        )
    return str(value).removeprefix(_BYTE_ORDER_MARK)


def is_blank(text: str) -> bool:
    """Whether a text is empty, or holds nothing but spaces, controls and invisible marks."""
    return all(unicodedata.category(character).startswith(BLANK) for character in text)


def is_unicode(value: Any) -> bool:
    """Whether a value is a text that can be written as UTF-8: not with half a surrogate pair."""
    if not isinstance(value, str):
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
