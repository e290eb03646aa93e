"""What a model card says, as JSON types."""

import importlib.metadata
import math
import platform
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.base.config import ModelConfig
from keras_tl.data.labelled_data import PLACES
from keras_tl.export.card.limits import limits_of, warnings_of
from keras_tl.export.card.pretraining import phase_facts, pretraining_facts, public_place
from keras_tl.export.card.reproduction import calls
from keras_tl.runs.history import PhaseRecord
from keras_tl.selection.result import FitResult
from keras_tl.tasks import get_task

FORMAT = 1
# Distributions that a model may depend on, where they are installed.
_PACKAGES = ("keras_tl", "keras-hub", "tensorflow-hub", "tensorflow-text")
# Of 1,000 classes it would have a million lines.
_LARGEST_MATRIX = 100


def library_versions() -> dict[str, str]:
    """The versions of what models are trained and exported with."""
    versions = {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def card_facts(
    run: Mapping[str, Any], parameters: Mapping[str, int], backbone: Backbone
) -> dict[str, Any]:
    """What is known of a model, without paths of the machine and names of files.

    Args:
        run: what a run records, see `keras_tl.runs.run_files`.
        parameters: how many numbers `backbone` and `head` have.
        backbone: of the model.

    Returns:
        JSON types, without infinite numbers and NaN, which JSON does not have: `None` instead.
    """
    config = run["config"]
    facts = {
        "format": FORMAT,
        "task": {
            "kind": config["task"],
            "item": ModelConfig.from_json(config).item,
            "class_names": list(config["class_names"]),
        },
        "input": _input(config, backbone),
        "backbone": {
            "name": public_place(config["backbone"]),
            "parameters": parameters["backbone"],
            "output_block": config["output_block"],
            "fine_tuned": any(
                PhaseRecord.from_json(record).changed_backbone for record in run["history"]
            ),
        },
        "head": {"parameters": parameters["head"]} | config["head"],
        "pretraining": pretraining_facts(run, backbone),
        "data": _data(run["data"], config),
        "training": [phase_facts(record) for record in run["history"]],
        "is_as_trained": run["is_as_trained"],
        "answers": {
            # Earlier versions did not record them.
            "temperature": config.get("temperature", 1.0),
            "thresholds": list(config.get("thresholds", ())),
        },
        "evaluations": {
            split: _evaluation(metrics) for split, metrics in run["evaluations"].items()
        },
        "seed": run["seed"],
        "precision": config["precision"],
        "calls": calls(run),
        "versions": {"trained_with": run["versions"], "exported_with": library_versions()},
    }
    fitted = run.get("fit")
    facts["untested"] = None if fitted is None else FitResult.from_json(fitted).untested
    facts |= {"warnings": warnings_of(facts), "limits": limits_of(facts)}
    return _finite(facts)


def _input(config: Mapping[str, Any], backbone: Backbone) -> dict[str, Any]:
    if config["image_size"] is not None:
        names = ("image_size", "resize", "value_range")
        return {name: config[name] for name in names if config.get(name) is not None}
    tokens = backbone.preprocessor
    return {
        "sequence_length": config["sequence_length"],
        # What comes after the kind is of use to machines only.
        "tokens": None if tokens is None else tokens.identity.split()[0],
        "are_pairs": config["are_pairs"],
    }


def _data(data: Mapping[str, Any] | None, config: Mapping[str, Any]) -> dict[str, Any] | None:
    if data is None:
        return None
    source = data["source_settings"]
    facts = {
        "source": source.get("kind"),
        "source_settings": {k: v for k, v in source.items() if k not in {"kind", *PLACES}},
        "split_settings": data["split_settings"],
        # None of these was recorded by earlier versions.
        "checked": data.get("checked"),
        "unused_files": data.get("unused_files"),
        "fingerprint_of": data.get("fingerprint_of"),
        "splits": data["splits"],
    }
    if get_task(config["task"]).is_number:
        facts["targets"] = {"mean": config["target_mean"], "scale": config["target_scale"]}
    return facts


def _evaluation(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics with their 95% intervals, see `keras_tl.evaluation.measuring`."""
    items = metrics["items"]
    # Earlier versions did not record them.
    intervals = metrics.get("intervals", {})
    found = {
        name: _value(value, intervals.get(name))
        for name, value in metrics.items()
        if name != "items" and (value is None or isinstance(value, float))
    }
    evaluation = {
        "items": items,
        # Earlier versions did not record it.
        "fingerprint": metrics.get("fingerprint"),
        "metrics": found,
        "slices": metrics.get("slices"),
    }
    if "per_class" in metrics:
        known = intervals.get("per_class", {})
        evaluation["per_class"] = {
            name: _class(row, known.get(name, {})) for name, row in metrics["per_class"].items()
        }
    if "confusion_matrix" in metrics:
        matrix = metrics["confusion_matrix"]
        if len(matrix) <= _LARGEST_MATRIX:
            evaluation["confusion_matrix"] = matrix
        # What is right without looking.
        evaluation["most_frequent_share"] = max(map(sum, matrix)) / items
    return evaluation


def _class(row: Mapping[str, Any], intervals: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in row.items():
        # Without an item there is no share, and no interval; scikit-learn says 0.
        is_nothing = name in intervals and intervals[name] is None
        found[name] = _value(None if is_nothing else value, intervals.get(name))
    return found | {"items": row["items"]}


def _value(value: float | None, interval: list[float] | None) -> dict[str, Any]:
    return {"value": value, "interval": interval}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
