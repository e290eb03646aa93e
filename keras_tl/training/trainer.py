"""Training of a model in phases. Phases with a frozen backbone use cached features."""

import contextlib
import copy
import dataclasses
import hashlib
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.loading import seeded
from keras_tl.base.config import CacheConfig, ModelConfig, Phase
from keras_tl.base.reporting import Reporter
from keras_tl.data.images.augmentation import (
    Augmentation,
    mixes_labels,
    names_of,
    try_augmentation,
)
from keras_tl.data.labelled_data import LabelledData, Split, groups_of
from keras_tl.data.splits import folds
from keras_tl.errors import ConfigError
from keras_tl.features.extraction import BatchRunner
from keras_tl.features.fingerprints import WeightsFingerprint
from keras_tl.features.frozen import FrozenFeatures
from keras_tl.models.heads import TransferModel
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import monitored, monitored_value, task_of
from keras_tl.training.auto_learning_rate import auto_learning_rate
from keras_tl.training.class_batches import ClassBatches
from keras_tl.training.contrastive import CONTRASTIVE, check_contrastive, objective_of
from keras_tl.training.freezing import prepare
from keras_tl.training.head_solver import FOLDS
from keras_tl.training.head_start import HeadStart, start_head
from keras_tl.training.lr_finder import LearningRates, as_swept, read_sweep, sweep
from keras_tl.training.optimizers import check_weight_decay
from keras_tl.training.out_of_fold import HeadTraining
from keras_tl.training.phase_inputs import PhaseInputs, make_inputs
from keras_tl.training.phases import run_phase
from keras_tl.training.policies import SOLVED_HEAD, needs_no_head
from keras_tl.training.seeding import seed_generators
from keras_tl.training.snapshot import snapshot
from keras_tl.training.weight_average import WeightAverage


class Trainer:
    """Trainer that runs phases on a model and keeps a history of the phases.

    Args:
        seed: Seed of all random numbers of the trainings, such as shuffles and augmentation.

    Attributes:
        history: Record of each finished phase, in order.
        features: Object that computes a split's backbone features, or reads them from a cache.

    Example:
        >>> [record.phase.name for record in learner.trainer.history]
        ['head']
    """

    def __init__(
        self,
        config: ModelConfig,
        parts: TransferModel,
        strategy: tf.distribute.Strategy,
        seed: int,
        reporter: Reporter,
    ):
        self.history: list[PhaseRecord] = []
        self._replicas = strategy.num_replicas_in_sync
        self.pipeline = parts.modality.pipeline(whole_batches=self._replicas > 1)
        self.task = task_of(config)
        self.config = config
        self._modality = parts.modality
        self.parts = parts
        self._new_features = lambda: FrozenFeatures(
            BatchRunner(parts.extractor, strategy, self.pipeline, reporter, "Extracting features"),
            parts.backbone,
            {
                "network": parts.backbone.identity,
                **parts.modality.cache_key,
                "precision": config.precision,
                "pooling": config.head.pooling,
                "tensorflow": tf.__version__,
            },
            parts.modality.item,
        )
        self.features = self._new_features()
        self._classify = BatchRunner(parts.model, strategy, self.pipeline, reporter, "Evaluating")
        self._untrained_head = parts.head.get_weights()
        self._head_weights = WeightsFingerprint(parts.head)
        self._left = ""
        # Fingerprints of the training splits of phases that began to change the backbone, but did
        # not end.
        self._unfinished: set[str | None] = set()
        self.seed = seed
        self._reporter = reporter

    def weights(self) -> str:
        """Return the fingerprint of the model's current weights, 64 hexadecimal digits."""
        parts = self.features.weights() + self._head_weights()
        return hashlib.sha256(parts.encode()).hexdigest()

    @property
    def is_as_trained(self) -> bool:
        """Whether no phase ran, or the weights are unchanged since the last phase ended."""
        return not self.history or self._left == self.weights()

    @property
    def learned_fingerprints(self) -> set[str | None]:
        """Fingerprints of the training splits that changed the backbone. `None`: unknown split."""
        changed = {one.train_fingerprint for one in self.history if one.changed_backbone}
        return changed | self._unfinished

    def remember(self, history: Sequence[PhaseRecord], are_as_trained: bool) -> None:
        """Set the history of a loaded model, after the weights are loaded.

        Args:
            are_as_trained: Value of `is_as_trained` when the model was saved.
        """
        self.history.extend(history)
        if any(record.changed_backbone for record in history):
            self.features.backbone_changes()
        if are_as_trained:
            self._left = self.weights()

    def forget(self) -> None:
        """Restore the head's initial weights, and forget the phases that changed only the head.

        The history keeps all phases up to the last phase that changed the backbone.
        """
        kept = [n for n, record in enumerate(self.history, start=1) if record.changed_backbone]
        del self.history[max(kept, default=0) :]
        self.parts.head.set_weights(self._untrained_head)

    def settled(self, phase: Phase, items: int) -> Phase:
        """Return a phase with the actual epochs, batch size and learning rate for `items` items."""
        # Round the batch size up to a multiple of the number of replicas.
        whole = -(-phase.batch_size // self._replicas) * self._replicas
        epochs = max(phase.epochs, -(-phase.min_steps // -(-items // whole)))
        rate = phase.learning_rate
        if rate == "auto":
            rate = auto_learning_rate(self.parts.backbone.network)
        changes = {"batch_size": whole, "epochs": epochs, "min_steps": 0, "learning_rate": rate}
        return dataclasses.replace(phase, **changes)

    def steps_of(self, phase: Phase, split: Split) -> int:
        """Return the number of training steps of a phase on a training split."""
        settled = self.settled(phase, len(split))
        if phase.objective == CONTRASTIVE:
            drawn = ClassBatches(split.labels, settled.batch_size, self._replicas, self.seed)
            return settled.epochs * drawn.count
        return settled.epochs * -(-len(split) // settled.batch_size)

    def keep_share(self, line: WeightAverage, share: float, phases: int) -> None:
        """Set the model's weights to an average, and store `share` in the last phases' records.

        Args:
            line: Weights before and after the last phases (`line.before` and `line.after`).
            share: Fraction of `line.after` in the average, in [0, 1].
            phases: Number of phases, counted from the last, whose records the function changes.
        """
        line.move(self.parts.model, share)
        kept = {"share": share} | ({} if share else {"best_epoch": 0})
        self.history[-phases:] = [
            dataclasses.replace(record, **kept) for record in self.history[-phases:]
        ]
        self._note_backbone()
        self._left = self.weights()
        if self.features.is_original or not share:
            self._leave_frozen()

    @contextlib.contextmanager
    def trial(self) -> Iterator["Trainer"]:
        """Yield a copy of the trainer with an untrained head and a new feature cache.

        The copy uses the layers of the original trainer, and has an empty history. When the `with`
        block ends, all weights of the layers have their earlier values again.
        """
        parts, other = self.parts, copy.copy(self)
        other.history, other.features, other._unfinished = [], self._new_features(), set()
        other.features.keep_in(CacheConfig("memory"))
        try:
            with snapshot(parts.model, parts.head), seeded(self.seed):
                # Reset the head: a trained head has learned from the labels of all folds.
                parts.head.set_weights(self._untrained_head)
                yield other
        finally:
            self._leave_frozen()

    def run(
        self,
        phase: Phase,
        data: LabelledData,
        augment: Augmentation = False,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        following: int = 0,
        stop_after: int | None = None,
    ) -> PhaseRecord:
        """Run a phase and add its record to the history.

        A phase with a frozen backbone and no augmentation trains the head on cached features,
        unless the cache is `"off"`. A contrastive phase trains the backbone without the head.
        A phase runs the whole model if it is not contrastive and does not use cached features. For
        `following` and `stop_after` see `run_phase`.
        """
        phase, augment = self._checked(phase, data, augment)
        inputs = self._inputs(phase, data, augment)
        start, before = self._start(phase, data, inputs.cached), None
        if start is not None:
            start.head.fold()
        is_trained = self.history or (start is not None and start.is_trained)
        watches = phase.patience is not None and phase.objective != CONTRASTIVE
        watches = watches and stop_after is None
        if is_trained and watches and "validation" in data.splits:
            validation = data.splits["validation"]
            logits = self.logits(validation)
            before = monitored_value(self.task, phase, labels=validation.labels, logits=logits)
        settled = dataclasses.replace(phase, l2=None if start is None else start.l2)
        fingerprint = data.split("train").identity
        # Mark the backbone as changed before the training: callbacks may compute logits during the
        # training, and an interrupted training leaves no record of the change in the history.
        unfinished = set(self._unfinished)
        if phase.unfreeze is not None:
            self.features.backbone_changes()
            self._unfinished.add(fingerprint)
        # Update the head after every epoch, because the user's callbacks may use the head.
        fold = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: start.head.fold())
        trained = inputs.model if start is None else start.head.model
        frozen = self.parts.backbone if phase.unfreeze is None else None
        seed_generators(trained, (self.seed, len(self.history)), frozen)
        try:
            with self._naming_the_unreadable(inputs, data):
                record = run_phase(
                    phase=settled,
                    inputs=dataclasses.replace(inputs, model=trained),
                    backbone=self.parts.backbone,
                    task=objective_of(phase, self.task),
                    reporter=self._reporter,
                    before=before,
                    callbacks=callbacks,
                    item=self._modality.item,
                    following=following,
                    stop_after=stop_after,
                    own=[] if start is None else [fold],
                )
        except ConfigError:  # `run_phase` has restored the weights.
            self._unfinished = unfinished
            self._note_backbone()
            raise
        if start is not None:
            start.head.fold()
        record = dataclasses.replace(
            record,
            phase=phase,
            augment=names_of(augment),
            solved=start is not None and start.solved,
            l2=start and start.l2,
            train_fingerprint=fingerprint,
        )
        if phase.unfreeze is None and (inputs.cached or start is not None):
            self._leave_frozen(phase)
        if not (record.best_epoch or record.by_callback):
            name, more = monitored(self.task, phase)
            self._reporter.say(
                f"{phase.name}: no epoch had a {'higher' if more else 'lower'} validation {name} "
                f"than before the phase ({before:.4f}), so the phase kept the earlier weights."
            )
        self.history.append(record)
        self._unfinished = unfinished
        self._note_backbone()
        self._left = self.weights()
        return record

    def find_rates(self, phase: Phase, data: LabelledData, rates: np.ndarray) -> LearningRates:
        """Train with rising learning rates as a trial, then restore all weights exactly.

        Args:
            phase: Phase to train. If the phase freezes the backbone, the trial uses cached
                features, unless the cache is `"off"`. If the phase unfreezes blocks, the trial
                augments the training items.
            rates: Learning rate of each step, in rising order.

        Raises:
            ConfigError: The phase needs a trained head, but the head is untrained.
        """
        phase, augment = self._checked(phase, data, augment=phase.unfreeze is not None)
        if not (phase.unfreeze is None or needs_no_head(phase) or self.history):
            raise ConfigError(
                "The head is untrained. Call fit_head() before lr_find('fine-tune'), or call "
                "lr_find('head')."
            )
        parts = self.parts
        with snapshot(parts.model, parts.head), seeded(self.seed):
            inputs = self._inputs(phase, data, augment, ("train",))
            with inputs.model.distribute_strategy.scope():
                # Compile a new model with the same layers, so that the `compile` settings of the
                # original model stay.
                model = keras.Model(inputs.model.input, inputs.model.output, name="lr_find")
            steps = len(rates)
            task = objective_of(phase, self.task)
            prepare(model, parts.backbone, as_swept(phase), steps, task, inputs.mixed)
            with (
                self._naming_the_unreadable(inputs, data),
                self._reporter.bar(f"Learning rates of {phase.name}", steps) as progress,
            ):
                losses = sweep(model, inputs.train, rates, progress)
        return read_sweep(phase, rates, losses)

    def out_of_fold(self, phase: Phase, items: int, seed: int) -> HeadTraining:
        """Return an object that trains one head per fold for out-of-fold predictions.

        Args:
            items: Number of training items, which determines how many steps an epoch has.
            seed: Seed of folds, initial weights and shuffles.
        """
        settled = self.settled(phase, items)
        return HeadTraining(self.parts, self.config, self.task, settled, seed)

    def best_epoch(self, phase: Phase, data: LabelledData) -> int:
        """Return the number of epochs for which the head's 5-fold cross-validation loss is lowest.

        Args:
            phase: Phase that trains a head on cached features with Keras's `fit`.
        """
        train = data.split("train")
        classes = train.labels if train.labels.dtype.kind in "iu" else None
        groups = groups_of(train, data.groups)
        numbers = folds(classes, groups, len(train), min(FOLDS, len(train)), self.seed)
        training = self.out_of_fold(phase, len(train), self.seed)
        return training.best_epoch(train.labels, self.features.of(train).all_rows, numbers)

    def check(self, phase: Phase, augment: Augmentation) -> None:
        """Raise `ConfigError` if a phase or an augmentation does not suit the model."""
        self.task.check(phase)
        check_weight_decay(phase)
        if mixes_labels(augment) and not self.task.exact:
            raise ConfigError(
                f"The augmentations 'mixup' and 'cutmix' need classes. The task is "
                f"{self.task.kind}. Choose another augmentation, such as augment='standard'."
            )
        if self._modality.can_augment:
            try_augmentation(augment, self.config.image_size)
        elif augment is not True and names_of(augment):
            # Accept `True`: it selects the augmentation of the data, and only images have any.
            raise ConfigError(
                f"augment= works only for images. These data are {self._modality.item}s. Leave "
                "augment= out."
            )
        check_contrastive(phase, self.task, augment, self._replicas)

    def logits(self, split: Split) -> np.ndarray:
        """Return the logits of a split, float32 (n, outputs), from cached features if possible."""
        features = self.features
        if features.are_kept and (features.is_original or features.has(split)):
            rows = features.of(split)
            batches = np.array_split(np.arange(len(rows)), -(-len(rows) // 1024))
            return np.concatenate(
                [np.asarray(self.parts.head(rows.read(b), training=False)) for b in batches]
            )
        return np.concatenate([*self._classify.rows(split)])

    def _note_backbone(self) -> None:
        if not self.learned_fingerprints:
            self.features.backbone_is_restored()

    def _leave_frozen(self, phase: Phase = SOLVED_HEAD) -> None:
        """Freeze the backbone and compile the whole model, ready for `fit` and `evaluate`."""
        frozen = dataclasses.replace(phase, l2=None)
        prepare(self.parts.model, self.parts.backbone, frozen, 1, self.task)

    def _checked(
        self, phase: Phase, data: LabelledData, augment: Augmentation
    ) -> tuple[Phase, Augmentation]:
        phase = self.settled(phase, len(data.split("train")))
        if augment is True:
            augment = data.augmentation
        self.check(phase, augment)
        return phase, augment

    def _inputs(
        self,
        phase: Phase,
        data: LabelledData,
        augment: Augmentation,
        names: Sequence[str] = ("train", "validation"),
    ) -> PhaseInputs:
        # Use another seed in each phase, so that the phases shuffle and augment differently.
        seed = self.seed + 1000 * len(self.history)
        model = self.parts, self.task, self.pipeline, self.features, self._replicas
        return make_inputs(*model, phase, data, augment, names, seed)

    def _start(self, phase: Phase, data: LabelledData, cached: bool) -> HeadStart | None:
        if phase.l2 is None:
            return None
        train = data.split("train")
        return start_head(
            self.parts,
            self.config,
            self.task,
            train,
            self.features.of(train),
            phase,
            live=not cached,
            seed=self.seed,
            most_bytes=self.features.store.config.memory_limit,
            groups=groups_of(train, data.groups),
        )

    @contextlib.contextmanager
    def _naming_the_unreadable(self, inputs: PhaseInputs, data: LabelledData) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            for split in () if inputs.cached else data.splits.values():
                found = self.pipeline.explain(split)
                if found is not None:
                    raise found from error
            raise
