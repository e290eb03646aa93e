"""Facts of a model, for its report and its model card."""

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

# Packages that a model may need. The facts list only packages that are installed.
_PACKAGES = ("keras_tl", "keras-hub", "tensorflow-hub", "tensorflow-text")


@dataclasses.dataclass(frozen=True)
class Facts:
    """All recorded facts of a model, without local paths and without names of data files.

    Attributes:
        config: Configuration of the model, without `architecture`.
        parameters: Number of parameters of the `backbone` and of the `head`, by these names.
        tokenizer: Kind of text preprocessor, or `None` if the model has no text preprocessor.
        seed: Seed of the learner that trained the model.
        pretraining: Origin of the backbone's weights before the training.
        data: Facts about the data of the model, or `None` if the run does not record its data.
        history: Records of the training phases, in order.
        is_as_trained: Whether nothing changed the weights after the last phase, or no phase ran.
        evaluations: Metrics of each evaluated split, by name of the split.
        untested: Sentences with an estimate of the test metric, if the model was trained on all
            items, else `None`.
        calls: Lines of Python that train the model again.
        trained_with: Versions of the libraries that trained the model, by name.
        exported_with: Versions of the libraries in this process, by name.
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
        """Word for one item of the data, such as `"image"`."""
        return self.config.item

    @property
    def test(self) -> SplitMetrics | None:
        """Metrics of the test split, or `None` if the test split was not evaluated."""
        return self.evaluations.get("test")

    @property
    def is_fine_tuned(self) -> bool:
        """Whether a training phase changed the backbone."""
        return any(record.changed_backbone for record in self.history)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON types. JSON has no NaN and no infinity: both become `None`."""
        return _finite(dataclasses.asdict(self))


def facts_of(run: Mapping[str, Any], parameters: Mapping[str, int], backbone: Backbone) -> Facts:
    """Collect the facts of a model from its run, see `keras_tl.runs.run_files`."""
    config = ModelConfig.from_json(run["config"])
    history = tuple(map(PhaseRecord.from_json, run["history"]))
    fitted = run["fit"] and FitResult.from_json(run["fit"])
    data, seed = run["data"], run["seed"]
    public = {"backbone": public_place(config.backbone), "architecture": None}
    tokens = backbone.preprocessor
    return Facts(
        config=dataclasses.replace(config, **public),
        parameters=parameters,
        # People need only the first word of the tokenizer's identity, which is its kind.
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
