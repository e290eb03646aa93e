"""What is a text, and which texts get an answer.

`text_problem` is the one rule. `keras_tl.models.text_modality` has the same rule as TensorFlow
operations, for exported models.
"""

import math
import os
import unicodedata
from collections.abc import Sequence
from typing import Any

from keras_tl.errors import DataError, quoted

_BYTE_ORDER_MARK = "\ufeff"
# Classes of Unicode: of characters that leave nothing to read, such as spaces and line ends.
BLANK = ("Z", "Cc", "Cf")
BLANK_PROBLEM = "blank: only spaces, control characters or invisible marks"


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
        if line := _line_that_is_no_utf_8(value):
            raise DataError(
                f"Expected texts in UTF-8, found other bytes in {place}, line {line} of the text. "
                "Save it as UTF-8."
            )
        value = value.decode()
    if not is_unicode(value):
        raise DataError(
            f"Expected a text in {place}. Received: {quoted(value)}, of type "
            f"{type(value).__name__}."
        )
    return str(value).removeprefix(_BYTE_ORDER_MARK)


def text_problem(text: str | bytes) -> str | None:
    """Return the reason why there is no answer for a text; `None` for one that can be read."""
    if isinstance(text, bytes):
        line = _line_that_is_no_utf_8(text)
        if line:
            return f"not UTF-8: other bytes in line {line}"
        text = text.decode()
    if not is_unicode(text):
        return "half a character (a surrogate), which UTF-8 cannot hold"
    return BLANK_PROBLEM if is_blank(text) else None


def _line_that_is_no_utf_8(content: bytes) -> int | None:
    """The first line, from 1, in which bytes are not UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content[: error.start].count(b"\n") + 1
    return None


def refuse_paths(texts: Sequence[Any], cure: str) -> None:
    """Raises `DataError` if every text is the path of a file: its content could be meant.

    Args:
        texts: bytes among them are texts for certain.
        cure: what to do, for the message.
    """
    if len(texts) and all(isinstance(text, str) and os.path.exists(text) for text in texts):
        raise DataError(
            "Expected texts. Received: paths of existing files or folders, such as "
            f"{quoted(texts[0])}. These can mean the words or the contents of the files. {cure}"
        )


def is_blank(text: str) -> bool:
    """Whether a text is empty, or holds nothing but spaces, controls and invisible marks."""
    return all(unicodedata.category(character).startswith(BLANK) for character in text)


def is_utf_8(content: bytes) -> bool:
    """Whether bytes are a text in UTF-8."""
    return _line_that_is_no_utf_8(content) is None


def is_unicode(value: Any) -> bool:
    """Whether a value is a text that can be written as UTF-8: not with half a surrogate pair."""
    if not isinstance(value, str):
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
