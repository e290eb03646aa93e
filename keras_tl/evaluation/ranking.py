"""`Ranking`: backbones, ordered by the cross-validated metric of a head on frozen features."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from keras_tl.base.text_tables import paragraphs_html, table_html, table_text
from keras_tl.evaluation.grouping import Grouping
from keras_tl.evaluation.intervals import bootstrap_interval
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import number_text, title_of
from keras_tl.tasks import Task

_LOGME = "LogME (You et al., 2021, arXiv:2102.11005), nats per item"
# Probability that a normal variable lies within one standard deviation of its mean.
_ONE_STANDARD_ERROR = 0.683
# Repeated timings differ by up to 25%, so backbones within 25% of the fastest are equally fast.
_AS_FAST = 1.25


@dataclass(frozen=True)
class RankedBackbone:
    """Measurements of one backbone in a ranking.

    Attributes:
        name: Name of the backbone as the user wrote it, with options.
        metric: Primary metric of the task for a head on the backbone's features, from 5-fold
            cross-validation. `None`: there is an `error`, or the metric is undefined.
        interval: 95% confidence interval (low, high) of `metric`. If items have groups, the
            interval counts whole groups.
        score: LogME, see `keras_tl.evaluation.transferability.logme`. Higher is better.
        width: Number of features that the backbone computes for one item.
        parameters: Number of weights of the backbone.
        item_seconds: Time to compute the features of one item, in seconds. A prediction by a
            head on the features takes little longer.
        seconds: Wall time to load the backbone and to compute features, `metric` and `score`. If
            the features were in the cache, `seconds` is small.
        error: Reason why the backbone has no measurements. `None`: measurements exist.

    Example:
        >>> ranking.best.name, ranking.best.width
        ('efficientnet_lite0', 1280)
    """

    name: str
    metric: float | None = None
    interval: tuple[float, float] | None = None
    score: float | None = None
    width: int | None = None
    parameters: int | None = None
    item_seconds: float | None = None
    seconds: float = 0.0
    error: str | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """Cells of the backbone's table row: name, metric, LogME, width, weights and two times.

        Example:
            >>> ranking.best.cells[:4]
            ('efficientnet_lite0', '0.9 [0.850, 0.950]', '0.1200', '1,280')
        """
        if self.error is not None:
            return (self.name, *["-"] * 6)
        known = "" if self.interval is None else " [{:.3f}, {:.3f}]".format(*self.interval)
        return (
            self.name,
            number_text(self.metric) + known,
            f"{self.score:.4f}",
            f"{self.width:,}",
            f"{self.parameters:,}",
            f"{1000 * (self.item_seconds or 0.0):.1f}",
            f"{self.seconds:.1f}",
        )


@dataclass(frozen=True)
class Ranking:
    """Ranking of backbones by their metric, the best first.

    Attributes:
        rows: Measurements of each backbone. Backbones without a metric come last.
        task: Name of the task of the data.
        primary_metric: Name of the task's primary metric.
        items: Number of training items on which the backbones were compared.
        item: Word for one item in tables and messages, such as `"image"`.
        seed: Random seed for the sample of items, the folds, and backbones with random weights.
        chosen: Name of the recommended backbone, see `choose_backbone`.
        grouping: Column and number of the groups of dependent items. `None`: no groups.

    Example:
        >>> [row.name for row in ranking.rows], ranking.primary_metric
        (['resnet50', 'efficientnet_lite0'], 'accuracy')
    """

    rows: tuple[RankedBackbone, ...]
    task: str
    primary_metric: str
    items: int
    item: str
    seed: int
    chosen: str
    grouping: Grouping | None = None

    @property
    def best(self) -> RankedBackbone:
        """Measurements of the recommended backbone.

        Example:
            >>> ranking.best.name
            'efficientnet_lite0'
        """
        return next(row for row in self.rows if row.name == self.chosen)

    @property
    def columns(self) -> list[str]:
        """Column titles of the table of backbones.

        Example:
            >>> ranking.columns[1]
            'accuracy, 95% interval'
        """
        metric = f"{title_of(self.primary_metric)}, 95% interval"
        return ["backbone", metric, "LogME", "features", "weights", f"ms/{self.item}", "seconds"]

    def describe(self) -> str:
        """Return the table of backbones as plain text, with notes.

        Example:
            >>> ranking.describe().splitlines()[3].startswith("Best: efficientnet_lite0, ")
            True
        """
        table = table_text(self.columns, [row.cells for row in self.rows])
        return "\n".join([table, *self._notes])

    @property
    def _notes(self) -> list[str]:
        """Notes below the table: errors, recommended backbone, origin of the metric, groups."""
        errors = [f"{row.name}: {row.error}" for row in self.rows if row.error]
        metric = title_of(self.primary_metric)
        choice = (
            f"Best: {self.chosen}, the fastest backbone within one standard error of the best "
            f"{metric}. Times that differ by less than a quarter count as equal."
        )
        said = (
            f"The {metric} is from cross-validation of a head on the frozen features of "
            f"{self.items:,} training {self.item}s. {_LOGME}: higher is better. Fine-tuning can "
            "change the order."
        )
        grouped = [] if self.grouping is None else [self.grouping.describe()]
        return [*errors, choice, said, *grouped]

    def to_json(self) -> dict[str, Any]:
        """Return the ranking as JSON types.

        Example:
            >>> ranking.to_json()["chosen"]
            'efficientnet_lite0'
        """
        return asdict(self) | {"rows": [asdict(row) for row in self.rows], "method": _LOGME}

    def __str__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        """Return the table of backbones and the notes as HTML for notebooks."""
        rows = [row.cells for row in self.rows]
        return table_html(self.columns, rows) + paragraphs_html(*self._notes)


def choose_backbone(
    task: Task,
    records: Mapping[str, PredictionRecord],
    item_seconds: Mapping[str, float],
    groups: np.ndarray | None = None,
) -> str:
    """Return the fastest backbone whose metric is within one standard error of the best metric.

    The candidates are the backbones whose metric is within one standard error of the best metric.
    Candidates that are at most 25% slower than the fastest candidate count as equally fast. Among
    equally fast candidates, the function returns the backbone with the best metric. Source: the
    one-standard-error rule (Breiman et al., "Classification and Regression Trees", 1984, sec.
    3.4.3). The rule uses the standard error of the difference between the metrics of two backbones
    on the same items.

    Args:
        records: Out-of-fold predictions of each backbone for the same items, by backbone name.
        item_seconds: Seconds that each backbone needs for the features of one item, by backbone
            name.
        groups: Group of each item, (n,), if items of a group are dependent. `None`: no groups.
    """
    sign = 1.0 if task.more_is_better else -1.0
    metrics = {
        name: task.statistics(found.labels, found.logits)[task.primary_metric]
        for name, found in records.items()
    }
    count = len(next(iter(records.values())))
    values = {
        name: sign * float(metric(np.ones((1, count)))[0]) for name, metric in metrics.items()
    }
    # A backbone with an undefined metric counts as the worst.
    values = {name: x if math.isfinite(x) else -math.inf for name, x in values.items()}
    best = max(metrics, key=values.__getitem__)

    def is_near(name: str) -> bool:
        found = bootstrap_interval(
            lambda weights: sign * (metrics[best](weights) - metrics[name](weights)),
            count,
            confidence=_ONE_STANDARD_ERROR,
            groups=groups,
        )
        return found is not None and found.low <= 0

    near = [name for name in metrics if name == best or is_near(name)]
    near.sort(key=lambda name: item_seconds[name])
    limit = _AS_FAST * item_seconds[near[0]]
    fast = [name for name in near if item_seconds[name] <= limit]
    return max(fast, key=values.__getitem__)
