"""Leaves the files that cannot be used out of splits."""

import numpy as np

from keras_tl.base.reporting import Reporter
from keras_tl.data.images.file_check import FileCheck, check_files
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.item_checks import check_left


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
    bad = {file.path: file for file in check.bad}
    kept = {}
    for name, split in splits.items():
        is_good = np.array([path not in bad for path in split.images], bool)
        kept[name] = split
        if not is_good.all():
            kept[name] = split.take(np.flatnonzero(is_good))
            lost = {int(row): bad[split.images[row]] for row in np.flatnonzero(~is_good)}
            check_left(name, split.labels, kept[name].labels, class_names, "file", lost)
    return kept, check
