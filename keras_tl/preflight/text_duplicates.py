"""Find leakage between splits of texts: equal texts, and texts with equal words."""

from collections.abc import Callable

from keras_tl.data.texts.text_split import TextSplit
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Finding
from keras_tl.preflight.leakage import REMOVE, Pair, duplicates_finding, pairs_of


def duplicate_texts(context: CheckContext) -> Finding | None:
    """Find texts in different splits that are equal except for case and white space."""
    pairs = text_pairs(context, plain)
    return duplicates_finding(context, "exact-duplicates", pairs, "also in {}", REMOVE)


def equal_words(context: CheckContext) -> Finding | None:
    """Find texts in different splits that differ only in punctuation."""
    known = {pair.item for pair in text_pairs(context, plain)}
    pairs = [pair for pair in text_pairs(context, words) if pair.item not in known]
    how, action = "also in {} with other punctuation", f"Look at these pairs. {REMOVE}"
    return duplicates_finding(context, "near-duplicates", pairs, how, action)


def text_pairs(context: CheckContext, key: Callable[[str], str]) -> list[Pair]:
    """Return the texts whose `key(text)` equals the `key(text)` of a text in an earlier split."""
    splits = {"train": context.train, **context.held_out}
    return pairs_of({name: _keys(split, key) for name, split in splits.items()})


def _keys(split: TextSplit, key: Callable[[str], str]) -> list[tuple[str, ...] | None]:
    columns = [split.texts] if split.pairs is None else [split.texts, split.pairs]
    keys = (tuple(map(key, texts)) for texts in zip(*columns, strict=True))
    # A text that has only punctuation has no words. Such a text gets no key and matches no text.
    return [found if all(found) else None for found in keys]


def plain(text: str) -> str:
    """Return the text in lower case, with single spaces."""
    return " ".join(text.casefold().split())


def words(text: str) -> str:
    """Return the words of the text in lower case, without punctuation."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
