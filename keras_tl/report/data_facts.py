"""The data that a model was trained on, as far as a run records them."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from keras_tl.data.folders.unused_files import UnusedFiles
from keras_tl.data.labelled_data import PLACES

# What a run records of the options of images and of texts.
_OPTIONS = ("resize", "value_range", "sequence_length")


@dataclasses.dataclass(frozen=True)
class SplitFacts:
    """A split: number of items, SHA-256 of their identity, number of items of each class."""

    items: int
    fingerprint: str | None = None
    classes: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class DataFacts:
    """The data, without the folders of the machine.

    Attributes:
        kind: of the source, such as `"folder"`; `None`: it was in memory.
        settings: how the source was read and split.
        options: of images or texts.
        fingerprint_of: what identifies the items: `"files"` or `"content"`.
        splits: by name.
        checked: the numbers of items that were checked and `left_out`; `None`: none were.
        unused_files: files that were passed over.
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
        """Read the result of `keras_tl.data.labelled_data.LabelledData.describe`."""
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
