"""Text lengths in words."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from keras_tl.base.config import JsonConfig
from keras_tl.data.texts.text_split import TextSplit

_COLUMNS = {"median": "median", "p90": "90%", "p95": "95%", "p99": "99%", "longest": "longest"}


@dataclasses.dataclass(frozen=True)
class Lengths(JsonConfig):
    """Word counts of the texts of a split, both texts of a pair taken together.

    White space separates words. Chinese, Japanese and Thai texts have more words than that. A
    tokenizer makes more tokens than there are words.

    Attributes:
        median: Half of the texts have at most this many words.
        p90: 90% of the texts have at most this many words.
        p95: 95% of the texts have at most this many words.
        p99: 99% of the texts have at most this many words.
        longest: Words of the longest text.
    """

    median: int
    p90: int
    p95: int
    p99: int
    longest: int


def word_lengths(split: TextSplit) -> Lengths:
    """Count the words of a split with at least one text."""
    words = np.array([len(text.split()) for text in split.texts])
    if split.pairs is not None:
        words += [len(text.split()) for text in split.pairs]
    found = np.percentile(words, [50, 90, 95, 99, 100], method="inverted_cdf")
    return Lengths(*map(int, found))


def lengths_table(lengths: Mapping[str, Lengths]) -> str:
    """Return a table for people, one line per split."""
    width = max(map(len, ["words", *lengths]))
    rows = [f"{'words':<{width}}" + "".join(f"{title:>9}" for title in _COLUMNS.values())]
    for name, found in lengths.items():
        rows.append(f"{name:<{width}}" + "".join(f"{getattr(found, c):9,}" for c in _COLUMNS))
    return "\n".join(rows)
