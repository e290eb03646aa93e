"""Runs one phase: prepare (freeze, compile), fit, keep the best weights."""

import time
from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.config import Phase
from keras_tl.reporting import Reporter
from keras_tl.tasks import Task, monitored
from keras_tl.training.freezing import prepare
from keras_tl.training.history import PhaseRecord
from keras_tl.training.progress import EpochProgress

# A step of the head alone takes less time than Keras takes between two of them.
CACHED_STEPS_PER_EXECUTION = 8


class BestWeights(keras.callbacks.EarlyStopping):
    """Early stopping that also knows the weights from before the phase.

    A phase that makes what it watches worse in every epoch ends with the weights it began with.

    Args:
        phase: what it watches, and its patience.
        task: decides what that is called.
        before: what is watched, before the phase; `None` if the head is untrained.
    """

    def __init__(self, phase: Phase, task: Task, before: float | None):
        name, more_is_better = monitored(task, phase)
        super().__init__(
            monitor=f"val_{name}",
            mode="max" if more_is_better else "min",
            patience=phase.patience,
            restore_best_weights=True,
        )
        self._before = before

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.best_epoch = -1
        if self._before is not None:
            self.best = self._before
            self.best_weights = self.model.get_weights()


def run_phase(
    phase: Phase,
    model: keras.Model,
    backbone: Backbone,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    task: Task,
    reporter: Reporter,
    cached: bool,
    mixed: bool = False,
    before: float | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> PhaseRecord:
    """Trains `model` for one phase.

    Args:
        phase: what to do.
        model: the whole model, or the head on cached features.
        backbone: the backbone layer.
        train: batches for training, of known number.
        validation: batches for validation; with them, unless `phase.patience` is `None`, training
            stops early and the best weights are kept.
        task: decides loss and metrics.
        reporter: tells people.
        cached: whether `model` is the head on cached features.
        mixed: whether an augmentation mixes labels.
        before: what the phase watches on the validation split, of the weights it begins with, if
            they are trained.
        callbacks: the user's own; their `model` is `model`.

    Returns:
        The record of the phase.
    """
    began = time.perf_counter()
    steps = int(train.cardinality())
    # On several replicas Keras's loop over steps fails in TensorFlow's while loop.
    alone = model.distribute_strategy.num_replicas_in_sync == 1
    at_a_time = CACHED_STEPS_PER_EXECUTION if cached and alone else 1
    prepare(model, backbone, phase, steps * phase.epochs, task, mixed, at_a_time)
    progress = EpochProgress(reporter, phase.name, steps, phase.epochs)
    own = [progress]
    best = None
    if validation is not None and phase.patience is not None:
        best = BestWeights(phase, task, before)
        own.append(best)
    try:
        history = model.fit(
            train,
            epochs=phase.epochs,
            validation_data=validation,
            callbacks=[*own, *callbacks],
            shuffle=False,  # the dataset shuffles itself
            verbose=0,
        )
    finally:
        progress.close()
    names = history.history
    epochs = [
        {name: float(values[epoch]) for name, values in names.items()}
        for epoch in range(len(history.epoch))
    ]
    return PhaseRecord(
        phase=phase,
        epochs=tuple(epochs),
        seconds=time.perf_counter() - began,
        best_epoch=len(epochs) if best is None else best.best_epoch + 1,
        cached=cached,
    )
