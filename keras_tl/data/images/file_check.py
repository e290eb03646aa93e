"""File check: one pass over image files before training that finds unusable files."""

import dataclasses
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from keras_tl.base.config import check_range
from keras_tl.base.reporting import Reporter
from keras_tl.data.images.file_check_cache import FileCheckCache, FileResult
from keras_tl.data.images.file_scan import FileScan
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.value_range import SixteenBitRange, values_of
from keras_tl.data.item_checks import (
    BadItem,
    BadRows,
    Check,
    LabelNames,
    label_conflicts,
    shown_label,
)
from keras_tl.errors import quoted


@dataclasses.dataclass(frozen=True)
class BadFile(BadItem):
    """A file that training cannot use.

    Attributes:
        path: path as the user gave it.
    """

    path: str
    reason: str

    @property
    def name(self) -> str:
        """The path."""
        return self.path


@dataclasses.dataclass(frozen=True)
class FileCheck(Check):
    """Result of the check of a set of files.

    Attributes:
        seconds: duration of the check.
        from_cache: number of files whose result came from an earlier check, without reading them.
        values: range of the values in the 16-bit PNG files.
    """

    item = "file"

    bad: tuple[BadFile, ...]
    seconds: float
    from_cache: int = 0
    values: SixteenBitRange | None = None

    def _counts(self) -> list[str]:
        deep = [f"{self.values}."] if self.values is not None and self.values.count else []
        return [*super()._counts(), *deep]

    def _how(self) -> str:
        return f" (checked in {self.seconds:.1f} s, {self.from_cache:,} results from the cache)"


def check_splits(
    splits: Mapping[str, ImageSplit], class_names: tuple[str, ...], max_bad: float, verbose: bool
) -> tuple[BadRows, FileCheck | None]:
    """Check the files of all splits together, to find copies in two splits with different labels.

    Args:
        splits: the splits.
        class_names: names of the classes, to show labels in messages.
        max_bad: largest allowed share of bad files.
        verbose: report progress on standard error.

    Returns:
        The bad files by split and row, and the result. If a split is not in files: `{}`, `None`.

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
    """Find the files that training cannot use, before training starts.

    A file is bad if it is missing, unreadable, empty, truncated, damaged or not an image. A BMP or
    GIF file is bad if the decoder does not support it, see `keras_tl.data.images.unsupported`. An
    image of more than `MOST_PIXELS` pixels is bad: the check reads its size from the header, and
    does not decode it. Files with the same content and different labels are all bad. The check has
    decoded every other file without an error.

    A file with the size and the modification time of an earlier check is not read again. The only
    exception is a sample of the 16-bit PNG files, to find the range of their values. Some damage
    leaves no trace: zeros in a BMP or WebP file, or changed bytes in a JPEG file.

    Args:
        paths: image files, n paths. A path may occur more than once.
        labels: (n,) or (n, k), a label for each path. Two rows are different labels if they
            differ in any number. `None`: labels are not compared.
        label_names: text of labels in messages: a function of one row of `labels`, or names
            indexed by integer labels or by the columns of (n, k). `None`: labels as numbers.
        max_bad: largest allowed share of bad files, in [0, 1].
        progress: called from time to time with the number of files done.

    Raises:
        DataError: the share of bad files is above `max_bad`.
        ConfigError: `max_bad` is not in [0, 1].
    """
    check_range("max_bad", max_bad, 0, 1)
    began = time.perf_counter()
    report = progress or (lambda done: None)
    findings, from_cache = _findings(list(dict.fromkeys(paths)), report)
    reasons = {path: found.reason for path, found in findings.items() if found.reason}
    if labels is not None:
        for path, reason in _label_conflicts(paths, np.asarray(labels), label_names, findings):
            reasons.setdefault(path, reason)
    bad = tuple(BadFile(path, reasons[path]) for path in findings if path in reasons)
    deep = [path for path, found in findings.items() if found.has_16_bits and not found.reason]
    values = values_of(deep, len(findings) - len(bad))
    check = FileCheck(len(findings), bad, time.perf_counter() - began, from_cache, values)
    check.stop_above(max_bad)
    return check


def _findings(paths: list[str], report: Callable[[int], None]) -> tuple[dict[str, FileResult], int]:
    """Return the result for each distinct path, and the number of results from the cache."""
    findings, stats = dict.fromkeys(paths), {}
    for path in paths:
        try:
            stats[path] = os.stat(path)
        except FileNotFoundError:
            findings[path] = FileResult(0, 0, reason="missing")
        except OSError as error:
            findings[path] = FileResult(0, 0, reason=f"cannot be read: {error.strerror}")
        else:
            # Opening a pipe or a device may block for ever.
            if not stat.S_ISREG(stats[path].st_mode):
                del stats[path]
                findings[path] = FileResult(0, 0, reason="cannot be read: not a file")
    if not stats:
        return findings, 0
    absolute = {path: os.path.abspath(path) for path in stats}
    cache = FileCheckCache(absolute.values())
    findings |= {path: cache.get(absolute[path], stats[path]) for path in stats}
    unknown = [path for path in paths if findings[path] is None]
    if unknown:
        done = len(paths) - len(unknown)
        examination = FileScan(unknown, [stats[path] for path in unknown])
        new = dict(zip(unknown, examination.run(lambda n: report(done + n)), strict=True))
        findings |= new
        cache.add({absolute[path]: found for path, found in new.items()})
    report(len(paths))
    return findings, len(stats) - len(unknown)


def _label_conflicts(
    paths: Sequence[str], labels: np.ndarray, names: LabelNames, findings: dict[str, FileResult]
) -> Iterator[tuple[str, str]]:
    """Yield each path whose content has another label elsewhere, once, with the reason."""
    # A file without a digest was not read: it equals only itself.
    contents = [findings[path].digest or path for path in paths]
    for row, other in label_conflicts(contents, labels):
        mine, theirs = (shown_label(labels[r], names) for r in (row, other))
        if paths[other] == paths[row]:
            yield (
                paths[row],
                f"two labels: the file is listed as {quoted(mine)} and as {quoted(theirs)}",
            )
        else:
            reason = f"same content as {paths[other]}, which has the label {quoted(theirs)}"
            yield paths[row], f"two labels: {reason}"
