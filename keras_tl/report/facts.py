"""The facts of a model: its report and its model card are written from them."""

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

# Distributions that a model may depend on, where they are installed.
_PACKAGES = ("keras_tl", "keras-hub", "tensorflow-hub", "tensorflow-text")


@dataclasses.dataclass(frozen=True)
class Facts:
    """All that is known of a model, without paths of the machine and names of files.

    Attributes:
        config: the configuration, without `architecture`.
        parameters: number of parameters of `backbone` and `head`.
        tokenizer: kind of the text preprocessor; `None`: there is none.
        seed: of the learner.
        pretraining: the weights before the training.
        data: what the model was trained on; `None`: not recorded.
        history: the phases.
        is_as_trained: whether the weights are those that the last phase left.
        evaluations: metrics by split.
        untested: how good a model is that all items trained, see `FitResult.untested`.
        calls: lines of Python that train the model again.
        trained_with: versions of libraries.
        exported_with: versions of libraries as they are now.
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
        """The task of the model."""
        return task_of(self.config)

    @property
    def item(self) -> str:
        """The name of one item of the data."""
        return self.config.item

    @property
    def test(self) -> SplitMetrics | None:
        """The metrics of the test split; `None`: not measured."""
        return self.evaluations.get("test")

    @property
    def is_fine_tuned(self) -> bool:
        """Whether a phase changed the backbone."""
        return any(record.changed_backbone for record in self.history)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON types; `None` for NaN and infinity, which JSON does not have."""
        return _finite(dataclasses.asdict(self))


def facts_of(run: Mapping[str, Any], parameters: Mapping[str, int], backbone: Backbone) -> Facts:
    """Collect the facts of a model.

    Args:
        run: the JSON types that a run records, see `keras_tl.runs.run_files`.
        parameters: number of parameters of `backbone` and `head`.
        backbone: of the model.
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
        # What comes after the kind is of use to machines only.
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
    """The versions of the libraries that models are trained and exported with."""
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
