"""Kinds of files that are items, such as images."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class FileKind:
    """A kind of files, each of which is one item.

    Attributes:
        item: name of one item in messages.
        formats: names of the formats in messages.
        suffixes: file suffixes of items, in small letters.
        convertible: suffixes of files that may be items in another format.
        cure: what to do with convertible files, a sentence.
        format_of: function from the path of a file without a suffix to the format of the item
            in it. `None`: the file is no item.
        has_folder_for_each_class: whether a split must have a folder for each class.
    """

    item: str
    formats: str
    suffixes: tuple[str, ...]
    convertible: tuple[str, ...]
    cure: str
    format_of: Callable[[str], str | None] = lambda path: None
    has_folder_for_each_class: bool = False
