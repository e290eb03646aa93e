"""Estimate the training time of a comparison from a short trial run."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_tl.base.choices import Arm
from keras_tl.base.config import CacheConfig
from keras_tl.base.reporting import time_text
from keras_tl.comparison.budget import Budget
from keras_tl.comparison.running import Run, Setup, run
from keras_tl.comparison.verdict import FINE_TUNED, FROZEN, SCRATCH

# A job is a run to train, given by its arm, training set size and seed.
Job = tuple[Arm, int | None, int]

# Size of the trial run: training steps per epoch, test items, and epochs per phase. The first epoch
# also traces the graph, so only the time of the second epoch counts.
_STEPS, _ITEMS, _PASSES = 4, 64, 2


@dataclasses.dataclass(frozen=True, repr=False)
class Cost:
    """Estimated training time of the missing runs of a comparison.

    Attributes:
        runs: Number of runs of the comparison that are still missing.
        finished: Number of runs of the comparison that are finished.
        seconds: Estimated time of the missing runs in seconds, by arm.

    Example:
        >>> cost = ktl.Cost(runs=9, finished=0, seconds={"scratch": 60.0, "frozen": 5.0})
        >>> cost.total
        65.0
    """

    runs: int
    finished: int
    seconds: dict[str, float]

    @property
    def total(self) -> float:
        """Estimated time of the missing runs of all arms, in seconds.

        Example:
            >>> ktl.Cost(runs=6, finished=3, seconds={"scratch": 60.0, "frozen": 5.0}).total
            65.0
        """
        return sum(self.seconds.values())

    def to_json(self) -> dict[str, Any]:
        """Return the estimated training times as JSON types.

        Example:
            >>> sorted(ktl.Cost(runs=0, finished=9, seconds={}).to_json())
            ['finished', 'runs', 'seconds', 'total']
        """
        return dataclasses.asdict(self) | {"total": self.total}

    def describe(self) -> str:
        """Describe the estimated training times in one line.

        Example:
            >>> ktl.Cost(runs=0, finished=9, seconds={}).describe()
            'No runs are left (already finished: 9).'
        """
        finished = f" (already finished: {self.finished})" if self.finished else ""
        if not self.runs:
            return f"No runs are left{finished}."
        arms = ", ".join(f"{arm} {time_text(seconds)}" for arm, seconds in self.seconds.items())
        return f"About {time_text(self.total)} for {self.runs} runs{finished}: {arms}."

    def __repr__(self) -> str:
        return self.describe()


def estimate(setup: Setup, jobs: Sequence[Job], finished: int = 0) -> Cost:
    """Estimate the time of the missing runs (`jobs`): measure a few steps and extrapolate."""
    seconds = extrapolate(setup, jobs, *_trial(setup)) if jobs else {}
    return Cost(len(jobs), finished, seconds)


def extrapolate(
    setup: Setup, jobs: Sequence[Job], trial: Run, trial_train: int, trial_test: int
) -> dict[str, float]:
    """Return the estimated seconds of the runs, by arm, from the times of a trial run.

    Args:
        setup: Settings that all arms share.
        jobs: Runs for which to estimate the time, each as (arm, size, seed).
        trial: Measured trial run of the fine-tuned arm.
        trial_train: Number of training items of the trial run.
        trial_test: Number of test items of the trial run.
    """
    seconds: dict[str, float] = {}
    costs = _Costs.of(trial, trial_train, trial_test)
    tests, where = len(setup.data.split("test")), setup.cache.where
    extracted: set[Any] = set()
    for arm, size, seed in jobs:
        train = len(setup.data.split("train")) if size is None else size
        spent = costs.of_run(setup.budget, arm, train, tests, where == "off")
        if arm != SCRATCH and where != "off":
            # Later runs find the test features in a cache on disk. Later runs with the same
            # training items also find the training features there.
            drawn = (size, size and seed)
            rows = 0 if extracted else tests
            if setup.augment is False and drawn not in extracted:
                rows += train
            spent += costs.forward * rows
            if where != "memory":
                extracted.add(drawn)
        seconds[arm] = seconds.get(arm, 0.0) + spent
    return seconds


def _trial(setup: Setup) -> tuple[Run, int, int]:
    """Run the fine-tuned arm on a few items. Return the run and its training and test set sizes."""
    budget, data = setup.budget, setup.data
    phase = budget.fine_tuned[-1]
    train = data.split("train").sample(_STEPS * phase.batch_size, seed=0)
    test = data.split("test").sample(_ITEMS, seed=0)
    short = Budget(
        epochs=2 * _PASSES,
        scratch=(),
        frozen=budget.frozen,
        head=dataclasses.replace(budget.frozen, epochs=_PASSES),
        fine_tuned=(dataclasses.replace(phase, epochs=_PASSES),),
    )
    tried = dataclasses.replace(
        setup,
        budget=short,
        data=dataclasses.replace(data, splits={"train": train, "test": test}),
        cache=CacheConfig("off" if setup.cache.where == "off" else "memory"),
    )
    return run(tried, FINE_TUNED, None, seed=0), len(train), len(test)


@dataclasses.dataclass(frozen=True)
class _Costs:
    """Times that a trial run measured, in seconds.

    Attributes:
        head: Time to train the head on one item in one epoch.
        live: Time to train the whole network on one item in one epoch.
        forward: Time to evaluate one item with the whole network.
        until_head: Time from the start of a run to the first training step of the head.
        until_live: Time from the end of the head's phase to the first step that trains the whole
            network.
    """

    head: float
    live: float
    forward: float
    until_head: float
    until_live: float

    @classmethod
    def of(cls, trial: Run, train: int, test: int) -> "_Costs":
        first, second, third, fourth = trial.marks
        head, live = second[0] - first[1], fourth[0] - third[1]
        forward = fourth[1] - fourth[0]
        until_head = max(first[1] - head, 0.0)
        until_live = max(third[1] - second[1] - live - forward, 0.0)
        return cls(head / train, live / train, forward / test, until_head, until_live)

    def of_run(
        self, budget: Budget, arm: Arm, train: int, test: int, without_features: bool
    ) -> float:
        """Return the time of one run in seconds, without the extraction of features."""
        head = budget.head.epochs if budget.head else 0
        on_head = {FROZEN: budget.epochs, FINE_TUNED: head, SCRATCH: 0}[arm]
        live = budget.epochs - on_head
        seconds = self.until_head + on_head * train * self.head
        if without_features:
            seconds += on_head * test * self.forward
        if live:
            seconds += self.until_live + live * (train * self.live + test * self.forward)
        return seconds
