"""`MetricMapping`: an object that reads as a mapping of its metrics."""

from collections.abc import Iterator, Mapping
from typing import Any


class MetricMapping(Mapping[str, Any]):
    """Mapping from the names of metrics to their values.

    Attributes:
        metrics: Metrics by name as JSON types, see `keras_tl.evaluation.metrics.measure`.
    """

    metrics: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)
