"""Cross-validation of a head on cached features: metrics on all items, not only on one split."""

import dataclasses
import time
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from keras_tl.base.config import check_range
from keras_tl.data.splits import folds as make_folds
from keras_tl.errors import DataError
from keras_tl.evaluation.metrics import MetricMapping, measure
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import metric_lines
from keras_tl.training.out_of_fold import HeadTraining


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledFeatures:
    """Features and labels of items from several splits, joined into common arrays.

    Attributes:
        labels: Labels of n items, see `keras_tl.data.labelled_data.Split`.
        features: Features of the n items from the backbone, float32 (n, ...).
        splits: Name of the split of each item, string array (n,).
        sources: Path, text or pair of texts of each item. `None`: the items are pixels in memory.
        groups: Group of each item, (n,). A group is never divided between folds. `None`: the items
            have no groups.
        grouped_by: Name of the column with the groups. `None`: no groups, or groups without a
            column.
    """

    labels: np.ndarray
    features: np.ndarray
    splits: np.ndarray
    sources: Sequence[str | tuple[str, str]] | None
    groups: np.ndarray | None
    grouped_by: Hashable | None = None


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class CrossValidation(MetricMapping):
    """Metrics of heads on held-out items. The object works like the result of `evaluate()`.

    If the cross-validation is repeated, metrics and intervals are means over the repeats. The 95%
    confidence intervals account for the random choice of the items, or of the groups if items have
    groups. The intervals ignore that the folds share training items.

    Attributes:
        metrics: Metrics by name, see `keras_tl.evaluation.metrics.measure`.
        records: For each repeat, the labels and the out-of-fold logits of every item.
        fold_numbers: Number of the fold in which each item was held out, int (repeats, n).
        splits: Name of the split of each item, string array (n,).
        sources: Path, text or pair of texts of each item. `None`: the items are pixels in memory.
        primary_metric: Name of the task's primary metric.
        seconds: Wall time of the cross-validation in seconds, without feature extraction.

    Example:
        >>> cv.primary_metric, len(cv.records), cv.fold_numbers.shape
        ('accuracy', 1, (1, 40))
        >>> 0 <= cv["accuracy"] <= 1
        True
    """

    metrics: dict[str, Any]
    records: tuple[PredictionRecord, ...]
    fold_numbers: np.ndarray
    splits: np.ndarray
    sources: Sequence[str | tuple[str, str]] | None
    primary_metric: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return metrics, wall time, and the numbers of folds, repeats and items as JSON types.

        Example:
            >>> values = cv.to_json()
            >>> values["folds"], values["repeats"], values["items"]
            (5, 1, 40)
        """
        repeats, items = self.fold_numbers.shape
        return self.metrics | {
            "folds": int(self.fold_numbers.max()) + 1,
            "repeats": repeats,
            "items": items,
            "seconds": self.seconds,
        }

    def describe(self) -> str:
        """Return the metrics with their confidence intervals as text.

        Example:
            >>> print(cv.describe())
            Cross-validation of the head: 40 items in 5 folds, ...
        """
        repeats, items = self.fold_numbers.shape
        again = f", repeated {repeats} times" if repeats > 1 else ""
        title = (
            f"Cross-validation of the head: {items:,} items in {self.fold_numbers.max() + 1} "
            f"folds{again}, {self.seconds:.1f} s."
        )
        return "\n".join([title, *metric_lines(self.metrics)])

    def __repr__(self) -> str:
        return self.describe()


def cross_validate(
    training: HeadTraining, items: LabelledFeatures, folds: int = 5, repeats: int = 1
) -> CrossValidation:
    """For each fold, train a head on all other folds and evaluate this head on the fold.

    All choices that depend on items, such as the L2 penalty, use the training folds only.
    Source: Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2009, sec.
    7.10.

    Args:
        training: Object that trains the heads and returns their out-of-fold logits.
        items: Features and labels of the items of all splits to use.
        folds: Number of folds, at least 2 and at most the number of items. If items have groups: at
            most the number of groups.
        repeats: Number of cross-validations, each with a new random assignment of items to folds.

    Raises:
        ConfigError: `folds` or `repeats` is not a whole number in the allowed range.
        DataError: The items have fewer groups than `folds`.
    """
    began = time.perf_counter()
    labels, groups, count = items.labels, items.groups, len(items.labels)
    check_range("folds", folds, 2, count, whole=True)
    check_range("repeats", repeats, 1, whole=True)
    if groups is not None and len(np.unique(groups)) < folds:
        raise DataError(
            f"Expected at least as many groups as folds ({folds}). Received "
            f"{len(np.unique(groups))} groups. Pass fewer folds, or groups=None."
        )
    task = training.task
    classes = labels if labels.dtype.kind in "iu" else None
    seeds = range(training.seed, training.seed + repeats)
    numbers = np.stack([make_folds(classes, groups, count, folds, seed) for seed in seeds])
    records = tuple(
        PredictionRecord(labels, training.logits(labels, items.features, row, groups)).in_groups(
            groups, items.grouped_by
        )
        for row in numbers
    )
    measured = [measure(task.undecided, found) for found in records]
    return CrossValidation(
        _mean(measured),
        records,
        numbers,
        items.splits,
        items.sources,
        task.primary_metric,
        time.perf_counter() - began,
    )


def _mean(measured: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Average metrics and intervals over repeats. Take tables and curves from the first repeat."""
    first = measured[0]
    found = {
        name: float(np.mean([metrics[name] for metrics in measured]))
        if isinstance(value, float) and all(metrics[name] is not None for metrics in measured)
        else value
        for name, value in first.items()
    }
    intervals = {
        name: np.mean([metrics["intervals"][name] for metrics in measured], axis=0).tolist()
        if name != "per_class" and all(metrics["intervals"][name] for metrics in measured)
        else value
        for name, value in first["intervals"].items()
    }
    return found | {"intervals": intervals}
