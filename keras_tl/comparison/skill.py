"""The skill that a comparison is about: one number for each test item, higher is better."""

import dataclasses

import numpy as np

from keras_tl.base.config import JsonConfig
from keras_tl.tasks import get_task


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
        task: the task's name.
        median: regression: that answer, in the targets' unit.
        reference: regression: its mean absolute error on the test split.
    """

    task: str
    median: float = 0.0
    reference: float = 1.0

    @classmethod
    def of(cls, task: str, train: np.ndarray, test: np.ndarray) -> "Skill":
        """The skill of a task, with what it takes from the labels of the two splits."""
        return cls(task, **get_task(task).skill_fields(train, test))

    @property
    def name(self) -> str:
        """The name of its mean."""
        return get_task(self.task).skill_name

    @property
    def lowest(self) -> float:
        """The least that it can be; the most is 1."""
        return get_task(self.task).lowest_skill

    def of_items(self, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """float32 array (n,), or uint8 for right and wrong.

        Args:
            labels: a split's labels.
            logits: float array (n, outputs), what the head puts out for them.
        """
        return get_task(self.task)().skills(labels, logits, self.reference)
