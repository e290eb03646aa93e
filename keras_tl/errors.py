"""One family of exceptions: every mistake a user can make raises one of these.

Each message says what was expected, what arrived, and what to do next. The command line
turns a `KerasTLError` into one line on standard error and exit status 2; anything else
is a defect of ours and exits with 1.
"""

import difflib
import re
import reprlib
from collections.abc import Iterable

# How many characters of a value a message quotes at most.
MOST_QUOTED = 200
_MOST_LISTED = 30

_LINE_END = re.compile(r"\s*\n\s*")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = MOST_QUOTED
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = _MOST_LISTED


class KerasTLError(ValueError):
    """Base class of every error that the user can put right."""


class ConfigError(KerasTLError):
    """An argument or a configuration value is not one of those accepted."""


class DataError(KerasTLError):
    """The data cannot be used as they are: missing, empty, unreadable or inconsistent."""


class BackboneError(KerasTLError):
    """A backbone is unknown, or cannot be built as asked."""


class WeightsError(KerasTLError):
    """Weights are missing, could not be downloaded, or do not fit the network."""


class CacheError(KerasTLError):
    """Features cannot be cached where asked."""


class RunError(KerasTLError):
    """A saved run is missing, incomplete or damaged."""


class ExportError(KerasTLError):
    """An export is missing or damaged, or its answers differ from the model's."""


class ServingError(KerasTLError):
    """A server does not answer, or not as asked: it is away, or has no such model or signature."""


def quoted(value: object) -> str:
    """Return a value as messages quote it: its `repr` in one line, at most 200 characters."""
    text = _LINE_END.sub(" ", _SHORT.repr(value))
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 3]}..."


def listed(values: Iterable[object]) -> str:
    """Return values as messages list them: quoted, with commas, at most 200 characters or so.

    The values that find no room are counted.
    """
    texts = list(map(quoted, values))
    room, shown = MOST_QUOTED, 0
    while shown < len(texts) and (not shown or room >= len(texts[shown])):
        room -= len(texts[shown]) + len(", ")
        shown += 1
    more = f" and {len(texts) - shown:,} more" if shown < len(texts) else ""
    return ", ".join(texts[:shown]) + more


def unknown(kind: str, given: object, known: Iterable[str]) -> str:
    """Says that a name is unknown: near names first, else all the known ones.

    Args:
        kind: what the name stands for, such as `"backbone"`.
        given: the name that arrived.
        known: the accepted names.

    Returns:
        One sentence for an error message.
    """
    known = list(known)
    near = difflib.get_close_matches(str(given)[:MOST_QUOTED].lower(), known, n=5, cutoff=0.6)
    if near:
        return f"Unknown {kind} {quoted(given)}. Did you mean {' or '.join(map(quoted, near))}?"
    return f"Unknown {kind} {quoted(given)}. Expected one of: {', '.join(map(quoted, known))}."
