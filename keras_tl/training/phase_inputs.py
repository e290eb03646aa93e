"""Construction of a phase's model and batches: the head on cached features, or the whole model."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_tl.base.config import Phase
from keras_tl.data.images.augmentation import Augmentation, augmenter, mixes_labels
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.data.pipeline import Pipeline
from keras_tl.features.frozen import FrozenFeatures
from keras_tl.models.heads import TransferModel
from keras_tl.tasks import Task, needs_class_probabilities
from keras_tl.training.class_batches import class_batches
from keras_tl.training.contrastive import CONTRASTIVE


@dataclasses.dataclass(frozen=True)
class PhaseInputs:
    """Model and batches to pass to Keras's `fit` in a phase.

    Attributes:
        model: Model to train: only the head, the backbone with pooling, or the whole model.
        train: Training batches, a data set with known cardinality.
        validation: Validation batches. `None`: the phase has no validation.
        mixed: Whether an augmentation mixes labels.
        cached: Whether the batches hold cached features, so that `model` is only the head.
    """

    model: keras.Model
    train: tf.data.Dataset
    validation: tf.data.Dataset | None
    mixed: bool
    cached: bool


def weighted(
    batches: tf.data.Dataset, task: Task, labels: np.ndarray, phase: Phase
) -> tf.data.Dataset:
    """Add the weight of each item to batches (inputs, labels), if the phase has class weights.

    `labels` are the labels of all training items, which determine balanced class weights.
    """
    weights = task.class_weights(labels, phase.class_weight)
    if weights is None:
        return batches
    return batches.map(lambda x, y: (x, y, task.sample_weights(y, weights)))


@dataclasses.dataclass(frozen=True)
class InputMaker:
    """Factory for the inputs of phases.

    Attributes:
        parts: Model to train.
        replicas: Number of replicas that share a batch.
    """

    parts: TransferModel
    task: Task
    pipeline: Pipeline
    features: FrozenFeatures
    replicas: int

    def make(
        self,
        phase: Phase,
        data: LabelledData,
        augment: Augmentation,
        names: Sequence[str],
        seed: int,
    ) -> PhaseInputs:
        """Return the model and the batches of a phase.

        Args:
            phase: Phase whose batch size is divisible by the number of replicas.
            names: Names of the splits to make batches from.
        """
        if phase.objective == CONTRASTIVE:
            change, size = augmenter(augment, seed), phase.batch_size
            split = data.split("train")
            drawn = class_batches(self.pipeline, split, size, self.replicas, seed, change)
            return PhaseInputs(self.parts.extractor, drawn, None, mixed=False, cached=False)
        labels, mixed = data.split("train").labels, mixes_labels(augment)
        soft = needs_class_probabilities(phase, mixed)
        splits = {
            name: dataclasses.replace(split, labels=self.task.targets(split.labels, soft))
            for name, split in data.splits.items()
            if name in names
        }
        cached = phase.unfreeze is None and augment is False and self.features.are_kept
        if cached:
            model, datasets = self.parts.head, self._cached_datasets(phase, splits, seed)
        else:
            model, datasets = self.parts.model, self._live_datasets(phase, splits, augment, seed)
        datasets[0] = weighted(datasets[0], self.task, labels, phase)
        return PhaseInputs(model, *datasets, mixed, cached)

    def _cached_datasets(
        self, phase: Phase, splits: dict[str, Split], seed: int
    ) -> list[tf.data.Dataset | None]:
        train, validation = splits["train"], splits.get("validation")
        # Compute the features of both splits first, so that the backbone does not run during `fit`.
        features = [self.features.of(split) if split else None for split in (train, validation)]
        whole = self.replicas > 1
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
