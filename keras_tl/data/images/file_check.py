"""One pass over image files before training: finds those that cannot be used, and says why."""

import dataclasses
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from keras_tl.base.config import check_range
from keras_tl.base.reporting import Reporter
from keras_tl.data.images.file_check_cache import CheckCache, Finding
from keras_tl.data.images.file_scan import Examination
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.value_range import ValuesOf16Bits, values_of
from keras_tl.data.item_checks import (
    BadItem,
    BadRows,
    Check,
    LabelNames,
    contradictions,
    shown_label,
)
from keras_tl.errors import quoted


@dataclasses.dataclass(frozen=True)
class BadFile(BadItem):
    """A file that cannot be used.

    Attributes:
        path: as it was given.
    """

    path: str
    reason: str

    @property
    def name(self) -> str:
        """The path."""
        return self.path


@dataclasses.dataclass(frozen=True)
class FileCheck(Check):
    """What the check of a set of files has found.

    Attributes:
        seconds: how long it took.
        from_cache: number of files that had been checked before and were not read again.
        values: of the files of 16 bits a value, which values they hold.
    """

    item = "file"

    bad: tuple[BadFile, ...]
    seconds: float
    from_cache: int = 0
    values: ValuesOf16Bits | None = None

    def _counts(self) -> list[str]:
        deep = [f"{self.values}."] if self.values is not None and self.values.count else []
        return [*super()._counts(), *deep]

    def _how(self) -> str:
        return f" (checked in {self.seconds:.1f} s, {self.from_cache:,} of them known already)"


def bad_files(
    splits: Mapping[str, ImageSplit], class_names: tuple[str, ...], max_bad: float, verbose: bool
) -> tuple[BadRows, FileCheck | None]:
    """Checks the files of all splits together, so that copies in two of them are seen.

    Args:
        splits: the splits.
        class_names: names of the classes, to show labels by.
        max_bad: share of the files that may be bad.
        verbose: report progress on standard error.

    Returns:
        The bad files, and what was found; `None` if nothing is in files.

    Raises:
        DataError: too many files are bad.
    """
    if not all(split.in_files for split in splits.values()):
        return {}, None
    paths = [path for split in splits.values() for path in split.images]
    labels = np.concatenate([split.labels for split in splits.values()])
    with Reporter(verbose).bar("Checking files", len(paths)) as progress:
        check = check_files(paths, labels, class_names or None, max_bad, progress)
    bad = {file.path: file for file in check.bad}
    rows = {
        name: {row: bad[path] for row, path in enumerate(split.images) if path in bad}
        for name, split in splits.items()
    }
    return {name: found for name, found in rows.items() if found}, check


def check_files(
    paths: Sequence[str],
    labels: np.ndarray | None = None,
    label_names: LabelNames = None,
    max_bad: float = 0.05,
    progress: Callable[[int], None] | None = None,
) -> FileCheck:
    """Finds the files that training cannot use, before it does.

    Bad are files that are missing, unreadable, empty, truncated or damaged, no image, a BMP or GIF
    file of a kind that cannot be decoded (see `keras_tl.data.images.unsupported`), or of more
    than `MOST_PIXELS` pixels, which are read from the header before anything is decoded; and all
    files of one content under more than one label. Everything else can be decoded: each file was.
    Files that have the size and the modification time of an earlier check are not read again, but
    for a sample of those that have 16 bits a value: the values in them are counted.

    What nothing shows is not found: zeros in a BMP or WebP file, or other bytes where those of a
    JPEG were.

    Args:
        paths: image files, n of them; one may be there more than once.
        labels: (n,) or (n, k), a label for each; two rows are two labels where they differ in any
            number. `None`: labels are not compared.
        label_names: how messages show labels: a function of one row of `labels`, or names that
            integers and the columns of (n, k) count. `None`: as numbers.
        max_bad: share of files that may be bad, in [0, 1].
        progress: called now and then with the number of files that are done.

    Raises:
        DataError: more files than that are bad.
        ConfigError: `max_bad` is no such share.
    """
    check_range("max_bad", max_bad, 0, 1)
    began = time.perf_counter()
    report = progress or (lambda done: None)
    findings, from_cache = _findings(list(dict.fromkeys(paths)), report)
    reasons = {path: found.reason for path, found in findings.items() if found.reason}
    if labels is not None:
        for path, reason in _contradictions(paths, np.asarray(labels), label_names, findings):
            reasons.setdefault(path, reason)
    bad = tuple(BadFile(path, reasons[path]) for path in findings if path in reasons)
    deep = [path for path, found in findings.items() if found.has_16_bits and not found.reason]
    values = values_of(deep, len(findings) - len(bad))
    check = FileCheck(len(findings), bad, time.perf_counter() - began, from_cache, values)
    check.stop_above(max_bad)
    return check


def _findings(paths: list[str], report: Callable[[int], None]) -> tuple[dict[str, Finding], int]:
    """The finding for each of some distinct paths, and how many of them were in the cache."""
    findings, stats = dict.fromkeys(paths), {}
    for path in paths:
        try:
            stats[path] = os.stat(path)
        except FileNotFoundError:
            findings[path] = Finding(0, 0, reason="missing")
        except OSError as error:
            findings[path] = Finding(0, 0, reason=f"cannot be read: {error.strerror}")
        else:
            # To open what is not a file may wait for ever.
            if not stat.S_ISREG(stats[path].st_mode):
                del stats[path]
                findings[path] = Finding(0, 0, reason="cannot be read: not a file")
    if not stats:
        return findings, 0
    absolute = {path: os.path.abspath(path) for path in stats}
    cache = CheckCache(absolute.values())
    findings |= {path: cache.get(absolute[path], stats[path]) for path in stats}
    unknown = [path for path in paths if findings[path] is None]
    if unknown:
        done = len(paths) - len(unknown)
        examination = Examination(unknown, [stats[path] for path in unknown])
        new = dict(zip(unknown, examination.run(lambda n: report(done + n)), strict=True))
        findings |= new
        cache.add({absolute[path]: found for path, found in new.items()})
    report(len(paths))
    return findings, len(stats) - len(unknown)


def _contradictions(
    paths: Sequence[str], labels: np.ndarray, names: LabelNames, findings: dict[str, Finding]
) -> Iterator[tuple[str, str]]:
    """Each path whose content has another label elsewhere, with the reason; one for each path."""
    # A file that was not read is only the same as itself.
    contents = [findings[path].digest or path for path in paths]
    for row, other in contradictions(contents, labels):
        mine, theirs = (shown_label(labels[r], names) for r in (row, other))
        if paths[other] == paths[row]:
            yield (
                paths[row],
                f"two labels: the file is listed as {quoted(mine)} and as {quoted(theirs)}",
            )
        else:
            reason = f"same content as {paths[other]}, which has the label {quoted(theirs)}"
            yield paths[row], f"two labels: {reason}"
