"""What a prediction is, wherever it was made: in this process or by a server."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Prediction:
    """The answer for one item.

    Attributes:
        label: the most probable class's name.
        probability: its probability, in [0, 1].
        source: the path that was asked about, or `None`.
    """

    label: str
    probability: float
    source: str | None = None


@dataclasses.dataclass(frozen=True)
class Predictions:
    """The answers for a batch, in the order asked; iterates over `Prediction`s.

    Attributes:
        probabilities: float32 array (n, classes), each row summing to 1.
        class_names: the classes' names, in the order of the columns.
        sources: the n paths that were asked about, or `None` for bytes and arrays.
    """

    probabilities: np.ndarray
    class_names: tuple[str, ...]
    sources: tuple[str, ...] | None = None

    @property
    def class_ids(self) -> np.ndarray:
        """int64 array (n,): the most probable class of each item."""
        return self.probabilities.argmax(axis=1)

    @property
    def labels(self) -> list[str]:
        """The most probable class's name for each item."""
        return [self.class_names[i] for i in self.class_ids]

    def __len__(self) -> int:
        return len(self.probabilities)

    def __getitem__(self, index: int) -> Prediction:
        row = self.probabilities[index]
        best = int(row.argmax())
        source = self.sources[index] if self.sources else None
        return Prediction(self.class_names[best], float(row[best]), source)

    def __iter__(self) -> Iterator[Prediction]:
        return (self[i] for i in range(len(self)))

    def to_json(self) -> list[dict[str, Any]]:
        """One JSON object an item: its source, label, and probability of every class."""
        return [
            {
                "source": item.source,
                "label": item.label,
                "probabilities": dict(zip(self.class_names, map(float, row), strict=True)),
            }
            for item, row in zip(self, self.probabilities, strict=True)
        ]
