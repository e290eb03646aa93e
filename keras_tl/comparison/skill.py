"""Skill: the metric of a comparison, one number for each test item. Higher is better."""

import dataclasses

import numpy as np

from keras_tl.base.config import JsonConfig
from keras_tl.tasks import get_task


@dataclasses.dataclass(frozen=True)
class Skill(JsonConfig):
    """Metric of a single item (skill). The mean skill over all items is a known metric, see below.

    * Classes: the skill is 1 for a correct prediction, else 0. The mean skill is the accuracy.
    * Several labels: the skill is the precision of the ranking, averaged over the item's labels (1
      if no label or all labels apply). The mean skill is the label ranking average precision
      (Tsoumakas, Katakis and Vlahavas, "Mining multi-label data", 2010, sec. 7), which needs no
      threshold.
    * Regression: the skill is 1 - |error| / the mean |error| of a baseline that always predicts the
      median of the training targets. The mean skill is the skill score of the mean absolute error:
      1 is perfect, 0 is no better than the baseline, below 0 is worse. Murphy explains skill scores
      ("Skill scores based on the mean square error", Monthly Weather Review 116, 1988).

    Attributes:
        task: Name of the task, such as `"multiclass"`.
        median: Prediction of the regression baseline, in the unit of the targets.
        reference: Mean absolute error of the regression baseline on the test split.
    """

    task: str
    median: float = 0.0
    reference: float = 1.0

    @classmethod
    def of(cls, task: str, train: np.ndarray, test: np.ndarray) -> "Skill":
        """Create the skill of a task. For regression, labels determine `median` and `reference`."""
        return cls(task, **get_task(task).skill_fields(train, test))

    @property
    def name(self) -> str:
        """Name of the metric that equals the mean skill, such as `accuracy`."""
        return get_task(self.task).skill_name

    @property
    def lowest(self) -> float:
        """Smallest possible skill of an item. The largest possible skill is 1."""
        return get_task(self.task).lowest_skill

    def of_items(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """Return the skill of each item: float32 array (n,), or uint8 if all skills are 0 or 1."""
        return get_task(self.task)().skills(labels, logits, reference=self.reference)
