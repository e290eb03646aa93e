"""What a model answered for every item of a split: all that is measured is made from it."""

import dataclasses
import io
from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np
from scipy.special import expit, logit, softmax

_FIELDS = ("labels", "logits")


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """The true labels of a split and the model's answers, in the order of the split.

    Attributes:
        labels: see `keras_tl.data.labelled.Split`.
        logits: float32 array (n, outputs), see `keras_tl.tasks.Task.outputs`. Those that are kept
            are the model's own; `scaled` divides them by the temperature of a calibration.
    """

    labels: np.ndarray
    logits: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """The same with only these rows, in this order."""
        return dataclasses.replace(self, labels=self.labels[rows], logits=self.logits[rows])

    def scaled(self, temperature: float) -> Self:
        """The outcomes of the same model with its logits divided by a temperature."""
        if temperature == 1:
            return self
        return dataclasses.replace(self, logits=self.logits / np.float32(temperature))

    def probabilities(self, task: str) -> np.ndarray:
        """float64 (n, classes) or (n, labels); of a binary task (n, 1), of the second class.

        Args:
            task: one of `keras_tl.config.TASKS`, not a regression.
        """
        logits = self.logits.astype(np.float64)
        return softmax(logits, axis=1) if task == "multiclass" else expit(logits)

    def decisions(self, task: str, thresholds: tuple[float, ...] = ()) -> np.ndarray:
        """What is answered for each item, in the form of `labels`.

        Args:
            task: one of `keras_tl.config.TASKS`.
            thresholds: of a binary task one, for class 1; of a multi-label one one a label: a
                probability above it is answered with yes. None: 0.5.
        """
        if task == "multiclass":
            return self.logits.argmax(axis=1)
        if task == "regression":
            return self.logits[:, 0]
        chosen = (self.logits > logit(np.array(thresholds or (0.5,)))).astype(int)
        return chosen[:, 0] if task == "binary" else chosen

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
