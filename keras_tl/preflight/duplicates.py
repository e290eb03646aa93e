"""Items that stand in a later split again: what is measured on them is memory."""

import contextlib
import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from keras_tl.base.files import sha256
from keras_tl.data.images.image_split import ImageSplit
from keras_tl.data.texts.text_split import TextSplit
from keras_tl.errors import DataError
from keras_tl.preflight.findings import Finding, NotChecked
from keras_tl.preflight.neighbours import nearest
from keras_tl.preflight.subject import Subject
from keras_tl.preflight.thumbnails import correlations
from keras_tl.preflight.wording import listing, name_of, several

# How these were chosen: docs/preflight.md.
SIMILAR = 0.4  # cosine of centred features: worth a second look
# Two thumbnails may be of the same picture if their correlation is so many times nearer to 1 than
# that of pictures that are not: it is then above 0.95, as no correlation is below -1.
CLOSER = 40
# Pairs of images whose features are compared for one split: seconds, whatever the size of the data.
# A sample stands for a split with more, of at least so many images.
MOST_COMPARED, FEWEST = 50_000_000, 200
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
        return _finding(
            subject,
            "near-duplicates",
            pairs,
            "in {} but for punctuation",
            f"Look at them. {_REMOVE}",
        )
    pairs = [pair for pair, _ in near_pairs(subject)]
    how = "in {} as another copy (encoded anew or resized)"
    counts = {name: len(rows) for name, rows in compared(subject).items()}
    sampled = {name: n for name, n in counts.items() if n < len(subject.held_out[name])}
    if sampled and not pairs:
        parts = " and ".join(_of_split(subject, name, count) for name, count in sampled.items())
        raise NotChecked(f"only {parts} were compared, and none of them is a copy")
    return _finding(subject, "near-duplicates", pairs, how, f"Look at them. {_REMOVE}", sampled)


def compared(subject: Subject) -> dict[str, np.ndarray]:
    """For each later split the rows that are compared with all images before it, always the same.

    All of them where that takes seconds, or else a sample.
    """
    before, rows = len(subject.train), {}
    for name, split in subject.held_out.items():
        most = max(FEWEST, MOST_COMPARED // before)
        rows[name] = np.sort(np.random.default_rng(0).permutation(len(split))[:most])
        before += len(split)
    return rows


def near_pairs(subject: Subject) -> list[tuple[Pair, float]]:
    """Each image of validation and test, as in `compared`, that is a copy of its nearest neighbour.

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
    asked = compared(subject)
    for name, other in _in_turns(subject):
        features = subject.features(name), subject.features(other)
        twins, cosines = nearest(*features, 2, asked[name])
        found += [
            (float(cosine), *(Pair(name, row, other, int(twin)) for twin in both))
            for row, both, cosine in zip(asked[name].tolist(), twins, cosines[:, 0], strict=True)
            if cosine >= SIMILAR and (name, row) not in known and len(both) == 2
        ]
    found.sort(key=lambda x: -x[0])
    found = found[:_MOST_PAIRS]
    others = [second for _, _, second in found[:: max(1, len(found) // _TYPICAL)]]
    if not others:
        return []
    first = [pair for _, pair, _ in found]
    values = _alike(subject, [*first, *others])
    typical = float(np.median(values[len(first) :]))
    least = 1 - (1 - typical) / CLOSER
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
        with subject.reading(name):
            values[places] = correlations(
                splits[name].take([pairs[place].row for place in places]),
                splits[other].take([pairs[place].twin_row for place in places]),
                getattr(subject.data, "value_range", None),
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
        return _file_keys(subject, splits)
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


def _file_keys(subject: Subject, splits: dict[str, ImageSplit]) -> dict[str, list[Hashable | None]]:
    """Digests of files; of those alone with their size, `None`: they need not be read."""
    sizes, keys = {}, {}
    for name, split in splits.items():
        with subject.reading(name), _naming_the_file():
            sizes[name] = [os.stat(path).st_size for path in split.images]
    counts = Counter(size for found in sizes.values() for size in found)
    for name, split in splits.items():
        with subject.reading(name), _naming_the_file():
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


def _of_split(subject: Subject, name: str, count: int, most: int | None = None) -> str:
    """`3 of 2,000 test images`, of the whole split or of `most` of it."""
    most = len(subject.data.splits[name]) if most is None else most
    return f"{count:,} of {several(most, f'{name} {subject.data.item}')}"


def _finding(
    subject: Subject,
    name: str,
    pairs: list[Pair],
    how: str,
    action: str,
    sampled: Mapping[str, int] = MappingProxyType({}),
) -> Finding | None:
    """What is said of the pairs.

    Args:
        subject: what was looked at.
        name: of the check.
        pairs: what it found.
        how: where they stand; `{}` for the earlier splits.
        action: what to do.
        sampled: of splits that were not looked at as a whole, how many items were.
    """
    if not pairs:
        return None
    counts = Counter(pair.split for pair in pairs)
    parts = [
        _of_split(subject, split, count, sampled.get(split)) for split, count in counts.items()
    ]
    shown = [
        f"{name_of(subject.data, p.split, p.row)} = "
        f"{name_of(subject.data, p.twin_split, p.twin_row)}"
        for p in sorted(pairs, key=lambda p: p.split != "test")
    ]
    where = " or ".join(x for x in subject.data.splits if x in {p.twin_split for p in pairs})
    verb = "is" if len(pairs) == 1 else "are"
    what = f"{' and '.join(parts)} {verb} {how.format(where)}: {listing(shown)}."
    for split, count in sampled.items():
        what += f" Only {_of_split(subject, split, count)} were compared."
    return Finding(name, "warning", what, action)
