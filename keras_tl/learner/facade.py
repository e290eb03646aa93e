"""`Learner`, the facade: it calls the other modules and contains no algorithm."""

import os
import random
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.backbones.loading import seeded
from keras_tl.backbones.preprocessing import Preprocessing
from keras_tl.backbones.texts import TextPreprocessor
from keras_tl.base.choices import (
    CachePlace,
    ExportFormat,
    ExportPrecision,
    OnInvalid,
    PhaseKind,
    PolicyName,
    Precision,
    SplitName,
    StrategyName,
)
from keras_tl.base.config import (
    SAVED_MODEL,
    CacheConfig,
    HeadConfig,
    ModelConfig,
    Phase,
    check_range,
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
from keras_tl.learner.state import State
from keras_tl.models.assembly import assemble
from keras_tl.models.device import choose_precision, choose_strategy
from keras_tl.models.modalities import MODALITIES
from keras_tl.models.sources import find_backbone
from keras_tl.preflight.findings import Findings
from keras_tl.report.artifacts import ComparisonResult
from keras_tl.report.page import summary_of
from keras_tl.runs.ancestry import ancestry_of
from keras_tl.runs.history import PhaseRecord, PhaseRecords
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task, get_task
from keras_tl.training.lr_finder import LearningRates
from keras_tl.training.policies import HEAD_CONFIGS
from keras_tl.training.trainer import Trainer


class Learner:
    """Model for your data: a pretrained backbone with a head, and methods to train and use it.

    Args:
        backbone: Pretrained network: its name in the catalogue (`keras_tl.backbones.CATALOGUE`).
            `"auto"`: the best catalogue backbone with weights on this machine, see
            `rank_backbones`. `"run:PATH"`: the trained backbone of a saved run. A `Learner`: the
            trained backbone of another learner. `"tfhub:HANDLE"`: a TF-Hub module by URL or folder
            (a module is a program: use only modules that you trust). `"kerashub:PRESET"`: a
            KerasHub preset by name or folder. `"ulmfit:PATH"`: a language model that
            `keras_tl.ulmfit` saved. A `keras.Model`, or the path of a `.keras` file: your own
            model, with `preprocess=`. The learner trains a copy of your model.
        data: Labelled images or texts, which determine the task and the number of classes.
        weights: For a catalogue backbone, `"imagenet"` or the path of a weights file. `None`:
            random weights. A TF-Hub module cannot have random weights.
        image_size: Side of square images in pixels, or (height, width). `None`: use the image size
            of the data. If the data have no image size, the learner uses the size at which the
            backbone was trained.
        output_block: Backbone block whose output is used as features. `None`: the last block of the
            backbone.
        head: Pooling and layers of the head. `None`: use the default head for the backbone, see
            `keras_tl.training.policies.HEAD_CONFIGS`.
        precision: Keras dtype policy: `"auto"`, `"float32"`, `"mixed_bfloat16"` or
            `"mixed_float16"`.
        strategy: Devices to use: `"auto"`, `"single"`, `"mirrored"`, `"tpu"` or a
            `tf.distribute.Strategy`. All learners of a process must share one strategy object: with
            two strategy objects, TensorFlow fails (tensorflow/tensorflow#62790). Learners with the
            same strategy name share one strategy object.
        seed: Seed of all random numbers. `None`: a random seed, which `learner.trainer.seed` shows.
        preprocess: For images, the preprocessing that a `keras.Model` expects: `"none"` (pixels in
            [0, 255]), `"tf"`, `"torch"`, `"caffe"`, or a `keras_tl.backbones.Preprocessing`.
            Backbones other than a `keras.Model` have their own preprocessing. For texts, the
            tokenizer of the encoder: `"tfhub:HANDLE"`, or the path of a WordPiece `vocab.txt`, of a
            `tokenizer.json`, or of a folder with either file. A text encoder also accepts a
            `keras_tl.TextPreprocessor`, such as
            `keras_tl.WordPiecePreprocessor("vocab.txt", lower_case=True)`. `None`: the tokenizer
            that belongs to the encoder.
        verbose: Whether to report progress on standard error.
        preflight: Whether the preflight `check()` runs before the first training.

    Raises:
        BackboneError: The backbone is unknown, or cannot be built with the given arguments.
        WeightsError: The weights are missing, or do not fit the network.
        ConfigError: An argument other than `backbone` is invalid.

    Example:
        >>> again = ktl.Learner(network, data, preprocess="tf", seed=0, verbose=False)
        >>> again.task.kind, again.config.class_names
        ('binary', ('blue', 'red'))
    """

    _state: State

    def __init__(
        self,
        backbone: "str | keras.Model | Learner",
        data: ImageData | TextData,
        *,
        weights: str | os.PathLike[str] | None = "imagenet",
        image_size: ImageSize = None,
        output_block: str | None = None,
        head: HeadConfig | None = None,
        precision: Precision = "auto",
        strategy: StrategyName | tf.distribute.Strategy = "auto",
        seed: int | None = None,
        preprocess: str | Preprocessing | TextPreprocessor | None = None,
        verbose: bool = True,
        preflight: bool = True,
    ):
        ancestry: tuple[dict[str, Any], ...] = ()
        if isinstance(backbone, Learner):
            ancestry, backbone = ancestry_of(backbone._state.run_record()), backbone.backbone
        dtype_policy = choose_precision(precision)
        seed = random.SystemRandom().randrange(2**31) if seed is None else seed
        seed = int(seed) if isinstance(seed, np.integer) else seed
        check_range("seed", seed, 0, whole=True)
        ranking = None
        if isinstance(backbone, str) and backbone == "auto":
            backbone, ranking = _best_backbone(
                data,
                seed,
                verbose,
                preprocess,
                weights=weights,
                image_size=image_size,
                strategy=strategy,
                head=head,
                precision=dtype_policy,
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
                precision=dtype_policy,
                ancestry=ancestry,
                **options,
            )
        config = ModelConfig(
            **found.config_fields,
            **data.model_fields,
            task=data.task,
            class_names=data.class_names,
            head=head or HEAD_CONFIGS[family_of(found.source, found.image_size)],
            precision=dtype_policy,
            **get_task(data.task).target_fields(data.split("train").labels),
        )
        chosen = choose_strategy(strategy)
        parts = assemble(config, found, chosen, seed)
        self._state = State(config, parts, chosen, seed, data, verbose)
        self._state.is_checked = preflight
        self._state.ranking = ranking
        if data.checked is not None and data.checked.bad:
            self._state.reporter.say(
                f"{data.checked.summary()}\nTo list these items, call data.checked.describe() "
                "or run keras-tl train --check."
            )

    @property
    def data(self) -> ImageData | TextData | None:
        """The labelled data. `None`: the learner was loaded from a run without data.

        Example:
            >>> len(learner.data.split("train"))
            24
        """
        return self._state.data

    @property
    def config(self) -> ModelConfig:
        """Configuration of the model: backbone, task, classes, head, temperature, thresholds.

        Example:
            >>> learner.config.image_size, learner.config.class_names
            ((16, 16), ('blue', 'red'))
        """
        return self._state.config

    @property
    def task(self) -> Task:
        """Task that determines the head's outputs, the loss, the metrics and the predictions.

        Example:
            >>> learner.task.kind, learner.task.primary_metric
            ('binary', 'accuracy')
        """
        return self._state.task

    @property
    def trainer(self) -> Trainer:
        """Object that trains the model, and that has the model's parts, feature cache and seed.

        Example:
            >>> learner.trainer.seed
            0
        """
        return self._state.trainer

    @property
    def model(self) -> keras.Model:
        """A Keras model from pixels or tokens to logits.

        Inputs for images: pixels, float32 (batch, height, width, 3) in [0, 255]. Inputs for texts:
        a dict of int32 arrays (batch, length), or strings (batch,). Outputs: logits, float32
        (batch, classes). A model for two classes returns one logit, except with the task
        `"multiclass"`. A regression model returns one value.

        Example:
            >>> pixels = np.zeros((2, 16, 16, 3), "float32")
            >>> learner.model(pixels).numpy().shape
            (2, 1)
        """
        return self._state.parts.model

    @property
    def backbone(self) -> Backbone:
        """The backbone layer of the model. `backbone.blocks` lists the blocks for `unfreeze=`.

        Example:
            >>> learner.backbone.blocks[-1]
            'second'
        """
        return self._state.parts.backbone

    @property
    def serving_model(self) -> ServingModel:
        """Model that `predict` and `export` use. The model maps raw bytes to named float32 outputs.

        Example:
            >>> sorted(learner.serving_model.signatures)
            ['classify', 'embed', 'pixels', 'serving_default']
        """
        return self._state.serving_model

    @property
    def history(self) -> History:
        """Records of the training phases, preflight findings, ranking, and the result of `fit`.

        Example:
            >>> [record.phase.name for record in learner.history]
            ['head']
        """
        return History.of(self._state)

    @property
    def evaluations(self) -> dict[str, Evaluation]:
        """The evaluations of the model with its current weights, by name of the split.

        Example:
            >>> evaluation = learner.evaluate("validation")
            >>> "validation" in learner.evaluations
            True
        """
        return self._state.evaluations.copy()

    def fit(
        self,
        minutes: float | None = None,
        *,
        refit: bool = False,
        augment: Augmentation = True,
        cache: CachePlace | CacheConfig = "auto",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        label_smoothing: float | None = None,
        class_weight: Literal["balanced"] | dict[str, float] | None = None,
    ) -> FitResult:
        """Train the head, then fine-tune: keep the head alone, the fine-tuned model, or an average.

        `fit` reports its plan before it fine-tunes. With at least 50 validation items, `fit`
        compares the models (head alone, fine-tuned model, weight averages) on the validation split.
        With fewer than 50 validation items, or with `refit`, `fit` compares the models by
        three-fold cross-validation, with fine-tuning in each fold. `fit` keeps a default model
        (docs/explanation/fit.md) unless the loss of another model is significantly lower. If the
        head predicts all held-out items right, and there are at least 50 such items, `fit` keeps
        the head without fine-tuning. Without `refit`, `fit` never reads the test split.
        If `fit_head` has just trained the same head with its default arguments, `fit` does not
        train the head again.

        Args:
            minutes: Time budget of `fit`, in minutes. If the time budget is short, `fit` leaves
                out the three-fold cross-validation. If the time budget is even shorter, `fit` also
                fine-tunes for fewer steps, or not at all. `None`: no limit.
            refit: Whether `fit` trains the chosen model again, on the items of all splits. After
                `refit`, `learner.data` has only a training split. The metrics in the result are
                estimates, from models that were not trained on the evaluated items.
            augment: Augmentation during fine-tuning, as in `fine_tune`.
            cache: As in `fit_head`.
            callbacks: Keras callbacks. `fit` uses the callbacks in all trainings, except in the
                cross-validation.
            label_smoothing, class_weight: As in `fit_head`.

        Returns:
            The kept model, the reason for keeping this model, the comparison of the models, and the
            training time. `learner.history.fitted` also contains the result of `fit`.

        Raises:
            ConfigError: An argument is invalid, or this learner or an earlier run already
                fine-tuned the backbone on items of `learner.data`.
            DataError: The learner was loaded without data, or a file cannot be read.

        Example:
            >>> fitted = new.fit(minutes=0.01)
            >>> fitted.trained_on
            24
            >>> new.history.fitted.kept_because.startswith("Kept: ")
            True
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
        *,
        learning_rate: float | None = None,
        augment: Augmentation = False,
        cache: CachePlace | CacheConfig = "auto",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        batch_size: int | None = None,
        label_smoothing: float | None = None,
        class_weight: Literal["balanced"] | dict[str, float] | None = None,
        policy: Phase | None = None,
    ) -> PhaseRecord:
        """Train the head while the backbone is frozen (feature extraction).

        The backbone runs once per item, and the head is trained on the cached features. With
        `augment`, the images change in every epoch, so the backbone runs in every epoch and no
        features are cached.

        Args:
            epochs: Number of passes over the training split. `None`: as many epochs as 500 steps
                need, but at least 10 (30 for a language model). A head of one Dense layer on cached
                features starts with the optimal weights, so 1 epoch is the default. With fewer than
                50 validation items, the head keeps its last weights, not the weights of the best
                epoch. With fewer than 50 validation items, cached features and `epochs=None`,
                cross-validation chooses the number of epochs of a head with more layers.
            learning_rate: Peak learning rate. `None`: use the toolkit's default learning rate.
            augment: Augmentation of the training images. `True`: the augmentation in
                `data.augmentation`. Other values: `"standard"`, `"no-flip"`,
                `"randaugment"`, `"mixup"`, `"cutmix"`, a Keras layer, or a list of names and layers
                (see `keras_tl.data.images.augmentation.augmenter`).
            cache: Place where the features are stored: `"auto"`, `"memory"`, `"disk"`, `"off"`, or
                a `CacheConfig`.
            callbacks: Keras callbacks. With cached features, `callback.model` is the head, which
                maps features to logits. On one device, a training of at least 200 steps on cached
                features uses `steps_per_execution=8`, unless a callback has a method that Keras
                calls for every batch.
            batch_size: Number of items per training step. `None`: use the toolkit's default batch
                size.
            label_smoothing: Fraction of each label to spread over all classes, in [0, 1).
            class_weight: `"balanced"`, or a dict from class name to weight, see `Phase`.
            policy: Your own `Phase`, which must not unfreeze blocks. `None`: use the toolkit's
                default phase for the head.

        Returns:
            The record of the phase, with the attributes `history` and `epoch` of Keras's `History`.
            `learner.history` also contains the record of the phase.

        Raises:
            ConfigError: An argument is invalid, or a callback is not supported.
            DataError: The learner was loaded without data, or a file cannot be read.
            CacheError: The features cannot be stored in the requested place.

        Example:
            >>> record = new.fit_head(epochs=2)
            >>> len(record.epochs), record.cached
            (2, True)
            >>> "val_loss" in record.epochs[0]
            True
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
        *,
        learning_rate: float | Literal["auto"] | None = None,
        unfreeze: str | int | None = None,
        policy: PolicyName | Phase | Sequence[Phase] = "standard",
        augment: Augmentation = True,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        batch_size: int | None = None,
        label_smoothing: float | None = None,
        class_weight: Literal["balanced"] | dict[str, float] | None = None,
        discriminative_factor: float | None = None,
    ) -> PhaseRecords:
        """Unfreeze the backbone, recompile, and train the whole model at a very low learning rate.

        If the head is untrained, `fit_head` runs first. Of the policies, only `"scratch"` and
        `"contrastive"` need no trained head. BatchNorm statistics stay fixed, except with
        `"scratch"`, the policy for random weights. If no epoch improves the monitored validation
        loss or metric, the model keeps the weights from before fine-tuning. With fewer than 50
        validation items, and if `policy` is a name, the model keeps the weights of the last epoch.
        With `"contrastive"`, the model always keeps the weights of the last epoch, because the
        contrastive loss does not measure the head.

        Args:
            epochs: Number of passes over the training split. `None`: the policy's number of epochs,
                or more epochs to reach the policy's minimum number of steps (`Phase.min_steps`).
            learning_rate: Peak learning rate, or `"auto"`, see `Phase`. `None`: use the policy's
                learning rate.
            unfreeze: Blocks to train: `"all"`, a number of blocks (counted from the head down), or
                the name of the lowest block (see `backbone.blocks`). `None`: train the blocks that
                the policy unfreezes.
            policy: Name of a policy, or your own phases. `"standard"`: unfreeze all blocks at once.
                `"discriminative"`: lower blocks have lower learning rates. `"gradual"`: unfreeze
                one block after the other. `"ulmfit"`: combine `"gradual"` and `"discriminative"`.
                `"contrastive"`, for few texts: the backbone learns similar features for texts of
                the same class, then the head is trained on these features. `"scratch"`: train a
                backbone with random weights. `keras_tl.training.policies.POLICIES` has the phases
                of each policy: to write your own policy, print these phases, and pass a changed
                copy.
            augment: As in `fit_head`.
            callbacks: Keras callbacks for the phases of fine-tuning.
            batch_size: Number of items per training step. `None`: use the policy's batch size.
            label_smoothing, class_weight: As in `fit_head`.
            discriminative_factor: Each block has the learning rate of the block above, divided by
                this factor. 1: one learning rate for all blocks. `None`: use the policy's factor.

        Returns:
            The records of the phases, with the attributes `history` and `epoch` of Keras's
            `History` over all phases. `learner.history` also contains the records of the phases.

        Raises:
            ConfigError: `unfreeze` does not name blocks of the backbone, or `policy` is an
                unknown name.
            DataError: The learner was loaded without data, or a file cannot be read.

        Example:
            >>> records = new.fine_tune(epochs=1, unfreeze=1, augment=False)
            >>> [record.phase.name for record in new.history]
            ['head', 'fine-tune']
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
        phase: PhaseKind | Phase = "head",
        *,
        policy: PolicyName | Phase | Sequence[Phase] = "standard",
        unfreeze: str | int | None = None,
        batch_size: int | None = None,
        lowest: float = 1e-7,
        highest: float = 10.0,
        steps: int = 100,
    ) -> LearningRates:
        """Find a learning rate: train with rising learning rates, then restore all state.

        Each step has a larger learning rate than the step before. The training stops early if the
        loss diverges: the loss is not finite, or the smoothed loss exceeds 4 times its lowest
        value. `lr_find` restores the learner's state bit for bit, except random state that a TF-Hub
        module keeps outside of its variables.

        Args:
            phase: Kind of training to try. `"head"`: train the head on cached features.
                `"fine-tune"`: train the whole model with the augmentation in `data.augmentation`.
                `phase` may also be your own `Phase`.
            policy: As in `fine_tune`. `lr_find` uses the optimizer, the batch size and the unfrozen
                blocks of the policy's last phase.
            unfreeze: As in `fine_tune`.
            batch_size: Number of items per training step. `None`: use the policy's batch size.
            lowest: Learning rate of the first step.
            highest: Learning rate of the last step, if the loss does not diverge.
            steps: Number of steps, at least 10. If the training split has fewer batches than
                `steps`, `lr_find` repeats the training split.

        Returns:
            The tried learning rates and their losses. `.suggestion` is the learning rate at two
            thirds of the range where the loss falls (`keras_tl.training.lr_finder.suggest`).
            `.plot()` draws the losses.

        Raises:
            ConfigError: The phase needs a trained head, or an argument is invalid.
            DataError: The learner was loaded without data, or a file cannot be read.

        Example:
            >>> rates = learner.lr_find(steps=10)
            >>> len(rates.losses) == len(rates.rates) <= 10
            True
        """
        return checking.lr_find(
            self._state, phase, policy, unfreeze, batch_size, lowest, highest, steps
        )

    def check(self) -> Findings:
        """Run the preflight: look for problems in data, backbone and head, in seconds.

        The preflight also runs before the first training, unless `preflight=False` was passed to
        `Learner`. Before a training, the preflight reports its warnings, and stops the training
        only if the training cannot work. With the same seed, a training has the same result with or
        without the preflight. docs/reference/checks.md lists the checks and explains their limits.

        Returns:
            The findings. `learner.history.findings` and the saved run also contain the preflight
            findings.

        Raises:
            DataError: The learner was loaded without data, or a training item cannot be read.
            CacheError: The features of the training split cannot be stored in the requested place.

        Example:
            >>> findings = learner.check()
            >>> findings.summary().startswith("Preflight: ")
            True
        """
        return checking.check(self._state)

    def evaluate(
        self, split: SplitName = "test", *, by: Hashable | Sequence[Any] | None = None
    ) -> Evaluation:
        """Evaluate the model on a split. Tuning and early stopping never use the test split.

        Args:
            split: Name of the split, such as `"test"`.
            by: Groups to evaluate separately: the name of a data column (see `slices=` of
                `from_csv` and `from_dataframe`), or a list with a value per item.

        Returns:
            The evaluation: a mapping from metrics to values, with the predictions, the largest
            losses and the plots. `learner.evaluations` also contains the evaluation, until the
            weights change. With `by`, the attribute `slices` compares each group with the rest of
            the items, and marks the groups on which the model is significantly worse. If the data
            have groups (`groups=` of `from_csv`), intervals count whole groups, not single items.

        Raises:
            DataError: The learner has no data, or the data have no split with the name `split`. The
                error also occurs if `by` has no value for an item, or more than 100 different
                values.
            ConfigError: The data have no column with the name `by`, or a logit is not a finite
                number.

        Example:
            >>> evaluation = learner.evaluate()
            >>> 0 <= evaluation["accuracy"] <= 1
            True
            >>> cameras = ["left", "right"] * 4
            >>> [group.value for group in learner.evaluate(by=cameras).slices.slices]
            ['left', 'right']
        """
        return measuring.evaluate(self._state, split, by)

    def cross_validate(
        self,
        folds: int = 5,
        *,
        repeats: int = 1,
        groups: Hashable | Sequence[Any] | None = None,
        splits: Sequence[SplitName] | None = None,
        label_smoothing: float | None = None,
        class_weight: Literal["balanced"] | dict[str, float] | None = None,
    ) -> CrossValidation:
        """Cross-validate the head on cached features, to estimate its metrics in seconds.

        For each fold, a new head is trained on the features of the pretrained backbone, with the
        default settings of `fit_head`. Cross-validation does not change the learner. If you choose
        between settings by the estimated metrics, leave out the test split:
        `splits=("train", "validation")`.

        Args:
            folds: Number of folds, at least 2. All folds have nearly the same class proportions.
            repeats: Number of repetitions of the cross-validation, each with different folds.
            groups: Name of a column of the data, such as `"patient"`, or a list with a value per
                item. Items with the same value in the column or list are in the same fold. `None`:
                use the groups that were given for the data (`groups=` of `from_csv`).
            splits: Names of the splits to use. `None`: all splits.
            label_smoothing, class_weight: As in `fit_head`.

        Returns:
            A mapping from metrics to values, like the result of `evaluate()`. If the items have
            groups, intervals count whole groups, not single items. `.records` has the out-of-fold
            logits of every item.

        Raises:
            DataError: There are no data, a split in `splits` does not exist, or there are fewer
                groups than folds.
            ConfigError: An argument is invalid, the data have no column with the name `groups`, or
                this learner or an earlier run fine-tuned the backbone on a split that the
                cross-validation would use.
            CacheError: The features cannot be stored in the requested place.

        Example:
            >>> cv = learner.cross_validate(folds=3, splits=["train", "validation"])
            >>> 0 <= cv["accuracy"] <= 1
            True
            >>> cv.fold_numbers.shape
            (1, 32)
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
        """Calibrate the probabilities by temperature scaling on the validation split.

        After calibration, `predict`, `evaluate`, `serving_model`, all exports and saved runs divide
        the logits by the temperature. The temperature never changes the predicted class, and
        `model` still returns the undivided logits. Further training resets the temperature to 1.
        See `keras_tl.evaluation.calibration`.

        Returns:
            The temperature, and two `Calibration` objects per split: without the temperature
            (`before`) and with the temperature (`after`). The splits are the validation split and
            all splits that were evaluated earlier. After calibration, the evaluations in
            `learner.evaluations` use the temperature.

        Raises:
            DataError: There is no validation split, or there are no data.
            ConfigError: The task is a regression.

        Example:
            >>> again = ktl.Learner.load(run, data=data, verbose=False)
            >>> again.calibrate().temperature == again.config.temperature
            True
        """
        return measuring.calibrate(self._state)

    def choose_thresholds(
        self, *, min_precision: float | None = None, min_recall: float | None = None
    ) -> Thresholds:
        """Choose decision thresholds on the validation split, for two classes or several labels.

        With two classes, the model predicts the second class if its probability is above the
        threshold. With several labels, each label has its own threshold. `predict`, `evaluate`, all
        exports and saved runs use the new thresholds until the next training.

        Args:
            min_precision: Required precision in (0, 1]. Choose the smallest threshold whose
                precision is at least `min_precision`.
            min_recall: Required recall in (0, 1]. Choose the largest threshold whose recall is at
                least `min_recall`. If `min_precision` and `min_recall` are both `None`, choose the
                threshold with the largest F1.

        Returns:
            The chosen thresholds, and their precision, recall and F1 on every evaluated split.
            After the call, the evaluations in `learner.evaluations` use the chosen thresholds.

        Raises:
            DataError: There is no validation split, or there are no data.
            ConfigError: The task has no thresholds, or an argument is invalid.

        Example:
            >>> again = ktl.Learner.load(run, data=data, verbose=False)
            >>> thresholds = again.choose_thresholds()
            >>> thresholds.rule
            'largest F1'
            >>> again.config.thresholds == thresholds.values
            True
        """
        return measuring.choose_thresholds(self._state, min_precision, min_recall)

    def predict(
        self, items: ImageInput | TextInput, *, on_invalid: OnInvalid = "raise"
    ) -> Predictions | MultilabelPredictions | RegressionPredictions:
        """Predict labels and probabilities (or regression values) with the graph of `export`.

        Args:
            items: Images: a path, a folder, bytes, an array, or a list of these (see
                `keras_tl.data.images.image_inputs.read_inputs`). Texts: a text, a list of texts, or
                a list of pairs (see `keras_tl.data.texts.text_inputs.read_texts`). Images or texts:
                a split, a `tf.data.Dataset`, or a `pandas.DataFrame` with the columns of the
                training data.
            on_invalid: Treatment of files and bytes that are no image, and of texts that are blank
                or not UTF-8. `"raise"`: raise an error that names the invalid items. `"skip"`:
                leave out the invalid items. `"keep"`: the results contain the invalid items, with
                `valid` false and the reason. `"skip"` and `"keep"` also report on standard error
                why items are invalid.

        Raises:
            DataError: An item is invalid, or has an unsupported type. The error message names the
                item.
            ConfigError: A path is on an unsupported file system.

        Example:
            >>> predictions = learner.predict(data.split("test"))
            >>> len(predictions), predictions.probabilities.shape
            (8, (8, 2))
            >>> set(predictions.labels) <= {"blue", "red"}
            True
        """
        return answering.predict(self._state, items, on_invalid)

    def features(
        self,
        items: ImageInput | TextInput,
        *,
        on_invalid: OnInvalid = "raise",
        cache: CachePlace | CacheConfig | None = None,
    ) -> np.ndarray:
        """Return the features of items: the vectors that the head receives.

        Args:
            items: Items, as in `predict`. For a split, such as `data.split("train")`, the feature
                cache keeps the features, and `fit_head` uses the cached features.
            on_invalid: As in `predict`. With `"keep"`, the features of invalid items are NaN.
            cache: Place where the features of a split are stored, as in `fit_head`. `None`: the
                place of an earlier call, such as `fit_head(cache="memory")`, else `"auto"`. Only
                the features of splits are stored.

        Returns:
            Features, a float32 array (n, d), in the order of the items.

        Raises:
            DataError: See `predict`.
            ConfigError: `cache` names a place without a split as `items`, or without
                `on_invalid="raise"`.
            CacheError: The features of a split cannot be stored in the requested place.

        Example:
            >>> learner.features(data.split("test")).shape
            (8, 16)
        """
        return answering.features(self._state, items, on_invalid, cache)

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        format: ExportFormat = SAVED_MODEL,
        precision: ExportPrecision = "float32",
        serving: bool = False,
        card: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Export the model as a SavedModel (the next version in `path`), LiteRT or ONNX file.

        The export is verified: its outputs must agree with the model's outputs.

        Args:
            path: Folder of the model, such as `saved_models/photos`. For LiteRT or ONNX, the path
                of the file.
            format: `"savedmodel"`, `"litert"` or `"onnx"`. For LiteRT or ONNX, install the pip
                extra of the same name. LiteRT and ONNX models accept only numbers, no raw bytes,
                see `keras_tl.export.runtimes.file_export.export_file`.
            precision: Precision of the weights in LiteRT and ONNX files: `"float32"` or
                `"float16"`.
            serving: Whether to also write the folder `serving/` with configuration and clients for
                a server, beside the versions of the SavedModel (see
                `export.server_configuration.write_serving`).
            card: Your own sections for the model card of a SavedModel: a dict from heading to
                Markdown text, such as `{"Intended use": "..."}`.
            overwrite: Whether to replace an existing LiteRT or ONNX file. A version of a SavedModel
                is never replaced.

        Returns:
            The folder of the new version, such as `saved_models/photos/1`, or the written file.

        Raises:
            ConfigError: An argument is invalid, or the pip extra is missing. With `serving`, the
                error also occurs if a server does not accept the folder's name as the name of a
                model. With `overwrite=False`, the error also occurs if the LiteRT or ONNX file
                exists. If `export` raises `ConfigError`, nothing is written.
            ExportError: The model cannot be converted, or the outputs of the export differ from the
                model's outputs. No files of the failed export remain.

        Example:
            >>> learner.export("saved_models/colours").name
            '1'
        """
        return exporting.export(self._state, path, format, precision, serving, card, overwrite)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        comparison: ComparisonResult | None = None,
        overwrite: bool = False,
    ) -> Path:
        """Write one self-contained HTML file with all facts about the model.

        The learner keeps the images, texts and features that the report shows. A saved run contains
        these images, texts and features, so it gives the same report without data, byte for byte.

        Args:
            path: Path of the HTML file to write.
            comparison: Result of `keras_tl.compare`. With a comparison, the report shows whether
                transfer learning helps. The learner keeps the comparison, even if training
                continues.
            overwrite: Whether to replace any existing file. Without `overwrite`, a learner replaces
                only its own report, and the report in the folder of its run.

        Returns:
            The written file.

        Raises:
            ConfigError: `comparison` is not a result of `compare`, or has another task or other
                classes than the learner. The error also occurs if the file exists, and the learner
                did not write it. If `report` raises `ConfigError`, nothing is written, and the
                learner does not keep the comparison.

        Example:
            >>> learner.report("report.html").name
            'report.html'
        """
        return reporting.report(self._state, path, comparison, overwrite)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save configuration, weights, history and evaluations as JSON, HDF5 and NumPy files.

        Without `overwrite`, a learner replaces only the run that it loaded or saved before, if
        nobody else changed this run. To replace a run of another learner, pass `overwrite=True`.
        `save` keeps your own files in the folder. If the folder has a report, `save` updates the
        report.

        Args:
            path: Folder in which the run is saved.
            overwrite: Whether to replace any existing run.

        Returns:
            The folder of the run.

        Raises:
            ConfigError: The folder holds another run, and `overwrite` is false.
            RunError: The path exists, but is not the folder of a run.

        Example:
            >>> learner.save("runs/again").name
            'again'
        """
        return saving.save(self._state, path, overwrite)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        data: ImageData | TextData | None = None,
        strategy: StrategyName | tf.distribute.Strategy = "auto",
        verbose: bool = True,
    ) -> Self:
        """Load a saved run as a learner. With `data`, the learner can also be trained further.

        Args:
            path: Folder of the run.
            data: Data with the task and the classes of the run. `None`: without data, the learner
                can predict, export and report, but not train.
            strategy: As in `Learner`.
            verbose: Whether to report progress on standard error.

        Returns:
            The learner, with the weights, history, evaluations and decision rule of the run.

        Raises:
            RunError: The folder holds no run, the run is damaged, or a later version of keras_tl
                wrote it.
            DataError: The data differ from the run in the kind of items, the task or the classes.

        Example:
            >>> again = ktl.Learner.load(run, data=data, verbose=False)
            >>> again.config.class_names
            ('blue', 'red')
        """
        learner = cls.__new__(cls)
        learner._state = saving.load(path, data, strategy, verbose)
        return learner

    def _repr_html_(self) -> str:
        return summary_of(reporting.report_context(self._state))

    def __repr__(self) -> str:
        phases = ", ".join(one.phase.name for one in self.trainer.history) or "untrained"
        return f"Learner({self.config.backbone}, {self.task.kind}, {phases})"


def _best_backbone(
    data: ImageData | TextData, seed: int, verbose: bool, preprocess: object, **options: Any
) -> tuple[str, Ranking]:
    if preprocess is not None:
        raise ConfigError(
            "Learner('auto') chooses among backbones with their own preprocessing. Leave "
            f"preprocess= out. Received: {quoted(preprocess)}."
        )
    if options["weights"] != "imagenet":
        raise ConfigError(
            "Learner('auto') chooses among pretrained backbones: expected weights='imagenet'. "
            f"Received: {quoted(options['weights'])}. For other weights, pass the name of a "
            "backbone."
        )
    found = rank(Learner, data, seed=seed, verbose=verbose, preflight=False, **options)
    Reporter(verbose).say(found.describe())
    return found.chosen, found
