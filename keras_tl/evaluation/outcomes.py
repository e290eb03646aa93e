"""What a model answered for every item of a split: all that is measured is made from it."""

import dataclasses
import io
from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np

_FIELDS = ("labels", "logits")


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """The true labels of a split and the model's answers, in the order of the split.

    Attributes:
        labels: see `keras_tl.data.labelled.Split`.
        logits: float32 array (n, outputs), see `keras_tl.tasks.Task.outputs`.
    """

    labels: np.ndarray
    logits: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def to_files(self, split: str) -> dict[str, bytes]:
        """The arrays as NumPy files, by their names; the same arrays give the same bytes."""
        return {_name(split, field): _npy(getattr(self, field)) for field in _FIELDS}

    @classmethod
    def from_files(cls, split: str, files: Mapping[str, bytes]) -> Self | None:
        """Reads what `to_files` gave; `None` where there is nothing of the split."""
        if not all(_name(split, field) in files for field in _FIELDS):
            return None
        read = (io.BytesIO(files[_name(split, field)]) for field in _FIELDS)
        return cls(*(np.load(file, allow_pickle=False) for file in read))


def read_outcomes(files: Mapping[str, bytes], splits: Iterable[str]) -> dict[str, Outcomes]:
    """The outcomes of those of the splits that the files hold."""
    found = {split: Outcomes.from_files(split, files) for split in splits}
    return {split: outcomes for split, outcomes in found.items() if outcomes is not None}


def _name(split: str, field: str) -> str:
    return f"{split}_{field}.npy"


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
