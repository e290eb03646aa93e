"""Comparison of the models that `fit` can keep, on items they were not trained on."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from keras_tl.evaluation.calibration import fit_temperature
from keras_tl.evaluation.intervals import Interval, bootstrap_interval, mean_interval
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.runs.history import name_of
from keras_tl.tasks import Task

HEAD, TUNED = 0.0, 1.0
# Positions on the line from the head on the frozen backbone to the fine-tuned model.
SHARES = (HEAD, 0.25, 0.5, 0.75, TUNED)

# Upper limit of an item's loss in nats, so that one confident error cannot decide the choice.
_LARGEST = -math.log(1e-7)
# Loss of each item for a model with logits that are not finite.
_DIVERGED = 1e30


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A model and its evidence.

    Attributes:
        share: Position on the line. 0: head on the frozen backbone. 1: fine-tuned model.
        loss: Mean loss of the items (`keras_tl.tasks.Task.item_losses`) at the temperature that
            fits the model best.
        metric: Primary metric of the task. `None`: not defined.
        difference: Metric minus the metric of the head, with a 95% interval (paired bootstrap).
            `None` for the head.
        better: Mean loss of the default minus mean loss of this model, with its interval. `None`
            for the default.
    """

    share: float
    loss: float
    metric: float | None
    difference: Interval | None
    better: Interval | None

    @property
    def name(self) -> str:
        """See `name_of`."""
        return name_of(self.share)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build a candidate from the result of `to_json`."""
        read = {
            name: values[name] and Interval(**values[name]) for name in ("difference", "better")
        }
        return cls(**{**values, **read})


def default_or_end(losses: Mapping[float, float], default: float) -> float:
    """Return the default share, or an end of the line if the default is worse than both ends.

    Returns the head if the fine-tuned model diverged. Returns the fine-tuned model if there is a
    loss barrier: averaged weights can be worse than both ends (Frankle et al., "Linear mode
    connectivity and the lottery ticket hypothesis", 2020, arXiv:1912.05671, sec. 2).

    Args:
        losses: Mean loss by share on the same items, with both ends and the default.
        default: Share of the default.
    """
    if losses[TUNED] >= _DIVERGED:
        return HEAD
    return TUNED if losses[default] > max(losses[HEAD], losses[TUNED]) else default


def mean_losses(task: Task, records: Mapping[float, PredictionRecord]) -> dict[float, float]:
    """Return the mean loss by share, computed as in `measure_candidates`."""
    return {share: float(_losses(task, found).mean()) for share, found in records.items()}


def measure_candidates(
    task: Task,
    records: Mapping[float, PredictionRecord],
    default: float,
    groups: np.ndarray | None = None,
) -> tuple[Candidate, ...]:
    """Compare models on the same items.

    The intervals of `better` hold with 95% confidence for all comparisons with the default together
    (Bonferroni). With groups, the interval is computed from the means of the groups.

    Args:
        task: Task, for its primary metric.
        records: Prediction records by share, of the same items in the same order, with the head.
        default: Share of the default.
        groups: Groups (n,) of items that are not independent. `None`: all items are independent.
    """
    losses = {share: _losses(task, found) for share, found in records.items()}
    metrics = {
        share: task.statistics(found.labels, found.logits)[task.primary_metric]
        for share, found in records.items()
    }
    confidence = 1 - 0.05 / max(len(records) - 1, 1)
    found = []
    for share, own in losses.items():
        count = len(own)
        difference = better = None
        if share != HEAD:
            difference = bootstrap_interval(
                lambda w, a=metrics[share], b=metrics[HEAD]: a(w) - b(w), count
            )
        if share != default:
            better = mean_interval(_by_group(losses[default] - own, groups), confidence)
        metric = float(metrics[share](np.ones((1, count)))[0])
        known = metric if np.isfinite(metric) else None
        found.append(Candidate(share, float(own.mean()), known, difference, better))
    return tuple(found)


def _by_group(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the mean of each group, or the values if there are fewer than two groups."""
    names = () if groups is None else np.unique(groups)
    if len(names) < 2:
        return values
    return np.array([values[groups == name].mean() for name in names])


def _losses(task: Task, record: PredictionRecord) -> np.ndarray:
    """Return the losses of the items for the comparison of candidates.

    For classes and labels, losses are at most `_LARGEST`, at the temperature that fits the model
    best. `calibrate` can correct a model's confidence later, but not its errors.
    """
    if not np.isfinite(record.logits).all():
        return np.full(len(record), _DIVERGED)
    if not task.has_probabilities:
        return np.minimum(task.item_losses(record.labels, record.logits), _DIVERGED)
    calibrated = record.scaled(fit_temperature(task, record))
    return np.minimum(task.item_losses(calibrated.labels, calibrated.logits), _LARGEST)


def choose(candidates: tuple[Candidate, ...], default: float) -> Candidate:
    """Return the model to keep: the default, unless the best model's interval is above 0.

    Args:
        candidates: See `measure_candidates`.
        default: Share of the default.
    """
    own = next(candidate for candidate in candidates if candidate.share == default)
    best = min(candidates, key=lambda candidate: candidate.loss)
    return best if best.better is not None and best.better.low > 0 else own
