"""Finds the files of one kind below a folder, and counts the unused files."""

import collections
import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from keras_tl.data.folders.file_kinds import FileKind
from keras_tl.data.folders.file_tree import visible_files
from keras_tl.errors import DataError, quoted

_SHOWN = 5
_NO_SUFFIX = "without suffix"
_NAME_THEM = "Add the suffix of the format, such as .jpg, to the names of images without a suffix."


@dataclasses.dataclass(frozen=True)
class UnusedFiles:
    """Counts of the unused files of a folder. `bool()` gives `False` if all files are used.

    Attributes:
        item: Noun for one item in messages: "image" or "text".
        cure: Sentence that tells the user how to convert the convertible files.
        suffixes: Number of files that are not items, for each file suffix. The most frequent suffix
            comes first. Images without a suffix have keys such as `"JPEG without suffix"`.
        convertible: Suffixes of files that may be items in an unsupported format.
        unlabelled: Number of items outside the class folders, for each folder.
    """

    item: str
    cure: str = ""
    suffixes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    convertible: tuple[str, ...] = ()
    unlabelled: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.suffixes or self.unlabelled)

    def __str__(self) -> str:
        """Return the counts of the unused files as one sentence."""
        parts = []
        if self.suffixes:
            count = sum(self.suffixes.values())
            kinds = _listing(f"{n:,} {suffix}" for suffix, n in self.suffixes.items())
            parts.append(f"{_several(count, 'file')} of other kinds ({kinds})")
        if self.unlabelled:
            count = sum(self.unlabelled.values())
            folders = _listing(
                f"{n:,} in {quoted(folder)}" for folder, n in self.unlabelled.items()
            )
            parts.append(f"{_several(count, self.item)} outside the class folders ({folders})")
        return f"Not used: {' and '.join(parts)}." if parts else "All files are used."

    @property
    def advice(self) -> str:
        """The counts of unused files as a sentence, with advice if some files may be items."""
        return f"{self} {self.cure}" if self.convertible else str(self)


def unused_files(
    root: Path, others: Iterable[str], kind: FileKind, outside: Iterable[str] = ()
) -> UnusedFiles:
    """Count the files of other kinds below a folder, and the items outside the class folders."""
    suffixes = collections.Counter(_suffix(path, kind) for path in others)
    folders = collections.Counter(os.path.dirname(os.path.relpath(x, root)) for x in outside)
    ordered = _ordered(suffixes)
    unnamed = tuple(suffix for suffix in ordered if suffix.endswith(f" {_NO_SUFFIX}"))
    convertible = tuple(suffix for suffix in ordered if suffix in kind.convertible)
    cures = [kind.cure] * bool(convertible or not unnamed) + [_NAME_THEM] * bool(unnamed)
    return UnusedFiles(
        kind.item,
        " ".join(cures),
        ordered,
        convertible + unnamed,
        _ordered({folder or ".": count for folder, count in folders.items()}),
    )


def sort_files(folder: Path, kind: FileKind) -> tuple[list[str], UnusedFiles]:
    """Return the sorted paths of the items below a folder, and the counts of the unused files."""
    items, others = [], []
    for path in visible_files(folder):
        (items if path.lower().endswith(kind.suffixes) else others).append(path)
    return sorted(items), unused_files(folder, others, kind)


def items_below(
    given: os.PathLike | str, folder: Path, kind: FileKind
) -> tuple[list[str], UnusedFiles]:
    """Return the result of `sort_files`, or raise `DataError` if the folder has no items.

    `given` is the path of the folder as the user passed it, for messages.
    """
    items, unused = sort_files(folder, kind)
    if items:
        return items, unused
    name = quoted(os.fspath(given))
    if not unused:
        raise DataError(f"The folder {name} holds no files. Expected {kind.formats} {kind.item}s.")
    raise DataError(f"No {kind.item} ({kind.formats}) below the folder {name}. {unused.advice}")


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda named: (-named[1], named[0])))


def _suffix(path: str, kind: FileKind) -> str:
    if os.path.islink(path) and not os.path.exists(path):
        return "broken link"
    if suffix := os.path.splitext(path)[1].lower():
        return suffix
    found = kind.format_of(path)
    return f"{found} {_NO_SUFFIX}" if found else _NO_SUFFIX


def _several(count: int, item: str) -> str:
    return f"{count:,} {item}{'' if count == 1 else 's'}"


def _listing(parts: Iterable[str]) -> str:
    parts = list(parts)
    more = [f"{len(parts) - _SHOWN} others"] if len(parts) > _SHOWN else []
    return ", ".join(parts[:_SHOWN] + more)
