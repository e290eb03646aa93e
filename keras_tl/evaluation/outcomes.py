"""What a model answered for every item of a split: all that is measured is made from it."""

import dataclasses
import io
from collections.abc import Mapping
from typing import Self

import numpy as np

from keras_tl.data.labelled_data import Split

_FIELDS = ("labels", "logits")


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """The true labels of a split and the model's answers, in the order of the split.

    Attributes:
        labels: see `keras_tl.data.labelled_data.Split`.
        logits: float32 array (n, outputs), see `keras_tl.tasks.Task.outputs`. Those that are kept
            are the model's own; `scaled` divides them by the temperature of a calibration.
        fingerprint: of the items, see `Split.identity`; `None` where it is not known.
    """

    labels: np.ndarray
    logits: np.ndarray
    fingerprint: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """The same with only these rows, in this order."""
        return Outcomes(self.labels[rows], self.logits[rows])

    def are_of(self, split: Split) -> bool:
        """Whether these are known to be the items of a split, with the same labels."""
        return (
            self.fingerprint is not None
            and self.fingerprint == split.identity
            and np.array_equal(self.labels, split.labels)
        )

    def scaled(self, temperature: float) -> Self:
        """The outcomes of the same model with its logits divided by a temperature."""
        if temperature == 1:
            return self
        return dataclasses.replace(self, logits=self.logits / np.float32(temperature))

    def to_files(self, split: str) -> dict[str, bytes]:
        """The arrays as NumPy files, by their names; the same arrays give the same bytes."""
        return {_name(split, field): _npy(getattr(self, field)) for field in _FIELDS}

    @classmethod
    def from_files(cls, split: str, files: Mapping[str, bytes], fingerprint: str | None) -> Self:
        """Read the files of `to_files` for a split."""
        read = (io.BytesIO(files[_name(split, field)]) for field in _FIELDS)
        return cls(*(np.load(file, allow_pickle=False) for file in read), fingerprint)


def _name(split: str, field: str) -> str:
    return f"{split}_{field}.npy"


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
