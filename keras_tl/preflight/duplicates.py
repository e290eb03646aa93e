"""Items that stand in a later split again: what is measured on them is memory."""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_tl.data.sources import ImageSplit
from keras_tl.data.text_split import TextSplit
from keras_tl.errors import DataError
from keras_tl.files import sha256
from keras_tl.preflight.findings import Finding, NotChecked
from keras_tl.preflight.neighbours import nearest
from keras_tl.preflight.subject import Subject
from keras_tl.preflight.thumbnails import correlations
from keras_tl.preflight.wording import listing, name_of, several

# How these were chosen: docs/preflight.md.
SIMILAR = 0.4  # cosine of centred features: worth a second look
SAME = 0.95  # correlation of two thumbnails: may be the same picture, ...
CLOSER = 40  # ... if it is so many times nearer to 1 than that of pictures that are not
# Pairs that get a second look, the most similar ones first.
_MOST_PAIRS = 2000
# Pairs that tell how alike two different images of these data are.
_TYPICAL = 200
_REMOVE = (
    "Remove one of each from the data, and put copies into one split only: results on them "
    "are too good to be true."
)


@dataclasses.dataclass(frozen=True)
class Pair:
    """An item that stands in an earlier split too.

    Attributes:
        split: `"validation"` or `"test"`.
        row: its row there.
        twin_split: `"train"`, or, of one in test, `"validation"`.
        twin_row: the row of its twin there.
    """

    split: str
    row: int
    twin_split: str
    twin_row: int

    @property
    def item(self) -> tuple[str, int]:
        """Which item it is that should not be there."""
        return self.split, self.row


def exact_duplicates(subject: Subject) -> Finding | None:
    """Files of the same bytes, equal pixels, or texts equal but for capitals and white space."""
    keys = _keys_of(subject, _same_text)
    pairs = pairs_of(keys)
    return _finding(subject, "exact-duplicates", pairs, "also in {}", _REMOVE)


def near_duplicates(subject: Subject) -> Finding | None:
    """Copies that were encoded anew or resized; texts that differ in punctuation only."""
    if isinstance(subject.train, TextSplit):
        known = {pair.item for pair in pairs_of(_keys_of(subject, _same_text))}
        pairs = pairs_of(_keys_of(subject, _same_words))
        pairs = [pair for pair in pairs if pair.item not in known]
        how = "in {} but for punctuation"
    else:
        pairs = [pair for pair, _ in near_pairs(subject)]
        how = "in {} as another copy (encoded anew or resized)"
    return _finding(subject, "near-duplicates", pairs, how, f"Look at them. {_REMOVE}")


def near_pairs(subject: Subject) -> list[tuple[Pair, float]]:
    """Each image of validation and test that is a copy of its nearest neighbour before them.

    The features of the frozen backbone say which image is nearest, thumbnails whether the two are
    one picture. Handwritten digits are all much alike, photos are not: so what counts is how much
    more alike the two are than the image and its second neighbour, in the median of all images.
    Byte for byte the same are left out.

    Returns:
        The pairs, and the correlation of their thumbnails.
    """
    if not subject.held_out or len(subject.train) < 2:
        return []
    known = {pair.item for pair in pairs_of(_keys_of(subject, _same_text))}
    found: list[tuple[float, Pair, Pair]] = []
    for name, other in _in_turns(subject):
        features = (subject.features(subject.data.splits[split]) for split in (name, other))
        rows, cosines = nearest(*features, 2)
        found += [
            (float(cosines[row, 0]), *(Pair(name, row, other, int(twin)) for twin in rows[row]))
            for row in range(len(rows))
            if cosines[row, 0] >= SIMILAR and (name, row) not in known and rows.shape[1] == 2
        ]
    found.sort(key=lambda x: -x[0])
    found = found[:_MOST_PAIRS]
    others = [second for _, _, second in found[:: max(1, len(found) // _TYPICAL)]]
    if not others:
        return []
    first = [pair for _, pair, _ in found]
    values = _alike(subject, [*first, *others])
    typical = float(np.median(values[len(first) :]))
    least = max(SAME, 1 - (1 - typical) / CLOSER)
    best: dict[tuple[str, int], tuple[Pair, float]] = {}
    for pair, value in zip(first, values.tolist(), strict=False):
        if value >= least:
            best.setdefault(pair.item, (pair, value))
    return [best[item] for item in sorted(best)]


def _in_turns(subject: Subject) -> list[tuple[str, str]]:
    """Each later split with each one before it."""
    names = ["train", *subject.held_out]
    return [(name, other) for place, name in enumerate(names) for other in names[:place]]


def _alike(subject: Subject, pairs: list[Pair]) -> np.ndarray:
    """float32 (n,): the correlations of the thumbnails of n pairs, in their order."""
    values = np.zeros(len(pairs), np.float32)
    splits = subject.data.splits
    for name, other in _in_turns(subject):
        places = [i for i, x in enumerate(pairs) if (x.split, x.twin_split) == (name, other)]
        values[places] = correlations(
            splits[name].take([pairs[place].row for place in places]),
            splits[other].take([pairs[place].twin_row for place in places]),
        )
    return values


def pairs_of(keys: Mapping[str, Sequence[Hashable | None]]) -> list[Pair]:
    """The items whose key is that of an item of an earlier split.

    Args:
        keys: a key for each item of each split, train first; `None` for what is the same as
            nothing else.
    """
    first: dict[Hashable, tuple[str, int]] = {}
    pairs = []
    for name, found in keys.items():
        earlier = dict(first)
        for row, key in enumerate(found):
            if key is None:
                continue
            if key in earlier:
                pairs.append(Pair(name, row, *earlier[key]))
            first.setdefault(key, (name, row))
    return pairs


def _keys_of(subject: Subject, text_key: Callable[[str], str]) -> dict[str, list[Hashable | None]]:
    splits = {"train": subject.train, **subject.held_out}
    if isinstance(subject.train, TextSplit):
        return {name: _text_keys(split, text_key) for name, split in splits.items()}
    if all(split.in_files for split in splits.values()):
        return _file_keys(splits)
    if any(split.in_files for split in splits.values()):
        raise NotChecked("some images are files, others are arrays")
    return {name: [_digest(image) for image in split.images] for name, split in splits.items()}


def _text_keys(split: TextSplit, key: Callable[[str], str]) -> list[tuple[str, ...] | None]:
    columns = [split.texts] if split.pairs is None else [split.texts, split.pairs]
    keys = (tuple(map(key, texts)) for texts in zip(*columns, strict=True))
    # A text of punctuation alone is the same as nothing.
    return [found if all(found) else None for found in keys]


def _same_text(text: str) -> str:
    return " ".join(text.casefold().split())


def _same_words(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def _file_keys(splits: dict[str, ImageSplit]) -> dict[str, list[Hashable | None]]:
    """Digests of files; of those alone with their size, `None`: they need not be read."""
    try:
        sizes = {name: [os.stat(p).st_size for p in split.images] for name, split in splits.items()}
        counts = Counter(size for found in sizes.values() for size in found)
        return {
            name: [
                sha256(Path(path)) if counts[size] > 1 else None
                for path, size in zip(split.images, sizes[name], strict=True)
            ]
            for name, split in splits.items()
        }
    except OSError as error:
        raise DataError(
            f"Cannot read {error.filename}: {error.strerror}. Restore or remove the file."
        ) from error


def _digest(pixels: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(pixels).data).digest()


def _finding(
    subject: Subject, name: str, pairs: list[Pair], how: str, action: str
) -> Finding | None:
    if not pairs:
        return None
    counts = Counter(pair.split for pair in pairs)
    parts = [
        f"{count:,} of {several(len(subject.data.splits[split]), f'{split} {subject.data.item}')}"
        for split, count in counts.items()
    ]
    shown = [
        f"{name_of(subject.data, p.split, p.row)} = "
        f"{name_of(subject.data, p.twin_split, p.twin_row)}"
        for p in sorted(pairs, key=lambda p: p.split != "test")
    ]
    where = " or ".join(x for x in subject.data.splits if x in {p.twin_split for p in pairs})
    verb = "is" if len(pairs) == 1 else "are"
    what = f"{' and '.join(parts)} {verb} {how.format(where)}: {listing(shown)}."
    return Finding(name, "warning", what, action)
