"""Two phases of training, and what is looked at before and after them."""

import dataclasses
import math
from collections.abc import Sequence

import keras

from keras_tl.base.config import CacheConfig, Phase
from keras_tl.data.images.augmentation import Augmentation, check_augmentation
from keras_tl.data.labelled_data import groups_of
from keras_tl.errors import ConfigError
from keras_tl.evaluation.fall import describe_fall, find_fall
from keras_tl.evaluation.fit_state import OVERFITS
from keras_tl.evaluation.outcomes import Outcomes
from keras_tl.evaluation.overfitting import Overfitting, find_overfitting
from keras_tl.learner.state import State
from keras_tl.preflight.checks import run_checks
from keras_tl.preflight.findings import Findings
from keras_tl.preflight.known import known_findings
from keras_tl.preflight.subject import Inside, Subject
from keras_tl.runs.history import PhaseRecord
from keras_tl.training.callbacks import check_callbacks
from keras_tl.training.freezing import blocks_to_unfreeze
from keras_tl.training.lr_finder import LearningRates, phase_to_sweep, rates_between
from keras_tl.training.policies import (
    ENOUGH_TO_VALIDATE,
    head_phase,
    needs_no_head,
    own_head_phase,
    phases_of,
    with_heads,
)


class Training(State):
    """The part of a learner that trains it."""

    def fit_head(
        self,
        epochs: int | None = None,
        learning_rate: float | None = None,
        augment: Augmentation = False,
        cache: str | CacheConfig = "auto",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        batch_size: int | None = None,
        label_smoothing: float | None = None,
        class_weight: str | dict[str, float] | None = None,
        policy: Phase | None = None,
    ) -> PhaseRecord:
        """Feature extraction: trains the head while the backbone is frozen.

        The backbone runs once per item; the head is trained on the cached features. With
        `augment` every epoch sees other images, so the backbone runs live in every epoch and
        nothing is cached.

        Args:
            epochs: passes over the training split; `None`: 1 for a head that begins at its
                optimum, else as many as make 500 steps, and at least 10 (30 for a language
                model). Fewer than 50 validation items choose no epoch: the last weights are kept.
                If neither `epochs` nor `augment` is given and features are cached, five more heads
                first say after how many epochs training stops.
            learning_rate: peak rate; `None`: the measured default.
            augment: `True` for the data's own augmentation; `"standard"`, `"no-flip"`,
                `"randaugment"`, `"mixup"`, `"cutmix"`, a Keras layer, or a list of these (see
                `keras_tl.data.images.augmentation.augmenter`).
            cache: where features are kept: `"auto"`, `"memory"`, `"disk"`, `"off"`, or a
                `CacheConfig`.
            callbacks: Keras callbacks. On cached features their `model` maps features to logits;
                on one device the steps run eight at a time, unless a callback has a method of its
                own for steps.
            batch_size: items per step; `None`: the measured default.
            label_smoothing: see `Phase`, in [0, 1).
            class_weight: see `Phase`: `"balanced"`, or weights by the classes' names.
            policy: a phase of your own, that unfreezes nothing; `None`: the measured default.

        Returns:
            The record of the phase, also appended to `history`.

        Raises:
            ConfigError: an argument is not as described, or no callback of this kind works here.
            DataError: the learner was loaded without data, or a file cannot be read.
            CacheError: the features cannot be kept where asked.
        """
        check_augmentation(augment)
        callbacks = check_callbacks(callbacks)
        config = cache if isinstance(cache, CacheConfig) else CacheConfig(cache)
        live = augment is not False or config.where == "off"
        (phase,) = phases_of(
            head_phase(self.config, live, epochs) if policy is None else own_head_phase(policy),
            self.config.family,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
        )
        self._trainer.features.keep_in(config)
        stop_after = None
        if policy is None and phase.patience is not None and self._has_few_to_validate:
            is_free = epochs is None and augment is False and self._trainer.features.are_kept
            stop_after = self._last_epoch(phase, is_free)
        record = self._run(phase, augment, callbacks, stop_after=stop_after)
        self._tell_if_overfitting()
        return record

    def fine_tune(
        self,
        epochs: int | None = None,
        learning_rate: float | str | None = None,
        unfreeze: str | int | None = None,
        policy: str | Phase | Sequence[Phase] = "standard",
        augment: Augmentation = True,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        batch_size: int | None = None,
        label_smoothing: float | None = None,
        class_weight: str | dict[str, float] | None = None,
        discriminative_factor: float | None = None,
    ) -> list[PhaseRecord]:
        """Unfreezes, recompiles at a very low rate, and trains backbone and head together.

        On an untrained head `fit_head` runs first. BatchNorm statistics never move, unless the
        policy is one for random weights (`"scratch"`), which needs no trained head either. If no
        epoch improves the validation loss, the weights from before are kept. `"contrastive"` needs
        no trained head and keeps its last weights: the loss of pairs says nothing of a head.

        Args:
            epochs: passes over the training split; `None`: the policy's, which may be as many as
                make a number of steps.
            learning_rate: peak rate, or `"auto"`, see `Phase`; `None`: the policy's.
            unfreeze: `"all"`, a number of blocks counted from the head down, or the name of
                the lowest block (see `blocks`); `None`: the policy's.
            policy: a name, or phases of your own. `"standard"`; `"discriminative"`: lower blocks
                learn at lower rates; `"gradual"`: they are unfrozen one after the other;
                `"ulmfit"`: both; `"contrastive"`: for a few texts, the backbone learns features
                that are alike within a class, then the head is trained on them; `"scratch"`. Each
                is a tuple of `Phase` in `keras_tl.training.policies.POLICIES`, to be printed,
                changed and passed.
            augment: as in `fit_head`.
            callbacks: Keras callbacks.
            batch_size: items per step; `None`: the policy's.
            label_smoothing: as in `fit_head`.
            class_weight: as in `fit_head`.
            discriminative_factor: what the rate is divided by from each block to the one below
                it, see `Phase`; 1: one rate for all; `None`: the policy's.

        Returns:
            The records of the phases, also appended to `history`.

        Raises:
            ConfigError: the backbone has no such block, or there is no such policy.
            DataError: the learner was loaded without data, or a file cannot be read.
        """
        self._need_data()
        phases = phases_of(
            policy,
            self.config.family,
            epochs=epochs,
            learning_rate=learning_rate,
            unfreeze=unfreeze,
            batch_size=batch_size,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            discriminative_factor=discriminative_factor,
        )
        check_augmentation(augment)
        callbacks = check_callbacks(callbacks)
        for phase in phases:
            blocks_to_unfreeze(self.blocks, phase.unfreeze)
            self._trainer.check(phase, augment)
        if not self.history and not needs_no_head(phases[0]):
            self._reporter.say("The head is untrained: fit_head() runs first.")
            self.fit_head()
        keeps_last = isinstance(policy, str) and self._has_few_to_validate
        if keeps_last:
            self._say_last_weights(
                " fit() compares the head with the fine-tuned model by predictions out of fold."
            )
        is_judged = not keeps_last and all(phase.patience is not None for phase in phases)
        before = None if is_judged or not self.history else self._validation_outcomes()
        records = self._run_all(phases, augment, callbacks, keeps_last)
        if before is not None:
            records[-1] = self.history[-1] = self._with_fall(records[-1], before)
        self._tell_if_overfitting()
        return records

    def _validation_outcomes(self) -> Outcomes | None:
        """What the model answers now for the validation split; `None`: there is none."""
        split = self._need_data().splits.get("validation")
        return None if split is None else Outcomes(split.labels, self._trainer.logits(split))

    def _with_fall(self, record: PhaseRecord, before: Outcomes) -> PhaseRecord:
        """The record of the last phase, with the harm that was done since; say so."""
        data = self._need_data()
        groups = groups_of(data.split("validation"), data.groups)
        after = self._validation_outcomes()
        fall = find_fall(self.task, before, after, data.item, groups)
        record = dataclasses.replace(record, fall=fall)
        if warning := describe_fall(record):
            self._reporter.say(warning)
        return record

    def _run_all(
        self,
        phases: Sequence[Phase],
        augment: Augmentation,
        callbacks: Sequence[keras.callbacks.Callback],
        keeps_last: bool = False,
    ) -> list[PhaseRecord]:
        """Run phases that unfreeze, and the heads that follow them.

        `keeps_last`: no phase stops early.
        """
        if self._trainer.features.is_original and phases[0].batch_norm != "live":
            self._keep_map_before()
        train = self.data.split("train")
        records, left = [], sum(phase.epochs for phase in phases)
        for phase, is_head in with_heads(phases, self.config, len(train)):
            left -= 0 if is_head else phase.epochs
            changes, following = (False, 0) if is_head else (augment, left)
            stop_after = self._trainer.settled(phase, train).epochs if keeps_last else None
            records.append(self._run(phase, changes, callbacks, following, stop_after))
        return records

    def _last_epoch(self, phase: Phase, is_free: bool) -> int:
        """The epoch after which a head ends that too few validation items could stop.

        Args:
            phase: of the head.
            is_free: whether predictions out of fold may say it; else it is the phase's last one.
        """
        data = self._need_data()
        if not is_free:
            self._say_last_weights()
            return self._trainer.settled(phase, data.split("train")).epochs
        found = self._trainer.best_epoch(phase, data)
        self._reporter.say(
            f"{phase.name}: trains for {found} epochs, after which the loss out of fold is lowest. "
            f"Fewer than {ENOUGH_TO_VALIDATE} validation items are too few to choose an epoch."
        )
        return found

    def _say_last_weights(self, more: str = "") -> None:
        """Say that no epoch is chosen, where there are too few validation items for that."""
        if "validation" in self._need_data().splits:
            self._reporter.say(
                f"Fewer than {ENOUGH_TO_VALIDATE} validation items are too few to choose an "
                f"epoch: the last weights are kept.{more}"
            )

    @property
    def _has_few_to_validate(self) -> bool:
        """Whether the validation split is too small to decide which epoch is best."""
        return len(self._need_data().splits.get("validation", ())) < ENOUGH_TO_VALIDATE

    def _run(
        self,
        phase: Phase,
        augment: Augmentation,
        callbacks: Sequence[keras.callbacks.Callback],
        following: int = 0,
        stop_after: int | None = None,
    ) -> PhaseRecord:
        data, config = self._need_data(), self.config
        known = self.evaluations, self.outcomes, self.exhibits, self._trained_with, self.fitted
        if config.temperature != 1 or config.thresholds:
            self._reporter.say(
                "Training puts the temperature back to 1 and the thresholds to 0.5: they were "
                "fitted to other weights. Call calibrate() and choose_thresholds() again."
            )
        if self._is_checked and not self.history:
            self._check_first(phase, augment)
        # What was measured before is not true of other weights, those of an interruption included.
        self.evaluations, self.outcomes, self._trained_with = {}, {}, None
        self.fitted = None
        self.exhibits = self.exhibits.before_training()
        self.config = dataclasses.replace(config, temperature=1.0, thresholds=())
        try:
            return self._trainer.run(phase, data, augment, callbacks, following, stop_after)
        except ConfigError:  # It was refused before it began.
            self.evaluations, self.outcomes, self.exhibits, self._trained_with, self.fitted = known
            self.config = config
            raise

    def lr_find(
        self,
        phase: str | Phase = "head",
        policy: str | Phase | Sequence[Phase] = "standard",
        unfreeze: str | int | None = None,
        batch_size: int | None = None,
        lowest: float = 1e-7,
        highest: float = 10.0,
        steps: int = 100,
    ) -> LearningRates:
        """Trains at rising rates for a trial, to find one; then all is as it was, bit for bit.

        Each step has a larger rate than the one before; it ends early when the loss diverges (not
        finite, or smoothed over 4 times its lowest). Only the random state inside a TF-Hub module
        that does not keep it in a variable cannot be put back.

        Args:
            phase: `"head"`, on cached features; `"fine-tune"`, on the whole model with the data's
                own augmentation; or a phase of your own.
            policy: as in `fine_tune`, for its optimizer, batch size and blocks; of several phases
                the last.
            unfreeze: as in `fine_tune`.
            batch_size: items per step; `None`: the policy's.
            lowest: the first rate.
            highest: the last rate, if the loss does not diverge.
            steps: how many there are, at least 10; the training split is repeated if need be.

        Returns:
            The rates and their losses; `.suggestion` is a rate two thirds into the valley of the
            loss (`keras_tl.training.lr_finder.suggest`), `.plot()` a figure.

        Raises:
            ConfigError: the head to be fine-tuned is untrained, or an argument is not as described.
            DataError: the learner was loaded without data, or a file cannot be read.
        """
        data, family = self._need_data(), self.config.family
        chosen = phase_to_sweep(phase, policy, family, unfreeze=unfreeze, batch_size=batch_size)
        found = self._trainer.find_rates(chosen, data, rates_between(lowest, highest, steps))
        rate = "none found" if found.suggestion is None else f"{found.suggestion:.1e}"
        self._reporter.say(f"{chosen.name}: suggested learning rate: {rate}.")
        return found

    def check(self) -> Findings:
        """Looks at data, backbone and head for what would spoil training, in seconds.

        It runs by itself before the first training, unless the learner was made with `check=False`:
        then warnings are shown, and training goes on unless it cannot work. Nothing is changed: the
        same seed gives the same result with it and without. What is looked at, and how the limits
        were chosen: docs/preflight.md.

        Returns:
            What was found, also kept in `findings` and saved with the run.

        Raises:
            DataError: the learner was loaded without data, or a training item cannot be read.
            CacheError: the features of the training split cannot be kept where asked.
        """
        features = "all" if self._trainer.features.is_original else "sample"
        self.findings = run_checks(self._subject(features))
        self._reporter.say(self.findings.brief())
        return self.findings

    def _subject(self, features: str, weighted: bool = False) -> Subject:
        if features == "all" and not self._trainer.features.are_kept:
            features = "sample"
        parts = (self.config, self._parts, self._modality, self._trainer)
        return Subject(
            self._need_data(), Inside(*parts, features, weighted, is_random=self.weights is None)
        )

    def _check_first(self, phase: Phase, augment: Augmentation) -> None:
        """What runs by itself before the first training: on features that it needs anyway."""
        self._trainer.check(phase, augment)
        if self.findings is None:
            live = "sample" if phase.unfreeze is None else "none"
            features = "all" if live == "sample" and augment is False else live
            self.findings = known_findings(self._subject(features, phase.class_weight is not None))
            self._reporter.say(self.findings.brief())
        self.findings.stop_if_hopeless()

    def overfitting(self, measure: bool = False) -> Overfitting:
        """Whether the model overfits or underfits by the curves of its training, and what to try.

        Args:
            measure: run the model as it is over the training and validation splits too, for the
                gap between them and not only the least that it can be.

        Raises:
            ConfigError: nothing was trained, or an answer to be measured is not a finite number.
            DataError: to be measured, and there are no data, or no validation split.
        """
        splits = {} if self.data is None else self.data.splits
        items = len(splits.get("validation", ())) or None
        measured = None
        if measure:
            chosen = {name: self._need_data().split(name) for name in ("train", "validation")}
            measured = {
                name: self.task.undecided.measure(split.labels, self._logits_to_measure(name))
                for name, split in chosen.items()
            }
        return find_overfitting(self.history, self.task, self.config, self.blocks, items, measured)

    def _tell_if_overfitting(self) -> None:
        if self.history[-1].solved:
            return  # Few items are known by heart; the penalty was chosen for other items.
        found = self.overfitting()
        if found.state == OVERFITS or not math.isfinite(self.history[-1].epochs[-1]["loss"]):
            self._reporter.say(f"{found.statement} learner.overfitting() says what to try.")
