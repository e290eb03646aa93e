"""Measure the latency and throughput of an export by batch size."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from . import graph

BATCHES = (1, 8, 32)
_REPETITIONS = 20


def questions(signatures, asked: dict) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
    """Return inputs for each signature, from `asked` or zeros, and notes on missing inputs."""
    found, notes = {}, []
    for name, signature in signatures.items():
        inputs = asked.get(name) or _zeros(signature)
        if inputs is None:
            notes.append(
                f"{name} is not timed: the export has no example inputs for this signature"
            )
        else:
            found[name] = inputs
    return found, notes


def measure(session, signatures, questions: dict, seconds: float) -> dict[str, dict]:
    """Time the signatures for about `seconds` seconds in total, in this process.

    `questions` has inputs for each signature. For larger batches, `measure` repeats these inputs.

    Returns:
        Dict by signature: `latency_seconds`, the median for batch size 1, and `items_per_second` by
        batch size (`"1"`, `"8"`, `"32"`), from the median. Batch sizes that would exceed the time
        limit are omitted.
    """
    found = {}
    for name, inputs in questions.items():

        def run(batch: int, name=name, inputs=inputs) -> None:
            arrays = {key: array[np.arange(batch) % len(array)] for key, array in inputs.items()}
            graph.ask(session, signatures[name], arrays)

        found[name] = _time_batches(run, seconds / len(questions))
    return found


def _zeros(signature) -> dict[str, np.ndarray] | None:
    """Return an item of zeros, or `None` for strings, an unknown shape or a fixed batch size."""
    arrays = {}
    for name, info in signature.inputs.items():
        dtype, shape = tf.dtypes.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape)
        if not dtype.is_numpy_compatible or dtype == tf.string or not shape.rank:
            return None
        if shape[0] is not None or not shape[1:].is_fully_defined():
            return None
        arrays[name] = np.zeros((1, *shape[1:]), dtype.as_numpy_dtype)
    return arrays


def _time_batches(run: Callable[[int], None], seconds: float) -> dict:
    end = time.perf_counter() + seconds
    medians, item_seconds = {}, 0.0
    for place, batch in enumerate(BATCHES):
        now = time.perf_counter()
        # Count two batches: `_median_seconds` runs a batch at least twice, the first time untimed.
        if now + 2 * batch * item_seconds > end:
            break
        medians[batch] = _median_seconds(run, batch, now + (end - now) / (len(BATCHES) - place))
        item_seconds = medians[batch] / batch
    return {
        "latency_seconds": medians[1],
        "items_per_second": {str(batch): batch / median for batch, median in medians.items()},
    }


def _median_seconds(run: Callable[[int], None], batch: int, end: float) -> float:
    # Do not time the first run: TensorFlow chooses kernels and allocates memory by batch size.
    run(batch)
    taken = []
    while len(taken) < _REPETITIONS and (not taken or time.perf_counter() < end):
        began = time.perf_counter()
        run(batch)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)
