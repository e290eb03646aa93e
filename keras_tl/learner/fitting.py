"""`fit`: one call that trains the head, fine-tunes if that pays, and keeps the better model."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_tl.base.config import CacheConfig, Phase, check_range
from keras_tl.data.images.augmentation import Augmentation, check_augmentation, names_of
from keras_tl.data.labelled_data import LabelledData, Split, groups_of
from keras_tl.errors import ConfigError
from keras_tl.evaluation.measuring import measure
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.learner.measuring import Measuring
from keras_tl.learner.saving import Saving
from keras_tl.learner.training import Training
from keras_tl.selection.candidates import (
    HEAD,
    SHARES,
    TUNED,
    Candidate,
    choose,
    mean_losses,
    measure_candidates,
    without_barrier,
)
from keras_tl.selection.evidence import along_the_line, out_of_fold
from keras_tl.selection.plan import OUT_OF_FOLD, VALIDATION, Budget, Plan, make_plan
from keras_tl.selection.result import FitResult
from keras_tl.training.callbacks import check_callbacks
from keras_tl.training.head_solver import FOLDS
from keras_tl.training.policies import default_share, fitting_policy, head_phase, phases_of
from keras_tl.training.timing import estimate_costs, rehearse
from keras_tl.training.tuned_folds import TunedFolds
from keras_tl.training.weight_line import WeightLine

_OF_HEADS = ("label_smoothing", "class_weight")


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What `fit` was asked for, and the policy that follows from the data."""

    policy: str
    phases: tuple[Phase, ...]
    head: Phase
    augment: Augmentation
    refit: bool
    callbacks: Sequence[keras.callbacks.Callback]
    head_options: Mapping[str, Any]

    @property
    def shares(self) -> tuple[float, ...]:
        """A contrastive policy trains a new head: its line has no middle."""
        return SHARES if self.policy == "standard" else (HEAD, TUNED)


class Fitting(Training, Measuring, Saving):
    """The part of a learner that decides how to train."""

    def fit(
        self,
        minutes: float | None = None,
        refit: bool = False,
        augment: Augmentation = True,
        cache: str | CacheConfig = "auto",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        label_smoothing: float | None = None,
        class_weight: str | dict[str, float] | None = None,
    ) -> FitResult:
        """Train the head, fine-tune, and keep the head, the fine-tuned model, or their average.

        The plan is shown before fine-tuning begins. `fit` compares the models on the validation
        split if it has at least 50 items. With fewer, and with `refit`, it fine-tunes three models,
        each without a third of the items, and compares their predictions for that third. It keeps
        the measured default unless another model has a lower loss beyond chance. Without `refit`
        the test split is never looked at. A head that `fit_head` has just trained with its defaults
        is not trained again.

        Args:
            minutes: time budget of this call. A short one cuts the comparison first, then steps,
                then fine-tuning. `None`: no limit.
            refit: after the choice, train on the items of all splits. `learner.data` then has only
                a training split, and the result has an estimate from models that have not seen
                the item.
            augment: while fine-tuning, as in `fine_tune`.
            cache: as in `fit_head`.
            callbacks: Keras callbacks of all trainings but those of the three models.
            label_smoothing: as in `fit_head`.
            class_weight: as in `fit_head`.

        Returns:
            The model that was kept, why, by how much, and the costs; also in `learner.fitted`.

        Raises:
            ConfigError: the backbone was fine-tuned on these items before, here or in an earlier
                run, or an argument is not as described.
            DataError: the learner was loaded without data, or a file cannot be read.

        Example:
            >>> learner.fit(minutes=20)  # doctest: +SKIP
        """
        asked = self._asked(augment, refit, callbacks, cache, label_smoothing, class_weight)
        if minutes is not None:
            check_range("minutes", minutes, 0.01)
        self.fitted = _Fit(self, asked).run(minutes)
        self._reporter.say(self.fitted.describe())
        return self.fitted

    def _asked(
        self,
        augment: Augmentation,
        refit: bool,
        callbacks: Sequence[keras.callbacks.Callback],
        cache: str | CacheConfig,
        label_smoothing: float | None,
        class_weight: str | dict[str, float] | None,
    ) -> _Asked:
        data = self._need_data()
        check_augmentation(augment)
        callbacks = check_callbacks(callbacks)
        if augment is True:
            augment = data.augmentation
        if not self._trainer.features.is_original or self._learned_splits:
            raise ConfigError(
                "fit() begins with a backbone that has not learned these items; this one was "
                "fine-tuned already. Make a new Learner with pretrained weights, or go on with "
                "fine_tune()."
            )
        given = {"label_smoothing": label_smoothing, "class_weight": class_weight}
        task, labels = self.task, data.split("train").labels
        counts = task.class_counts(labels) if task.has_one_class else None
        policy = fitting_policy(self.config.family, counts)
        phases = phases_of(policy, self.config.family, **given)
        for phase in phases:
            self._trainer.check(phase, augment)
        config = cache if isinstance(cache, CacheConfig) else CacheConfig(cache)
        self._trainer.features.keep_in(config)
        live = config.where == "off"
        (head,) = phases_of(head_phase(self.config, live), self.config.family, **given)
        return _Asked(policy, phases, head, augment, refit, callbacks, given | {"cache": cache})


class _Fit:
    """One call of `fit`.

    Args:
        learner: its backbone as it came.
        asked: see `_Asked`.
    """

    def __init__(self, learner: Fitting, asked: _Asked):
        self._learner = learner
        self._trainer = learner._trainer
        self._asked = asked
        self._seconds: dict[str, float] = {}
        self._tuned = 0

    def run(self, minutes: float | None) -> FitResult:
        """Train, choose, and leave the learner with the model that is kept."""
        asked, began = self._asked, time.perf_counter()
        head = self._trainer.settled(asked.head, self._data.split("train"))
        is_trained = [record.phase for record in self._learner.history] == [head]
        if not (is_trained and self._learner.has_own("train")):
            with self._timed("head"):
                self._learner.fit_head(**asked.head_options, callbacks=asked.callbacks)
        plan = self._plan(minutes, began)
        self._learner._reporter.say(plan.describe(self._data.item))
        phases = self._planned(plan)
        default = HEAD
        if plan.trainings:
            default = default_share(asked.policy, self._learner.config.family)
        line, outcomes = None, {}
        if plan.evidence == OUT_OF_FOLD:
            with self._timed("comparison"):
                outcomes = self._out_of_fold(phases, plan.folds)
        elif plan.evidence == VALIDATION:
            line = self._tune(phases)
            validation = self._data.split("validation")
            outcomes = along_the_line(self._trainer, line, asked.shares, validation)
        if outcomes:
            default = self._without_barrier(outcomes, default)
        candidates = self._measured(outcomes, default, plan)
        kept = choose(candidates, default).share if candidates else default
        if line is not None:
            self._trainer.keep_share(line, kept, self._tuned)
        estimate = self._estimate(outcomes.get(kept), plan) if asked.refit else (None, None)
        if asked.refit:
            self._take_all_items(line)
        if kept != HEAD and (line is None or asked.refit):
            line = self._tune(phases)
            if not outcomes and kept != TUNED:
                ends = sorted({HEAD, kept, TUNED})
                train = self._data.split("train")
                seen = along_the_line(self._trainer, line, ends, train)
                kept = default = self._without_barrier(seen, kept)
            self._trainer.keep_share(line, kept, self._tuned)
        return FitResult(
            kept,
            default,
            asked.policy,
            candidates,
            plan,
            self._seconds,
            self._learner.task.headline,
            self._data.item,
            len(self._data.split("train")),
            names_of(asked.augment),
            asked.refit,
            *estimate,
        )

    @property
    def _data(self) -> LabelledData:
        return self._learner.data

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - began

    def _plan(self, minutes: float | None, began: float) -> Plan:
        asked, trainer, data = self._asked, self._trainer, self._data
        first, train = asked.phases[0], self._trained_on
        costs, left = estimate_costs(trainer, train, first), None
        if minutes is not None:
            costs = rehearse(trainer, data, first, asked.augment, costs.item)
            left = 60 * minutes - (time.perf_counter() - began)
        items = sum(len(data.split(name)) for name in self._compared)
        validation = len(data.splits.get("validation", ()))
        steps = sum(trainer.steps_of(phase, train) for phase in asked.phases)
        epochs = sum(trainer.settled(phase, train).epochs for phase in asked.phases)
        budget = None if minutes is None else Budget(minutes, left, steps // epochs)
        return make_plan(costs, steps, items, validation, asked.refit, budget)

    @property
    def _trained_on(self) -> Split:
        """The items that will train the model that is kept."""
        return self._data.joined(list(self._data.splits) if self._asked.refit else ["train"])

    def _planned(self, plan: Plan) -> tuple[Phase, ...]:
        """The phases as planned: each runs to its end."""
        train = self._trained_on
        full = [self._trainer.steps_of(phase, train) for phase in self._asked.phases]
        share = min(plan.steps / sum(full), 1.0)
        found = []
        for phase in self._asked.phases:
            changes = {"patience": None}
            if share < 1:
                epochs = self._trainer.settled(phase, train).epochs
                changes |= {"epochs": max(1, round(share * epochs)), "min_steps": 0}
            found.append(dataclasses.replace(phase, **changes))
        return tuple(found)

    @property
    def _compared(self) -> list[str]:
        """The splits whose items compare models out of fold."""
        return [name for name in self._data.splits if self._asked.refit or name != "test"]

    def _out_of_fold(self, phases: tuple[Phase, ...], folds: int) -> dict[float, Outcomes]:
        asked = self._asked
        training = TunedFolds(
            self._trainer, self._data, asked.head, phases, asked.augment, asked.shares
        )
        return out_of_fold(training, self._compared, folds, self._learner.seed)

    def _tune(self, phases: tuple[Phase, ...]) -> WeightLine:
        model = self._learner.model
        before = model.get_weights()
        with self._timed("fine-tuning"):
            records = self._learner._run_all(phases, self._asked.augment, self._asked.callbacks)
        self._tuned = len(records)
        return WeightLine.to_now(model, before)

    def _without_barrier(self, outcomes: Mapping[float, Outcomes], default: float) -> float:
        return without_barrier(mean_losses(self._learner.task, outcomes), default)

    def _measured(
        self, outcomes: Mapping[float, Outcomes], default: float, plan: Plan
    ) -> tuple[Candidate, ...]:
        if not outcomes:
            return ()
        validates = plan.evidence == VALIDATION
        split = self._data.joined(["validation"] if validates else self._compared)
        groups = groups_of(split, self._data.groups)
        return measure_candidates(self._learner.task.undecided, outcomes, default, groups)

    def _estimate(self, outcomes: Outcomes | None, plan: Plan) -> tuple[Mapping[str, Any], str]:
        """Metrics from models that have not seen the items, and how they were found."""
        splits = self._data.splits
        if plan.evidence == VALIDATION and "test" in splits:
            test = splits["test"]
            outcomes = Outcomes(test.labels, self._trainer.logits(test))
            how = "on the test split, before it trained the model too"
        elif plan.evidence == VALIDATION:
            how = "on the validation split, which also chose the model, before it trained it too"
        elif plan.evidence == OUT_OF_FOLD:
            how = f"by {plan.folds} models that each left out a part of the {self._data.item}s"
        else:
            column = groups_of(self._data.joined(list(splits)), self._data.groups)
            parts = FOLDS if column is None else min(FOLDS, len(np.unique(column)))
            given = {name: self._asked.head_options[name] for name in _OF_HEADS}
            found = self._learner.cross_validate(parts, **given)
            outcomes = found.outcomes[0]
            how = "by cross-validation of the head; nothing measured a fine-tuned model"
        return measure(self._learner.task.undecided, outcomes), how

    def _take_all_items(self, line: WeightLine | None) -> None:
        """Begin again: the pretrained backbone, and a head that all items train."""
        learner, trainer = self._learner, self._trainer
        if line is not None:
            trainer.keep_share(line, HEAD, self._tuned)
        names = list(self._data.splits)
        features = [trainer.features.of(self._data.split(name)).all_rows for name in names]
        split = self._data.joined(names)
        trainer.features.adopt(split, np.concatenate(features))
        trainer.forget()
        learner.data = dataclasses.replace(self._data, splits={"train": split})
        with self._timed("head"):
            learner.fit_head(**self._asked.head_options, callbacks=self._asked.callbacks)
