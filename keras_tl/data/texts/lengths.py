"""How long texts are."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from keras_tl.base.config import JsonConfig
from keras_tl.data.texts.text_split import TextSplit

_COLUMNS = {"median": "median", "p90": "90%", "p95": "95%", "p99": "99%", "longest": "longest"}


@dataclasses.dataclass(frozen=True)
class Lengths(JsonConfig):
    """Words of the texts of a split, or of both texts of a pair together.

    Words are what white space separates; Chinese, Japanese and Thai texts have more of them. A
    tokenizer makes more tokens than there are words.

    Attributes:
        median: half of the texts have no more words than that.
        p90: 90% of the texts have no more.
        p95: 95%.
        p99: 99%.
        longest: the words of the longest text.
    """

    median: int
    p90: int
    p95: int
    p99: int
    longest: int


def word_lengths(split: TextSplit) -> Lengths:
    """Counts the words of a split that has at least one text."""
    words = np.array([len(text.split()) for text in split.texts])
    if split.pairs is not None:
        words += [len(text.split()) for text in split.pairs]
    found = np.percentile(words, [50, 90, 95, 99, 100], method="inverted_cdf")
    return Lengths(*map(int, found))


def lengths_table(lengths: Mapping[str, Lengths]) -> str:
    """A table for people, a line a split."""
    width = max(map(len, ["words", *lengths]))
    rows = [f"{'words':<{width}}" + "".join(f"{title:>9}" for title in _COLUMNS.values())]
    for name, found in lengths.items():
        rows.append(f"{name:<{width}}" + "".join(f"{getattr(found, c):9,}" for c in _COLUMNS))
    return "\n".join(rows)
