"""The exceptions of keras_tl: each error that a user can correct is a `KerasTLError`.

Each error message states the expected value, the received value, and the next step. The command
line prints a `KerasTLError` as one line on standard error and exits with status 2. Any other
exception is a defect of keras_tl and exits with status 1.
"""

import difflib
import re
import reprlib
from collections.abc import Iterable

__all__ = [
    "BackboneError",
    "CacheError",
    "ConfigError",
    "DataError",
    "ExportError",
    "KerasTLError",
    "RunError",
    "ServingError",
    "WeightsError",
]

# Maximum number of characters that an error message quotes from a value.
MOST_QUOTED = 200
_MOST_LISTED = 30

_LINE_END = re.compile(r"\s*\n\s*")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = MOST_QUOTED
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxset = _MOST_LISTED


class KerasTLError(ValueError):
    """Base class of all errors that the user can correct.

    Example:
        >>> try:
        ...     ktl.HeadConfig(dropout=2)
        ... except ktl.KerasTLError as error:
        ...     print(error)
        dropout must be a number from 0 to 0.99. Received: 2.
    """


class ConfigError(KerasTLError):
    """An argument or a configuration value is invalid.

    Example:
        >>> data.split("holdout")
        Traceback (most recent call last):
            ...
        keras_tl.errors.ConfigError: Unknown split 'holdout'. ...
    """


class DataError(KerasTLError):
    """The data cannot be used: they are missing, empty, unreadable or inconsistent.

    Example:
        >>> ktl.ImageData.from_folder("nowhere/")
        Traceback (most recent call last):
            ...
        keras_tl.errors.DataError: Expected a folder ... 'nowhere' does not exist.
    """


class BackboneError(KerasTLError):
    """The backbone is unknown, or cannot be built with the given arguments.

    Example:
        >>> ktl.backbones.get_spec("resnet51")
        Traceback (most recent call last):
            ...
        keras_tl.errors.BackboneError: Unknown backbone 'resnet51'. Did you mean ...
    """


class WeightsError(KerasTLError):
    """The weights are missing, cannot be downloaded, or do not fit the network.

    Example:
        >>> ktl.ulmfit.load_fastai("wt103-bwd.tgz")
        Traceback (most recent call last):
            ...
        keras_tl.errors.WeightsError: Cannot read 'wt103-bwd.tgz' ...
    """


class CacheError(KerasTLError):
    """The features cannot be stored in the requested folder.

    Example:
        >>> cache = ktl.CacheConfig(where="disk", folder="photos.csv")
        >>> new.features(data.split("test"), cache=cache)
        Traceback (most recent call last):
            ...
        keras_tl.errors.CacheError: Cannot write the feature cache in photos.csv/features: ...
    """


class RunError(KerasTLError):
    """The saved run is missing, incomplete or damaged.

    Example:
        >>> ktl.Learner.load("runs/nowhere")
        Traceback (most recent call last):
            ...
        keras_tl.errors.RunError: No run at 'runs/nowhere'. ...
    """


class ExportError(KerasTLError):
    """The export fails, is missing or damaged, or its outputs differ from the model's outputs.

    Example:
        >>> issubclass(ktl.errors.ExportError, ktl.KerasTLError)
        True
    """


class ServingError(KerasTLError):
    """The model server does not answer as expected, or lacks the requested model or signature.

    Example:
        >>> ktl.serving.Client("http://127.0.0.1:1", "photos", retries=0).status()
        Traceback (most recent call last):
            ...
        keras_tl.errors.ServingError: ...
    """


def quoted(value: object) -> str:
    """Return the `repr` of a value for a message: one line, at most 200 characters.

    Example:
        >>> print(ktl.errors.quoted("resnet51"))
        'resnet51'
    """
    text = _LINE_END.sub(" ", _SHORT.repr(value))
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 3]}..."


def listed(values: Iterable[object]) -> str:
    """Join values to a text of about 200 characters for a message: quoted, with commas.

    If some values do not fit, the text ends with the number of omitted values.

    Example:
        >>> print(ktl.errors.listed(["blue", "red"]))
        'blue', 'red'
    """
    texts = list(map(quoted, values))
    room, shown = MOST_QUOTED, 0
    while shown < len(texts) and (not shown or room >= len(texts[shown])):
        room -= len(texts[shown]) + len(", ")
        shown += 1
    more = f" and {len(texts) - shown:,} more" if shown < len(texts) else ""
    return ", ".join(texts[:shown]) + more


def unknown(kind: str, given: object, known: Iterable[str]) -> str:
    """Return a message about an unknown name, with similar names or else all accepted names.

    Args:
        kind: Kind of thing that the name stands for, such as `"backbone"`.
        given: The unknown name, as the user wrote it.
        known: The accepted names.

    Example:
        >>> print(ktl.errors.unknown("pooling", "maxi", ["avg", "max"]))
        Unknown pooling 'maxi'. Did you mean 'max'?
    """
    known = list(known)
    near = difflib.get_close_matches(str(given)[:MOST_QUOTED].lower(), known, n=5, cutoff=0.6)
    if near:
        return f"Unknown {kind} {quoted(given)}. Did you mean {' or '.join(map(quoted, near))}?"
    return f"Unknown {kind} {quoted(given)}. Expected one of: {', '.join(map(quoted, known))}."
