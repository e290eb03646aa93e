"""Skill: the compared metric, one number for each test item. Higher is better."""

import dataclasses

import numpy as np

from keras_tl.base.config import JsonConfig
from keras_tl.tasks import get_task


@dataclasses.dataclass(frozen=True)
class Skill(JsonConfig):
    """Metric of a single item, whose mean over the items is a usual metric.

    * Classes: 1 for a correct prediction, else 0. The mean is accuracy.
    * Several labels: the mean precision of the ranking at each of the item's labels (1 if none or
      all labels apply). The mean is the label ranking average precision (Tsoumakas, Katakis and
      Vlahavas, "Mining multi-label data", 2010, sec. 7), which needs no threshold.
    * Regression: 1 - |error| / the mean |error| of a baseline that always predicts the median of
      the training targets. The mean is the skill score of the mean absolute error (on such scores:
      Murphy, "Skill scores based on the mean square error", Monthly Weather Review 116, 1988). 1 is
      perfect, 0 is no better than the baseline, below 0 is worse.

    Attributes:
        task: Name of the task.
        median: Prediction of the regression baseline, in the unit of the targets.
        reference: Mean absolute error of the regression baseline on the test split.
    """

    task: str
    median: float = 0.0
    reference: float = 1.0

    @classmethod
    def of(cls, task: str, train: np.ndarray, test: np.ndarray) -> "Skill":
        """Create the skill of a task, with its constants from the labels of the two splits."""
        return cls(task, **get_task(task).skill_fields(train, test))

    @property
    def name(self) -> str:
        """Name of the mean skill."""
        return get_task(self.task).skill_name

    @property
    def lowest(self) -> float:
        """Smallest possible skill. The largest is 1."""
        return get_task(self.task).lowest_skill

    def of_items(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return the skill of each item: float32 array (n,), or uint8 for right and wrong.

        Args:
            labels: Labels of the items.
            logits: Outputs of the head, float array (n, outputs).
        """
        return get_task(self.task)().skills(labels, logits, self.reference)
