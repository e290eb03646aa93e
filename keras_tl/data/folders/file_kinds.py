"""Kinds of files that are items, such as images."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class FileKind:
    """A kind of files, each of them an item.

    Attributes:
        item: what messages call one of them.
        formats: what messages call what is looked for.
        suffixes: the endings of the files' names, in small letters.
        convertible: the endings of files that may be items in another format.
        cure: what to do with those, a sentence.
        format_of: returns the format of the item in a file, given the path of a file whose name
            has no ending; `None`: the file is no item.
        has_folder_for_each_class: whether a split that lacks the folder of a class is an error.
    """

    item: str
    formats: str
    suffixes: tuple[str, ...]
    convertible: tuple[str, ...]
    cure: str
    format_of: Callable[[str], str | None] = lambda path: None
    has_folder_for_each_class: bool = False
