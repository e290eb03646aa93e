"""Statistics of text lengths, in words."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from keras_tl.base.config import JsonConfig
from keras_tl.data.texts.text_split import TextSplit

_COLUMNS = {"median": "median", "p90": "90%", "p95": "95%", "p99": "99%", "longest": "longest"}


@dataclasses.dataclass(frozen=True)
class Lengths(JsonConfig):
    """Statistics of the word counts in a split. The word count of a pair is the sum for both texts.

    White space separates words, so the counts are too low for Chinese, Japanese and Thai texts. A
    tokenizer makes more tokens than there are words.

    Attributes:
        median: Half of the texts have at most this many words.
        p90: 90% of the texts have at most this many words.
        p95: 95% of the texts have at most this many words.
        p99: 99% of the texts have at most this many words.
        longest: Number of words of the longest text.
    """

    median: int
    p90: int
    p95: int
    p99: int
    longest: int


def word_lengths(split: TextSplit) -> Lengths:
    """Return statistics of the word counts in a split that has at least one text."""
    words = np.array([len(text.split()) for text in split.texts])
    if split.pairs is not None:
        words += [len(text.split()) for text in split.pairs]
    found = np.percentile(words, [50, 90, 95, 99, 100], method="inverted_cdf")
    return Lengths(*map(int, found))


def lengths_table(lengths: Mapping[str, Lengths]) -> str:
    """Return the word counts as a text table with one line per split."""
    width = max(map(len, ["words", *lengths]))
    rows = [f"{'words':<{width}}" + "".join(f"{title:>9}" for title in _COLUMNS.values())]
    for name, found in lengths.items():
        rows.append(f"{name:<{width}}" + "".join(f"{getattr(found, c):9,}" for c in _COLUMNS))
    return "\n".join(rows)
