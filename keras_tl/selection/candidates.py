"""The models that `fit` can keep, measured on items that they were not trained on."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from keras_tl.evaluation.calibration import fit_temperature
from keras_tl.evaluation.intervals import Interval, bootstrap_interval, mean_interval
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.runs.history import name_of
from keras_tl.tasks import Task

HEAD, TUNED = 0.0, 1.0
# Places on the line between the head on the frozen backbone and the fine-tuned model.
SHARES = (HEAD, 0.25, 0.5, 0.75, TUNED)

# Cap the loss, in nats, so that one confident error cannot decide the choice.
_LARGEST = -math.log(1e-7)
# The loss of each item of a model that gives no finite numbers.
_DIVERGED = 1e30


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A model and its evidence.

    Attributes:
        share: place on the line: 0 is the head on the frozen backbone, 1 the fine-tuned model.
        loss: mean loss of the items (`keras_tl.tasks.Task.item_losses`), with the
            temperature that fits the model best.
        metric: the task's headline metric; `None` where it is not defined.
        difference: the metric minus that of the head, with a 95% interval (paired bootstrap);
            `None` for the head.
        better: mean loss of the default minus mean loss of this model, and its interval; `None`
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
        """The fields as JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read `to_json`'s result."""
        read = {
            name: values[name] and Interval(**values[name]) for name in ("difference", "better")
        }
        return cls(**{**values, **read})


def without_barrier(losses: Mapping[float, float], default: float) -> float:
    """Return the default share, or an end of the line if the default is no good.

    The head, if the fine-tuned model diverged; the fine-tuned model, if a barrier lies between the
    ends. Weights between two models can be worse than both (Frankle et al., "Linear mode
    connectivity and the lottery ticket hypothesis", 2020, arXiv:1912.05671, sec. 2).

    Args:
        losses: mean loss by share, of the same items; both ends and the default are among them.
        default: a share.
    """
    if losses[TUNED] >= _DIVERGED:
        return HEAD
    return TUNED if losses[default] > max(losses[HEAD], losses[TUNED]) else default


def mean_losses(task: Task, outcomes: Mapping[float, Outcomes]) -> dict[float, float]:
    """Return the mean loss by share, as `measure_candidates` counts it."""
    return {share: float(_losses(task, found).mean()) for share, found in outcomes.items()}


def measure_candidates(
    task: Task,
    outcomes: Mapping[float, Outcomes],
    default: float,
    groups: np.ndarray | None = None,
) -> tuple[Candidate, ...]:
    """Measure models on the same items.

    The interval of `better` has a confidence of 95% for all comparisons with the default together
    (Bonferroni). With groups it is one of the groups' means.

    Args:
        task: its headline metric counts.
        outcomes: by share, of the same items in the same order; the head is among them.
        default: the share that the others are compared with.
        groups: (n,), items of one group are not independent; `None`: all items are.
    """
    losses = {share: _losses(task, found) for share, found in outcomes.items()}
    metrics = {
        share: task.statistics(found.labels, found.logits)[task.headline]
        for share, found in outcomes.items()
    }
    confidence = 1 - 0.05 / max(len(outcomes) - 1, 1)
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
    """The means of the groups; of fewer than two groups the values."""
    names = () if groups is None else np.unique(groups)
    if len(names) < 2:
        return values
    return np.array([values[groups == name].mean() for name in names])


def _losses(task: Task, outcomes: Outcomes) -> np.ndarray:
    """The losses of the items as candidates are compared by them.

    Those of classes and labels are at most `_LARGEST`, with the temperature that fits the model
    best: how sure a model is can be mended by `calibrate`, what it knows cannot.
    """
    if not np.isfinite(outcomes.logits).all():
        return np.full(len(outcomes), _DIVERGED)
    if not task.has_probabilities:
        return np.minimum(task.item_losses(outcomes.labels, outcomes.logits), _DIVERGED)
    calibrated = outcomes.scaled(fit_temperature(task, outcomes))
    return np.minimum(task.item_losses(calibrated.labels, calibrated.logits), _LARGEST)


def choose(candidates: tuple[Candidate, ...], default: float) -> Candidate:
    """Return the model to keep: the default, unless another one is better beyond chance.

    Args:
        candidates: see `measure_candidates`.
        default: the share of the default.
    """
    own = next(candidate for candidate in candidates if candidate.share == default)
    best = min(candidates, key=lambda candidate: candidate.loss)
    return best if best.better is not None and best.better.low > 0 else own
