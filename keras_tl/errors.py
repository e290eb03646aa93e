"""One family of exceptions: every mistake a user can make raises one of these.

Each message says what was expected, what arrived, and what to do next. The command line
turns a `KerasTLError` into one line on standard error and exit status 2; anything else
is a defect of ours and exits with 1.
"""

import difflib
from collections.abc import Iterable


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
    near = difflib.get_close_matches(str(given).lower(), known, n=5, cutoff=0.6)
    if near:
        return f"Unknown {kind} {given!r}. Did you mean {' or '.join(map(repr, near))}?"
    return f"Unknown {kind} {given!r}. Expected one of: {', '.join(map(repr, known))}."
