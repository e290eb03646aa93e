"""`fit`: one call that trains the head, fine-tunes, and keeps the best model."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from keras_tl.base.config import CacheConfig, Phase, check_range
from keras_tl.data.images.augmentation import Augmentation, check_augmentation, names_of
from keras_tl.data.labelled_data import LabelledData, Split, groups_of
from keras_tl.errors import ConfigError
from keras_tl.evaluation.grouping import Grouping
from keras_tl.evaluation.metrics import measure
from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.learner.measuring import cross_validate
from keras_tl.learner.state import State
from keras_tl.learner.training import Callbacks, fit_head, run_all
from keras_tl.selection.candidates import (
    HEAD,
    SHARES,
    TUNED,
    Candidate,
    choose,
    default_or_end,
    is_right_on_all,
    mean_losses,
    measure_candidates,
)
from keras_tl.selection.evidence import along_the_line, out_of_fold
from keras_tl.selection.plan import OUT_OF_FOLD, VALIDATION, Plan, TimeBudget, make_plan
from keras_tl.selection.result import FitResult
from keras_tl.training.callbacks import check_callbacks
from keras_tl.training.fine_tuned_folds import FineTunedFolds
from keras_tl.training.head_solver import FOLDS
from keras_tl.training.policies import (
    ENOUGH_TO_VALIDATE,
    default_share,
    fitting_policy,
    head_phase,
    phases_of,
)
from keras_tl.training.timing import estimate_costs, rehearse
from keras_tl.training.weight_average import WeightAverage

_OF_HEADS = ("label_smoothing", "class_weight")


def fit(
    state: State,
    minutes: float | None,
    refit: bool,
    augment: Augmentation,
    cache: str | CacheConfig,
    callbacks: Callbacks,
    **head_options: Any,
) -> FitResult:
    """See `Learner.fit`. `head_options` are arguments of `fit_head`."""
    call = _Fit(state, refit, augment, CacheConfig.of(cache), callbacks, head_options)
    if minutes is not None:
        check_range("minutes", minutes, 0.01)
    found = call.run(minutes)
    state.measured.fitted = found
    state.reporter.say_result(found.describe())
    return found


class _Fit:
    """One call of `fit`: checked arguments and policy as attributes, steps of `fit` as methods."""

    def __init__(
        self,
        state: State,
        refit: bool,
        augment: Augmentation,
        cache: CacheConfig,
        callbacks: Callbacks,
        head_options: dict[str, Any],
    ):
        data, config, trainer = state.need_data(), state.config, state.trainer
        check_augmentation(augment)
        self._state = state
        self._trainer = trainer
        self._refit = refit
        self._callbacks = check_callbacks(callbacks)
        self._augment = data.augmentation if augment is True else augment
        self._head_options = head_options | {"cache": cache}
        self._seconds: dict[str, float] = {}
        self._tuned = 0
        if seen := state.learned_splits:
            raise ConfigError(
                "fit() needs a backbone that has not learned these items, but this backbone was "
                f"fine-tuned on labels of these data: {', '.join(seen)}. Create a new Learner with "
                "pretrained weights, or continue with fine_tune()."
            )
        task, labels = state.task, data.split("train").labels
        counts = task.class_counts(labels) if task.has_one_class else None
        self._policy = fitting_policy(config.family, counts)
        self._phases = phases_of(self._policy, config.family, **head_options)
        for phase in self._phases:
            trainer.check(phase, self._augment)
        trainer.features.keep_in(cache)
        head = head_phase(config, live=cache.where == "off")
        (self._head,) = phases_of(head, config.family, **head_options)

    def run(self, minutes: float | None) -> FitResult:
        """Train the candidate models, choose a model, and load its weights into the learner."""
        began = time.perf_counter()
        head = self._trainer.settled(self._head, len(self._data.split("train")))
        history = self._trainer.history
        # `augment` is `None` in runs of earlier versions, which recorded no augmentation.
        is_trained = [(one.phase, one.augment or ()) for one in history] == [(head, ())]
        is_trained = is_trained and self._trainer.is_as_trained
        if not (is_trained and self._state.is_training_data("train")):
            with self._timed("head"):
                fit_head(self._state, **self._head_options, callbacks=self._callbacks)
        plan = self._plan(minutes, began)
        self._state.reporter.say(plan.describe(self._data.item))
        phases = self._planned(plan)
        default = HEAD
        if plan.trainings:
            default = default_share(self._policy, self._state.config.family)
        line, records = None, {}
        if plan.evidence == OUT_OF_FOLD:
            with self._timed("comparison"):
                training = FineTunedFolds(
                    self._trainer, self._data, self._head, phases, self._augment, self._shares
                )
                records = out_of_fold(training, self._compared, plan.folds, self._trainer.seed)
        elif plan.evidence == VALIDATION:
            line = self._tune(phases)
            validation = self._data.split("validation")
            records = along_the_line(self._trainer, line, self._shares, validation)
        if records:
            default = self._without_barrier(records, default)
        candidates, grouping = self._measured(records, default, plan)
        kept = choose(candidates, default).share if candidates else default
        if line is not None:
            self._trainer.keep_share(line, kept, self._tuned)
        estimate = self._estimate(records.get(kept), plan) if self._refit else (None, None)
        if self._refit:
            self._take_all_items(line)
        if kept != HEAD and (line is None or self._refit):
            line = self._tune(phases)
            if not records and kept != TUNED:
                ends = sorted({HEAD, kept, TUNED})
                train = self._data.split("train")
                seen = along_the_line(self._trainer, line, ends, train)
                kept = default = self._without_barrier(seen, kept)
            self._trainer.keep_share(line, kept, self._tuned)
        return FitResult(
            kept,
            default,
            self._policy,
            candidates,
            plan,
            self._seconds,
            self._state.task.primary_metric,
            self._data.item,
            len(self._data.split("train")),
            names_of(self._augment),
            self._refit,
            *estimate,
            grouping,
        )

    @property
    def _shares(self) -> tuple[float, ...]:
        """Fractions, in [0, 1], of the fine-tuned weights in the averages that `fit` compares.

        The contrastive policy trains a new head, so `fit` compares no averages: the fractions are
        only 0 (head) and 1 (fine-tuned model).
        """
        return SHARES if self._policy == "standard" else (HEAD, TUNED)

    @property
    def _data(self) -> LabelledData:
        return self._state.data

    @contextlib.contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - began

    def _plan(self, minutes: float | None, began: float) -> Plan:
        trainer, data = self._trainer, self._data
        items = sum(len(data.split(name)) for name in self._compared)
        validation = len(data.splits.get("validation", ()))
        if reason := self._nothing_to_gain(items, validation):
            return Plan.without_fine_tuning(items, minutes, reason)
        first, train = self._phases[0], self._trained_on
        costs, left = estimate_costs(trainer, train, first), None
        if minutes is not None:
            costs = rehearse(trainer, data, first, self._augment, costs.item)
            left = 60 * minutes - (time.perf_counter() - began)
        steps = sum(trainer.steps_of(phase, train) for phase in self._phases)
        epochs = sum(trainer.settled(phase, len(train)).epochs for phase in self._phases)
        budget = None if minutes is None else TimeBudget(minutes, left, steps // epochs)
        return make_plan(costs, steps, items, validation, self._refit, budget)

    def _nothing_to_gain(self, items: int, validation: int) -> str | None:
        """Return the reason to skip fine-tuning, if the head predicts all held-out items right.

        Otherwise return `None`.

        Args:
            items: Number of items in the splits of the out-of-fold comparison.
            validation: Number of items in the validation split.
        """
        trainer, data = self._trainer, self._data
        validates = validation >= ENOUGH_TO_VALIDATE and not self._refit
        if not validates and items < ENOUGH_TO_VALIDATE:
            return None
        with self._timed("head"):
            if validates:
                split = data.split("validation")
                record = PredictionRecord(split.labels, trainer.logits(split))
                right = f"the head predicts all {validation:,} validation {data.item}s right"
            else:
                record = self._head_out_of_fold()
                right = (
                    f"in cross-validation, the head predicts all {items:,} held-out {data.item}s "
                    "right"
                )
        if not is_right_on_all(self._state.task, record):
            return None
        return f"Fine-tuning has nothing to gain: {right}. To fine-tune anyway, call fine_tune()."

    def _head_out_of_fold(self) -> PredictionRecord:
        """Return predictions for the items of `_compared` from the head's cross-validation."""
        groups = groups_of(self._data.joined(self._compared), self._data.groups)
        parts = FOLDS if groups is None else min(FOLDS, len(np.unique(groups)))
        given = {name: self._head_options[name] for name in _OF_HEADS}
        found = cross_validate(self._state, parts, 1, None, self._compared, **given)
        return found.records[0]

    @property
    def _trained_on(self) -> Split:
        """Training items of the kept model: with `refit` all items, else the training split."""
        return self._data.joined(list(self._data.splits) if self._refit else ["train"])

    def _planned(self, plan: Plan) -> tuple[Phase, ...]:
        """Return the fine-tuning phases with the planned epochs and without early stopping."""
        train = self._trained_on
        full = [self._trainer.steps_of(phase, train) for phase in self._phases]
        share = min(plan.steps / sum(full), 1.0)
        found = []
        for phase in self._phases:
            changes = {"patience": None}
            if share < 1:
                epochs = self._trainer.settled(phase, len(train)).epochs
                changes |= {"epochs": max(1, round(share * epochs)), "min_steps": 0}
            found.append(dataclasses.replace(phase, **changes))
        return tuple(found)

    @property
    def _compared(self) -> list[str]:
        """Splits of the out-of-fold comparison: all with `refit`, else all but the test split."""
        return [name for name in self._data.splits if self._refit or name != "test"]

    def _tune(self, phases: tuple[Phase, ...]) -> WeightAverage:
        model = self._state.parts.model
        before = model.get_weights()
        with self._timed("fine-tuning"):
            records = run_all(self._state, phases, self._augment, self._callbacks)
        self._tuned = len(records)
        return WeightAverage.to_now(model, before)

    def _without_barrier(self, records: Mapping[float, PredictionRecord], default: float) -> float:
        return default_or_end(mean_losses(self._state.task, records), default)

    def _measured(
        self, records: Mapping[float, PredictionRecord], default: float, plan: Plan
    ) -> tuple[tuple[Candidate, ...], Grouping | None]:
        """Return the models that `fit` compares, and the `Grouping` of the items, if any."""
        if not records:
            return (), None
        validates = plan.evidence == VALIDATION
        split = self._data.joined(["validation"] if validates else self._compared)
        groups = groups_of(split, self._data.groups)
        found = measure_candidates(self._state.task.undecided, records, default, groups)
        return found, Grouping.of(groups, self._data.groups)

    def _estimate(
        self, records: PredictionRecord | None, plan: Plan
    ) -> tuple[Mapping[str, Any], str]:
        """Return metrics on items that did not train the model, and a description of the method."""
        splits = self._data.splits
        if plan.evidence == VALIDATION and "test" in splits:
            test = splits["test"]
            groups = groups_of(test, self._data.groups)
            records = PredictionRecord(test.labels, self._trainer.logits(test))
            records = records.in_groups(groups, self._data.groups)
            how = "on the test split, before the training on the test items"
        elif plan.evidence == VALIDATION:
            split = splits["validation"]
            records = records.in_groups(groups_of(split, self._data.groups), self._data.groups)
            how = (
                "on the validation split, by which the model was also chosen, before the training "
                "on the validation items"
            )
        elif plan.evidence == OUT_OF_FOLD:
            how = f"by {plan.folds} models, each trained without a part of the {self._data.item}s"
        else:
            records = self._head_out_of_fold()
            how = "by cross-validation of the head, not of a fine-tuned model"
        return measure(self._state.task.undecided, records), how

    def _take_all_items(self, line: WeightAverage | None) -> None:
        """Restore the pretrained backbone, and train a head on the items of all splits."""
        state, trainer = self._state, self._trainer
        if line is not None:
            trainer.keep_share(line, HEAD, self._tuned)
        names = list(self._data.splits)
        features = [trainer.features.of(self._data.split(name)).all_rows for name in names]
        split = self._data.joined(names)
        trainer.features.adopt(split, np.concatenate(features))
        trainer.forget()
        state.data = dataclasses.replace(self._data, splits={"train": split})
        with self._timed("head"):
            fit_head(state, **self._head_options, callbacks=self._callbacks)
