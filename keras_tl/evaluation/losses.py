"""Find the items of a split with the largest losses."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_tl.base.text_tables import table_html
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.evaluation.wording import number_text, shortened, with_share
from keras_tl.tasks import Task


@dataclasses.dataclass(frozen=True)
class TopLoss:
    """An item with a large loss.

    Attributes:
        row: Row of the item in the split, from 0.
        source: Path of the file, text, or both texts of a pair. `None`: the item is a pixel array.
        true: Names of the true label or labels. Regression: the target.
        predicted: Names of the predicted label or labels. Regression: the predicted value.
        true_probability: Probability of the true label. Multi-label task: the probability that the
            item has exactly its true labels, as if labels were independent. `None`: the task is a
            regression.
        predicted_probability: Probability of the prediction, computed like `true_probability`.
        loss: Loss of the item, see `keras_tl.tasks.Task.item_losses`.

    Example:
        >>> item = learner.evaluate().top_losses(1).items[0]
        >>> item.true in data.class_names, 0 <= item.row < 8
        (True, True)
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
        split: Name of the split.
        items: The items with the largest losses, from the largest to the smallest loss.
        unit: Unit of the losses, such as `"nats"`.

    Example:
        >>> losses = learner.evaluate().top_losses(2)
        >>> losses.split, losses.unit, len(losses.items)
        ('test', 'nats', 2)
    """

    split: str
    items: tuple[TopLoss, ...]
    unit: str

    @property
    def rows(self) -> np.ndarray:
        """Row numbers of the items in the split, int64 (count,), for `Split.take`.

        Example:
            >>> rows = learner.evaluate().top_losses(2).rows
            >>> len(data.split("test").take(rows))
            2
        """
        return np.array([item.row for item in self.items], np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return the split, the items and the unit as JSON types.

        Example:
            >>> sorted(learner.evaluate().top_losses(2).to_json())
            ['items', 'split', 'unit']
        """
        return dataclasses.asdict(self)

    def describe(self) -> str:
        """Return text with one line per item: loss, prediction, true label and source.

        Example:
            >>> len(learner.evaluate().top_losses(2).describe().splitlines())
            2
        """
        return "\n".join(
            f"{number_text(item.loss)}  predicted "
            f"{with_share(item.predicted, item.predicted_probability)}, "
            f"true {with_share(item.true, item.true_probability)}: {_shown(item)}"
            for item in self.items
        )

    def _repr_html_(self) -> str:
        head = ("row", "item", "prediction", "true label", f"loss ({self.unit})")
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
    task: Task,
    record: PredictionRecord,
    sources: Sequence[str | tuple[str, str]] | None,
    split: str,
    count: int = 9,
) -> TopLosses:
    """Return the `count` items with the largest losses. Equal losses keep the order of the split.

    `sources` has one source per item, see `TopLoss.source`. `None`: the items are pixel arrays.
    """
    losses = task.item_losses(record.labels, record.logits)
    answers = task.decisions(record.logits)
    items = []
    for row in np.argsort(-losses, kind="stable")[:count]:
        logits = record.logits[row]
        true, true_share = task.in_words(record.labels[row], logits)
        predicted, share = task.in_words(answers[row], logits)
        source, loss = None if sources is None else sources[row], float(losses[row])
        items.append(TopLoss(int(row), source, true, predicted, true_share, share, loss))
    return TopLosses(split, tuple(items), task.loss_unit)


def _shown(item: TopLoss) -> str:
    """Return the source of the item on one line, or its row number if the source is unknown."""
    if item.source is None:
        return f"row {item.row}"
    parts = item.source if isinstance(item.source, tuple) else (item.source,)
    return " | ".join(shortened(" ".join(part.splitlines())) for part in parts)
