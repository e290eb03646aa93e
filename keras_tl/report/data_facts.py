"""Facts that a run records about its data."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.labelled_data import PLACES

# Names of the options for images and texts. A run records the values of these options.
_OPTIONS = ("resize", "value_range", "sequence_length")


@dataclasses.dataclass(frozen=True)
class SplitFacts:
    """Facts about a split: number of items, SHA-256 fingerprint, number of items of each class."""

    items: int
    fingerprint: str | None = None
    classes: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class DataFacts:
    """Facts about the data, without local paths.

    Attributes:
        kind: Kind of the data source, such as `"folder"`, or `None` for data in memory.
        settings: Settings of the data source and of the division into splits, by setting name.
        options: Values of the options for images or texts, by option name.
        fingerprint_of: Basis of the splits' fingerprints: `"files"` (path, size, time of each file)
            or `"content"`.
        splits: Facts about each split, by name of the split.
        checked: Number of checked items (`items`) and number of unusable items (`left_out`), or
            `None` if the items were not checked.
        unused_files: Files in the source that were not used as items.
    """

    kind: str | None
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    fingerprint_of: str
    splits: Mapping[str, SplitFacts]
    checked: Mapping[str, int] | None = None
    unused_files: UnusedFiles | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Create the facts from the result of `LabelledData.describe`."""
        source = data["source_settings"]
        settings, private = {**source, **data["split_settings"]}, {"kind", *PLACES}
        unused = data["unused_files"]
        return cls(
            kind=source.get("kind"),
            settings={k: v for k, v in settings.items() if v is not None and k not in private},
            options={name: data[name] for name in _OPTIONS if data.get(name) is not None},
            fingerprint_of=data["fingerprint_of"],
            splits={name: SplitFacts(**split) for name, split in data["splits"].items()},
            checked=data["checked"],
            unused_files=unused and UnusedFiles(**unused),
        )
