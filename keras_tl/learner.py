"""`Learner`: the facade. It calls the rooms in order and holds no algorithm."""

import dataclasses
import math
import os
import random
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import BackboneFiles, LoadedBackbone, seeded
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.config import SAVED_MODEL, CacheConfig, HeadConfig, ModelConfig, Phase, check_range
from keras_tl.data.augmentation import Augmentation, check_augmentation
from keras_tl.data.images import ImageData
from keras_tl.data.inputs import ImageInput
from keras_tl.data.labelled import LabelledData, Split
from keras_tl.data.options import ImageSize, check_image_size
from keras_tl.data.text_inputs import TextInput
from keras_tl.data.texts import TextData
from keras_tl.errors import ConfigError, DataError, RunError
from keras_tl.evaluation.calibration import (
    Calibrated,
    calibrate,
    check_has_probabilities,
    with_temperature,
)
from keras_tl.evaluation.losses import TopLosses, top_losses
from keras_tl.evaluation.measuring import measure
from keras_tl.evaluation.metrics import METRICS
from keras_tl.evaluation.outcomes import Outcomes, read_outcomes
from keras_tl.evaluation.overfitting import Overfitting, find_overfitting
from keras_tl.evaluation.phase_fit import OVERFITS
from keras_tl.evaluation.slices import measure_slices, slice_values
from keras_tl.evaluation.thresholds import Rule, Thresholds, check_has_thresholds, choose_thresholds
from keras_tl.export.card import library_versions, write_card
from keras_tl.export.feature_files import check_feature_file, write_features
from keras_tl.export.runtimes.numeric import NumericModel
from keras_tl.export.runtimes.writing import export_file, find_runtime
from keras_tl.export.saved_model import export_version
from keras_tl.export.server_configuration import check_serving, write_serving
from keras_tl.export.serving import BATCH, VALID, ServingModel
from keras_tl.heads import TransferModel
from keras_tl.preflight.checks import run_checks
from keras_tl.preflight.findings import Findings
from keras_tl.preflight.known import known_findings
from keras_tl.preflight.subject import Inside, Subject
from keras_tl.report.exhibits import Exhibits
from keras_tl.report.reported import Reported
from keras_tl.reporting import Reporter
from keras_tl.results import MultilabelPredictions, Predictions, RegressionPredictions
from keras_tl.tasks import Task, standardisation, task_of
from keras_tl.training.assembly import assemble, float32_twin
from keras_tl.training.checkpoints import (
    load_run_weights,
    read_run,
    run_files,
    run_results,
    write_run,
)
from keras_tl.training.device import choose_precision, choose_strategy
from keras_tl.training.feature_cache import FeatureCache
from keras_tl.training.freezing import blocks_to_unfreeze
from keras_tl.training.history import PhaseRecord
from keras_tl.training.lr_finder import LearningRates, phase_to_sweep, rates_between
from keras_tl.training.origins import Trained, Wanted, ancestry_of, find_origin
from keras_tl.training.policies import HEAD_CONFIGS, HEADS, phases_of
from keras_tl.training.tokens import TextNeeds
from keras_tl.training.trainer import Trainer

_FORMAT = 1


class Learner(Reported):
    """A pretrained backbone and a head for the data at hand.

    Args:
        backbone: a name from the catalogue (`keras_tl.backbones.CATALOGUE`); `"run:PATH"` for
            the trained backbone of a saved run, or another learner for its; `"tfhub:HANDLE"` for a
            module of TF-Hub, HANDLE being its URL or its folder (a module is a program: use only
            what you trust); `"kerashub:PRESET"` for a preset of KerasHub, by its name or its
            folder; `"ulmfit:PATH"` for a language model that `keras_tl.ulmfit` saved; or a
            `keras.Model` with `preprocess=`.
        data: what to learn; decides the task and the number of classes.
        weights: `"imagenet"`, or the path of a weights file, for a backbone from the catalogue;
            `None` for random weights, whatever the backbone (not for a TF-Hub module).
        image_size: side in pixels, or (height, width); `None`: the data's, else the size the
            backbone was trained at.
        output_block: the block whose output is the features; `None`: the last one.
        head: what the head is made of; `None`: the backbone's
            `keras_tl.training.policies.HEAD_CONFIGS`.
        precision: `"auto"`, `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        strategy: `"auto"`, `"single"`, `"mirrored"`, `"tpu"` or a `tf.distribute.Strategy`.
        seed: makes everything random repeatable; `None`: drawn, and kept in `learner.seed`.
        preprocess: for a `keras.Model` as backbone: what it expects of the pixels.
        preprocessor: for an encoder of texts: `"tfhub:HANDLE"`, the path of a WordPiece
            `vocab.txt`, or a `keras_tl.backbones.texts.TextPreprocessor`; `None`: its own.
        verbose: report progress on standard error.
        check: look at the data and the model before the first training, see `check()`.

    Raises:
        BackboneError: the backbone is unknown or cannot be built so.
        WeightsError: the weights are missing or do not fit.
        ConfigError: another argument is not as described.
    """

    # What `check` found; `None` if nobody looked.
    findings: Findings | None = None
    # Whether it runs by itself before the first training.
    _is_checked = True

    def __init__(
        self,
        backbone: "str | keras.Model | Learner",
        data: ImageData | TextData,
        weights: str | os.PathLike | None = "imagenet",
        image_size: ImageSize = None,
        output_block: str | None = None,
        head: HeadConfig | None = None,
        precision: str = "auto",
        strategy: str | tf.distribute.Strategy = "auto",
        seed: int | None = None,
        preprocess: str | Preprocessing | None = None,
        preprocessor: str | TextPreprocessor | None = None,
        verbose: bool = True,
        check: bool = True,
    ):
        if isinstance(backbone, Learner):
            ancestry = ancestry_of(backbone._about())
            backbone = Trained(backbone.backbone, backbone.config, backbone._files, ancestry)
        precision = choose_precision(precision)
        wanted = Wanted(
            weights=weights,
            image_size=check_image_size(image_size) or getattr(data, "image_size", None),
            output_block=output_block,
            preprocess=preprocess,
            precision=precision,
            texts=_text_needs(data, preprocessor),
        )
        seed = random.SystemRandom().randrange(2**31) if seed is None else seed
        with seeded(seed):
            origin = find_origin(backbone, wanted)
        config = ModelConfig(
            **origin.config_fields,
            resize=getattr(data, "resize", None),
            are_pairs=getattr(data, "is_pair", False),
            task=data.task,
            class_names=data.class_names,
            head=head or HEAD_CONFIGS[origin.family],
            precision=precision,
            **standardisation(data.task, data.split("train").labels),
        )
        chosen = choose_strategy(strategy)
        self._build(config, origin.weights, chosen, seed, data, verbose, origin.loaded)
        self._ancestry = origin.ancestry
        self._is_checked = check
        if data.checked is not None and data.checked.bad:
            self._reporter.say(f"{data.checked.summary()}\ndata.checked names them.")

    def _build(
        self,
        config: ModelConfig,
        weights: str | None,
        strategy: tf.distribute.Strategy,
        seed: int,
        data: LabelledData | None,
        verbose: bool,
        loaded: LoadedBackbone | None = None,
        files: BackboneFiles = BackboneFiles(),  # noqa: B008 (frozen)
    ) -> None:
        self.config = config
        self.seed = seed
        self.data = data
        self.weights = weights
        self.evaluations: dict[str, dict[str, Any]] = {}
        self.outcomes: dict[str, Outcomes] = {}
        self.exhibits = Exhibits()
        self._ancestry: tuple[dict[str, Any], ...] = ()
        # What a loaded run says of the data and the versions that it was trained with.
        self._trained_with: dict[str, Any] | None = None
        self._served: ServingModel | None = None
        self._reporter = Reporter(verbose)
        self._strategy = strategy
        built = assemble(config, weights, strategy, seed, loaded, files)
        self._parts, self._modality, self._files = built.parts, built.modality, built.files
        self._trainer = Trainer(config, built, strategy, seed, self._reporter)

    @property
    def model(self) -> keras.Model:
        """An ordinary Keras model, from pixels or tokens to logits.

        float32 (batch, height, width, 3) in [0, 255], or a dict of an encoder's tokens, int32
        (batch, length) each, to float32 (batch, classes); one logit for two classes, one value for
        a regression.
        """
        return self._parts.model

    @property
    def extractor(self) -> keras.Model:
        """The same inputs to the float32 features that the head is given."""
        return self._parts.extractor

    @property
    def backbone(self) -> Backbone:
        """The backbone layer inside the model."""
        return self._parts.backbone

    @property
    def head(self) -> keras.Model:
        """Those features to logits."""
        return self._parts.head

    @property
    def serving_model(self) -> ServingModel:
        """Raw bytes in, named outputs out, in float32; what `predict` and `export` use."""
        parts = self._float32_parts()
        # A graph holds the temperature and the thresholds that it was made with.
        if self._served is None or self._served.task != self.task:
            self._served = ServingModel(parts, self.task, self._modality)
        return self._served

    def _float32_parts(self) -> TransferModel:
        """The model in float32 and outside of any strategy, with the weights as they are now."""
        if self._twin is not self._parts:
            self._twin.model.set_weights(self.model.get_weights())
        return self._twin

    @cached_property
    def _twin(self) -> TransferModel:
        return float32_twin(self.config, self._parts, self._files)

    @property
    def history(self) -> list[PhaseRecord]:
        """One record for each phase that ran."""
        return self._trainer.history

    @property
    def task(self) -> Task:
        """What is learned: decides the head's outputs, the loss, the metrics and the answers."""
        return task_of(self.config)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the logits; none for a regression."""
        return self.config.class_names

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the backbone's blocks, from input to output, for `unfreeze=`."""
        return self._parts.backbone.blocks

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
    ) -> PhaseRecord:
        """Feature extraction: trains the head while the backbone is frozen.

        The backbone runs once per item; the head is trained on the cached features. With
        `augment` every epoch sees other images, so the backbone runs live in every epoch and
        nothing is cached.

        Args:
            epochs: passes over the training split; `None`: 10.
            learning_rate: peak rate; `None`: the measured default.
            augment: `True` for the data's own augmentation; `"standard"`, `"no-flip"`,
                `"randaugment"`, `"mixup"`, `"cutmix"`, a Keras layer, or a list of these (see
                `keras_tl.data.augmentation.augmenter`).
            cache: where features are kept: `"auto"`, `"memory"`, `"disk"`, `"off"`, or a
                `CacheConfig`.
            callbacks: Keras callbacks. On cached features their `model` maps features to logits,
                and on one device the steps run eight at a time: they hear of every eighth.
            batch_size: items per step; `None`: the measured default.
            label_smoothing: see `Phase`, in [0, 1).
            class_weight: see `Phase`: `"balanced"`, or weights by the classes' names.

        Returns:
            The record of the phase, also appended to `history`.

        Raises:
            DataError: the learner was loaded without data, or a file cannot be read.
            CacheError: the features cannot be kept where asked.
        """
        (phase,) = phases_of(
            HEADS[self.config.family],
            self.config.family,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
        )
        check_augmentation(augment)
        config = cache if isinstance(cache, CacheConfig) else CacheConfig(cache)
        self._trainer.cache = FeatureCache(config)
        record = self._run(phase, augment, callbacks)
        self._tell_if_overfitting()
        return record

    def fine_tune(
        self,
        epochs: int | None = None,
        learning_rate: float | None = None,
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
        epoch improves the validation loss, the weights from before are kept.

        Args:
            epochs: passes over the training split; `None`: the policy's.
            learning_rate: peak rate; `None`: the policy's.
            unfreeze: `"all"`, a number of blocks counted from the head down, or the name of
                the lowest block (see `blocks`); `None`: the policy's.
            policy: a name, or phases of your own. `"standard"`; `"discriminative"`: lower blocks
                learn at lower rates; `"gradual"`: they are unfrozen one after the other;
                `"ulmfit"`: both; `"scratch"`. Each is a tuple of `Phase` in
                `keras_tl.training.policies.POLICIES`, to be printed, changed and passed.
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
        for phase in phases:
            blocks_to_unfreeze(self.blocks, phase.unfreeze)
            self._trainer.check(phase, augment)
        if not self.history and phases[0].batch_norm != "live":
            self._reporter.say("The head is untrained: fit_head() runs first.")
            self.fit_head()
        if self._trainer.backbone_is_original and phases[0].batch_norm != "live":
            self._keep_map_before()
        left = [sum(later.epochs for later in phases[n:]) for n in range(1, len(phases) + 1)]
        records = [
            self._run(phase, augment, callbacks, following)
            for phase, following in zip(phases, left, strict=True)
        ]
        self._tell_if_overfitting()
        return records

    def check(self) -> Findings:
        """Looks at data, backbone and head for what would spoil training, in seconds.

        It runs by itself before the first training, unless the learner was made with `check=False`:
        then warnings are shown, and training goes on unless it cannot work. Nothing is changed: the
        same seed gives the same result with it and without. What is looked at, and how the limits
        were chosen: docs/preflight.md.

        Returns:
            What was found, also kept in `findings` and saved with the run.

        Raises:
            DataError: the learner was loaded without data, or a file cannot be read.
        """
        features = "all" if self._trainer.backbone_is_original else "sample"
        self.findings = run_checks(self._subject(features))
        self._reporter.say(self.findings.brief())
        return self.findings

    def _subject(self, features: str, weighted: bool = False) -> Subject:
        if features == "all" and self._trainer.cache.config.where == "off":
            features = "sample"
        parts = (self.config, self._parts, self._modality, self._trainer)
        return Subject(self._need_data(), Inside(*parts, features, weighted))

    def _check_first(self, phase: Phase, augment: Augmentation) -> None:
        """What runs by itself before the first training: on features that it needs anyway."""
        self._trainer.check(phase, augment)
        if self.findings is None:
            live = "sample" if phase.unfreeze is None else "none"
            features = "all" if live == "sample" and augment is False else live
            self.findings = known_findings(self._subject(features, phase.class_weight is not None))
            self._reporter.say(self.findings.brief())
        self.findings.stop_if_hopeless()

    def _run(
        self,
        phase: Phase,
        augment: Augmentation,
        callbacks: Sequence[keras.callbacks.Callback],
        following: int = 0,
    ) -> PhaseRecord:
        data, config = self._need_data(), self.config
        known = self.evaluations, self.outcomes, self.exhibits, self._trained_with
        if config.temperature != 1 or config.thresholds:
            self._reporter.say(
                "Training puts the temperature back to 1 and the thresholds to 0.5: they were "
                "fitted to other weights. Call calibrate() and choose_thresholds() again."
            )
        if self._is_checked and not self.history:
            self._check_first(phase, augment)
        # What was measured before is not true of other weights, those of an interruption included.
        self.evaluations, self.outcomes, self._trained_with = {}, {}, None
        self.exhibits = self.exhibits.before_training()
        self.config = dataclasses.replace(config, temperature=1.0, thresholds=())
        try:
            return self._trainer.run(phase, data, augment, callbacks, following)
        except ConfigError:  # It was refused before it began.
            self.evaluations, self.outcomes, self.exhibits, self._trained_with = known
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

    def evaluate(
        self, split: str = "test", by: Hashable | Sequence | None = None
    ) -> dict[str, Any]:
        """Metrics on a split; nothing was tuned or stopped on the test split.

        What the model gave for every item is kept in `outcomes[split]`.

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
            ConfigError: the data have not kept such a column.
        """
        chosen = self._need_data().split(split)
        groups = None if by is None else slice_values(by, chosen.slices, len(chosen))
        self.outcomes[split] = Outcomes(chosen.labels, self._trainer.logits(chosen))
        self._measure(split)
        if split == "test":
            self.exhibits = self.exhibits.without_answers()
        if groups is not None:
            found = measure_slices(self.task, self.answered(split), *groups)
            self.evaluations[split]["slices"] = found.to_json()
        return self.evaluations[split]

    def _measure(self, split: str) -> None:
        config, answered = self.config, self.answered(split)
        found = measure(config.task, answered, config.class_names, config.thresholds)
        self.evaluations[split] = found

    def answered(self, split: str = "test") -> Outcomes:
        """What is answered for every item of a split, as calibrated; evaluates it if need be.

        `outcomes` holds the same before the temperature.

        Raises:
            DataError: it was not evaluated, and there are no data or no such split.
        """
        known = self.outcomes.get(split)
        there = None if self.data is None else self.data.splits.get(split)
        if known is None or not (there is None or np.array_equal(known.labels, there.labels)):
            self.evaluate(split)
        return self.outcomes[split].scaled(self.config.temperature)

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
        answered, config = self.answered(split), self.config
        sources = None if self.data is None else self.data.split(split).sources
        names, thresholds = config.class_names, config.thresholds
        return top_losses(config.task, answered, names, sources, split, count, thresholds)

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
        check_has_probabilities(self.config.task)
        self.answered("validation")
        found = calibrate(self.config.task, self.outcomes)
        self.config = with_temperature(self.config, found.temperature)
        # What groups are compared by does not change.
        self._measure_again(("slices",))
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
        rule, config = Rule(precision, recall), self.config
        check_has_thresholds(config.task)
        self.answered("validation")
        outcomes = {split: self.answered(split) for split in self.outcomes}
        found = choose_thresholds(config.task, outcomes, config.class_names, rule)
        self.config = dataclasses.replace(config, thresholds=found.values)
        self._measure_again()
        self._reporter.say(found.describe())
        return found

    def _measure_again(self, kept: Sequence[str] = ()) -> None:
        """Measures all known outcomes with the answers as they are now, but for what is kept."""
        before, self.evaluations = self.evaluations, {}
        for split in self.outcomes:
            self._measure(split)
            known = before.get(split, {})
            self.evaluations[split] |= {name: known[name] for name in kept if name in known}

    def overfitting(self, measure: bool = False) -> Overfitting:
        """Whether the model overfits or underfits by the curves of its training, and what to try.

        Args:
            measure: run the model as it is over the training and validation splits too, for the
                gap between them and not only the least that it can be.

        Raises:
            RunError: nothing has been trained yet.
            DataError: to be measured, and there are no data, or no validation split.
        """
        splits = {} if self.data is None else self.data.splits
        items = len(splits["validation"]) if "validation" in splits else None
        measured = None
        if measure:
            chosen = {name: self._need_data().split(name) for name in ("train", "validation")}
            measured = {
                name: METRICS[self.config.task](
                    split.labels, self._trainer.logits(split), self.class_names
                )
                for name, split in chosen.items()
            }
        return find_overfitting(self.history, self.task, self.config, self.blocks, items, measured)

    def _tell_if_overfitting(self) -> None:
        found = self.overfitting()
        if found.state == OVERFITS:
            self._reporter.say(f"{found.statement} learner.overfitting() says what to try.")

    def logits(self, split: str = "test") -> np.ndarray:
        """What the head puts out for a split, as it is now; also while training, in a callback.

        Returns:
            float32 array (n, outputs): logits, or the values of a regression.

        Raises:
            DataError: there are no data, or no such split.
        """
        return self._trainer.logits(self._need_data().split(split))

    def predict(
        self, items: ImageInput | TextInput
    ) -> Predictions | MultilabelPredictions | RegressionPredictions:
        """Labels and probabilities, or values, from the same graph that `export` writes.

        Args:
            items: images: a path, a folder, bytes, an array, or a list of one of these (see
                `keras_tl.data.inputs.read_inputs`). Texts: a text, a list of texts, or a list of
                pairs (see `keras_tl.data.text_inputs.read_texts`).

        Raises:
            DataError: something given is no such item; the message names it.
        """
        given = self._modality.read(items)
        answers = self.serving_model.answers_to(given.questions(BATCH))
        if VALID in answers:
            given.check_valid(answers[VALID])
        return self.task.predictions(answers, given.sources)

    def features(self, items: ImageInput | TextInput) -> np.ndarray:
        """The fixed feature extractor: what the head is given, as vectors.

        Args:
            items: as for `predict`.

        Returns:
            float32 array (n, d).
        """
        split = self._modality.as_split(self._modality.read(items))
        rows = np.concatenate(list(self._trainer.feature_batches(split)))
        return rows.reshape(len(rows), -1)

    def split_features(
        self, split: str | Split = "train", cache: str | CacheConfig = "auto"
    ) -> np.ndarray:
        """The same of a split of the data, from the feature cache or computed and kept there.

        Args:
            split: its name; or items of your own choice, such as `data.split("train").take(rows)`.
            cache: as in `fit_head`, which finds there what was computed here.

        Returns:
            float32 array (n, d), in the split's order.

        Raises:
            DataError: there are no data, or no such split.
            CacheError: the features cannot be kept where asked.
        """
        chosen = self._need_data().split(split) if isinstance(split, str) else split
        config = cache if isinstance(cache, CacheConfig) else CacheConfig(cache)
        if config.where == "off":
            rows = np.concatenate(list(self._trainer.feature_batches(chosen)))
        else:
            self._trainer.cache = FeatureCache(config)
            rows = self._trainer.features(chosen).read(np.arange(len(chosen)))
        return rows.reshape(len(rows), -1)

    def save_features(
        self, items: ImageInput | TextInput, path: str | os.PathLike
    ) -> tuple[int, int]:
        """Writes the same to a file, a batch at a time, for other tools.

        Args:
            items: as for `predict`.
            path: `.npy` for an array (n, d); `.parquet` for columns `source` (the image's path or
                number, or the text) and `features` (a list of d float32).

        Returns:
            (n, d).

        Raises:
            ConfigError: the path ends otherwise.
        """
        check_feature_file(Path(path))
        given = self._modality.read(items)
        split = self._modality.as_split(given)
        shape = (len(split), math.prod(self.extractor.output_shape[1:]))
        sources = given.sources or tuple(map(str, range(len(split))))
        write_features(Path(path), self._trainer.feature_batches(split), shape, sources)
        return shape

    def export(
        self,
        path: str | os.PathLike,
        format: str = SAVED_MODEL,
        precision: str = "float32",
        serving: bool = False,
        card: Mapping[str, str] | None = None,
    ) -> Path:
        """Writes the next version of a SavedModel below `path`, verified; or another format.

        Args:
            path: the model's folder, such as `saved_models/photos`; of another format the file.
            format: `"savedmodel"`; `"litert"` or `"onnx"`, which take numbers only and need the
                extra of the same name: see `keras_tl.export.runtimes.writing.export_file`.
            precision: of those two, `"float32"` or `"float16"`.
            serving: write `serving/` beside the versions of a SavedModel too, configuration and
                clients for those who run a server (see
                `export.server_configuration.write_serving`).
            card: sections of a SavedModel's card that only you can write, by their headings, in
                Markdown, such as `{"Intended use": "..."}`.

        Returns:
            The folder of the version, such as `saved_models/photos/1`; or the file.

        Raises:
            ConfigError: an argument is not as described, the extra is missing, or, with `serving`,
                the folder's name cannot be a model's name on a server. Nothing is written.
            ExportError: what was written does not answer as the model does; it is not kept. Or the
                model cannot be converted.
        """
        path = Path(path)
        if runtime := find_runtime(path, format, precision):
            if serving or card is not None:
                raise ConfigError(
                    "Only a SavedModel has a folder for servers and a model card. Expected neither "
                    f"serving= nor card= with format={format!r}; export a SavedModel for them."
                )
            model = NumericModel(self.serving_model, self._twin, self.task, self._modality)
            worst = export_file(model, path, runtime, precision)
            self._reporter.say(f"Exported {path}: compared, largest difference {worst:.1e}.")
            return path
        if serving:
            check_serving(path)
        made_up = self._modality.made_up()
        texts = write_card(self._facts(), path.resolve().name, card)
        version, found = export_version(self.serving_model, made_up, self.class_names, path, texts)
        worst = max(d for outputs in found.differences.values() for d in outputs.values())
        self._reporter.say(f"Exported {version}: verified, largest difference {worst:.1e}.")
        if serving:
            folder, kept = write_serving(version)
            changed = f" Kept what was changed or added: {', '.join(kept)}." if kept else ""
            self._reporter.say(f"Wrote {folder}.{changed}")
        return version

    def save(self, path: str | os.PathLike) -> Path:
        """Saves the run: configuration, weights, history, evaluations; JSON, HDF5, NumPy arrays.

        Returns:
            The run's folder. A run that was there is replaced.
        """
        write_run(Path(path), self._about(), self.model, self._files, self._results())
        return Path(path)

    def _results(self) -> dict[str, bytes]:
        """The files with what was measured item by item."""
        files = dict(self.exhibits.files)
        for split, outcomes in self.outcomes.items():
            files |= outcomes.to_files(split)
        return files

    def _about(self) -> dict[str, Any]:
        """What a run records beside its weights, as JSON types."""
        trained_with = self._trained_with or {
            "data": self.data.describe() if self.data is not None else None,
            "versions": library_versions(),
        }
        return {
            "format": _FORMAT,
            "config": self.config.to_json(),
            "seed": self.seed,
            "weights": self.weights,
            "ancestry": list(self._ancestry),
            "history": [record.to_json() for record in self.history],
            "evaluations": self.evaluations,
            "findings": None if self.findings is None else self.findings.to_json(),
            **trained_with,
        }

    @classmethod
    def load(
        cls,
        path: str | os.PathLike,
        data: ImageData | TextData | None = None,
        strategy: str | tf.distribute.Strategy = "auto",
        verbose: bool = True,
    ) -> Self:
        """Loads a saved run; it predicts and exports at once, and trains on given `data`.

        Raises:
            RunError: there is no run, it is damaged, or it is of a later version.
            DataError: the data have other classes than the run.
        """
        about = read_run(Path(path))
        if about["format"] > _FORMAT:
            raise RunError(f"{path} was written by a later version of keras_tl. Update keras_tl.")
        config = ModelConfig.from_json(about["config"])
        if data is not None:
            _check_same_task(config, data)
        learner = cls.__new__(cls)
        chosen, files = choose_strategy(strategy), run_files(Path(path))
        learner._build(config, None, chosen, about["seed"], data, verbose, files=files)
        load_run_weights(Path(path), learner.model)
        if data is not None and about["data"] is not None:
            now, then = (found["splits"]["train"] for found in (data.describe(), about["data"]))
            if any(now[key] != then[key] for key in ("items", "fingerprint")):
                learner._reporter.say(
                    "These are not the data the run was trained on, or they are split otherwise: "
                    "images it has seen in training may be among those it is tested on."
                )
        learner.weights = about["weights"]
        learner._ancestry = tuple(about.get("ancestry", ()))
        learner._trained_with = {key: about[key] for key in ("data", "versions")}
        learner.evaluations = about["evaluations"]
        results = run_results(Path(path))
        learner.outcomes = read_outcomes(results, learner.evaluations)
        learner.exhibits = Exhibits.among(results)
        if (found := about.get("findings")) is not None:
            learner.findings = Findings.from_json(found)
        learner.history.extend(map(PhaseRecord.from_json, about["history"]))
        return learner

    def _need_data(self) -> ImageData | TextData:
        if self.data is None:
            raise DataError(
                "This learner was loaded without data. Pass them: Learner.load(path, data=...)."
            )
        return self.data

    def __repr__(self) -> str:
        phases = ", ".join(record.phase.name for record in self.history) or "untrained"
        return f"Learner({self.config.backbone}, {self.task.kind}, {phases})"


def _text_needs(
    data: ImageData | TextData, preprocessor: str | TextPreprocessor | None
) -> TextNeeds | None:
    if isinstance(data, TextData):
        return TextNeeds(data.split("train"), data.sequence_length, preprocessor)
    if preprocessor is not None:
        raise ConfigError(
            "preprocessor= makes tokens of texts; these data are images. Leave it out."
        )
    return None


def _check_same_task(config: ModelConfig, data: ImageData | TextData) -> None:
    if config.is_text != isinstance(data, TextData):
        raise DataError(
            f"The run is for {'texts' if config.is_text else 'images'}; the data are not. Pass "
            "the data it was trained on, or make a new Learner."
        )
    # Runs of the time before there was a binary task have two classes and two logits.
    one_class = {"binary", "multiclass"}
    if data.task != config.task and not {data.task, config.task} <= one_class:
        raise DataError(
            f"The run was trained for {config.task}; the data are for {data.task}. Pass the data "
            "it was trained on, or make a new Learner."
        )
    if data.class_names != config.class_names:
        raise DataError(
            f"The run knows the classes {', '.join(config.class_names)}; the data have "
            f"{', '.join(data.class_names)}. Pass the data it was trained on, or make a new "
            "Learner."
        )
