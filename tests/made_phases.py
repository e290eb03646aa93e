"""Phases of training with constructed curves, and what is read off them."""

import dataclasses

import numpy as np

from keras_tl.base.config import HeadConfig, ModelConfig
from keras_tl.evaluation.overfitting import find_overfitting
from keras_tl.runs.history import PhaseRecord
from keras_tl.tasks import TASKS
from keras_tl.training.policies import HEADS, POLICIES

BLOCKS = ("stem", "block1", "block2", "top")
HEAD = dataclasses.replace(HEADS["image"], epochs=4, min_steps=0)
# As records have them: so many epochs, at a rate that is a number.
TUNE = dataclasses.replace(
    POLICIES["standard"]["image"][0], epochs=4, min_steps=0, learning_rate=1e-4
)
TEXT = dataclasses.replace(POLICIES["standard"]["text"][0], epochs=4, min_steps=0)
SCRATCH = dataclasses.replace(POLICIES["scratch"]["image"][0], epochs=4)

FALLING, RISING = [1.0, 0.5, 0.2, 0.1], [0.6, 0.7, 0.8, 0.9]
GOOD, BETTER = [0.7, 0.8, 0.9, 0.95], [0.8, 0.9, 0.95, 0.99]


def record(
    loss,
    val_loss,
    accuracy=None,
    val_accuracy=None,
    phase=HEAD,
    kept=None,
    augment=(),
    name=None,
    rates=None,
    solved=False,
):
    """A phase with these curves; the best epoch was kept, unless it is said."""
    name = name or "accuracy"
    columns = {"loss": loss, "val_loss": val_loss, name: accuracy, f"val_{name}": val_accuracy}
    columns["learning_rate"] = rates
    columns = {key: values for key, values in columns.items() if values is not None}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if kept is None:
        kept = len(rows) if val_loss is None else int(np.argmin(val_loss)) + 1
    return PhaseRecord(phase, tuple(rows), 1.0, kept, phase is HEAD, augment, solved)


def find(
    *history,
    task="multiclass",
    head=None,
    text=False,
    items=None,
    scale=1.0,
    classes=4,
    **options,
):
    count = {"binary": 2, "regression": 0}.get(task, classes)
    names = tuple("abcdefghij"[:count])
    size = None if text else (32, 32)
    config = ModelConfig("own", size, None, task, names, head or HeadConfig())
    return find_overfitting(
        history, TASKS[task](names, 0.0, scale), config, BLOCKS, items, **options
    )


WIDE = {"loss": FALLING, "val_loss": FALLING, "accuracy": BETTER, "val_accuracy": [0.7] * 4}
CLOSE = WIDE | {"val_accuracy": GOOD}
LATE = CLOSE | {"val_loss": [0.9, 0.3, 0.19, 0.189]}
WORSE = CLOSE | {"val_loss": RISING, "val_accuracy": [0.8, 0.8, 0.79, 0.78], "kept": 1}
HIGH = {"loss": [1.3, 1.2, 1.15, 1.15], "val_loss": [1.3, 1.2, 1.15, 1.15]}
ERRORS = {"loss": FALLING, "val_loss": [0.9, 0.3, 0.19, 0.189], "name": "mae"}
