"""Prediction record of a split: the labels and logits from which all metrics are computed."""

import dataclasses
import io
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from keras_tl.data.labelled_data import Split
from keras_tl.evaluation.grouping import Grouping, group_numbers

_FIELDS = ("labels", "logits")
_GROUPS = "groups"


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
        groups: Number of the group of each item, int32 (n,). Items of a group are dependent, so
            that intervals count whole groups. `None`: no groups.
        grouped_by: Name of the column with the groups. `None`: no groups, or groups without a
            column.

    Example:
        >>> raw = learner.evaluate().raw
        >>> len(raw), raw.labels.shape, raw.logits.shape
        (8, (8,), (8, 1))
    """

    labels: np.ndarray
    logits: np.ndarray
    fingerprint: str | None = None
    groups: np.ndarray | None = None
    grouped_by: str | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Self:
        """Return a record of the given rows, in the given order, without the fingerprint.

        Example:
            >>> len(learner.evaluate().raw.take(np.array([0, 2])))
            2
        """
        groups = None if self.groups is None else self.groups[rows]
        labels, logits = self.labels[rows], self.logits[rows]
        return type(self)(labels, logits, groups=groups, grouped_by=self.grouped_by)

    def in_groups(
        self, groups: Sequence[Any] | np.ndarray | None, by: Hashable | None = None
    ) -> Self:
        """Return a copy of the record with groups of dependent items.

        Args:
            groups: Group of each item, (n,). `None`: no groups.
            by: Name of the column with the groups.

        Example:
            >>> raw = learner.evaluate().raw
            >>> raw.in_groups(["Ann", "Bob"] * 4, "patient").groups.tolist()
            [0, 1, 0, 1, 0, 1, 0, 1]
        """
        if groups is None:
            return dataclasses.replace(self, groups=None, grouped_by=None)
        by = None if by is None else str(by)
        return dataclasses.replace(self, groups=group_numbers(groups), grouped_by=by)

    @property
    def grouping(self) -> Grouping | None:
        """Column and number of the groups, or `None` without groups.

        Example:
            >>> print(learner.evaluate().raw.grouping)
            None
        """
        return Grouping.of(self.groups, self.grouped_by)

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
        """Return labels, logits and groups as NumPy files, by file name.

        Equal arrays give equal bytes. The files have numbers of groups, and no names of groups.

        Example:
            >>> sorted(learner.evaluate().raw.to_files("test"))
            ['test_labels.npy', 'test_logits.npy']
        """
        fields = _FIELDS if self.groups is None else (*_FIELDS, _GROUPS)
        return {f"{split}_{field}.npy": _npy(getattr(self, field)) for field in fields}

    @classmethod
    def from_files(
        cls,
        split: str,
        files: Mapping[str, bytes],
        *,
        fingerprint: str | None,
        grouped_by: str | None = None,
    ) -> Self:
        """Build the prediction record of a split from the files of `to_files`.

        Example:
            >>> raw = learner.evaluate().raw
            >>> files = raw.to_files("test")
            >>> again = ktl.PredictionRecord.from_files("test", files, fingerprint=None)
            >>> np.array_equal(again.logits, raw.logits)
            True
        """
        labels, logits = (_array(files[f"{split}_{field}.npy"]) for field in _FIELDS)
        content = files.get(f"{split}_{_GROUPS}.npy")
        if content is None:
            return cls(labels, logits, fingerprint)
        return cls(labels, logits, fingerprint, _array(content), grouped_by)


def _array(content: bytes) -> np.ndarray:
    return np.load(io.BytesIO(content), allow_pickle=False)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
