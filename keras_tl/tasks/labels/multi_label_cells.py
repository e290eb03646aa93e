"""Split table cells that hold several labels, such as `a;b`."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from keras_tl.base.guesses import Guess
from keras_tl.tasks.labels.plain_labels import is_missing, is_several

SEPARATORS = (";", "|")


def separated(
    cells: Sequence[Any],
    class_names: Sequence[str] | None = None,
    task: str | None = None,
    separator: str | None = None,
) -> tuple[list[list[str]] | None, tuple[Guess, ...]]:
    """Return the labels of each cell, and the guess about the separator if there was a guess.

    The labels are `None` if each cell is one label. If `separator` is `None`, and `task` is `None`
    or `"multilabel"`, `separator_of` looks for a separator in the cells.
    """
    guess = None
    if separator is None and task in (None, "multilabel"):
        separator, guess = separator_of(cells, class_names)
    guesses = (guess,) if guess and task is None else ()
    if separator is None and task != "multilabel":
        return None, guesses
    return [parts_of(cell, separator) for cell in cells], guesses


def separator_of(
    cells: Sequence[Any], class_names: Sequence[str] | None = None
) -> tuple[str | None, Guess | None]:
    """Return the separator of labels in the cells, and a `Guess` if a cell has `;` or `|`.

    A character is a separator if at least half of the parts that it separates also occur in another
    cell. A character is also a separator if all cells are equal. With `class_names`, a character is
    a separator only if all parts are class names. The separator is `None` if each cell is one class
    name.
    """
    different = {cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()}
    held = {s: sorted(cell for cell in different if s in cell) for s in SEPARATORS}
    held = {s: found for s, found in held.items() if found}
    if not held or (class_names is not None and different <= {*class_names}):
        return None, None
    for separator in sorted(held, key=lambda s: -len(held[s])):
        if _separates(separator, different, held[separator], class_names):
            count = sum(isinstance(cell, str) and separator in cell for cell in cells)
            what = (
                f"{count:,} of {len(cells):,} cells, such as {held[separator][0][:80]!r}, hold "
                "several labels. The data were read as multi-label: several labels per item."
            )
            action = (
                f"The separator is {separator!r}. If such a cell is the name of one class, pass "
                'task="multiclass" (--task).'
            )
            return separator, Guess("label-type", what, action)
    separator, found = next(iter(held.items()))
    what = (
        f"{found[0][:80]!r} was read as the name of one class. Most of the parts that "
        f"{separator!r} separates occur in no other cell."
    )
    action = 'If an item can have several labels, pass task="multilabel" (--task).'
    return None, Guess("label-type", what, action)


def parts_of(cell: Any, separator: str | None = None) -> list[str]:
    """Return the list of labels in a cell. `separator=None`: split the cell at `;` and `|`."""
    if is_missing(cell):
        return []
    if is_several(cell):
        return [*cell]
    pattern = re.escape(separator) if separator else f"[{re.escape(''.join(SEPARATORS))}]"
    return [part.strip() for part in re.split(pattern, str(cell)) if part.strip()]


def _separates(
    separator: str, different: set[str], held: list[str], class_names: Sequence[str] | None
) -> bool:
    if class_names is not None:
        return {part for cell in different for part in parts_of(cell, separator)} <= {*class_names}
    found_in = Counter(part for cell in different for part in {*parts_of(cell, separator)})
    parts = {part for cell in held for part in parts_of(cell, separator)}
    shared = sum(found_in[part] > 1 for part in parts)
    return bool(parts) and (2 * shared >= len(parts) or len(different) == 1)
