"""Train one arm with one seed, and measure the skill on each test item after each epoch."""

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
class Setup:
    """Settings that all arms of a comparison share.

    Attributes:
        source: Untrained learner with the pretrained backbone, which each run copies.
        options: Arguments of `Learner` for the learner of each run.
        data: Data with a training and a test split. Because there is no validation split, no run
            stops early, and every run keeps its last weights.
        skill: Metric that each run measures for every test item.
        budget: Training phases of each arm.
        augment: Augmentation of items, in all arms and phases.
        cache: Place to store the features, as in `Learner.fit_head`.
    """

    source: Learner
    options: dict[str, Any]
    data: LabelledData
    skill: Skill
    budget: Budget
    augment: Augmentation
    cache: CacheConfig

    def learner(self, arm: str, data: LabelledData, seed: int) -> Learner:
        """Return an untrained learner for an arm. The arm "scratch" has random weights."""
        # If the first argument of `Learner` is a learner, `weights="imagenet"` keeps the weights of
        # this learner.
        weights = None if arm == SCRATCH else "imagenet"
        options = {"seed": seed, "verbose": False, "preflight": False} | self.options
        return Learner(self.source, data, weights=weights, **options)


@dataclasses.dataclass(frozen=True)
class Run:
    """Result of one run: the training of one arm with one seed.

    Attributes:
        skills: Skill on each test item after each epoch, array (epochs, items). uint8 if all
            skills are 0 or 1, else float32.
        seconds: Wall time of the run, in seconds.
        marks: Two times for each epoch, in seconds since the start of the run: the end of the
            training and the end of the evaluation.
    """

    skills: np.ndarray
    seconds: float
    marks: tuple[tuple[float, float], ...]


class Watch(keras.callbacks.Callback):
    """Callback that evaluates the test split after every epoch, without effect on the training."""

    def __init__(self, learner: Learner, skill: Skill, began: float, name: str):
        super().__init__()
        self._learner, self._skill, self._began, self._name = learner, skill, began, name
        self.skills, self.marks = [], []

    def on_epoch_end(self, epoch, logs=None):
        """Record the skill on each test item. Raise `ConfigError` if the training diverged."""
        trained = time.perf_counter() - self._began
        labels = self._learner.data.split("test").labels
        logits = self._learner.trainer.logits(self._learner.data.split("test"))
        if not np.isfinite(logits).all():
            # NaN logits would otherwise count as predictions of the first class.
            raise ConfigError(
                f"{self._name} diverged: after epoch {len(self.skills) + 1} its logits are not "
                "finite numbers. Lower the learning rate by head_learning_rate=, policy= or "
                "scratch_policy= of ktl.Protocol, or pass precision='float32'. Both changes need "
                "another folder: path= (--out on the command line)."
            )
        self.skills.append(self._skill.of_items(labels, logits))
        self.marks.append((trained, time.perf_counter() - self._began))


def run(setup: Setup, arm: str, size: int | None, seed: int) -> Run:
    """Train one arm from the beginning to the end of the budget.

    The seed also selects the `size` training items (`None`: all). With the same seed, all arms see
    the same items in the same order and start with the same head.

    Raises:
        ConfigError: The training diverged.
    """
    began = time.perf_counter()
    learner = setup.learner(arm, subset(setup.data, size, seed), seed)
    watch = Watch(learner, setup.skill, began, f"The arm {arm} (seed {seed})")
    shared = {"augment": setup.augment, "callbacks": [watch]}
    budget = setup.budget
    head = {FROZEN: budget.frozen, FINE_TUNED: budget.head, SCRATCH: None}[arm]
    if head is not None:
        options = {"batch_size": head.batch_size, "cache": setup.cache}
        learner.fit_head(head.epochs, learning_rate=head.learning_rate, **options, **shared)
    if arm != FROZEN:
        phases = budget.scratch if arm == SCRATCH else budget.fine_tuned
        learner.fine_tune(policy=phases, **shared)
    skills = np.stack(watch.skills)
    return Run(skills, time.perf_counter() - began, tuple(watch.marks))


def scores(setup: Setup) -> dict[str, float]:
    """Return LogME of the frozen features before training, with pretrained and random weights.

    LogME uses at most 1,000 training items, see `keras_tl.evaluation.transferability.logme`.
    """
    train = setup.data.split("train")
    chosen = train.take(draw(train.labels, _SCORED, seed=0))
    learners = {"pretrained": setup.source, "random": setup.learner(SCRATCH, setup.data, 0)}
    task = get_task(setup.data.task)
    return {
        weights: logme(learner.features(chosen, cache="off"), chosen.labels, task)
        for weights, learner in learners.items()
    }


def subset(data: LabelledData, size: int | None, seed: int) -> LabelledData:
    """Draw `size` training items with the data's class proportions, at least one of each class."""
    if size is None:
        return data
    train = data.split("train")
    rows = draw(train.labels, size, seed)
    return dataclasses.replace(data, splits=data.splits | {"train": train.take(rows)})
