"""Companion: a JSON file beside an exported file, with the facts that a client needs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_tl.base.files import sha256
from keras_tl.export.runtimes.base import AXES, Runtime
from keras_tl.export.runtimes.numeric_model import NumericModel
from keras_tl.tasks import THRESHOLD

_MEANINGS = {
    "probabilities": "probability of each label, in the order of labels, in [0, 1]",
    "class_id": "index of the predicted label, from 0: the most probable label, or with a "
    "threshold, 1 if the probability of the second label is above the threshold, else 0",
    "labels_mask": "whether the probability of each label is above its threshold",
    "value": "the predicted value, in the unit of the training targets",
}


def companion_path(path: Path) -> Path:
    """Return the path of a file's companion: `photos.onnx.json` for `photos.onnx`."""
    return path.with_name(f"{path.name}.json")


def tokenizer_path(path: Path) -> Path:
    """Return the path of a file's tokenizer folder: `texts.onnx.tokenizer` for `texts.onnx`."""
    return path.with_name(f"{path.name}.tokenizer")


def describe(
    model: NumericModel,
    runtime: Runtime,
    precision: str,
    answers: Mapping[str, np.ndarray],
    parity: dict[str, Any],
    written: Path,
) -> dict[str, Any]:
    """Return the content of an exported file's companion as JSON types.

    `answers` are the outputs of the exported file for the example inputs. `parity` has the
    differences between the outputs of the file and of the model, and the allowed difference.
    """
    # Only the first dimension of an output, the batch, can have any size.
    outputs = {
        name: {
            "dtype": str(array.dtype),
            "shape": _shape((None, *array.shape[1:]), runtime),
            "meaning": _MEANINGS[name],
        }
        for name, array in answers.items()
    }
    inputs = {
        spec.name: {"dtype": spec.dtype.name, "shape": _shape(spec.shape, runtime)}
        for spec in model.function(runtime.fixed).input_signature
    }
    return {
        "format": runtime.name,
        "precision": precision,
        "bytes": written.stat().st_size,
        "sha256": sha256(written),
        "parameters": model.parameters,
        "task": model.task.kind,
        "labels": list(model.task.class_names),
        "temperature": model.task.temperature,
        # One threshold per label (multi-label), one for the second class (binary), or none.
        "thresholds": list(model.task.thresholds or [THRESHOLD] * model.task.threshold_count),
        "inputs": inputs,
        "preparation": model.modality.preparation,
        "outputs": outputs,
        "parity": parity,
    }


def _shape(dimensions: Iterable[int | None], runtime: Runtime) -> list[int | str]:
    free = (1, None) if runtime.fixed else AXES
    return [size if size is not None else free[axis] for axis, size in enumerate(dimensions)]
