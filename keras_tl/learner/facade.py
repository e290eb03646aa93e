"""`Learner`: the facade. It calls the other modules, and holds no algorithm."""

import os
import random
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import seeded
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.config import (
    SAVED_MODEL,
    CacheConfig,
    HeadConfig,
    ModelConfig,
    Phase,
    family_of,
)
from keras_tl.base.reporting import Reporter
from keras_tl.base.results import MultilabelPredictions, Predictions, RegressionPredictions
from keras_tl.data.image_data import ImageData
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.data.images.image_inputs import ImageInput
from keras_tl.data.images.image_options import ImageSize, check_image_size
from keras_tl.data.text_data import TextData
from keras_tl.data.texts.text_inputs import TextInput
from keras_tl.errors import ConfigError, quoted
from keras_tl.evaluation.calibration import Calibrated
from keras_tl.evaluation.cross_validation import CrossValidation
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.ranking import Ranking
from keras_tl.evaluation.thresholds import Thresholds
from keras_tl.export.serving import ServingModel
from keras_tl.learner import (
    answering,
    checking,
    exporting,
    fitting,
    measuring,
    reporting,
    saving,
    training,
)
from keras_tl.learner.history import History
from keras_tl.learner.ranking import rank
from keras_tl.learner.record import record
from keras_tl.learner.state import State
from keras_tl.models.assembly import assemble
from keras_tl.models.device import choose_precision, choose_strategy
from keras_tl.models.modalities import MODALITIES
from keras_tl.models.sources import find_backbone
from keras_tl.preflight.findings import Findings
from keras_tl.report.exhibits import Compared
from keras_tl.runs.ancestry import ancestry_of
from keras_tl.runs.history import PhaseRecord
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task, get_task
from keras_tl.training.lr_finder import LearningRates
from keras_tl.training.policies import HEAD_CONFIGS
from keras_tl.training.trainer import Trainer


class Learner:
    """A pretrained backbone and a head for the data at hand.

    Args:
        backbone: a name from the catalogue (`keras_tl.backbones.CATALOGUE`); `"auto"` for the best
            of those whose weights are on this machine, see `rank_backbones`; `"run:PATH"` for
            the trained backbone of a saved run, or another learner for its; `"tfhub:HANDLE"` for a
            module of TF-Hub, HANDLE being its URL or its folder (a module is a program: use only
            what you trust); `"kerashub:PRESET"` for a preset of KerasHub, by its name or its
            folder; `"ulmfit:PATH"` for a language model that `keras_tl.ulmfit` saved; or a
            `keras.Model`, or the path of a `.keras` file, with `preprocess=`. The model is copied:
            training does not change it.
        data: what to learn; decides the task and the number of classes.
        weights: `"imagenet"`, or the path of a weights file, for a backbone from the catalogue;
            `None` for random weights, whatever the backbone (not for a TF-Hub module).
        image_size: side in pixels, or (height, width); `None`: the data's, else the size the
            backbone was trained at.
        output_block: the block whose output is the features; `None`: the last one.
        head: what the head is made of; `None`: the backbone's
            `keras_tl.training.policies.HEAD_CONFIGS`.
        precision: `"auto"`, `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.
        strategy: `"auto"`, `"single"`, `"mirrored"`, `"tpu"` or a `tf.distribute.Strategy`. Give
            all learners of a process the same strategy object: TensorFlow takes the reductions of
            one object for those of another (tensorflow/tensorflow#62790). The names do so.
        seed: makes everything random repeatable; `None`: drawn, and kept in `learner.trainer.seed`.
        preprocess: of images, what a `keras.Model` expects of the pixels: `"none"` ([0, 255] as
            they are), `"tf"`, `"torch"`, `"caffe"`, or a `keras_tl.backbones.Preprocessing`;
            other backbones bring theirs. Of texts, what makes an encoder's tokens:
            `"tfhub:HANDLE"`; the path of a WordPiece `vocab.txt`, of a `tokenizer.json`, or of a
            folder with one of them; or a `keras_tl.backbones.texts.TextPreprocessor`, such as
            `keras_tl.WordPiecePreprocessor("vocab.txt", lower_case=True)`; `None`: its own.
        verbose: report progress on standard error.
        check: look at the data and the model before the first training, see `check()`.

    Raises:
        BackboneError: the backbone is unknown or cannot be built so.
        WeightsError: the weights are missing or do not fit.
        ConfigError: another argument is not as described.
    """

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
        preprocess: str | Preprocessing | TextPreprocessor | None = None,
        verbose: bool = True,
        check: bool = True,
    ):
        ancestry = ()
        if isinstance(backbone, Learner):
            ancestry, backbone = ancestry_of(record(backbone._state)), backbone.backbone
        precision = choose_precision(precision)
        seed = random.SystemRandom().randrange(2**31) if seed is None else seed
        ranking = None
        if isinstance(backbone, str) and backbone == "auto":
            backbone, ranking = _best_backbone(
                data,
                seed,
                verbose,
                weights=weights,
                image_size=image_size,
                strategy=strategy,
                head=head,
                precision=precision,
                output_block=output_block,
            )
        if not isinstance(head, (HeadConfig, type(None))):
            raise ConfigError(
                "head must be a keras_tl.HeadConfig, such as HeadConfig(hidden=(256,)). Received: "
                f"{quoted(head)}."
            )
        options = MODALITIES[data.item].source_options(data)
        if (size := check_image_size(image_size)) is not None:
            options["image_size"] = size
        with seeded(seed):
            found = find_backbone(
                backbone,
                weights=weights,
                output_block=output_block,
                preprocess=preprocess,
                precision=precision,
                ancestry=ancestry,
                **options,
            )
        config = ModelConfig(
            **found.config_fields,
            **data.model_fields,
            task=data.task,
            class_names=data.class_names,
            head=head or HEAD_CONFIGS[family_of(found.source, found.image_size)],
            precision=precision,
            **get_task(data.task).target_fields(data.split("train").labels),
        )
        chosen = choose_strategy(strategy)
        parts = assemble(config, found, chosen, seed)
        self._state = State(config, parts, chosen, seed, data, verbose)
        self._state.is_checked = check
        self._state.ranking = ranking
        if data.checked is not None and data.checked.bad:
            self._state.reporter.say(
                f"{data.checked.summary()}\ndata.checked.describe() and keras-tl train --check "
                "name each of them."
            )

    @property
    def data(self) -> ImageData | TextData | None:
        """What to learn; `None`: a saved run that was loaded without its data."""
        return self._state.data

    @property
    def config(self) -> ModelConfig:
        """What the model is: backbone, task, class names, head, temperature, thresholds."""
        return self._state.config

    @property
    def task(self) -> Task:
        """What is learned: decides the head's outputs, the loss, the metrics and the answers."""
        return self._state.task

    @property
    def trainer(self) -> Trainer:
        """Trains the model; holds its parts, the features of the data, and the seed."""
        return self._state.trainer

    @property
    def model(self) -> keras.Model:
        """An ordinary Keras model, from pixels or tokens to logits.

        float32 (batch, height, width, 3) in [0, 255], or a dict of an encoder's tokens, int32
        (batch, length) each, to float32 (batch, classes); one logit for two classes, one value for
        a regression.
        """
        return self._state.parts.model

    @property
    def backbone(self) -> Backbone:
        """The backbone layer inside the model; `backbone.blocks` are the names for `unfreeze=`."""
        return self._state.parts.backbone

    @property
    def serving_model(self) -> ServingModel:
        """Raw bytes in, named outputs out, in float32; what `predict` and `export` use."""
        return self._state.serving_model

    @property
    def history(self) -> History:
        """One record for each phase that ran, the findings before them, and the choice of `fit`."""
        state = self._state
        return History.of(
            state.trainer.history,
            state.task.watched,
            state.ranking,
            state.findings,
            state.measured.fitted,
        )

    @property
    def evaluations(self) -> dict[str, Evaluation]:
        """The evaluations of the weights as they are now, by split."""
        return self._state.evaluations.copy()

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
            The model that was kept, why, by how much, and the costs; also in `history.fitted`.

        Raises:
            ConfigError: the backbone was fine-tuned on these items before, here or in an earlier
                run, or an argument is not as described.
            DataError: the learner was loaded without data, or a file cannot be read.

        Example:
            >>> learner.fit(minutes=20)  # doctest: +SKIP
        """
        return fitting.fit(
            self._state,
            minutes,
            refit,
            augment,
            cache,
            callbacks,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
        )

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
        return training.fit_head(
            self._state,
            augment,
            cache,
            callbacks,
            policy,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
        )

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
                the lowest block (see `backbone.blocks`); `None`: the policy's.
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
        return training.fine_tune(
            self._state,
            policy,
            augment,
            callbacks,
            epochs=epochs,
            learning_rate=learning_rate,
            unfreeze=unfreeze,
            batch_size=batch_size,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
            discriminative_factor=discriminative_factor,
        )

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
        return checking.lr_find(
            self._state, phase, policy, unfreeze, batch_size, lowest, highest, steps
        )

    def check(self) -> Findings:
        """Looks at data, backbone and head for what would spoil training, in seconds.

        It runs by itself before the first training, unless the learner was made with `check=False`:
        then warnings are shown, and training goes on unless it cannot work. Nothing is changed: the
        same seed gives the same result with it and without. What is looked at, and how the limits
        were chosen: docs/preflight.md.

        Returns:
            What was found, also kept in `history.findings` and saved with the run.

        Raises:
            DataError: the learner was loaded without data, or a training item cannot be read.
            CacheError: the features of the training split cannot be kept where asked.
        """
        return checking.check(self._state)

    def evaluate(self, split: str = "test", by: Hashable | Sequence | None = None) -> Evaluation:
        """Measure the model on a split; nothing was tuned or stopped on the test split.

        Args:
            split: the name of the split.
            by: also measure groups of items: the name of a column that the data have kept
                (`slices=` of `from_csv` and `from_dataframe`), or a value for each item.

        Returns:
            A mapping of metrics, with the predictions, the largest losses and the plots; also in
            `evaluations` as long as the weights stay. With `by` its `slices` say on which groups
            the model is clearly worse than on the rest.

        Raises:
            DataError: there are no data, or no such split, or `by` has not a value for each item
                or more than 100 different ones.
            ConfigError: the data have not kept such a column, or an answer is not a finite number.
        """
        return measuring.evaluate(self._state, split, by)

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
        return measuring.cross_validate(
            self._state,
            folds,
            repeats,
            groups,
            splits,
            label_smoothing=label_smoothing,
            class_weight=class_weight,
        )

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
        return measuring.calibrate(self._state)

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
        return measuring.choose_thresholds(self._state, precision, recall)

    def predict(
        self, items: ImageInput | TextInput, on_invalid: str = "raise"
    ) -> Predictions | MultilabelPredictions | RegressionPredictions:
        """Labels and probabilities, or values, from the same graph that `export` writes.

        Args:
            items: images: a path, a folder, bytes, an array, or a list of one of these (see
                `keras_tl.data.images.image_inputs.read_inputs`). Texts: a text, a list of texts,
                or a list of pairs (see `keras_tl.data.texts.text_inputs.read_texts`). Both: a
                split, a `tf.data.Dataset`, or a `pandas.DataFrame` with the columns of the training
                data.
            on_invalid: what to do about files and bytes that are no image, and texts that are
                blank or not UTF-8: `"raise"` an error that names them, `"skip"` them, or `"keep"`
                them, with `valid` false and the reason in the results. The last two say why on
                standard error.

        Raises:
            DataError: something given is no such item; the message names it.
            ConfigError: a path is of a file system that is not supported.
        """
        return answering.predict(self._state, items, on_invalid)

    def features(
        self,
        items: ImageInput | TextInput,
        on_invalid: str = "raise",
        cache: str | CacheConfig = "auto",
    ) -> np.ndarray:
        """The fixed feature extractor: what the head is given, as vectors.

        Args:
            items: as for `predict`. The features of a split, such as `data.split("train")`, are
                kept in the feature cache, where `fit_head` finds them.
            on_invalid: as for `predict`; the features of items that are kept are NaN.
            cache: of a split: as in `fit_head`.

        Returns:
            float32 array (n, d), in the order of the items.

        Raises:
            DataError: see `predict`.
            CacheError: the features of a split cannot be kept where asked.
        """
        return answering.features(self._state, items, on_invalid, cache)

    def export(
        self,
        path: str | os.PathLike,
        format: str = SAVED_MODEL,
        precision: str = "float32",
        serving: bool = False,
        card: Mapping[str, str] | None = None,
        overwrite: bool = False,
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
            overwrite: of another format, replace the files that are there. A version of a
                SavedModel is never replaced.

        Returns:
            The folder of the version, such as `saved_models/photos/1`; or the file.

        Raises:
            ConfigError: an argument is not as described, the extra is missing, or, with `serving`,
                the folder's name cannot be a model's name on a server. Or there is a file of
                another format, and `overwrite` is false. Nothing is written.
            ExportError: what was written does not answer as the model does; it is not kept. Or the
                model cannot be converted.
        """
        return exporting.export(self._state, path, format, precision, serving, card, overwrite)

    def report(
        self,
        path: str | os.PathLike,
        comparison: Compared | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Writes one self-contained HTML file with all that is known of the model.

        What is made from the data is kept in the learner; a saved run gives the same report again,
        byte for byte, without them.

        Args:
            path: the HTML file.
            comparison: the `Comparison` that `keras_tl.compare` gave: whether transfer helps. The
                learner keeps it, too, also when it is trained again.
            overwrite: replace another file that is there. A learner replaces its own report, and
                the one in the folder of its run, without being asked.

        Returns:
            The file written.

        Raises:
            ConfigError: `comparison` is something else, or of another task or other classes;
                nothing was written or kept of it. Or another file is at the path.
        """
        return reporting.report(self._state, path, comparison, overwrite)

    def save(self, path: str | os.PathLike, overwrite: bool = False) -> Path:
        """Save the run: configuration, weights, history, evaluations; JSON, HDF5, NumPy arrays.

        A learner replaces without being asked the run that it was loaded from or saved to, unless
        the run has changed since. Your own files in the run's folder are kept, and a report that is
        there is made anew.

        Args:
            path: the run's folder.
            overwrite: replace another run that is there.

        Returns:
            The run's folder.

        Raises:
            ConfigError: another run is there, and `overwrite` is false.
            RunError: the path holds something that is not a run.
        """
        return saving.save(self._state, path, overwrite)

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
        learner = cls.__new__(cls)
        learner._state = saving.load(path, data, strategy, verbose)
        return learner

    def _repr_html_(self) -> str:
        return reporting.summary(self._state)

    def __repr__(self) -> str:
        phases = ", ".join(one.phase.name for one in self.trainer.history) or "untrained"
        return f"Learner({self.config.backbone}, {self.task.kind}, {phases})"


def _best_backbone(
    data: ImageData | TextData, seed: int, verbose: bool, **options: Any
) -> tuple[str, Ranking]:
    if options["weights"] != "imagenet":
        raise ConfigError(
            "Learner('auto') chooses among pretrained backbones; expected weights='imagenet'. "
            f"Received: {quoted(options['weights'])}. Name a backbone to give it other weights."
        )
    found = rank(Learner, data, seed=seed, verbose=verbose, check=False, **options)
    Reporter(verbose).say(found.describe())
    return found.chosen, found
