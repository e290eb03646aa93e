"""Leaves the files that cannot be used out of splits."""

import numpy as np

from keras_tl.data.checking import FileCheck, check_files
from keras_tl.data.sources import ImageSplit
from keras_tl.errors import DataError
from keras_tl.reporting import Reporter


def without_bad_files(
    splits: dict[str, ImageSplit], class_names: tuple[str, ...], max_bad: float, verbose: bool
) -> tuple[dict[str, ImageSplit], FileCheck | None]:
    """Checks the files of all splits together, so that copies in two of them are seen.

    Args:
        splits: the splits.
        class_names: names of the classes, to show labels by.
        max_bad: share of the files that may be bad.
        verbose: report progress on standard error.

    Returns:
        The splits without the bad files, and what was found; `None` if nothing is in files.

    Raises:
        DataError: too many files are bad, or all of a split or of a class's training files.
    """
    if not all(split.in_files for split in splits.values()):
        return splits, None
    paths = [path for split in splits.values() for path in split.images]
    labels = np.concatenate([split.labels for split in splits.values()])
    with Reporter(verbose).bar("Checking files", len(paths)) as progress:
        check = check_files(paths, labels, class_names or None, max_bad, progress)
    bad = {file.path: file.reason for file in check.bad}
    if not bad:
        return splits, check
    kept = {}
    for name, split in splits.items():
        kept[name] = split.take(np.flatnonzero([path not in bad for path in split.images]))
        _check_left(name, split, kept[name], class_names, bad)
    return kept, check


def _check_left(
    name: str,
    before: ImageSplit,
    after: ImageSplit,
    class_names: tuple[str, ...],
    bad: dict[str, str],
) -> None:
    lost = f"the {name} split" if not len(after) else ""
    if name == "train" and before.labels.dtype.kind == "i":
        gone = np.setdiff1d(before.labels, after.labels)
        lost = f"the class {class_names[gone[0]]!r}" if len(gone) else lost
    if lost:
        path = next(path for path in before.images if path in bad)
        raise DataError(
            f"No file of {lost} can be used, such as {path}: {bad[path]}. Repair them or leave "
            "the whole of it out."
        )
