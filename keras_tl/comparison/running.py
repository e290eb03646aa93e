"""One run: an arm, trained with a seed, and what it makes of each test item after every pass."""

import dataclasses
import time
from typing import Any

import keras
import numpy as np

from keras_tl.base.config import CacheConfig
from keras_tl.comparison.budget import Budget
from keras_tl.comparison.skill import Skill
from keras_tl.comparison.verdict import FINE_TUNED, FROZEN, SCRATCH
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.data.labelled_data import LabelledData
from keras_tl.data.splits import draw
from keras_tl.errors import ConfigError
from keras_tl.evaluation.transferability import logme
from keras_tl.learner import Learner
from keras_tl.tasks import get_task

_SCORED = 1000


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is compared: all that the arms have in common.

    Attributes:
        source: an untrained learner with the pretrained backbone; each run has a copy of its own.
        options: arguments of `Learner`.
        data: with a training and a test split; a validation split is not used, so that nothing is
            stopped early and the last weights count.
        skill: what is measured.
        budget: what the arms do.
        augment: how items are augmented, in all arms and phases.
        cache: where features are kept.
    """

    source: Learner
    options: dict[str, Any]
    data: LabelledData
    skill: Skill
    budget: Budget
    augment: Augmentation
    cache: CacheConfig

    def learner(self, arm: str, data: LabelledData, seed: int) -> Learner:
        """A learner, untrained; of the arm "scratch" with random weights."""
        weights = None if arm == SCRATCH else "imagenet"  # which are then those of the source
        options = {"seed": seed, "verbose": False, "check": False} | self.options
        return Learner(self.source, data, weights, **options)


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of one run.

    Attributes:
        outcomes: array (epochs, items), the skill on each test item after each pass; uint8 where
            that is 0 or 1, else float32.
        seconds: wall time.
        marks: for each pass the seconds from the run's start to the end of training, and to the
            end of the evaluation after it.
    """

    outcomes: np.ndarray
    seconds: float
    marks: tuple[tuple[float, float], ...]


class Watch(keras.callbacks.Callback):
    """Evaluates the test split after every pass; nothing is decided by it."""

    def __init__(self, learner: Learner, skill: Skill, began: float, name: str):
        super().__init__()
        self._learner, self._skill, self._began, self._name = learner, skill, began, name
        self.outcomes, self.marks = [], []

    def on_epoch_end(self, epoch, logs=None):
        """Notes what the network makes of each item; `ConfigError`: it diverged."""
        trained = time.perf_counter() - self._began
        labels = self._learner.data.split("test").labels
        logits = self._learner.trainer.logits(self._learner.data.split("test"))
        if not np.isfinite(logits).all():
            # Else it would pass for a network that always answers the first class.
            raise ConfigError(
                f"{self._name} diverged: after pass {len(self.outcomes) + 1} its answers are not "
                "finite numbers. Lower its rate by policy= or scratch_policy=, with another out=; "
                "or use precision='float32'."
            )
        self.outcomes.append(self._skill.of_items(labels, logits))
        self.marks.append((trained, time.perf_counter() - self._began))


def run(subject: Subject, arm: str, size: int | None, seed: int) -> Run:
    """Trains one arm from the beginning to the end of the budget.

    Args:
        subject: what is compared.
        arm: `"scratch"`, `"frozen"` or `"fine-tuned"`.
        size: training items, drawn with the seed; `None`: all.
        seed: of the learner; the same in all arms, so that they see the same items in the same
            order and begin with the same head.

    Raises:
        ConfigError: the training diverged.
    """
    began = time.perf_counter()
    learner = subject.learner(arm, subset(subject.data, size, seed), seed)
    watch = Watch(learner, subject.skill, began, f"The arm {arm} (seed {seed})")
    shared = {"augment": subject.augment, "callbacks": [watch]}
    budget = subject.budget
    head = {FROZEN: budget.frozen, FINE_TUNED: budget.head, SCRATCH: None}[arm]
    if head is not None:
        learner.fit_head(
            head.epochs,
            head.learning_rate,
            cache=subject.cache,
            batch_size=head.batch_size,
            **shared,
        )
    if arm != FROZEN:
        phases = budget.scratch if arm == SCRATCH else budget.fine_tuned
        learner.fine_tune(policy=phases, **shared)
    outcomes = np.stack(watch.outcomes)
    return Run(outcomes, time.perf_counter() - began, tuple(watch.marks))


def scores(subject: Subject) -> dict[str, float]:
    """LogME of the frozen features before training, with the pretrained weights and random ones.

    Of at most 1,000 training items; see `keras_tl.evaluation.transferability.logme`.
    """
    train = subject.data.split("train")
    chosen = train.take(draw(train.labels, _SCORED, seed=0))
    learners = {"pretrained": subject.source, "random": subject.learner(SCRATCH, subject.data, 0)}
    return {
        weights: logme(
            learner.features(chosen, cache="off"), chosen.labels, get_task(subject.data.task)
        )
        for weights, learner in learners.items()
    }


def subset(data: LabelledData, size: int | None, seed: int) -> LabelledData:
    """The same data with so many training items; each class in proportion, and at least once."""
    if size is None:
        return data
    train = data.split("train")
    rows = draw(train.labels, size, seed)
    return dataclasses.replace(data, splits=data.splits | {"train": train.take(rows)})
