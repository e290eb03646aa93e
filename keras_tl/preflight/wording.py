"""How findings count and name things."""

import os
from collections.abc import Sequence

from keras_tl.data.labelled_data import LabelledData, Split

SHOWN = 3
_LONGEST = 60


def several(count: int, item: str) -> str:
    """A number and what is counted, as in `1 image`, `2,000 images`."""
    return f"{count:,} {item}{'' if count == 1 else 's'}"


def listing(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def folder_of(data: LabelledData) -> str:
    """The innermost folder that holds all files of the data, with the separator at its end.

    Empty where it says nothing of the machine: there are no files, or their paths are relative, or
    have only the root in common.
    """
    folders = {
        os.path.dirname(path)
        for split in data.splits.values()
        if split.in_files
        for path in split.sources
    }
    if not folders or not all(map(os.path.isabs, folders)):
        return ""
    common = os.path.commonpath(folders)
    return "" if common == os.path.dirname(common) else os.path.join(common, "")


def name_of(data: LabelledData, name: str, row: int) -> str:
    """What a finding calls an item: a path, the text, or the split and the row."""
    split: Split = data.splits[name]
    sources = split.take([row]).sources
    if sources is None:
        return f"{name} row {row}"
    (source,) = sources
    if split.in_files:
        return source
    text = source if isinstance(source, str) else " | ".join(source)
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")
