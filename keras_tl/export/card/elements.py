"""The elements of a Markdown text."""

import re
from collections.abc import Iterable, Sequence

# Within a word _ and # stand for themselves. GitHub makes links of what looks like one.
_SPECIAL = re.compile(
    r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)#|:(?=//)|(?<=www)\.", re.IGNORECASE
)


def escaped(value: object) -> str:
    """A text of the user's as one line of Markdown that shows it as it is."""
    line = "".join(c if c.isprintable() else " " for c in str(value))
    return _SPECIAL.sub(r"\\\g<0>", " ".join(line.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: bool = False) -> str:
    """A table; what is in its cells is Markdown already.

    Args:
        head: the names of the columns.
        rows: their cells.
        numbers: whether all columns but the first are of numbers, which stand to the right.
    """
    lines = [head, ["---", *["---:" if numbers else "---"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
