"""Which token stands for what a vocabulary has not, found by asking."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

# The number of no token: where every byte is a token, nothing is unknown.
NO_TOKEN = -1
# Letters of scripts that nobody writes any more: Linear B, Old Italic, Ugaritic, cuneiform,
# Egyptian, Cypriot, Phoenician. No two share the last byte of their UTF-8, nor the one before it.
STRANGE = (
    "\U00010000",
    "\U00010301",
    "\U00010382",
    "\U00012043",
    "\U00013084",
    "\U00010805",
    "\U00010906",
)


def common_of(answers: Sequence[Hashable]) -> Hashable | None:
    """The answer to at least two of the strange letters: a vocabulary may hold a few of them."""
    answer, count = Counter(answers).most_common(1)[0]
    return answer if count > 1 else None


def find_unknown_token(tokens_of: Callable[[list[str]], list[list[int]]]) -> int | None:
    """Return the number of the unknown token.

    Args:
        tokens_of: the tokens of each text, without padding.

    Returns:
        `NO_TOKEN` where different letters have different tokens; `None` where a letter has none
        at all, so that it cannot be told.
    """
    empty, *found = tokens_of(["", *STRANGE])
    # The special tokens of an empty text stand around those of any text.
    same = [one == other for one, other in zip(empty, found[0], strict=False)]
    before = same.index(False) if False in same else len(same)
    after = len(empty) - before
    inner = [row[before : len(row) - after] for row in found]
    if not all(inner):
        return None
    # The last one: a mark of the word's beginning may stand before it.
    common = common_of([row[-1] for row in inner])
    return NO_TOKEN if common is None else common
