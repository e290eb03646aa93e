"""Outcomes of every task, constructed: labels that follow from the logits, with noise."""

import numpy as np

from keras_tl.evaluation.prediction_record import PredictionRecord
from keras_tl.tasks import TASKS

NAMES = {
    "multiclass": ("a", "b", "c"),
    "binary": ("no", "yes"),
    "multilabel": ("x", "y", "z"),
    "regression": (),
}


def make_task(name, thresholds=()):
    """The task of these outcomes."""
    return TASKS[name](NAMES[name], thresholds=thresholds)


def make_outcomes(task, count=40, sureness=1.0, seed=0):
    """Labels drawn by the probabilities of logits, and these logits times `sureness`.

    At 1 the model is perfectly calibrated; above it is too sure.
    """
    rng = np.random.default_rng(seed)
    columns = {"multiclass": 3, "binary": 1, "multilabel": 3, "regression": 1}[task]
    logits = rng.normal(0, 2, (count, columns))
    if task == "multiclass":
        # The largest of logits with Gumbel noise is drawn by their softmax.
        labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    elif task == "regression":
        labels = (logits[:, 0] + rng.normal(size=count)).astype(np.float32)
    else:
        labels = (logits > rng.logistic(size=logits.shape)).astype(np.float32)
        labels = labels[:, 0].astype(np.int64) if task == "binary" else labels
    return PredictionRecord(labels, (logits * sureness).astype(np.float32))
