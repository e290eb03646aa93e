"""The skill that a comparison is about: one number for each test item, higher is better."""

import dataclasses

import numpy as np
from scipy import stats

from keras_tl.config import JsonConfig


@dataclasses.dataclass(frozen=True)
class Skill(JsonConfig):
    """What is measured of an item.

    Its mean over the items is a usual metric:

    * classes: 1 where the answer is right, else 0: the mean is accuracy;
    * several labels: of the item's labels, how pure the ranking is down to each (1 where none or
      all labels apply): the mean is the label ranking average precision (Tsoumakas, Katakis and
      Vlahavas, "Mining multi-label data", 2010, sec. 7), which needs no threshold;
    * regression: 1 - |error| / the mean |error| of always answering the training targets' median:
      the mean is the skill score of the mean absolute error (for such scores: Murphy, "Skill scores
      based on the mean square error", Monthly Weather Review 116, 1988); 1 is perfect, 0 no
      better than that answer, below 0 worse.

    Attributes:
        task: `"multiclass"`, `"binary"`, `"multilabel"` or `"regression"`.
        median: regression: that answer, in the targets' unit.
        reference: regression: its mean absolute error on the test split.
    """

    task: str
    median: float = 0.0
    reference: float = 1.0

    @classmethod
    def of(cls, task: str, train: np.ndarray, test: np.ndarray) -> "Skill":
        """The skill of a task, with what it takes from the labels of the two splits."""
        if task != "regression":
            return cls(task)
        median = float(np.median(train))
        # Of a test split that always has that value, an error is what it is.
        return cls(task, median, float(np.abs(test - median).mean()) or 1.0)

    @property
    def name(self) -> str:
        """The name of its mean."""
        names = {"multilabel": "label ranking average precision", "regression": "skill score"}
        return names.get(self.task, "accuracy")

    @property
    def lowest(self) -> float:
        """The least that it can be; the most is 1."""
        return -np.inf if self.task == "regression" else 0.0

    def of_items(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """float32 array (n,), or uint8 for right and wrong.

        Args:
            labels: a split's labels.
            logits: float array (n, outputs), what the head puts out for them.
        """
        if self.task == "regression":
            return (1 - np.abs(logits[:, 0] - labels) / self.reference).astype(np.float32)
        if self.task == "multilabel":
            return _ranking_precision(labels, logits)
        answers = logits[:, 0] > 0 if self.task == "binary" else logits.argmax(axis=1)
        return (answers == labels).astype(np.uint8)


def _ranking_precision(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    true = labels > 0
    rank = stats.rankdata(-logits, method="max", axis=1)
    # Among the true labels only; the others stand behind them all.
    among = stats.rankdata(np.where(true, -logits, np.inf), method="max", axis=1)
    counts = true.sum(axis=1)
    values = np.sum(np.where(true, among / rank, 0), axis=1) / np.maximum(counts, 1)
    undecided = (counts == 0) | (counts == labels.shape[1])
    return np.where(undecided, 1, values).astype(np.float32)
