"""Sources named on a command line, such as `csv:photos.csv`."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from keras_tl.data.images import ImageData
from keras_tl.errors import ConfigError, unknown

# What each option is called on the command line.
_FLAGS = {
    "image": "--image-column",
    "label": "--label-column",
    "split": "--split-column",
    "separator": "--label-separator",
    "task": "--task",
    "data_dir": "--data-dir",
    "download": "--no-download",
}


@dataclasses.dataclass(frozen=True)
class Source:
    """A kind of source.

    Attributes:
        needs: what follows the colon, `None` for nothing.
        load: the constructor, called with it and with the options.
        takes: the options that it takes and not all sources do.
    """

    needs: str | None
    load: Callable[..., ImageData]
    takes: frozenset[str] = frozenset()


SOURCES = {
    "folder": Source("PATH", ImageData.from_folder),
    "csv": Source(
        "PATH", ImageData.from_csv, frozenset({"image", "label", "split", "separator", "task"})
    ),
    "tfds": Source(
        "NAME", ImageData.from_tfds, frozenset({"image", "label", "data_dir", "download"})
    ),
    "digits": Source(None, ImageData.digits),
}


def _form(kind: str) -> str:
    """How a source of a kind is written."""
    needs = SOURCES[kind].needs
    return f"{kind}:{needs}" if needs else kind


def load_spec(spec: str, recorded: Mapping[str, Any] | None = None, **options: Any) -> ImageData:
    """Makes the data that a specification names.

    Args:
        spec: `folder:PATH`, `csv:PATH`, `tfds:NAME` or `digits`.
        recorded: the `source_settings` of data made before, to read a source of the same kind
            in the same way; options count before them.
        options: what the source takes, and those of `keras_tl.data.options.DataOptions`.

    Raises:
        ConfigError: there is no such kind, or it does not take an option.
        DataError: the data cannot be used.
    """
    kind, _, place = spec.partition(":")
    if kind not in SOURCES:
        forms = ", ".join(map(_form, SOURCES))
        raise ConfigError(f"{unknown('data source', kind, SOURCES)} A SPEC is {forms}.")
    source = SOURCES[kind]
    if bool(place) != (source.needs is not None):
        raise ConfigError(f"Expected the data as {_form(kind)}. Received: {spec!r}.")
    for option in options:
        if option in _FLAGS and option not in source.takes:
            takers = [_form(k) for k, other in SOURCES.items() if option in other.takes]
            raise ConfigError(
                f"{option}= ({_FLAGS[option]}) is for {' and '.join(takers)}, not for "
                f"{_form(kind)}. Leave it out."
            )
    settings = dict(recorded or {})
    if settings.pop("kind", None) == kind:
        options = settings | options
    return source.load(*([place] if place else []), **options)
