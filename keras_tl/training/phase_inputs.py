"""Model and batches of a phase: head on cached features, or whole model on images or texts."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_tl.base.config import Phase
from keras_tl.data.images.augmentation import Augmentation, augmenter, mixes_labels
from keras_tl.data.labelled_data import LabelledData
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
        mixed: Whether an augmentation, such as mixup, mixes labels.
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


def make_inputs(
    parts: TransferModel,
    task: Task,
    pipeline: Pipeline,
    features: FrozenFeatures,
    replicas: int,
    phase: Phase,
    data: LabelledData,
    augment: Augmentation,
    names: Sequence[str],
    seed: int,
) -> PhaseInputs:
    """Return the model and the batches of a phase.

    Args:
        replicas: Number of replicas that share a batch. The phase's batch size is a multiple of
            `replicas`.
        names: Names of the splits to make batches from. `names` must contain `"train"`.
    """
    size, change = phase.batch_size, augmenter(augment, seed)
    if phase.objective == CONTRASTIVE:
        drawn = class_batches(pipeline, data.split("train"), size, replicas, seed, change)
        return PhaseInputs(parts.extractor, drawn, None, mixed=False, cached=False)
    labels, mixed = data.split("train").labels, mixes_labels(augment)
    soft = needs_class_probabilities(phase, mixed)
    splits = {
        name: dataclasses.replace(split, labels=task.targets(split.labels, soft))
        for name, split in data.splits.items()
        if name in names
    }
    train, validation = splits["train"], splits.get("validation")
    cached = phase.unfreeze is None and augment is False and features.are_kept
    if cached:
        # Compute the features of training and validation split first, so that the backbone does not
        # run during `fit`.
        rows = [features.of(split) if split else None for split in (train, validation)]
        whole = replicas > 1
        batches = rows[0].dataset(train.labels, size, seed, whole)
        held_out = rows[1] and rows[1].dataset(validation.labels, size, None, whole)
    else:
        batches = pipeline.shuffled(train, size, seed, change)
        held_out = validation and pipeline.ordered(validation, size)
    batches = weighted(batches, task, labels, phase)
    return PhaseInputs(parts.head if cached else parts.model, batches, held_out, mixed, cached)
