"""Items that occur in more than one split (leakage): pairs, and their finding."""

import dataclasses
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType

from keras_tl.preflight.findings import Finding
from keras_tl.preflight.subject import Subject
from keras_tl.preflight.wording import listing, name_of, several

REMOVE = (
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


def part_of_split(subject: Subject, name: str, count: int, most: int | None = None) -> str:
    """`3 of 2,000 test images`, of the whole split or of `most` of it."""
    most = len(subject.data.splits[name]) if most is None else most
    return f"{count:,} of {several(most, f'{name} {subject.data.item}')}"


def duplicates_finding(
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
        part_of_split(subject, split, count, sampled.get(split)) for split, count in counts.items()
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
        what += f" Only {part_of_split(subject, split, count)} were compared."
    return Finding(name, "warning", what, action)
