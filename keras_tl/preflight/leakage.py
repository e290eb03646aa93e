"""Find pairs of equal items in different splits (leakage), and report them as a finding."""

import dataclasses
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType

from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.finding_text import listing, name_of, several
from keras_tl.preflight.findings import Finding

REMOVE = (
    "Remove one item of each pair from the data, or put both items into the same split: this "
    "leakage makes results look better than they are."
)


@dataclasses.dataclass(frozen=True)
class Pair:
    """An item that also occurs in an earlier split.

    Attributes:
        split: Split of the item: `"validation"` or `"test"`.
        row: Row of the item in `split`.
        twin_split: Split of the equal item: `"train"`, or for test items also `"validation"`.
        twin_row: Row of the equal item in `twin_split`.
    """

    split: str
    row: int
    twin_split: str
    twin_row: int

    @property
    def item(self) -> tuple[str, int]:
        """Name of the later split, and row of the item in this split."""
        return self.split, self.row


def pairs_of(keys: Mapping[str, Sequence[Hashable | None]]) -> list[Pair]:
    """Return the items whose key occurs in an earlier split.

    Args:
        keys: For each split, one key per item. The training split is first. Equal items have
            equal keys. An item with the key `None` matches no item.
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


def part_of_split(context: CheckContext, name: str, count: int, most: int | None = None) -> str:
    """Return text such as `3 of 2,000 test images`. `most`: 2,000, by default the split's size."""
    most = len(context.data.splits[name]) if most is None else most
    return f"{count:,} of {several(most, f'{name} {context.data.item}')}"


def duplicates_finding(
    context: CheckContext,
    name: str,
    pairs: list[Pair],
    how: str,
    action: str,
    sampled: Mapping[str, int] = MappingProxyType({}),
) -> Finding | None:
    """Return the finding about pairs of equal items, or `None` if there are no pairs.

    `how` is a phrase such as `also in {}`: names of earlier splits replace `{}`. If only a sample
    of a split was compared, `sampled` maps the name of the split to the number of compared items.
    """
    if not pairs:
        return None
    counts = Counter(pair.split for pair in pairs)
    parts = [part_of_split(context, split, n, sampled.get(split)) for split, n in counts.items()]
    shown = [
        f"{name_of(context.data, *p.item)} = {name_of(context.data, p.twin_split, p.twin_row)}"
        for p in sorted(pairs, key=lambda p: p.split != "test")
    ]
    where = " or ".join(x for x in context.data.splits if x in {p.twin_split for p in pairs})
    verb = "is" if len(pairs) == 1 else "are"
    what = f"{' and '.join(parts)} {verb} {how.format(where)}: {listing(shown)}."
    for split, count in sampled.items():
        what += f" Only {part_of_split(context, split, count)} were compared."
    return Finding(name, "warning", what, action)
