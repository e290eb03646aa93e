"""Kinds of files with one item per file, such as images."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class FileKind:
    """Description of a kind of files with one item per file.

    Attributes:
        item: Noun for one item in messages, such as "image".
        formats: Names of the supported formats, for messages.
        suffixes: File suffixes of the supported formats, in lower case.
        convertible: Suffixes of files that may be items in an unsupported format.
        cure: Sentence for messages that tells the user how to convert the convertible files.
        format_of: Function that takes the path of a file without a suffix, and returns the format
            of the item in the file, or `None` if the file is not an item.
        has_folder_for_each_class: Whether every split must have a folder for each class.
    """

    item: str
    formats: str
    suffixes: tuple[str, ...]
    convertible: tuple[str, ...]
    cure: str
    format_of: Callable[[str], str | None] = lambda path: None
    has_folder_for_each_class: bool = False
