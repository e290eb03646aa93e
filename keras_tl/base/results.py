"""What a prediction is, wherever it was made: in this process or by a server."""

import abc
import dataclasses
import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

# Of an item with any number of labels: the answer is that it has none of them.
NO_LABEL = "no label"
NO_ANSWER = "no answer"


class _Single:
    """The answer for one item, or the reason why there is none.

    Attributes:
        reason: why there is no answer, empty where that is not known; `None` where there is one.
    """

    reason: str | None

    @property
    def name(self) -> str:
        """The answer in a word."""
        return self._answer_name() if self.reason is None else NO_ANSWER

    def __str__(self) -> str:
        if self.reason is None:
            return self._answer_text()
        return f"{NO_ANSWER} ({self.reason})" if self.reason else NO_ANSWER


@dataclasses.dataclass(frozen=True)
class Prediction(_Single):
    """The answer for one item of one class.

    Attributes:
        label: the answered class's name; empty where there is no answer.
        probability: its probability, in [0, 1].
        source: the path that was asked about, or `None`.
        rule: the threshold that decided, in words; empty where the most probable class is answered.
        reason: why there is no answer, `None` where there is one; empty where it is not known.
    """

    label: str
    probability: float
    source: str | None = None
    rule: str = ""
    reason: str | None = None

    def _answer_name(self) -> str:
        return self.label

    def _answer_text(self) -> str:
        rule = f"; {self.rule}" if self.rule else ""
        return f"{self.label} ({self.probability:.1%}{rule})"


@dataclasses.dataclass(frozen=True)
class MultilabelPrediction(_Single):
    """The answer for one item of any number of labels.

    Attributes:
        labels: the names of the labels above their thresholds, 0.5 if none were chosen.
        probabilities: their probabilities, in [0, 1].
        source: the path that was asked about, or `None`.
        thresholds: their chosen thresholds; empty if none were chosen.
        reason: see `Prediction`.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    source: str | None = None
    thresholds: tuple[float, ...] = ()
    reason: str | None = None

    def _answer_name(self) -> str:
        return ", ".join(self.labels) or NO_LABEL

    def _answer_text(self) -> str:
        rules = [f"; above {t:.1%}" for t in self.thresholds] or [""] * len(self.labels)
        rows = zip(self.labels, self.probabilities, rules, strict=True)
        return ", ".join(f"{label} ({p:.1%}{rule})" for label, p, rule in rows) or NO_LABEL


@dataclasses.dataclass(frozen=True)
class RegressionPrediction(_Single):
    """The answer for one item of a regression.

    Attributes:
        value: in the unit of the training targets; NaN where there is no answer.
        source: the path that was asked about, or `None`.
        reason: see `Prediction`.
    """

    value: float
    source: str | None = None
    reason: str | None = None

    def _answer_name(self) -> str:
        return f"{self.value:.4g}"

    _answer_text = _answer_name


class _Batch(abc.ABC):
    """Answers in the order asked; iterates over those of single items.

    Attributes:
        valid: bool array (n,): false for what was no image, or no text, and got no answer; `None`
            where every item got one.
        reasons: n reasons why an item got no answer, `None` for each that got one; `None`: they
            are not known, or every item got one.
    """

    valid: np.ndarray | None
    reasons: tuple[str | None, ...] | None

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def __getitem__(self, index: int): ...

    @abc.abstractmethod
    def _json(self, index: int) -> dict[str, Any]: ...

    def _is_valid(self, index: int) -> bool:
        return self.valid is None or bool(self.valid[index])

    def _reason(self, index: int) -> str | None:
        """See `Prediction.reason`."""
        if self._is_valid(index):
            return None
        return (self.reasons[index] if self.reasons else None) or ""

    def _source(self, index: int) -> str | None:
        return self.sources[index] if self.sources else None

    def only_valid(self) -> Self:
        """The answers without the items that got none."""
        if self.valid is None:
            return self
        rows = np.flatnonzero(self.valid)
        kept = {
            field.name: value[rows]
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        sources = self.sources and tuple(self.sources[row] for row in rows)
        return dataclasses.replace(self, **kept | {"valid": None, "reasons": None}, sources=sources)

    def __iter__(self) -> Iterator:
        return (self[i] for i in range(len(self)))

    def to_json(self) -> list[dict[str, Any]]:
        """One JSON object an item: its source and the answer, or `valid` false and the reason."""
        rows = range(len(self))
        return [{"source": self._source(i)} | self._answer_json(i) for i in rows]

    def _answer_json(self, index: int) -> dict[str, Any]:
        if self._is_valid(index):
            return self._json(index)
        reason = self._reason(index)
        return {"valid": False} | ({"reason": reason} if reason else {})


@dataclasses.dataclass(frozen=True)
class Predictions(_Batch):
    """The answers for a batch of items of one class each; iterates over `Prediction`s.

    Attributes:
        probabilities: float32 array (n, classes), each row summing to 1.
        class_names: the classes' names, in the order of the columns.
        sources: the n paths that were asked about, or `None` for bytes and arrays.
        valid: see `_Batch`, and so for `reasons`.
        chosen: int array (n,): the answered class of each item; `None`: the most probable one. Two
            classes may have another threshold than 0.5.
        thresholds: the chosen threshold of the second of two classes; empty if none was chosen, or
            where it is not known, as to the client of a server.
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
        """int64 array (n,): the answered class of each item, -1 for what is not valid."""
        best = self.probabilities.argmax(axis=1) if self.chosen is None else self.chosen
        return best if self.valid is None else np.where(self.valid, best, -1)

    @property
    def labels(self) -> list[str]:
        """The answered class's name for each item, empty for what is not valid."""
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
            rule = f"{self.class_names[-1]} above {self.thresholds[0]:.1%}"
        elif row[best] < row.max():
            rule = "by a threshold of the model"
        return Prediction(self.class_names[best], float(row[best]), self._source(index), rule)

    def _json(self, index: int) -> dict[str, Any]:
        row = map(float, self.probabilities[index])
        named = dict(zip(self.class_names, row, strict=True))
        found = {"label": self[index].label, "probabilities": named}
        return found | _thresholds_json(self.class_names, self.thresholds)


@dataclasses.dataclass(frozen=True)
class MultilabelPredictions(_Batch):
    """The answers for a batch of items with any number of labels each.

    Attributes:
        probabilities: float32 array (n, labels), each in [0, 1] by itself.
        mask: bool array (n, labels): which are above their thresholds.
        class_names: the labels' names, in the order of the columns.
        sources: the n paths that were asked about, or `None` for bytes and arrays.
        valid: see `_Batch`, and so for `reasons`.
        thresholds: the chosen threshold of each label; empty if none were chosen or known.
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
        """The names of each item's labels."""
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
        row = map(float, self.probabilities[index])
        named = dict(zip(self.class_names, row, strict=True))
        found = {"labels": list(self[index].labels), "probabilities": named}
        return found | _thresholds_json(self.class_names, self.thresholds)


def _thresholds_json(
    class_names: tuple[str, ...], thresholds: tuple[float, ...]
) -> dict[str, dict[str, float]]:
    # Of two classes the threshold is of the second.
    names = class_names[-len(thresholds) :]
    return {"thresholds": dict(zip(names, thresholds, strict=True))} if thresholds else {}


@dataclasses.dataclass(frozen=True)
class RegressionPredictions(_Batch):
    """The answers for a batch of a regression.

    Attributes:
        values: float32 array (n,), in the unit of the training targets.
        sources: the n paths that were asked about, or `None` for bytes and arrays.
        valid: see `_Batch`, and so for `reasons`.
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
