"""The facts of a model from which its report and its model card are written."""

import dataclasses
import importlib.metadata
import math
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_tl.backbones.layer import Backbone
from keras_tl.base.config import ModelConfig
from keras_tl.report.data_facts import DataFacts
from keras_tl.report.pretraining import Pretraining, public_place
from keras_tl.report.python_calls import python_calls
from keras_tl.report.split_metrics import SplitMetrics
from keras_tl.runs.history import PhaseRecord
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task, task_of

# Optional dependencies of a model. The facts list only installed ones.
_PACKAGES = ("keras_tl", "keras-hub", "tensorflow-hub", "tensorflow-text")


@dataclasses.dataclass(frozen=True)
class Facts:
    """All known facts of a model, without local paths and names of data files.

    Attributes:
        config: Configuration, without `architecture`.
        parameters: Numbers of parameters of `backbone` and `head`.
        tokenizer: Kind of text preprocessor. `None`: the model has none.
        seed: Seed of the learner.
        pretraining: Weights before the training.
        data: Training data. `None`: not recorded.
        history: Training phases.
        is_as_trained: Whether the weights are those at the end of the last phase.
        evaluations: Metrics by split.
        untested: Estimated performance of a model trained on all items, see `FitResult.untested`.
        calls: Lines of Python that train the model again.
        trained_with: Versions of the libraries in training.
        exported_with: Versions of the libraries now.
    """

    config: ModelConfig
    parameters: Mapping[str, int]
    tokenizer: str | None
    seed: int
    pretraining: Pretraining
    data: DataFacts | None
    history: Sequence[PhaseRecord]
    is_as_trained: bool
    evaluations: Mapping[str, SplitMetrics]
    untested: str | None
    calls: Sequence[str]
    trained_with: Mapping[str, str]
    exported_with: Mapping[str, str]

    @property
    def task(self) -> Task:
        """Task of the model."""
        return task_of(self.config)

    @property
    def item(self) -> str:
        """Word for one item of the data."""
        return self.config.item

    @property
    def test(self) -> SplitMetrics | None:
        """Metrics of the test split. `None`: not evaluated."""
        return self.evaluations.get("test")

    @property
    def is_fine_tuned(self) -> bool:
        """Whether a phase changed the backbone."""
        return any(record.changed_backbone for record in self.history)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types. NaN and infinity become `None`, as JSON has neither."""
        return _finite(dataclasses.asdict(self))


def facts_of(run: Mapping[str, Any], parameters: Mapping[str, int], backbone: Backbone) -> Facts:
    """Collect the facts of a model.

    Args:
        run: Recorded facts of a run as JSON types, see `keras_tl.runs.run_files`.
        parameters: Numbers of parameters of `backbone` and `head`.
        backbone: Backbone of the model.
    """
    config = ModelConfig.from_json(run["config"])
    history = tuple(map(PhaseRecord.from_json, run["history"]))
    fitted = run["fit"] and FitResult.from_json(run["fit"])
    data, seed = run["data"], run["seed"]
    public = {"backbone": public_place(config.backbone), "architecture": None}
    tokens = backbone.preprocessor
    return Facts(
        config=dataclasses.replace(config, **public),
        parameters=parameters,
        # The first word is the kind. Only programs need the rest.
        tokenizer=None if tokens is None else tokens.identity.split()[0],
        seed=seed,
        pretraining=Pretraining.of(
            config.backbone, run["weights"], run["ancestry"], backbone.module
        ),
        data=data and DataFacts.of(data),
        history=history,
        is_as_trained=run["is_as_trained"],
        evaluations={split: SplitMetrics.of(found) for split, found in run["evaluations"].items()},
        untested=fitted and fitted.untested,
        calls=python_calls(config, run["weights"], seed, data, history, fitted),
        trained_with=run["versions"],
        exported_with=library_versions(),
    )


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that train and export models."""
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


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
