"""Kinds of files with one item per file, such as images."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class FileKind:
    """Kind of files with one item per file.

    Attributes:
        item: Name of one item in messages, such as "image".
        formats: Names of the formats in messages.
        suffixes: File suffixes of items, in lower case.
        convertible: Suffixes of files that may be items in another format.
        cure: Advice on what to do with convertible files, a sentence for messages.
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
