"""Trains a model over phases, the frozen ones on cached features."""

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
from keras_tl.training.class_batches import ClassBatches
from keras_tl.training.contrastive import CONTRASTIVE, check_contrastive, objective_of
from keras_tl.training.freezing import prepare
from keras_tl.training.head_solver import FOLDS
from keras_tl.training.head_start import HeadStart, start_head
from keras_tl.training.inputs import InputMaker, PhaseInputs
from keras_tl.training.lr_finder import LearningRates, as_swept, read_sweep, sweep
from keras_tl.training.out_of_fold import HeadTraining
from keras_tl.training.phases import run_phase
from keras_tl.training.policies import SOLVED_HEAD, needs_no_head
from keras_tl.training.relative_rate import relative_rate
from keras_tl.training.restoring import restored
from keras_tl.training.seeding import seed_generators
from keras_tl.training.standardised_head import FoldEveryEpoch
from keras_tl.training.weight_line import WeightLine


class Trainer:
    """A model, where it runs, and what was done to it.

    Args:
        config: what the model is.
        built: the model, and what goes into it.
        strategy: where it runs.
        seed: fixes the order of the items and the augmentation.
        reporter: tells people.

    Attributes:
        config: the same.
        seed: the same.
        parts: the model and its parts.
        history: one record for each phase that ran.
        features: of the frozen backbone, for all splits.
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
            parts.extractor,
            parts.backbone,
            {
                "network": parts.backbone.identity,
                **parts.modality.cache_key,
                "precision": config.precision,
                "pooling": config.head.pooling,
                "tensorflow": tf.__version__,
            },
            self.pipeline,
            parts.modality.item,
            strategy,
            reporter,
        )
        self.features = self._new_features()
        self._classify = BatchRunner(parts.model, strategy)
        self._untrained_head = parts.head.get_weights()
        self._head_weights = WeightsFingerprint(parts.head)
        self._left = ""
        self.seed = seed
        self._reporter = reporter

    def weights(self) -> str:
        """The fingerprint of the model's weights as they are now, 64 hexadecimal digits."""
        parts = self.features.weights() + self._head_weights()
        return hashlib.sha256(parts.encode()).hexdigest()

    @property
    def is_as_trained(self) -> bool:
        """Whether the weights are those that the last phase of the history left."""
        return not self.history or self._left == self.weights()

    def remember(self, history: Sequence[PhaseRecord], are_as_trained: bool) -> None:
        """Take over the history of an earlier process, once its weights are loaded.

        Args:
            history: its records.
            are_as_trained: its `is_as_trained`.
        """
        self.history.extend(history)
        if any(record.changed_backbone for record in history):
            self.features.backbone_changes()
        if are_as_trained:
            self._left = self.weights()

    def forget(self) -> None:
        """Empty the history and give the head its first weights, before a training from anew."""
        self.history.clear()
        self.parts.head.set_weights(self._untrained_head)

    def settled(self, phase: Phase, split: Split) -> Phase:
        """Return a phase as it runs on a training split: its epochs, and whole batches."""
        return self._as_it_runs(phase, len(split))

    def steps_of(self, phase: Phase, split: Split) -> int:
        """Return the number of training steps that a phase has on a training split."""
        settled = self._as_it_runs(phase, len(split))
        if phase.objective == CONTRASTIVE:
            drawn = ClassBatches(split.labels, settled.batch_size, self._replicas, self.seed)
            return settled.epochs * drawn.count
        return settled.epochs * -(-len(split) // settled.batch_size)

    def keep_share(self, line: WeightLine, share: float, phases: int) -> None:
        """Give the model the weights on a line, and note it in the records of its last phases.

        Args:
            line: from the weights before these phases to those after them.
            share: where on the line, in [0, 1].
            phases: how many of the last records are theirs.
        """
        line.move(self.parts.model, share)
        kept = {"share": share} if share else {"share": share, "best_epoch": 0}
        self.history[-phases:] = [
            dataclasses.replace(record, **kept) for record in self.history[-phases:]
        ]
        self._note_backbone()
        self._left = self.weights()
        if self.features.is_original:
            self._leave_frozen()

    @contextlib.contextmanager
    def trial(self) -> Iterator["Trainer"]:
        """Yield a trainer of the same layers, its head untrained and its feature cache its own.

        On leaving, the layers are as they were before, bit for bit.
        """
        parts, other = self.parts, copy.copy(self)
        other.history, other.features = [], self._new_features()
        other.features.keep_in(CacheConfig("memory"))
        try:
            with restored(parts.model, parts.head), seeded(self.seed):
                # A trained head has seen the labels of all folds.
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
        """Runs a phase and adds its record to the history.

        A frozen phase without augmentation trains the head on cached features, a contrastive
        phase the extractor; every other phase runs the whole model. For `following` and
        `stop_after` see `run_phase`.
        """
        phase, augment = self._settled(phase, data, augment)
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
            before = monitored_value(self.task, phase, validation.labels, logits)
        settled = dataclasses.replace(phase, l2=None if start is None else start.l2)
        # A callback may ask for logits meanwhile, and an interrupted phase leaves no record.
        if phase.unfreeze is not None:
            self.features.backbone_changes()
        first = [] if start is None else [FoldEveryEpoch(start.head)]
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
                    own=first,
                )
        except ConfigError:  # The weights are those from before.
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
        )
        if phase.unfreeze is None and (inputs.cached or start is not None):
            self._leave_frozen(phase)
        if not (record.best_epoch or record.by_callback):
            name, more = monitored(self.task, phase)
            self._reporter.say(
                f"{phase.name}: no epoch had a {'higher' if more else 'lower'} validation {name} "
                f"than before ({before:.4f}), so the weights from before were kept."
            )
        self.history.append(record)
        self._note_backbone()
        self._left = self.weights()
        return record

    def find_rates(self, phase: Phase, data: LabelledData, rates: np.ndarray) -> LearningRates:
        """Trains at rising rates for a trial, and leaves everything as it was, bit for bit.

        Args:
            phase: what to train and how; a frozen one runs on cached features, another one with
                the data's own augmentation.
            data: their training split is used.
            rates: one a step, rising.

        Raises:
            ConfigError: the head is untrained and the phase is not for random weights.
        """
        phase, augment = self._settled(phase, data, augment=phase.unfreeze is not None)
        if not (phase.unfreeze is None or needs_no_head(phase) or self.history):
            raise ConfigError(
                "The head is untrained: call fit_head() before lr_find('fine-tune'), as "
                "fine_tune() would, or use lr_find('head')."
            )
        parts = self.parts
        with restored(parts.model, parts.head), seeded(self.seed):
            inputs = self._inputs(phase, data, augment, ("train",))
            with inputs.model.distribute_strategy.scope():
                # The same layers, so that what the model was compiled with is not touched.
                model = keras.Model(inputs.model.input, inputs.model.output, name="lr_find")
            steps = len(rates)
            task = objective_of(phase, self.task)
            prepare(model, parts.backbone, as_swept(phase), steps, task, inputs.mixed)
            with (
                self._naming_the_unreadable(inputs, data),
                self._reporter.bar(f"Rates of {phase.name}", steps) as progress,
            ):
                losses = sweep(model, inputs.train, rates, progress)
        return read_sweep(phase, rates, losses)

    def out_of_fold(self, phase: Phase, items: int, seed: int) -> HeadTraining:
        """How a head is trained on some of so many items, to answer for the others.

        Args:
            phase: of the head.
            items: of one training.
            seed: of everything random.
        """
        settled = self._as_it_runs(phase, items)
        return HeadTraining(self.parts, self.config, self.task, settled, seed)

    def best_epoch(self, phase: Phase, data: LabelledData) -> int:
        """Return the epoch after which heads of five folds have the lowest loss out of fold.

        Args:
            phase: of the head, which `fit` trains on cached features.
            data: their training split is used.
        """
        train = data.split("train")
        classes = train.labels if train.labels.dtype.kind in "iu" else None
        groups = groups_of(train, data.groups)
        numbers = folds(classes, groups, len(train), min(FOLDS, len(train)), self.seed)
        training = self.out_of_fold(phase, len(train), self.seed)
        return training.best_epoch(train.labels, self.features.of(train).all_rows, numbers)

    def check(self, phase: Phase, augment: Augmentation) -> None:
        """Raises `ConfigError` if the task has not what is asked for."""
        self.task.check(phase)
        if mixes_labels(augment) and not self.task.exact:
            raise ConfigError(
                f"'mixup' and 'cutmix' mix labels; these data are for {self.task.kind}. Choose "
                "another augmentation."
            )
        if self._modality.can_augment:
            try_augmentation(augment, self.config.image_size)
        check_contrastive(phase, self.task, augment, self._replicas)

    def logits(self, split: Split) -> np.ndarray:
        """float32 array (n, outputs); from features where they are kept or will be."""
        features = self.features
        if features.are_kept and (features.is_original or features.has(split)):
            rows = features.of(split)
            batches = np.array_split(np.arange(len(rows)), -(-len(rows) // 1024))
            return np.concatenate(
                [np.asarray(self.parts.head(rows.read(b), training=False)) for b in batches]
            )
        return np.concatenate(list(self._rows(self._classify, split, "Evaluating")))

    def _note_backbone(self) -> None:
        if not any(record.changed_backbone for record in self.history):
            self.features.backbone_is_as_it_came()

    def _leave_frozen(self, phase: Phase = SOLVED_HEAD) -> None:
        """Compile the whole model as a frozen one that can be fitted and evaluated."""
        frozen = dataclasses.replace(phase, l2=None)
        prepare(self.parts.model, self.parts.backbone, frozen, 1, self.task)

    def _rows(self, runner: BatchRunner, split: Split, title: str) -> Iterator[np.ndarray]:
        with self._reporter.bar(title, len(split)) as progress:
            yield from runner.rows(split, self.pipeline, progress)

    def _settled(
        self, phase: Phase, data: LabelledData, augment: Augmentation
    ) -> tuple[Phase, Augmentation]:
        phase = self._as_it_runs(phase, len(data.split("train")))
        if augment is True:
            augment = data.augmentation
        self.check(phase, augment)
        return phase, augment

    def _as_it_runs(self, phase: Phase, items: int) -> Phase:
        # Replicas share a batch evenly.
        whole = -(-phase.batch_size // self._replicas) * self._replicas
        epochs = max(phase.epochs, -(-phase.min_steps // -(-items // whole)))
        rate = phase.learning_rate
        if rate == "auto":
            rate = relative_rate(self.parts.backbone.network)
        changes = {"batch_size": whole, "epochs": epochs, "min_steps": 0, "learning_rate": rate}
        return dataclasses.replace(phase, **changes)

    def _inputs(
        self,
        phase: Phase,
        data: LabelledData,
        augment: Augmentation,
        names: Sequence[str] = ("train", "validation"),
    ) -> PhaseInputs:
        maker = InputMaker(self.parts, self.task, self.pipeline, self.features, self._replicas)
        # Each phase has shuffles and augmentations of its own.
        return maker.make(phase, data, augment, names, self.seed + 1000 * len(self.history))

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
