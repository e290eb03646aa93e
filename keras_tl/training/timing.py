"""The seconds that training takes on this machine, measured or estimated before it begins."""

import dataclasses
import statistics
import time

import keras
import numpy as np

from keras_tl.base.config import Phase
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.training.trainer import Trainer

# Ratio of a training step (forward, backward, update) to the prediction of its items; a rough
# value, as the plan says: `rehearse` measures.
_STEP_OVER_PREDICTION = 4.0
_TRACING_SECONDS = 10.0
_PREDICTED, _REHEARSED, _REPEATS = 64, 6, 3


@dataclasses.dataclass(frozen=True)
class Costs:
    """Seconds of wall time on this machine.

    Attributes:
        step: one training step of the whole model.
        start: before the first step of a training: tracing, and reading the first items.
        item: the model's prediction for one item.
        measured: whether training steps were timed; else `step` and `start` are estimates from
            the prediction of a batch.
    """

    step: float
    start: float
    item: float
    measured: bool

    def training(self, steps: int) -> float:
        """Return the seconds of one training."""
        return self.start + steps * self.step


class _StepTimes(keras.callbacks.Callback):
    """The time at which each training step ended."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        """Note the time."""
        self.ends.append(time.perf_counter())


def seconds_an_item(trainer: Trainer, split: Split) -> float:
    """Return the seconds that the features of one item take: the shortest time of a batch.

    Args:
        trainer: of the model.
        split: of at least one item.
    """
    few = split.take(np.arange(min(_PREDICTED, len(split))))
    seconds = []
    for _ in range(_REPEATS):  # The first one may trace.
        began = time.perf_counter()
        for _ in trainer.features.batches(few):
            pass
        seconds.append(time.perf_counter() - began)
    return min(seconds) / len(few)


def estimate_costs(trainer: Trainer, split: Split, phase: Phase) -> Costs:
    """Estimate the costs of a phase by predicting a batch.

    Args:
        trainer: of the model.
        split: of at least one item.
        phase: its batch size counts.
    """
    item = seconds_an_item(trainer, split)
    step = _STEP_OVER_PREDICTION * phase.batch_size * item
    return Costs(step, _TRACING_SECONDS, item, measured=False)


def rehearse(
    trainer: Trainer, data: LabelledData, phase: Phase, augment: Augmentation, item: float
) -> Costs:
    """Measure the costs of a phase by a few steps of it; the model is left as it was.

    Args:
        trainer: of the model.
        data: their training split is used.
        phase: what will be trained.
        augment: augmentation of the planned training.
        item: seconds of a prediction.
    """
    train = data.split("train")
    few = train.take(np.arange(min(_REHEARSED * phase.batch_size, len(train))))
    steps = -(-len(few) // phase.batch_size)
    short = dataclasses.replace(
        phase, name="rehearsal", epochs=-(-_REHEARSED // steps), min_steps=0, patience=None
    )
    times = _StepTimes()
    with trainer.trial() as trial:
        began = time.perf_counter()
        only = dataclasses.replace(data, splits={"train": few})
        trial.run(short, only, augment, callbacks=[times])
    step = statistics.median(np.diff(times.ends).tolist())
    return Costs(step, times.ends[0] - began - step, item, measured=True)
