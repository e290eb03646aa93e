"""Predictions of a model that runs in this process or on a server."""

import abc
import dataclasses
import math
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np

# Text of a multi-label prediction in which no label has a probability above its threshold.
NO_LABEL = "no label"
_NO_PREDICTION = "no prediction"


class _Single(abc.ABC):
    """Prediction of one item, or the reason why there is no prediction.

    Attributes:
        reason: Reason why there is no prediction (empty if unknown), or `None` if there is a
            prediction.
    """

    reason: str | None

    @abc.abstractmethod
    def _name(self) -> str: ...

    @abc.abstractmethod
    def _text(self) -> str: ...

    @property
    def name(self) -> str:
        """The prediction as a short text.

        Example:
            >>> ktl.Prediction(label="red", probability=0.8).name
            'red'
        """
        return self._name() if self.reason is None else _NO_PREDICTION

    def __str__(self) -> str:
        if self.reason is None:
            return self._text()
        return f"{_NO_PREDICTION} ({self.reason})" if self.reason else _NO_PREDICTION


@dataclasses.dataclass(frozen=True)
class Prediction(_Single):
    """Prediction of one item that has exactly one class.

    Attributes:
        label: Name of the predicted class, or an empty text if there is no prediction.
        probability: Probability of the predicted class, in [0, 1].
        source: Path or text of the predicted item, or `None` for bytes and arrays.
        rule: Decision threshold of the model, in words. An empty `rule` means that the most
            probable class is predicted and no threshold is known.
        reason: Reason why there is no prediction (empty if unknown), or `None` if there is a
            prediction.

    Example:
        >>> print(ktl.Prediction(label="red", probability=0.8))
        red (80.0%)
    """

    label: str
    probability: float
    source: str | None = None
    rule: str = ""
    reason: str | None = None

    def _name(self) -> str:
        return self.label

    def _text(self) -> str:
        rule = f"; {self.rule}" if self.rule else ""
        return f"{self.label} ({self.probability:.1%}{rule})"


@dataclasses.dataclass(frozen=True)
class MultilabelPrediction(_Single):
    """Prediction of one multi-label item.

    Attributes:
        labels: Names of the predicted labels, whose probabilities are above their decision
            thresholds (by default 0.5).
        probabilities: Probabilities of the predicted labels, in [0, 1].
        source: Path or text of the predicted item, or `None` for bytes and arrays.
        thresholds: Decision thresholds of the predicted labels, or an empty tuple if no thresholds
            were chosen or known.
        reason: Reason why there is no prediction, see `Prediction`.

    Example:
        >>> print(ktl.MultilabelPrediction(labels=("cat", "tree"), probabilities=(0.9, 0.7)))
        cat (90.0%), tree (70.0%)
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    source: str | None = None
    thresholds: tuple[float, ...] = ()
    reason: str | None = None

    def _name(self) -> str:
        return ", ".join(self.labels) or NO_LABEL

    def _text(self) -> str:
        no_rules = [""] * len(self.labels)
        rules = [f"; decision threshold {t:.1%}" for t in self.thresholds] or no_rules
        rows = zip(self.labels, self.probabilities, rules, strict=True)
        return ", ".join(f"{label} ({p:.1%}{rule})" for label, p, rule in rows) or NO_LABEL


@dataclasses.dataclass(frozen=True)
class RegressionPrediction(_Single):
    """Prediction of one item by a regression model.

    Attributes:
        value: Predicted value in the unit of the training targets, or NaN if there is no
            prediction.
        source: Path or text of the predicted item, or `None` for bytes and arrays.
        reason: Reason why there is no prediction, see `Prediction`.

    Example:
        >>> print(ktl.RegressionPrediction(value=12.5))
        12.5
    """

    value: float
    source: str | None = None
    reason: str | None = None

    def _name(self) -> str:
        return f"{self.value:.4g}"

    _text = _name


class _Batch(abc.ABC):
    """Predictions of n items, in the order of the items. Iteration yields single predictions.

    Attributes:
        valid: bool (n,), false for invalid images or texts, which have no prediction. `valid=None`
            means that every item has a prediction.
        reasons: For each of n items, the reason why it has no prediction, or `None` if it has a
            prediction. `reasons=None` means that the reasons are unknown, or that every item has a
            prediction.
    """

    # Type checkers need this declaration: all subclasses are dataclasses and have the attribute.
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    sources: tuple[str, ...] | None
    valid: np.ndarray | None
    reasons: tuple[str | None, ...] | None

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def __getitem__(self, index: int) -> Any: ...

    @abc.abstractmethod
    def _json(self, index: int) -> dict[str, Any]: ...

    def _is_valid(self, index: int) -> bool:
        return self.valid is None or bool(self.valid[index])

    def _reason(self, index: int) -> str | None:
        """Return the reason why an item has no prediction, see `Prediction`."""
        if self._is_valid(index):
            return None
        return (self.reasons[index] if self.reasons else None) or ""

    def _source(self, index: int) -> str | None:
        return self.sources[index] if self.sources else None

    def only_valid(self) -> Self:
        """Return the predictions of the valid items.

        Example:
            >>> predictions = ktl.Predictions(
            ...     probabilities=np.array([[0.9, 0.1], [0.0, 0.0]]),
            ...     class_names=("blue", "red"),
            ...     valid=np.array([True, False]),
            ... )
            >>> len(predictions), len(predictions.only_valid())
            (2, 1)
        """
        if self.valid is None:
            return self
        rows = np.flatnonzero(self.valid)
        kept: dict[str, Any] = {
            field.name: value[rows]
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        sources = self.sources and tuple(self.sources[row] for row in rows)
        return dataclasses.replace(self, **kept | {"valid": None, "reasons": None}, sources=sources)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def to_json(self) -> list[dict[str, Any]]:
        """Return one dict per item, with the source and the prediction of the item.

        The dict of an invalid item has no prediction, but `valid` (false) and, if known, `reason`.

        Example:
            >>> predictions = ktl.Predictions(
            ...     probabilities=np.array([[0.75, 0.25]]), class_names=("blue", "red")
            ... )
            >>> predictions.to_json()
            [{'source': None, 'label': 'blue', 'probabilities': {'blue': 0.75, 'red': 0.25}}]
        """
        found = []
        for index in range(len(self)):
            row: dict[str, Any] = {"source": self._source(index)}
            if self._is_valid(index):
                row |= self._json(index)
            else:
                reason = self._reason(index)
                row |= {"valid": False} | ({"reason": reason} if reason else {})
            found.append(row)
        return found


@dataclasses.dataclass(frozen=True)
class Predictions(_Batch):
    """Predictions of items with exactly one class each. Iteration yields `Prediction` objects.

    Attributes:
        probabilities: float32 (n, classes), rows sum to 1.
        class_names: Names of the classes, in the order of the columns of `probabilities`.
        sources: Paths or texts of the n items, or `None` for bytes and arrays.
        valid: bool (n,), whether each item has a prediction, or `None` if all have predictions.
        reasons: Reasons why items have no prediction, see `_Batch`.
        chosen: int (n,), index of the predicted class of each item. With a decision threshold, the
            predicted class can differ from the most probable class. `chosen=None` means that the
            most probable class is predicted.
        thresholds: Decision threshold of the second of two classes, or an empty tuple if no
            threshold was chosen or known. A server returns no thresholds.

    Example:
        >>> predictions = ktl.Predictions(
        ...     probabilities=np.array([[0.75, 0.25], [0.25, 0.75]]), class_names=("blue", "red")
        ... )
        >>> print(predictions[0])
        blue (75.0%)
    """

    probabilities: np.ndarray
    class_names: tuple[str, ...]
    sources: tuple[str, ...] | None = None
    valid: np.ndarray | None = None
    chosen: np.ndarray | None = None
    thresholds: tuple[float, ...] = ()
    reasons: tuple[str | None, ...] | None = None

    @property
    def class_ids(self) -> np.ndarray:
        """Index of the predicted class of each item, int64 (n,), or -1 for invalid items.

        Example:
            >>> learner.predict(data.split("test")).class_ids.shape
            (8,)
        """
        best = self.probabilities.argmax(axis=1) if self.chosen is None else self.chosen
        return best if self.valid is None else np.where(self.valid, best, -1)

    @property
    def labels(self) -> list[str]:
        """Name of the predicted class of each item, or an empty text for an invalid item.

        Example:
            >>> labels = learner.predict(data.split("test")).labels
            >>> len(labels), set(labels) <= {"blue", "red"}
            (8, True)
        """
        return [self.class_names[i] if i >= 0 else "" for i in self.class_ids]

    def __len__(self) -> int:
        return len(self.probabilities)

    def __getitem__(self, index: int) -> Prediction:
        if not self._is_valid(index):
            return Prediction("", 0.0, self._source(index), reason=self._reason(index))
        row = self.probabilities[index]
        best = int(row.argmax() if self.chosen is None else self.chosen[index])
        rule = ""
        if self.thresholds:
            rule = f"decision threshold for {self.class_names[-1]}: {self.thresholds[0]:.1%}"
        elif row[best] < row.max():
            rule = "by a decision threshold of the model"
        return Prediction(self.class_names[best], float(row[best]), self._source(index), rule)

    def _json(self, index: int) -> dict[str, Any]:
        return {"label": self[index].label} | _classes_json(self, index)


@dataclasses.dataclass(frozen=True)
class MultilabelPredictions(_Batch):
    """Predictions of multi-label items. Iteration yields `MultilabelPrediction` objects.

    Attributes:
        probabilities: float32 (n, labels), each value in [0, 1] and independent of the others.
        mask: bool (n, labels), whether the probability of each label is above its decision
            threshold.
        class_names: Names of the labels, in the order of the columns of `probabilities`.
        sources: Paths or texts of the n items, or `None` for bytes and arrays.
        valid: bool (n,), whether each item has a prediction, or `None` if all have predictions.
        reasons: Reasons why items have no prediction, see `_Batch`.
        thresholds: Decision threshold of each label, or an empty tuple if no thresholds were chosen
            or known.

    Example:
        >>> predictions = ktl.MultilabelPredictions(
        ...     probabilities=np.array([[0.9, 0.2]]),
        ...     mask=np.array([[True, False]]),
        ...     class_names=("cat", "dog"),
        ... )
        >>> print(predictions[0])
        cat (90.0%)
    """

    probabilities: np.ndarray
    mask: np.ndarray
    class_names: tuple[str, ...]
    sources: tuple[str, ...] | None = None
    valid: np.ndarray | None = None
    thresholds: tuple[float, ...] = ()
    reasons: tuple[str | None, ...] | None = None

    @property
    def labels(self) -> list[tuple[str, ...]]:
        """Names of the predicted labels of each item.

        Example:
            >>> predictions = ktl.MultilabelPredictions(
            ...     probabilities=np.array([[0.9, 0.2], [0.1, 0.3]]),
            ...     mask=np.array([[True, False], [False, False]]),
            ...     class_names=("cat", "dog"),
            ... )
            >>> predictions.labels
            [('cat',), ()]
        """
        return [item.labels for item in self]

    def __len__(self) -> int:
        return len(self.probabilities)

    def __getitem__(self, index: int) -> MultilabelPrediction:
        chosen = np.flatnonzero(self.mask[index])
        return MultilabelPrediction(
            tuple(self.class_names[i] for i in chosen),
            tuple(map(float, self.probabilities[index][chosen])),
            self._source(index),
            tuple(self.thresholds[i] for i in chosen) if self.thresholds else (),
            self._reason(index),
        )

    def _json(self, index: int) -> dict[str, Any]:
        return {"labels": list(self[index].labels)} | _classes_json(self, index)


def _classes_json(
    predictions: Predictions | MultilabelPredictions, index: int
) -> dict[str, dict[str, float]]:
    """Return an item's probabilities and the chosen decision thresholds, each by class name."""
    names, thresholds = predictions.class_names, predictions.thresholds
    row = map(float, predictions.probabilities[index])
    found = {"probabilities": dict(zip(names, row, strict=True))}
    if thresholds:
        # Binary tasks have one threshold, for the second class.
        found["thresholds"] = dict(zip(names[-len(thresholds) :], thresholds, strict=True))
    return found


@dataclasses.dataclass(frozen=True)
class RegressionPredictions(_Batch):
    """Predictions of a regression model. Iteration yields `RegressionPrediction` objects.

    Attributes:
        values: Predicted values, float32 (n,), in the unit of the training targets.
        sources: Paths or texts of the n items, or `None` for bytes and arrays.
        valid: bool (n,), whether each item has a prediction, or `None` if all have predictions.
        reasons: Reasons why items have no prediction, see `_Batch`.

    Example:
        >>> predictions = ktl.RegressionPredictions(values=np.array([12.5, 8.0]))
        >>> [prediction.value for prediction in predictions]
        [12.5, 8.0]
    """

    values: np.ndarray
    sources: tuple[str, ...] | None = None
    valid: np.ndarray | None = None
    reasons: tuple[str | None, ...] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> RegressionPrediction:
        value = float(self.values[index]) if self._is_valid(index) else math.nan
        return RegressionPrediction(value, self._source(index), self._reason(index))

    def _json(self, index: int) -> dict[str, Any]:
        return {"value": float(self.values[index])}
