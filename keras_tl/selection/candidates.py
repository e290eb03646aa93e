"""Compare the models that `fit` can keep, on items that were not used for training."""

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
# Fractions of the fine-tuned weights in a weight average. 0: weights before fine-tuning.
SHARES = (HEAD, 0.25, 0.5, 0.75, TUNED)

# Maximum loss of an item in nats, so that one confident error does not decide the model selection.
_LARGEST = -math.log(1e-7)
# Loss that every item gets if any logit of the model is not finite.
_DIVERGED = 1e30


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Model that `fit` can keep, with its loss and its primary metric.

    Attributes:
        share: Fraction of the fine-tuned weights in the weight average, in [0, 1]. 0: only the head
            is trained. 1: fine-tuned model.
        loss: Mean loss of the items (`keras_tl.tasks.Task.item_losses`), computed at the
            temperature that minimises this model's loss.
        metric: Value of the task's primary metric. `None`: the metric is not defined.
        difference: Metric of this model minus metric of the head alone (share 0), with a 95%
            confidence interval (paired bootstrap of the items, or of the groups if items have
            groups). The difference is `None` for the head, and for an undefined metric.
        better: Mean loss of the default model minus mean loss of this model, with a confidence
            interval, or `None` for the default model.

    Example:
        >>> [candidate.share for candidate in fitted.candidates]
        [0.0, 0.75]
    """

    share: float
    loss: float
    metric: float | None
    difference: Interval | None
    better: Interval | None

    @property
    def name(self) -> str:
        """Name of the model in words, such as "fine-tuned".

        Example:
            >>> [candidate.name for candidate in fitted.candidates]
            ['head', 'average, 75% fine-tuned']
        """
        return name_of(self.share)

    def to_json(self) -> dict[str, Any]:
        """Return the fields of the candidate as JSON types.

        Example:
            >>> fitted.candidates[0].to_json()["loss"]
            0.4
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build a candidate from the result of `to_json`.

        Example:
            >>> head = fitted.candidates[0]
            >>> ktl.Candidate.from_json(head.to_json()) == head
            True
        """
        read = {
            name: values[name] and Interval(**values[name]) for name in ("difference", "better")
        }
        return cls(**{**values, **read})


def default_or_end(losses: Mapping[float, float], default: float) -> float:
    """Return the share of fine-tuned weights to keep: `default`, 0 or 1.

    The result is 0 (head) if a logit of the fine-tuned model is not finite. The result is 1
    (fine-tuned) if the model with the share `default` has a larger loss than the head and than the
    fine-tuned model. If neither condition holds, the result is `default`. A loss maximum between
    the weights of two models is called a loss barrier (Frankle et al., "Linear mode connectivity
    and the lottery ticket hypothesis", 2020, arXiv:1912.05671, sec. 2).

    Args:
        losses: Mean loss of the models with the shares 0, 1 and `default`, on the same items.
    """
    if losses[TUNED] >= _DIVERGED:
        return HEAD
    return TUNED if losses[default] > max(losses[HEAD], losses[TUNED]) else default


def mean_losses(task: Task, records: Mapping[float, PredictionRecord]) -> dict[float, float]:
    """Return a dict from the share of fine-tuned weights of a model to the model's mean loss.

    The field `Candidate.loss` describes how the mean loss is computed.
    """
    return {share: float(_losses(task, found).mean()) for share, found in records.items()}


def is_right_on_all(task: Task, record: PredictionRecord) -> bool:
    """Return whether a model predicts every item right: with several labels, every label.

    The decision thresholds are the default thresholds. For regression, and if a logit is not
    finite, the result is false.
    """
    task = task.undecided
    if not (task.exact and np.isfinite(record.logits).all()):
        return False
    return bool(task.hits(record.labels, task.decisions(record.logits)).all())


def measure_candidates(
    task: Task,
    records: Mapping[float, PredictionRecord],
    default: float,
    groups: np.ndarray | None = None,
) -> tuple[Candidate, ...]:
    """Compute the losses, metrics and confidence intervals of models on the same items.

    A Bonferroni correction widens each interval in `Candidate.better`: with 95% confidence, all
    these intervals together hold the true values. If items have groups, the intervals in
    `Candidate.better` are computed from the mean losses of the groups, and the intervals in
    `Candidate.difference` are computed from resamples of whole groups.

    Args:
        records: Dict from the share of fine-tuned weights of a model to the model's prediction
            record. All records have the same items in the same order. The record of the head (share
            0) is required.
        groups: Group of each item, (n,), if items of a group are dependent. `None`: no groups.
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
                lambda w, a=metrics[share], b=metrics[HEAD]: a(w) - b(w), count, groups=groups
            )
        if share != default:
            better = mean_interval(_by_group(losses[default] - own, groups), confidence)
        metric = float(metrics[share](np.ones((1, count)))[0])
        known = metric if np.isfinite(metric) else None
        found.append(Candidate(share, float(own.mean()), known, difference, better))
    return tuple(found)


def _by_group(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the mean value of each group, or all values if there are fewer than two groups."""
    names = () if groups is None else np.unique(groups)
    if len(names) < 2:
        return values
    return np.array([values[groups == name].mean() for name in names])


def _losses(task: Task, record: PredictionRecord) -> np.ndarray:
    """Return the loss of each item, for the comparison of the models.

    If the task has probabilities, the losses are computed at the temperature that minimises the
    mean loss, because `calibrate` can correct the temperature after `fit`. A loss that is computed
    from probabilities is at most `_LARGEST`.
    """
    if not np.isfinite(record.logits).all():
        return np.full(len(record), _DIVERGED)
    if not task.has_probabilities:
        return np.minimum(task.item_losses(record.labels, record.logits), _DIVERGED)
    calibrated = record.scaled(fit_temperature(task, record))
    return np.minimum(task.item_losses(calibrated.labels, calibrated.logits), _LARGEST)


def choose(candidates: tuple[Candidate, ...], default: float) -> Candidate:
    """Return the model with the lowest loss if it is significantly better than the default model.

    If the model with the lowest loss is not significantly better, return the default model.
    """
    own = next(candidate for candidate in candidates if candidate.share == default)
    best = min(candidates, key=lambda candidate: candidate.loss)
    return best if best.better is not None and best.better.low > 0 else own
