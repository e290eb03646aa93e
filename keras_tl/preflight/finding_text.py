"""Format counts and names as text for the sentences of findings."""

import os
from collections.abc import Sequence

from keras_tl.data.labelled_data import LabelledData, Split

SHOWN = 3
_LONGEST = 60


def several(count: int, item: str) -> str:
    """Return a count and its noun as text, for example `1 image` or `2,000 images`."""
    return f"{count:,} {item}{'' if count == 1 else 's'}"


def listing(names: Sequence[str]) -> str:
    """Return a text with the first three names and the number of the remaining names."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def folder_of(data: LabelledData) -> str:
    """Return the innermost folder that holds all files of the data, with a separator at its end.

    `run_checks` removes this folder of the user's machine from the findings. Return an empty string
    if there are no files, if paths are relative, or if the paths share only the root folder.
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
    """Return an item's name in findings: its path, its text, or the split and the row."""
    split: Split = data.splits[name]
    sources = split.take([row]).sources
    if sources is None:
        return f"{name} row {row}"
    (source,) = sources
    if split.in_files:
        return source
    text = source if isinstance(source, str) else " | ".join(source)
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")
