"""Whether probabilities say how often answers are right, and temperature scaling to make them so.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv:1706.04599.
"""

import dataclasses
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from keras_tl.base.config import ModelConfig
from keras_tl.errors import ConfigError
from keras_tl.evaluation.intervals import share_interval
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.evaluation.wording import title_of
from keras_tl.tasks import Task

# As in Guo et al., sec. 5, so that the numbers can be compared with published ones.
BINS = 15
# A model whose answers are all right is most likely at temperature 0.
_LOWEST, _HIGHEST = 0.05, 20.0


@dataclasses.dataclass(frozen=True)
class Bin:
    """The probabilities between two numbers.

    Attributes:
        low: the lower end, not in it unless it is 0.
        high: the upper end.
        items: how many probabilities.
        confidence: their mean; `None` without any.
        frequency: how often what they are of was true; `None` without any.
        interval: 95% (Wilson, 1927) of the frequency. Labels of one item are taken to be
            independent of each other, which they seldom are: with several labels it is too narrow.
    """

    low: float
    high: float
    items: int
    confidence: float | None
    frequency: float | None
    interval: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How far probabilities are from frequencies.

    Attributes:
        probabilities_of: what the probabilities are of: the answered class, class 1 of two, or
            every label of every item.
        items: how many items.
        ece: expected calibration error, in [0, 1]: the mean distance of confidence and frequency
            over 15 bins of equal width, weighted by their items (Naeini et al., AAAI 2015; Guo
            et al., 2017, eq. 3). Chance alone makes it larger than 0, the more so with few items.
        brier: mean squared error of the probabilities; of several classes the sum over them, in
            [0, 2] (Brier, "Verification of forecasts expressed in terms of probability", Monthly
            Weather Review 78, 1950).
        nll: mean negative log-likelihood in nats, the `loss` of `evaluate()`.
        bins: the reliability diagram: the 15 bins.
    """

    probabilities_of: str
    items: int
    ece: float
    brier: float
    nll: float
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        values = dataclasses.asdict(self)
        for one in values["bins"]:
            one["interval"] = one["interval"] and list(one["interval"])
        return values | {"bins": list(values["bins"])}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Reads `to_json`'s result."""
        bins = [
            Bin(**one | {"interval": one["interval"] and tuple(one["interval"])})
            for one in values["bins"]
        ]
        return cls(**values | {"bins": tuple(bins)})

    def describe(self) -> str:
        """A line for people."""
        return f"ECE {self.ece:.4f}  Brier {self.brier:.4f}  NLL {self.nll:.4f}"


def measure_calibration(task: Task, outcomes: Outcomes) -> Calibration:
    """Measures a reliability diagram, ECE, Brier score and likelihood.

    Args:
        task: of the model.
        outcomes: of a split, as calibrated.

    Raises:
        ConfigError: the task has no probabilities.
    """
    found = task.confidences(outcomes.labels, outcomes.logits)
    bins = _bins(found.shares, found.hits)
    gaps = [one.items * abs(one.confidence - one.frequency) for one in bins if one.items]
    return Calibration(
        task.probabilities_of,
        len(outcomes),
        float(sum(gaps) / len(found.shares)),
        found.brier,
        float(task.item_losses(outcomes.labels, outcomes.logits).mean()),
        bins,
    )


def _bins(confidences: np.ndarray, hits: np.ndarray) -> tuple[Bin, ...]:
    # (low, high], as in Guo et al., eq. 1; 0 belongs to the first.
    numbers = np.clip(np.ceil(confidences * BINS).astype(int) - 1, 0, BINS - 1)
    found = []
    for number in range(BINS):
        inside = numbers == number
        items, right = int(inside.sum()), int(hits[inside].sum())
        measured = (None, None, None)
        if items:
            interval = share_interval(right, items)
            confidence = float(confidences[inside].mean())
            measured = (confidence, interval.mean, (interval.low, interval.high))
        found.append(Bin(number / BINS, (number + 1) / BINS, items, *measured))
    return tuple(found)


def fit_temperature(task: Task, outcomes: Outcomes) -> float:
    """The temperature that makes the true labels most likely (Guo et al., 2017, sec. 4.2).

    One number for all logits: the order of the answers of an item never changes.

    Args:
        task: of the model.
        outcomes: of the validation split, as the model gives them; never of the test split.

    Returns:
        Above 1 for a model that is too sure; between 0.05 and 20.

    Raises:
        ConfigError: the task has no probabilities.
    """
    check_has_probabilities(task)
    logits = outcomes.logits.astype(np.float64)

    def loss(logarithm: float) -> float:
        return float(task.item_losses(outcomes.labels, logits / np.exp(logarithm)).mean())

    # In 1 / temperature the loss is convex: it has one minimum.
    limits = np.log([_LOWEST, _HIGHEST])
    found = minimize_scalar(loss, bounds=tuple(limits), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def with_temperature(config: ModelConfig, temperature: float) -> ModelConfig:
    """The configuration with another temperature; thresholds move with it, and decide as before."""
    slope = config.temperature / temperature
    thresholds = tuple(float(expit(logit(t) * slope)) for t in config.thresholds)
    return dataclasses.replace(config, temperature=temperature, thresholds=thresholds)


def check_has_probabilities(task: Task) -> None:
    """Raise `ConfigError` if a task answers with a number instead of probabilities."""
    if not task.has_probabilities:
        raise ConfigError(
            f"Calibration is of probabilities; these data are for {task.kind}, which has none. "
            f"Look at the intervals of its {title_of(task.headline)}."
        )


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """What temperature scaling has done.

    Attributes:
        temperature: what the logits are divided by from now on.
        before: by split, the calibration of the model's own logits.
        after: the same with the temperature.
    """

    temperature: float
    before: dict[str, Calibration]
    after: dict[str, Calibration]

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "temperature": self.temperature,
            "before": {split: found.to_json() for split, found in self.before.items()},
            "after": {split: found.to_json() for split, found in self.after.items()},
            "worse": list(self.worse),
        }

    def describe(self) -> str:
        """A few lines for people."""
        lines = [f"Temperature {self.temperature:.3f}, fitted on the validation split."]
        for split, found in self.before.items():
            lines.append(f"{split}, before: {found.describe()}")
            lines.append(f"{split}, after:  {self.after[split].describe()}")
        if self.worse:
            lines.append(
                f"Warning: the calibration error (ECE) is larger than before on: "
                f"{', '.join(self.worse)}. The temperature lowers the negative log-likelihood "
                "(NLL) of the validation split. That does not always lower the ECE. Do not trust "
                "the probabilities more than before. A larger validation split may help."
            )
        return "\n".join(lines)

    @property
    def worse(self) -> tuple[str, ...]:
        """The splits whose ECE is larger with the temperature."""
        return tuple(name for name, one in self.before.items() if self.after[name].ece > one.ece)


def calibrate(task: Task, outcomes: dict[str, Outcomes]) -> Calibrated:
    """Fits a temperature on the validation split, and measures what it does on all splits given.

    Args:
        task: of the model.
        outcomes: by split, as the model gives them; `"validation"` among them.
    """
    temperature = fit_temperature(task, outcomes["validation"])
    before, after = (
        {split: measure_calibration(task, found.scaled(t)) for split, found in outcomes.items()}
        for t in (1.0, temperature)
    )
    return Calibrated(temperature, before, after)
