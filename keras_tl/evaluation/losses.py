"""The loss of every item, and the items that a model does worst on."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax

from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.evaluation.wording import number_text, shortened, with_share
from keras_tl.results import NO_LABEL
from keras_tl.tables import table_html


def item_losses(task: str, outcomes: Outcomes) -> np.ndarray:
    """What each item adds to the loss of `evaluate()`, which is the mean of these.

    Args:
        task: one of `keras_tl.config.TASKS`.
        outcomes: of n items.

    Returns:
        float64 (n,): cross-entropy in nats, of several labels the mean over them; of a regression
        the squared error, in the squared unit of the targets.
    """
    labels, logits = outcomes.labels, outcomes.logits.astype(np.float64)
    if task == "multiclass":
        return -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
    if task == "binary":
        return -log_expit((2 * labels - 1) * logits[:, 0])
    if task == "multilabel":
        return -log_expit((2 * labels - 1) * logits).mean(axis=1)
    return (labels - logits[:, 0]) ** 2


def largest_losses(losses: np.ndarray, count: int) -> np.ndarray:
    """The rows with the largest losses, the largest first; of equal ones the earlier row first."""
    return np.argsort(-losses, kind="stable")[:count]


@dataclasses.dataclass(frozen=True)
class TopLoss:
    """An item with a large loss.

    Attributes:
        row: its number in the split, from 0.
        source: the path of its file, the text, or both texts of a pair; `None`: pixels in memory.
        true: its label or labels; of a regression the target.
        predicted: the answer in the same form.
        true_probability: what the model gave the true label; of several labels the probability
            that it gave all of them together, as if they were independent; `None`: a regression.
        predicted_probability: the same of the answer.
        loss: see `item_losses`.
    """

    row: int
    source: str | tuple[str, str] | None
    true: str
    predicted: str
    true_probability: float | None
    predicted_probability: float | None
    loss: float


@dataclasses.dataclass(frozen=True)
class TopLosses:
    """The items of a split with the largest losses, the largest first.

    Attributes:
        split: the name of the split.
        items: the items.
        unit: of the losses.
    """

    split: str
    items: tuple[TopLoss, ...]
    unit: str

    @property
    def rows(self) -> np.ndarray:
        """int64 (count,): their numbers in the split, for `Split.take`."""
        return np.array([item.row for item in self.items], np.int64)

    def to_json(self) -> dict[str, Any]:
        """JSON types."""
        return dataclasses.asdict(self)

    def describe(self) -> str:
        """A line an item, for people."""
        return "\n".join(
            f"{number_text(item.loss)}  {with_share(item.predicted, item.predicted_probability)}, "
            f"is {with_share(item.true, item.true_probability)}: {_shown(item)}"
            for item in self.items
        )

    def _repr_html_(self) -> str:
        head = ("row", "item", "answer", "truth", f"loss ({self.unit})")
        rows = [
            (
                item.row,
                _shown(item),
                with_share(item.predicted, item.predicted_probability),
                with_share(item.true, item.true_probability),
                number_text(item.loss),
            )
            for item in self.items
        ]
        return table_html(head, rows)


def top_losses(
    task: str,
    outcomes: Outcomes,
    class_names: tuple[str, ...],
    sources: Sequence[str | tuple[str, str]] | None,
    split: str,
    count: int = 9,
    thresholds: tuple[float, ...] = (),
) -> TopLosses:
    """The items that a model does worst on.

    Args:
        task: one of `keras_tl.config.TASKS`.
        outcomes: of a split, as calibrated.
        class_names: the classes' or labels' names.
        sources: what the items are, see `TopLoss.source`; `None`: pixels in memory.
        split: the name of the split.
        count: at most so many items.
        thresholds: see `Outcomes.decisions`.
    """
    losses = item_losses(task, outcomes)
    answers = outcomes.decisions(task, thresholds)
    items = []
    for row in largest_losses(losses, count):
        said = [
            _said(task, label, outcomes.logits[row], class_names)
            for label in (outcomes.labels[row], answers[row])
        ]
        (true, true_share), (predicted, predicted_share) = said
        source = None if sources is None else sources[row]
        loss = float(losses[row])
        items.append(TopLoss(int(row), source, true, predicted, true_share, predicted_share, loss))
    unit = "squared error" if task == "regression" else "nats"
    return TopLosses(split, tuple(items), unit)


def _said(
    task: str, label: np.ndarray, logits: np.ndarray, class_names: tuple[str, ...]
) -> tuple[str, float | None]:
    """A label in words, and its probability by these logits."""
    logits = logits.astype(np.float64)
    if task == "regression":
        return f"{float(label):.4g}", None
    if task == "multilabel":
        share = float(expit((2 * np.asarray(label, int) - 1) * logits).prod())
        return ", ".join(class_names[i] for i in np.flatnonzero(label)) or NO_LABEL, share
    label = int(label)
    if task == "binary":
        return class_names[label], float(expit((2 * label - 1) * logits[0]))
    return class_names[label], float(softmax(logits)[label])


def _shown(item: TopLoss) -> str:
    """What it is, on one line."""
    if item.source is None:
        return f"row {item.row}"
    parts = item.source if isinstance(item.source, tuple) else (item.source,)
    return " | ".join(shortened(" ".join(part.splitlines())) for part in parts)
