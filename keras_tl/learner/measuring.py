"""What a learner is worth on a split, and what follows from it."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from keras_tl.base.config import ModelConfig, check_range
from keras_tl.data.labelled_data import Split, groups_of
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.calibration import (
    Calibrated,
    calibrate,
    check_has_probabilities,
    with_temperature,
)
from keras_tl.evaluation.cross_validation import (
    CrossValidation,
    LabelledFeatures,
    cross_validate,
)
from keras_tl.evaluation.losses import TopLosses, top_losses
from keras_tl.evaluation.measuring import measure
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.evaluation.slices import measure_slices, slice_values
from keras_tl.evaluation.thresholds import Rule, Thresholds, check_has_thresholds, choose_thresholds
from keras_tl.learner.state import State
from keras_tl.training.policies import head_phase, phases_of


class Measuring(State):
    """The part of a learner that measures it."""

    def evaluate(
        self, split: str = "test", by: Hashable | Sequence | None = None
    ) -> dict[str, Any]:
        """Metrics on a split; nothing was tuned or stopped on the test split.

        What the model gave for every item is kept in `outcomes[split]`, and with it which items
        these were: a loaded run is measured again where its data are others.

        Args:
            split: the name of the split.
            by: also measure groups of items: the name of a column that the data have kept
                (`slices=` of `from_csv` and `from_dataframe`), or a value for each item.

        Returns:
            JSON types, see `keras_tl.evaluation.measuring.measure`; with `by` also `"slices"`, see
            `keras_tl.evaluation.slices.Slices`, which says on which groups the model is clearly
            worse than on the rest.

        Raises:
            DataError: there are no data, or no such split, or `by` has not a value for each item
                or more than 100 different ones.
            ConfigError: the data have not kept such a column, or an answer is not a finite number.
        """
        chosen = self._need_data().split(split)
        groups = None if by is None else slice_values(by, chosen.slices, len(chosen))
        logits = self._logits_to_measure(split)
        self.outcomes[split] = Outcomes(chosen.labels, logits, chosen.identity)
        self._measure(split)
        if split == "test":
            self.exhibits = self.exhibits.without_answers()
        if groups is not None:
            found = measure_slices(self.task, self._as_calibrated(split), *groups)
            self.evaluations[split]["slices"] = found.to_json()
        return self.evaluations[split]

    def cross_validate(
        self,
        folds: int = 5,
        repeats: int = 1,
        groups: Hashable | Sequence | None = None,
        splits: Sequence[str] | None = None,
        label_smoothing: float | None = None,
        class_weight: str | dict[str, float] | None = None,
    ) -> CrossValidation:
        """Cross-validation of the head on cached features: an estimate on all items, in seconds.

        A fresh head is trained for each fold, as `fit_head` trains it with its defaults, on the
        features of the pretrained backbone; the learner itself is not changed. To choose between
        settings by it, leave the test split out: `splits=("train", "validation")`.

        Args:
            folds: at least 2; each class is in each fold in proportion.
            repeats: how often, each time with other folds.
            groups: the name of a kept column, such as `"patient"`, or a value for each item: items
                with one value stay in one fold. `None`: the `groups=` of the data.
            splits: names of the splits whose items take part; `None`: all there are.
            label_smoothing: as in `fit_head`.
            class_weight: as in `fit_head`.

        Returns:
            A mapping as `evaluate()` gives, with the out-of-fold logits of every item in
            `.outcomes`.

        Raises:
            DataError: there are no data or no such split, or fewer groups than folds.
            ConfigError: an argument is not as described, the data have not kept such a column, or
                the backbone was fine-tuned on these items, here or in an earlier run.
            CacheError: features cannot be kept where asked.

        Example:
            >>> learner.cross_validate(folds=5)["accuracy"]  # doctest: +SKIP
        """
        data = self._need_data()
        chosen = {name: data.split(name) for name in (data.splits if splits is None else splits)}
        (phase,) = phases_of(
            head_phase(self.config),
            self.config.family,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
        )
        self._trainer.check(phase, augment=False)
        if seen := [name for name in self._learned_splits if name in chosen]:
            raise ConfigError(
                "cross_validate() trains heads on the features of the backbone, which was "
                f"fine-tuned on labels of these data: {', '.join(seen)}. Call it before "
                "fine_tune(), or take a backbone that has not learned these items."
            )
        items = self._labelled_features(chosen, groups)
        training = self._trainer.out_of_fold(phase, len(items.labels), self.seed)
        return cross_validate(training, items, folds, repeats)

    def _labelled_features(
        self, splits: dict[str, Split], groups: Hashable | Sequence | None
    ) -> LabelledFeatures:
        column = self.data.groups if groups is None else groups
        if column is None:
            values = None
        elif isinstance(column, (list, np.ndarray)):
            values = np.asarray(column)
        else:
            values = np.concatenate([groups_of(split, column) for split in splits.values()])
        labels = np.concatenate([split.labels for split in splits.values()])
        if values is not None and len(values) != len(labels):
            raise DataError(
                f"Expected a group for each of the {len(labels):,} items of the splits "
                f"{', '.join(splits)}. Received {len(values):,}."
            )
        sources = [split.sources for split in splits.values()]
        return LabelledFeatures(
            labels,
            np.concatenate(
                [self._trainer.features.of(split).all_rows for split in splits.values()]
            ),
            np.concatenate([np.full(len(split), name) for name, split in splits.items()]),
            None if None in sources else [item for some in sources for item in some],
            values,
        )

    def answered(self, split: str = "test") -> Outcomes:
        """What is answered for every item of a split, as calibrated; evaluates it if need be.

        That is where it was not evaluated, or on other items, or with other labels, than the data
        have now. `outcomes` holds the same before the temperature.

        Raises:
            DataError: it was not evaluated, and there are no data or no such split.
        """
        known = self.outcomes.get(split)
        there = None if self.data is None else self.data.splits.get(split)
        if known is None or not (there is None or known.are_of(there)):
            self.evaluate(split)
        return self._as_calibrated(split)

    def top_losses(self, split: str = "test", count: int = 9) -> TopLosses:
        """The items of a split that the model does worst on, the worst first.

        Args:
            split: the name of the split.
            count: at most so many.

        Raises:
            DataError: see `answered`.
            ConfigError: `count` is not a whole number of at least 1.
        """
        check_range("count", count, 1, whole=True)
        answered = self.answered(split)
        sources = None if self.data is None else self.data.split(split).sources
        return top_losses(self.task, answered, sources, split, count)

    def calibrate(self) -> Calibrated:
        """Makes probabilities say how often answers are right: temperature scaling.

        One number is fitted on the validation split. From then on everything that answers divides
        the logits by it: `predict`, `evaluate`, `serving_model`, all exports and saved runs; which
        class is answered never changes, and `model` gives the same logits. Training again puts it
        back to 1. See `keras_tl.evaluation.calibration`.

        Returns:
            The temperature, and the calibration with and without it of the validation split and
            of the splits that were evaluated; those are measured again.

        Raises:
            DataError: there is no validation split, or there are no data.
            ConfigError: it is a regression.
        """
        check_has_probabilities(self.task)
        self._answer_all_with("validation")
        found = calibrate(self.task, self.outcomes)
        self.answer_as(with_temperature(self.config, found.temperature))
        self._reporter.say(found.describe())
        return found

    def choose_thresholds(
        self, precision: float | None = None, recall: float | None = None
    ) -> Thresholds:
        """Chooses from which probability on the answer is yes, of two classes or several labels.

        They are chosen on the validation split, and carried like the temperature of `calibrate`:
        by `predict`, `evaluate`, all exports and saved runs, until the next training.

        Args:
            precision: the smallest threshold with at least this precision, in (0, 1].
            recall: the largest threshold with at least this recall, in (0, 1]. Neither: the
                threshold with the largest F1.

        Returns:
            The thresholds, and what they give on every split that was evaluated; those are
            measured again.

        Raises:
            DataError: there is no validation split, or there are no data.
            ConfigError: the task has no thresholds, or an argument is not as described.
        """
        rule = Rule(precision, recall)
        check_has_thresholds(self.task)
        self._answer_all_with("validation")
        outcomes = {split: self._as_calibrated(split) for split in self.outcomes}
        found = choose_thresholds(self.task, outcomes, rule)
        self.answer_as(dataclasses.replace(self.config, thresholds=found.values))
        self._reporter.say(found.describe())
        return found

    def logits(self, split: str = "test") -> np.ndarray:
        """What the head puts out for a split, as it is now; also while training, in a callback.

        Returns:
            float32 array (n, outputs): logits, or the values of a regression.

        Raises:
            DataError: there are no data, or no such split.
        """
        return self._trainer.logits(self._need_data().split(split))

    def answer_as(self, config: ModelConfig) -> None:
        """Answers with other thresholds and another temperature; what is known is measured again.

        Groups of items stay where no answer has changed, and Grad-CAM of those that have not.

        Args:
            config: that of this model, but for these.
        """
        before = {split: self._decisions(split) for split in self.outcomes}
        measured, self.evaluations, self.config = self.evaluations, {}, config
        for split, answers in before.items():
            groups = measured.get(split, {}).get("slices")
            self._measure(split)
            if groups is None:
                continue
            if np.array_equal(answers, self._decisions(split)):
                self.evaluations[split]["slices"] = groups
            else:
                self._reporter.say(
                    f"Other answers are given now: the groups of the {split} split are forgotten. "
                    "Measure them again with evaluate(by=...)."
                )
        if "test" in self.outcomes:
            answered = self._as_calibrated("test")
            asked = self.task.question(answered.labels, answered.logits)
            self.exhibits = self.exhibits.explaining(asked.names)

    def _decisions(self, split: str) -> np.ndarray:
        return self.task.decisions(self._as_calibrated(split).logits)

    def _as_calibrated(self, split: str) -> Outcomes:
        """What is known of a split, whatever the data are now."""
        return self.outcomes[split].scaled(self.config.temperature)

    def _answer_all_with(self, split: str) -> None:
        """Evaluates a split and those that are known, where need be."""
        for name in (split, *self.outcomes):
            self.answered(name)

    def _measure(self, split: str) -> None:
        self.evaluations[split] = measure(self.task, self._as_calibrated(split))
