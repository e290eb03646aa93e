"""Find the token for everything outside the vocabulary, by tokenizing rare letters."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

# No token has this number: if every byte is a token, nothing is unknown.
NO_TOKEN = -1
# Letters of extinct scripts: Linear B, Old Italic, Ugaritic, cuneiform, Egyptian, Cypriot,
# Phoenician. All differ in the last byte of their UTF-8, and in the byte before it.
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
    """Return the answer that two rare letters share, because a vocabulary may hold a few."""
    answer, count = Counter(answers).most_common(1)[0]
    return answer if count > 1 else None


def find_unknown_token(tokens_of: Callable[[list[str]], list[list[int]]]) -> int | None:
    """Return the number of the unknown token.

    Args:
        tokens_of: Function that returns the tokens of each text, without padding.

    Returns:
        The number. `NO_TOKEN`: different letters have different tokens. `None`: a letter has no
        token, so the number cannot be found.
    """
    empty, *found = tokens_of(["", *STRANGE])
    # Every text has the special tokens of an empty text around its own tokens.
    same = [one == other for one, other in zip(empty, found[0], strict=False)]
    before = same.index(False) if False in same else len(same)
    after = len(empty) - before
    inner = [row[before : len(row) - after] for row in found]
    if not all(inner):
        return None
    # The last token: a mark of the word's beginning may precede it.
    common = common_of([row[-1] for row in inner])
    return NO_TOKEN if common is None else common
