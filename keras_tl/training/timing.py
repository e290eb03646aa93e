"""Estimate or measure the training time on this machine, before the training starts."""

import dataclasses
import statistics
import time

import keras
import numpy as np

from keras_tl.base.config import Phase
from keras_tl.data.images.augmentation import Augmentation
from keras_tl.data.labelled_data import LabelledData, Split
from keras_tl.data.splits import draw
from keras_tl.training.trainer import Trainer

# Time of a training step (forward, backward, update) divided by the time to compute the features of
# the same items. `_STEP_OVER_FEATURES` is a rough value, so the plan that `fit` reports says
# "about". Unlike this estimate, `rehearse` measures the time of a training step.
_STEP_OVER_FEATURES = 4.0
_TRACING_SECONDS = 10.0
_TIMED, _REHEARSED, _REPEATS = 64, 6, 3


@dataclasses.dataclass(frozen=True)
class Costs:
    """Wall time of training and of feature extraction on this machine, in seconds.

    Attributes:
        step: Seconds per training step of the whole model.
        start: Seconds before the first step of a training, for tracing and reading the first items.
        item: Seconds to compute the features of one item. To predict an item takes little longer
            than to compute its features, because the head is small.
        measured: Whether `step` and `start` are measured. `False`: `step` is an estimate from
            `item`, and `start` is a constant.
    """

    step: float
    start: float
    item: float
    measured: bool

    def training(self, steps: int) -> float:
        """Return the time in seconds of a training with `steps` steps."""
        return self.start + steps * self.step


def seconds_an_item(trainer: Trainer, split: Split) -> float:
    """Return the seconds per item to compute features, from the fastest of three runs."""
    # Draw random items: the first may all be of one class with smaller images or shorter texts.
    few = split.sample(_TIMED, seed=0)
    seconds = []
    for _ in range(_REPEATS):  # The first repeat may include tracing.
        began = time.perf_counter()
        for _ in trainer.features.batches(few):
            pass
        seconds.append(time.perf_counter() - began)
    return min(seconds) / len(few)


def estimate_costs(trainer: Trainer, split: Split, phase: Phase) -> Costs:
    """Estimate the time of a phase from its batch size and the time to compute the features."""
    item = seconds_an_item(trainer, split)
    step = _STEP_OVER_FEATURES * phase.batch_size * item
    return Costs(step, _TRACING_SECONDS, item, measured=False)


def rehearse(
    trainer: Trainer, data: LabelledData, phase: Phase, augment: Augmentation, item: float
) -> Costs:
    """Measure the training time of a phase in a few steps, then restore the model's weights.

    The steps use a random sample with items of all classes, because data may be sorted by class.
    `item` is the value of the field `Costs.item`.
    """
    train = data.split("train")
    few = train.take(draw(train.labels, _REHEARSED * phase.batch_size, trainer.seed))
    steps = -(-len(few) // phase.batch_size)
    short = dataclasses.replace(
        phase, name="rehearsal", epochs=-(-_REHEARSED // steps), min_steps=0, patience=None
    )
    ends = []
    times = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter())
    )
    with trainer.trial() as trial:
        began = time.perf_counter()
        only = dataclasses.replace(data, splits={"train": few})
        trial.run(short, only, augment, callbacks=[times])
    step = statistics.median(np.diff(ends).tolist())
    return Costs(step, ends[0] - began - step, item, measured=True)
