"""Prediction record of a split: the labels and logits from which all metrics are computed."""

import dataclasses
import io
from collections.abc import Mapping
from typing import Self

import numpy as np

from keras_tl.data.labelled_data import Split

_FIELDS = ("labels", "logits")


@dataclasses.dataclass(frozen=True, eq=False)
class PredictionRecord:
    """Prediction record: the true labels of a split and the model's logits, in the split's order.

    In the files of `to_files`, the logits are not divided by the temperature of a calibration.
    `scaled` divides the logits by the temperature. Functions expect a record that `scaled` has
    returned, unless their docstring says otherwise.

    Attributes:
        labels: Labels of n items, see `keras_tl.data.labelled_data.Split`.
        logits: Outputs of the head, float32 (n, outputs), see `keras_tl.tasks.Task.outputs`.
        fingerprint: Fingerprint of the items, see `Split.identity`. `None`: unknown.

    Example:
        >>> raw = learner.evaluate().raw
        >>> len(raw), raw.labels.shape, raw.logits.shape
        (8, (8,), (8, 1))
    """

    labels: np.ndarray
    logits: np.ndarray
    fingerprint: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """Return a record of the given rows, in the given order, without the fingerprint.

        Example:
            >>> len(learner.evaluate().raw.take(np.array([0, 2])))
            2
        """
        return type(self)(self.labels[rows], self.logits[rows])

    def are_of(self, split: Split) -> bool:
        """Return whether the record has the same fingerprint and labels as the split.

        Example:
            >>> raw = learner.evaluate().raw
            >>> raw.are_of(data.split("test")), raw.are_of(data.split("train"))
            (True, False)
        """
        return (
            self.fingerprint is not None
            and self.fingerprint == split.identity
            and np.array_equal(self.labels, split.labels)
        )

    def scaled(self, temperature: float) -> Self:
        """Return a copy of the record with the logits divided by a temperature.

        Example:
            >>> raw = learner.evaluate().raw
            >>> np.allclose(raw.scaled(2.0).logits, raw.logits / 2)
            True
        """
        if temperature == 1:
            return self
        return dataclasses.replace(self, logits=self.logits / np.float32(temperature))

    def to_files(self, split: str) -> dict[str, bytes]:
        """Return labels and logits as NumPy files, by file name. Equal arrays give equal bytes.

        Example:
            >>> sorted(learner.evaluate().raw.to_files("test"))
            ['test_labels.npy', 'test_logits.npy']
        """
        return {f"{split}_{field}.npy": _npy(getattr(self, field)) for field in _FIELDS}

    @classmethod
    def from_files(cls, split: str, files: Mapping[str, bytes], *, fingerprint: str | None) -> Self:
        """Build the prediction record of a split from the files of `to_files`.

        Example:
            >>> raw = learner.evaluate().raw
            >>> files = raw.to_files("test")
            >>> again = ktl.PredictionRecord.from_files("test", files, fingerprint=None)
            >>> np.array_equal(again.logits, raw.logits)
            True
        """
        read = (io.BytesIO(files[f"{split}_{field}.npy"]) for field in _FIELDS)
        labels, logits = (np.load(file, allow_pickle=False) for file in read)
        return cls(labels, logits, fingerprint)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
