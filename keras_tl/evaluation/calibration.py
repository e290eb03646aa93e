"""Calibration: reliability of probabilities, and temperature scaling.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv:1706.04599.
"""

import dataclasses
import json
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from keras_tl.base.config import JsonConfig, ModelConfig
from keras_tl.errors import ConfigError
from keras_tl.evaluation.grouping import if_several
from keras_tl.evaluation.intervals import share_interval
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import title_of
from keras_tl.tasks import Task

# The ECE uses 15 bins, as in Guo et al., sec. 5, so that it is comparable with published values.
BINS = 15
# Limits of the fitted temperature, which could become 0 if all predictions are right.
_LOWEST, _HIGHEST = 0.05, 20.0


@dataclasses.dataclass(frozen=True)
class Bin(JsonConfig):
    """Bin of a reliability diagram, for predicted probabilities above `low` and up to `high`.

    Attributes:
        low: Lower end of the bin. The first bin also contains its lower end, 0.
        high: Upper end of the bin.
        items: Number of predicted probabilities that lie in the bin.
        confidence: Mean of the probabilities in the bin. `None`: the bin is empty.
        frequency: Fraction of the bin's predictions that came true. `None`: the bin is empty.
        interval: 95% confidence interval of `frequency` (Wilson, 1927). If items have groups, the
            interval counts whole groups (`keras_tl.evaluation.intervals.share_interval`).
            Without groups, Wilson's formula assumes independent labels: if items have several
            labels, the interval is too narrow.
    """

    low: float
    high: float
    items: int
    confidence: float | None
    frequency: float | None
    interval: tuple[float, float] | None


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How well the predicted probabilities agree with the observed frequencies.

    Attributes:
        probabilities_of: Event whose probability the model predicts: the predicted class, the
            second class (binary task), or every label of every item (multi-label task).
        items: Number of items whose predictions were compared with their labels.
        ece: Expected calibration error, in [0, 1] (Naeini et al., AAAI 2015; Guo et al., 2017, eq.
            3): the mean distance between `Bin.confidence` and `Bin.frequency` in 15 bins of equal
            width, weighted by the number of probabilities in each bin. By chance, a perfectly
            calibrated model also has an ECE above 0, especially with few items.
        brier: Mean squared error of the probabilities (Brier, "Verification of forecasts expressed
            in terms of probability", Monthly Weather Review 78, 1950). With several classes, the
            squared errors of an item are summed over the classes: a value in [0, 2].
        nll: Mean negative log-likelihood (NLL) in nats. `evaluate()` returns the NLL as `"loss"`.
        bins: The 15 bins of the reliability diagram, from low to high probability.

    Example:
        >>> before = calibrated.before["validation"]
        >>> before.items, len(before.bins), 0 <= before.ece <= 1
        (40, 15, True)
    """

    probabilities_of: str
    items: int
    ece: float
    brier: float
    nll: float
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as JSON types.

        Example:
            >>> sorted(calibrated.before["validation"].to_json())
            ['bins', 'brier', 'ece', 'items', 'nll', 'probabilities_of']
        """
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build a calibration from the result of `to_json`.

        Example:
            >>> before = calibrated.before["validation"]
            >>> ktl.Calibration.from_json(before.to_json()).ece == before.ece
            True
        """
        return cls(**values | {"bins": tuple(map(Bin.from_json, values["bins"]))})

    def describe(self) -> str:
        """Return ECE, Brier score and NLL as one line of text.

        Example:
            >>> calibrated.before["validation"].describe().split()[::2]
            ['ECE', 'Brier', 'NLL']
        """
        return f"ECE {self.ece:.4f}  Brier {self.brier:.4f}  NLL {self.nll:.4f}"


def measure_calibration(task: Task, record: PredictionRecord) -> Calibration:
    """Compute the reliability diagram, the ECE, the Brier score and the NLL of predictions.

    Raises:
        ConfigError: The task has no probabilities.
    """
    found = task.confidences(record.labels, record.logits)
    groups = if_several(record.groups)
    if groups is not None:  # With several labels, each item has several probabilities in a row.
        groups = np.repeat(groups, len(found.shares) // len(record))
    bins = _bins(found.shares, found.hits, groups)
    gaps = [
        one.items * abs(one.confidence - one.frequency)
        for one in bins
        if one.confidence is not None and one.frequency is not None
    ]
    return Calibration(
        task.probabilities_of,
        len(record),
        float(sum(gaps) / len(found.shares)),
        found.brier,
        float(task.item_losses(record.labels, record.logits).mean()),
        bins,
    )


def _bins(confidences: np.ndarray, hits: np.ndarray, groups: np.ndarray | None) -> tuple[Bin, ...]:
    # Bins are (low, high], as in Guo et al., eq. 1. The first bin also contains 0.
    numbers = np.clip(np.ceil(confidences * BINS).astype(int) - 1, 0, BINS - 1)
    found = []
    for number in range(BINS):
        inside = numbers == number
        items = int(inside.sum())
        measured: tuple[float | None, float | None, tuple[float, float] | None]
        measured = (None, None, None)
        if items:
            some = None if groups is None else groups[inside]
            interval = share_interval(hits[inside].astype(bool), some)
            confidence = float(confidences[inside].mean())
            measured = (confidence, interval.mean, (interval.low, interval.high))
        found.append(Bin(number / BINS, (number + 1) / BINS, items, *measured))
    return tuple(found)


def fit_temperature(task: Task, record: PredictionRecord) -> float:
    """Return the temperature that makes the labels most likely (Guo et al., 2017, sec. 4.2).

    The temperature is from 0.05 to 20, and above 1 if the model is overconfident. All logits are
    divided by the temperature, so the ranking of the classes of an item never changes.

    Args:
        record: Prediction record of the validation split, never of the test split. The record's
            logits are not yet divided by a temperature.

    Raises:
        ConfigError: The task has no probabilities.
    """
    check_has_probabilities(task)
    logits = record.logits.astype(np.float64)

    def loss(logarithm: float) -> float:
        return float(task.item_losses(record.labels, logits / np.exp(logarithm)).mean())

    # The loss is convex in 1 / temperature, so the loss has only one minimum.
    limits = np.log([_LOWEST, _HIGHEST])
    found = minimize_scalar(loss, bounds=tuple(limits), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def with_temperature(config: ModelConfig, temperature: float) -> ModelConfig:
    """Return a configuration with a new temperature, and thresholds that keep all predictions."""
    slope = config.temperature / temperature
    thresholds = tuple(float(expit(logit(t) * slope)) for t in config.thresholds)
    return dataclasses.replace(config, temperature=temperature, thresholds=thresholds)


def check_has_probabilities(task: Task) -> None:
    """Raise `ConfigError` if the task predicts a number instead of probabilities."""
    if not task.has_probabilities:
        raise ConfigError(
            f"Calibration needs probabilities. The task {task.kind} has none. Call evaluate(): the "
            f"result has a confidence interval of the {title_of(task.primary_metric)}."
        )


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """Result of temperature scaling.

    Attributes:
        temperature: Number by which the model divides its logits from now on.
        before: Calibration of each split, computed from logits without any temperature.
        after: Calibration of each split, computed from logits divided by the new temperature.

    Example:
        >>> calibrated.after["validation"].nll <= calibrated.before["validation"].nll
        True
    """

    temperature: float
    before: dict[str, Calibration]
    after: dict[str, Calibration]

    def to_json(self) -> dict[str, Any]:
        """Return the result of temperature scaling as JSON types.

        Example:
            >>> sorted(calibrated.to_json())
            ['after', 'before', 'temperature', 'worse']
        """
        return json.loads(json.dumps(dataclasses.asdict(self))) | {"worse": list(self.worse)}

    def describe(self) -> str:
        """Describe the result of temperature scaling in lines of text.

        Example:
            >>> print(calibrated.describe())
            Temperature ..., fitted on the validation split.
            ...
        """
        lines = [f"Temperature {self.temperature:.3f}, fitted on the validation split."]
        for split, found in self.before.items():
            lines.append(f"{split}, before: {found.describe()}")
            lines.append(f"{split}, after:  {self.after[split].describe()}")
        if self.worse:
            lines.append(
                f"Warning: the calibration error (ECE) is larger than before on: "
                f"{', '.join(self.worse)}. The temperature lowers the negative log-likelihood "
                "(NLL) of the validation split, but not always the ECE. Do not trust the "
                "probabilities more than before. A larger validation split may help."
            )
        return "\n".join(lines)

    @property
    def worse(self) -> tuple[str, ...]:
        """Names of the splits on which the ECE is larger with the temperature than without.

        Example:
            >>> set(calibrated.worse) <= {"validation"}
            True
        """
        return tuple(name for name, one in self.before.items() if self.after[name].ece > one.ece)


def calibrate(task: Task, records: dict[str, PredictionRecord]) -> Calibrated:
    """Fit a temperature on the validation split, and measure its effect on all given splits.

    `records` holds one prediction record per split, with logits not divided by a temperature.
    """
    temperature = fit_temperature(task, records["validation"])
    before, after = (
        {split: measure_calibration(task, found.scaled(t)) for split, found in records.items()}
        for t in (1.0, temperature)
    )
    return Calibrated(temperature, before, after)
