"""Trains a model over phases, the frozen ones on cached features."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.loading import seeded
from keras_tl.config import CacheConfig, ModelConfig, Phase
from keras_tl.data.augmentation import Augmentation, augmenter, mixes_labels, names_of
from keras_tl.data.labelled import LabelledData, Split
from keras_tl.errors import ConfigError
from keras_tl.reporting import Reporter
from keras_tl.tasks import monitored, monitored_value, needs_shares, task_of
from keras_tl.training.assembly import Assembled
from keras_tl.training.class_batches import class_batches
from keras_tl.training.contrastive import CONTRASTIVE, check_contrastive, objective_of
from keras_tl.training.extraction import BatchRunner
from keras_tl.training.feature_cache import FeatureCache, Features, weights_fingerprint
from keras_tl.training.freezing import prepare
from keras_tl.training.history import PhaseRecord
from keras_tl.training.lr_finder import LearningRates, as_swept, read_sweep, sweep
from keras_tl.training.phases import run_phase
from keras_tl.training.policies import needs_no_head
from keras_tl.training.restoring import restored


class Trainer:
    """A model, where it runs, and what was done to it.

    Args:
        config: what the model is.
        built: the model, and what goes into it.
        strategy: where it runs.
        seed: fixes the order of the items and the augmentation.
        reporter: tells people.
    """

    def __init__(
        self,
        config: ModelConfig,
        built: Assembled,
        strategy: tf.distribute.Strategy,
        seed: int,
        reporter: Reporter,
    ):
        self.history: list[PhaseRecord] = []
        self._replicas = strategy.num_replicas_in_sync
        self.pipeline = built.modality.pipeline(whole_batches=self._replicas > 1)
        self.cache = FeatureCache(CacheConfig())
        self.task = task_of(config)
        self._config = config
        self._modality = built.modality
        self._identity = built.identity
        self._parts = parts = built.parts
        self._extract = BatchRunner(parts.extractor, strategy)
        self._classify = BatchRunner(parts.model, strategy)
        self._seed = seed
        self._reporter = reporter
        self._moves = False

    @property
    def backbone_is_original(self) -> bool:
        """Whether the backbone still has the weights it came with."""
        trained = any(record.phase.unfreeze is not None for record in self.history)
        return not (trained or self._moves)

    @property
    def _may_be_cached(self) -> bool:
        return self.backbone_is_original and self.cache.config.where != "off"

    def run(
        self,
        phase: Phase,
        data: LabelledData,
        augment: Augmentation = False,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        following: int = 0,
    ) -> PhaseRecord:
        """Runs a phase and adds its record to the history.

        A frozen phase without augmentation trains the head on cached features, a contrastive
        phase the extractor; every other phase runs the whole model. `following`: see `run_phase`.
        """
        phase, augment = self._settled(phase, data, augment)
        before = None
        is_validated = "validation" in data.splits and phase.objective != CONTRASTIVE
        if self.history and is_validated:
            validation = data.splits["validation"]
            logits = self.logits(validation)
            before = monitored_value(self.task, phase, validation.labels, logits)
        inputs = self._inputs(phase, data, augment)
        cached = inputs.model is self._parts.head
        # A callback may ask for logits meanwhile, and an interrupted phase leaves no record.
        self._moves |= phase.unfreeze is not None
        with self._naming_the_unreadable(inputs, data):
            record = run_phase(
                phase=phase,
                model=inputs.model,
                backbone=self._parts.backbone,
                train=inputs.train,
                validation=inputs.validation,
                task=objective_of(phase, self.task),
                reporter=self._reporter,
                cached=cached,
                mixed=inputs.mixed,
                before=before,
                callbacks=callbacks,
                item=self._modality.item,
                following=following,
            )
        record = dataclasses.replace(record, augment=names_of(augment))
        if cached:
            # The whole model is left as a frozen one that can be fitted and evaluated.
            prepare(self._parts.model, self._parts.backbone, phase, 1, self.task)
        if not record.best_epoch:
            name, more = monitored(self.task, phase)
            self._reporter.say(
                f"{phase.name}: no epoch had a {'higher' if more else 'lower'} validation {name} "
                f"than before ({before:.4f}), so the weights from before were kept."
            )
        self.history.append(record)
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
        parts = self._parts
        with restored(parts.model, parts.head), seeded(self._seed):
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

    def check(self, phase: Phase, augment: Augmentation) -> None:
        """Raises `ConfigError` if the task has not what is asked for."""
        self.task.check(phase)
        if mixes_labels(augment) and not self.task.exact:
            raise ConfigError(
                f"'mixup' and 'cutmix' mix labels; these data are for {self.task.kind}. Choose "
                "another augmentation."
            )
        check_contrastive(phase, self.task, augment, self._replicas)

    def logits(self, split: Split) -> np.ndarray:
        """float32 array (n, outputs); from cached features while the backbone is the original."""
        if self._may_be_cached:
            rows = self.features(split)
            batches = np.array_split(np.arange(len(rows)), -(-len(rows) // 1024))
            return np.concatenate(
                [np.asarray(self._parts.head(rows.read(b), training=False)) for b in batches]
            )
        return np.concatenate(list(self._rows(self._classify, split, "Evaluating")))

    def features(self, split: Split) -> Features:
        """The extractor's features of a split: from the cache, or computed and kept there."""
        return self.cache.get(
            *self._cache_entry(split),
            lambda: self._rows(self._extract, split, "Extracting features"),
        )

    def has_features(self, split: Split) -> bool:
        """Whether the features of a split are in the cache."""
        return self._may_be_cached and self.cache.find(*self._cache_entry(split)) is not None

    def features_of(self, split: Split, rows: np.ndarray) -> np.ndarray:
        """float32 array (len(rows), ...): features of some items of a split, cached or computed."""
        found = self.cache.find(*self._cache_entry(split)) if self._may_be_cached else None
        if found is not None:
            return found.read(rows)
        return np.concatenate(list(self.feature_batches(split.take(rows))))

    def _cache_entry(self, split: Split) -> tuple[dict[str, Any], tuple[int, ...]]:
        """What a split's features depend on, and their shape."""
        return self.made_from(split), (len(split), *self._parts.extractor.output_shape[1:])

    def made_from(self, split: Split) -> dict[str, Any]:
        """Everything that the features of a split depend on, as JSON types."""
        return {
            f"{self._modality.item}s": split.fingerprint(self.cache.config.full_hash),
            "network": self._identity,
            "weights": weights_fingerprint(self._parts.backbone),
            **self._modality.cache_key,
            "precision": self._config.precision,
            "pooling": self._config.head.pooling,
            "tensorflow": tf.__version__,
        }

    def feature_batches(self, split: Split) -> Iterator[np.ndarray]:
        """float32 arrays (batch, ...): features of items, past the cache."""
        return self._rows(self._extract, split, "Extracting features")

    def _rows(self, runner: BatchRunner, split: Split, title: str) -> Iterator[np.ndarray]:
        with self._reporter.bar(title, len(split)) as progress:
            yield from runner.rows(split, self.pipeline, progress)

    def _settled(
        self, phase: Phase, data: LabelledData, augment: Augmentation
    ) -> tuple[Phase, Augmentation]:
        # Replicas share a batch evenly.
        whole = -(-phase.batch_size // self._replicas) * self._replicas
        phase = dataclasses.replace(phase, batch_size=whole)
        if augment is True:
            augment = getattr(data, "augmentation", False)
        self.check(phase, augment)
        return phase, augment

    def _inputs(
        self,
        phase: Phase,
        data: LabelledData,
        augment: Augmentation,
        names: Sequence[str] = ("train", "validation"),
    ) -> "_Inputs":
        # Each phase has shuffles and augmentations of its own.
        seed = self._seed + 1000 * len(self.history)
        if phase.objective == CONTRASTIVE:
            change, size = augmenter(augment, seed), phase.batch_size
            split = data.split("train")
            drawn = class_batches(self.pipeline, split, size, self._replicas, seed, change)
            return _Inputs(self._parts.extractor, drawn, None, False)
        mixed = mixes_labels(augment)
        splits = self._with_targets(data, needs_shares(phase, mixed))
        splits = {name: split for name, split in splits.items() if name in names}
        if phase.unfreeze is None and augment is False and self.cache.config.where != "off":
            model, datasets = self._parts.head, self._cached_datasets(phase, splits, seed)
        else:
            model, datasets = self._parts.model, self._live_datasets(phase, splits, augment, seed)
        weights = self.task.class_weights(data.split("train").labels, phase.class_weight)
        if weights is not None:
            datasets[0] = datasets[0].map(lambda x, y: (x, y, self.task.sample_weights(y, weights)))
        return _Inputs(model, *datasets, mixed)

    @contextlib.contextmanager
    def _naming_the_unreadable(self, inputs: "_Inputs", data: LabelledData) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            live = inputs.model is not self._parts.head
            for split in data.splits.values() if live else ():
                found = self.pipeline.explain(split)
                if found is not None:
                    raise found from error
            raise

    def _with_targets(self, data: LabelledData, shares: bool) -> dict[str, Split]:
        data.split("train")
        return {
            name: dataclasses.replace(split, labels=self.task.targets(split.labels, shares))
            for name, split in data.splits.items()
        }

    def _cached_datasets(
        self, phase: Phase, splits: dict[str, Split], seed: int
    ) -> list[tf.data.Dataset | None]:
        train, validation = splits["train"], splits.get("validation")
        # Both are extracted before either is read, so that nothing computes beside `fit`.
        features = [self.features(split) if split else None for split in (train, validation)]
        whole = self._replicas > 1
        return [
            features[0].dataset(train.labels, phase.batch_size, seed, whole),
            features[1] and features[1].dataset(validation.labels, phase.batch_size, None, whole),
        ]

    def _live_datasets(
        self, phase: Phase, splits: dict[str, Split], augment: Augmentation, seed: int
    ) -> list[tf.data.Dataset | None]:
        train, validation = splits["train"], splits.get("validation")
        return [
            self.pipeline.shuffled(train, phase.batch_size, seed, augmenter(augment, seed)),
            validation and self.pipeline.ordered(validation, phase.batch_size),
        ]


@dataclasses.dataclass(frozen=True)
class _Inputs:
    """What is fitted in a phase, and on what: the head on features, extractor or whole model."""

    model: keras.Model
    train: tf.data.Dataset
    validation: tf.data.Dataset | None
    mixed: bool
