"""File check: reads the image files before training, to find files that training cannot use."""

import dataclasses
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_tl.base.config import check_range
from keras_tl.base.reporting import Reporter
from keras_tl.data.images.file_check_cache import FileCheckCache, FileResult
from keras_tl.data.images.file_scan import FileScan
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.images.value_range import SixteenBitRange, values_of
from keras_tl.data.item_checks import BadItem, BadRows, Check, label_conflicts


@dataclasses.dataclass(frozen=True)
class BadFile(BadItem):
    """A file that training cannot use.

    Attributes:
        path: Path of the file, as the user passed it.
    """

    path: str
    reason: str

    @property
    def name(self) -> str:
        """The path of the file."""
        return self.path


@dataclasses.dataclass(frozen=True)
class FileCheck(Check):
    """Result of the file check for the image files of all splits.

    Attributes:
        seconds: Duration of the check in seconds.
        from_cache: Number of files that were not read, because the cache holds their results.
        values: Range of the pixel values in the 16-bit PNG files, or `None` if it is unknown.

    Example:
        >>> check = ktl.ImageData.from_folder("photos/").checked
        >>> check.checked, check.bad
        (20, ())
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
    """Check the files of all splits together, to find copies with different labels in two splits.

    Returns:
        The bad files of each split by row number, and the result of the check. If the images of a
        split are not in files, the results are `{}` and `None`.

    Raises:
        DataError: The fraction of bad files exceeds `max_bad`.
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
    label_names: Sequence[str] | None = None,
    max_bad: float = 0.05,
    progress: Callable[[int], None] | None = None,
) -> FileCheck:
    """Find the files that training cannot use, before training starts.

    A file is bad if it is missing, unreadable, empty, truncated, damaged or not an image. A BMP or
    GIF file that the decoder does not support is bad, see `keras_tl.data.images.unsupported`. An
    image of more than `MOST_PIXELS` pixels is bad: the check reads the size from the header, and
    does not decode the image. Files with equal content and different labels are all bad. All files
    that are not bad were decoded without an error, in this check or in an earlier check.

    A file is not read again if its size and modification time have not changed since an earlier
    check. Only a sample of the 16-bit PNG files is read in every check, to find the range of their
    pixel values. The check cannot find all damage: zeros in a BMP or WebP file, or changed bytes in
    a JPEG file, can decode without an error.

    Args:
        paths: n paths of image files. A path may occur more than once.
        labels: Label of each path, array (n,) or (n, k). Two labels of k numbers differ if any of
            their numbers differ. `None`: do not compare labels.
        label_names: Name of each class, or of each of the k label columns. `None`: messages show
            labels as numbers.
        max_bad: Maximum fraction of bad files, in [0, 1].
        progress: Function that is called from time to time with the number of checked files.

    Raises:
        DataError: The fraction of bad files exceeds `max_bad`.
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
    """Return the check result of each distinct path, and the number of results from the cache."""
    findings: dict[str, Any] = dict.fromkeys(paths)
    stats: dict[str, os.stat_result] = {}
    for path in paths:
        try:
            stats[path] = os.stat(path)
        except FileNotFoundError:
            findings[path] = FileResult(0, 0, reason="missing")
        except OSError as error:
            findings[path] = FileResult(0, 0, reason=f"cannot be read: {error.strerror}")
        else:
            # Do not open a pipe or a device: the process may wait for ever.
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
        scan = FileScan(unknown, [stats[path] for path in unknown])
        new = dict(zip(unknown, scan.run(lambda n: report(done + n)), strict=True))
        findings |= new
        cache.add({absolute[path]: found for path, found in new.items()})
    report(len(paths))
    return findings, len(stats) - len(unknown)


def _label_conflicts(
    paths: Sequence[str],
    labels: np.ndarray,
    names: Sequence[str] | None,
    findings: dict[str, FileResult],
) -> Iterator[tuple[str, str]]:
    """Yield each path whose content also occurs with another label, and a reason for messages."""
    # An unread file has no digest. Use its path instead, so that no other file counts as equal.
    contents = [findings[path].digest or path for path in paths]
    for row, other, mine, theirs in label_conflicts(contents, labels, names):
        if paths[other] == paths[row]:
            reason = f"the file is listed as {mine} and as {theirs}"
        else:
            reason = f"same content as {paths[other]}, which has the label {theirs}"
        yield paths[row], f"two labels: {reason}"
