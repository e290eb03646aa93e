"""Find leakage between splits of images: equal files or pixels, re-encoded or resized copies."""

import contextlib
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Hashable, Iterator
from pathlib import Path

import numpy as np

from keras_tl.base.files import sha256
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.errors import DataError
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Finding, NotChecked
from keras_tl.preflight.leakage import REMOVE, Pair, duplicates_finding, pairs_of, part_of_split
from keras_tl.preflight.neighbours import nearest
from keras_tl.preflight.thumbnails import correlations

# Compare the thumbnails of two images only if the cosine of their centred features is at least 0.4.
# docs/explanation/check-limits.md explains the choice of `SIMILAR` and of `CLOSER`.
SIMILAR = 0.4
# The thumbnails of copies have a correlation that is 40 times nearer to 1 than the typical
# correlation of different images. No correlation is below -1, so copies are always above 0.95.
CLOSER = 40
# Number of image pairs from which the typical correlation of different images is estimated.
_TYPICAL = 200


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits with which the search for copies takes only seconds, for data of any size.

    Attributes:
        compared: Maximum number of image pairs to compare by features, for each split. If a split
            gives more pairs than `compared`, only a sample of its images is compared.
        fewest: Minimum number of images in a sample of a split.
        pairs: Maximum number of image pairs to compare by thumbnails, the most similar first.
    """

    compared: int = 50_000_000
    fewest: int = 200
    pairs: int = 2000


_LIMITS = Limits()


def duplicate_images(context: CheckContext) -> Finding | None:
    """Find image files with equal bytes, or image arrays with equal pixels, in different splits."""
    pairs = pairs_of(_keys(context))
    return duplicates_finding(context, "exact-duplicates", pairs, "also in {}", REMOVE)


def near_duplicate_images(context: CheckContext, limits: Limits = _LIMITS) -> Finding | None:
    """Find copies of an image, in another encoding or size, in different splits."""
    pairs = near_pairs(context, limits)
    how = "also in {} with another encoding or size"
    counts = {name: len(rows) for name, rows in compared(context, limits).items()}
    sampled = {name: n for name, n in counts.items() if n < len(context.held_out[name])}
    if sampled and not pairs:
        parts = " and ".join(part_of_split(context, name, count) for name, count in sampled.items())
        raise NotChecked(f"only {parts} were compared, and none of them is a copy")
    action = f"Look at these pairs. {REMOVE}"
    return duplicates_finding(context, "near-duplicates", pairs, how, action, sampled)


def compared(context: CheckContext, limits: Limits = _LIMITS) -> dict[str, np.ndarray]:
    """For each held-out split, return the rows to compare with all images of earlier splits.

    The function returns all rows of a split if their comparison takes only seconds, else a random
    sample of the rows, which is the same in every call.
    """
    before, rows = len(context.train), {}
    for name, split in context.held_out.items():
        most = max(limits.fewest, limits.compared // before)
        rows[name] = np.sort(np.random.default_rng(0).permutation(len(split))[:most])
        before += len(split)
    return rows


def near_pairs(context: CheckContext, limits: Limits = _LIMITS) -> list[Pair]:
    """Find validation and test images that are copies of their nearest neighbour.

    The function tests the rows that `compared` returns. The nearest neighbour of an image is found
    by the features of the frozen backbone. An image is a copy of its nearest neighbour if the
    thumbnails of the two images have a high correlation. In some data sets, such as handwritten
    digits, all images are similar. Therefore, the minimum correlation of copies depends on the
    median correlation between images and their second neighbours. The result leaves out images with
    equal bytes or pixels.
    """
    if not context.held_out or len(context.train) < 2:
        return []
    known = {pair.item for pair in pairs_of(_keys(context))}
    found: list[tuple[float, Pair, Pair]] = []
    asked = compared(context, limits)
    for name, other in _in_turns(context):
        features = context.features(name), context.features(other)
        twins, cosines = nearest(*features, 2, asked[name])
        found += [
            (float(cosine), *(Pair(name, row, other, int(twin)) for twin in both))
            for row, both, cosine in zip(asked[name].tolist(), twins, cosines[:, 0], strict=True)
            if cosine >= SIMILAR and (name, row) not in known and len(both) == 2
        ]
    found.sort(key=lambda x: -x[0])
    found = found[: limits.pairs]
    others = [second for _, _, second in found[:: max(1, len(found) // _TYPICAL)]]
    if not others:
        return []
    first = [pair for _, pair, _ in found]
    values = _alike(context, [*first, *others])
    typical = float(np.median(values[len(first) :]))
    least = 1 - (1 - typical) / CLOSER
    best: dict[tuple[str, int], Pair] = {}
    for pair, value in zip(first, values.tolist(), strict=False):
        if value >= least:
            best.setdefault(pair.item, pair)
    return [best[item] for item in sorted(best)]


def _in_turns(context: CheckContext) -> list[tuple[str, str]]:
    """Return pairs of split names: each held-out split with each split before it."""
    names = ["train", *context.held_out]
    return [(name, other) for place, name in enumerate(names) for other in names[:place]]


def _alike(context: CheckContext, pairs: list[Pair]) -> np.ndarray:
    """Return the correlation between the two thumbnails of each of n pairs, float32 (n,)."""
    values = np.zeros(len(pairs), np.float32)
    splits = context.data.splits
    for name, other in _in_turns(context):
        places = [i for i, x in enumerate(pairs) if (x.split, x.twin_split) == (name, other)]
        with context.skip_if_unreadable(name):
            values[places] = correlations(
                splits[name].take([pairs[place].row for place in places]),
                splits[other].take([pairs[place].twin_row for place in places]),
                context.data.value_range,
            )
    return values


def _keys(context: CheckContext) -> dict[str, list[Hashable | None]]:
    splits = {"train": context.train, **context.held_out}
    if all(split.in_files for split in splits.values()):
        return _file_keys(context, splits)
    if any(split.in_files for split in splits.values()):
        raise NotChecked("some images are files, others are arrays")
    return {name: [_digest(image) for image in split.images] for name, split in splits.items()}


def _file_keys(
    context: CheckContext, splits: dict[str, ImageSplit]
) -> dict[str, list[Hashable | None]]:
    """Return a digest of each file. A file of unique size is not read: its digest is `None`."""
    sizes, keys = {}, {}
    for name, split in splits.items():
        with context.skip_if_unreadable(name), _naming_the_file():
            sizes[name] = [os.stat(path).st_size for path in split.images]
    counts = Counter(size for found in sizes.values() for size in found)
    for name, split in splits.items():
        with context.skip_if_unreadable(name), _naming_the_file():
            keys[name] = [
                sha256(Path(path)) if counts[size] > 1 else None
                for path, size in zip(split.images, sizes[name], strict=True)
            ]
    return keys


@contextlib.contextmanager
def _naming_the_file() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"Cannot read {error.filename}: {error.strerror}. Restore or remove the file."
        ) from error


def _digest(pixels: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(pixels).data).digest()
