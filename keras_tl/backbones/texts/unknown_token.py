"""Find the token that a tokenizer uses for unknown words, by tokenizing rare letters."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence

# Result for a tokenizer without unknown token, for example if every byte is a token.
NO_TOKEN = -1
# Letters of extinct scripts: Linear B, Old Italic, Ugaritic, cuneiform, Egyptian, Cypriot,
# Phoenician. In UTF-8, no two of these letters have the same last byte, and no two have the same
# byte before the last.
STRANGE = tuple("\U00010000\U00010301\U00010382\U00012043\U00013084\U00010805\U00010906")


def common_of(values: Sequence[Hashable]) -> Hashable | None:
    """Return the most frequent value, or `None` if every value occurs only once.

    `values` holds one entry for each rare letter: the letter's token, or features of the token. The
    vocabulary may contain a few rare letters, whose entries differ from the most frequent value.
    """
    value, count = Counter(values).most_common(1)[0]
    return value if count > 1 else None


def find_unknown_token(tokens_of: Callable[[list[str]], list[list[int]]]) -> int | None:
    """Return the number of the unknown token.

    Args:
        tokens_of: Function that returns the tokens of each text, without padding.

    Returns:
        The number of the unknown token, `NO_TOKEN` if different letters have different tokens, or
        `None` if a letter has no token, so that the number cannot be found.
    """
    empty, *found = tokens_of(["", *STRANGE])
    # The special tokens, which even an empty text has, surround the tokens of every text.
    same = [one == other for one, other in zip(empty, found[0], strict=False)]
    before = same.index(False) if False in same else len(same)
    after = len(empty) - before
    inner = [row[before : len(row) - after] for row in found]
    if not all(inner):
        return None
    # Use a letter's last token: in some tokenizers, the first token marks the beginning of a word.
    common = common_of([row[-1] for row in inner])
    return NO_TOKEN if common is None else common
