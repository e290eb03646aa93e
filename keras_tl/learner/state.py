"""State of a learner: the model, the data and the results, for all modules of `learner`."""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from keras_tl.backbones.loading import copy_weights
from keras_tl.base.config import ModelConfig
from keras_tl.base.keras_compat import shares_storage
from keras_tl.base.overwriting import OwnFiles
from keras_tl.base.reporting import Reporter
from keras_tl.data.image_data import ImageData
from keras_tl.data.text_data import TextData
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.ranking import Ranking
from keras_tl.export.serving import ServingModel
from keras_tl.models.assembly import float32_copy
from keras_tl.models.heads import TransferModel
from keras_tl.preflight.findings import Findings
from keras_tl.report.artifacts import Artifacts
from keras_tl.report.facts import library_versions
from keras_tl.runs.ancestry import learned_splits
from keras_tl.selection.result import FitResult
from keras_tl.tasks import Task, task_of
from keras_tl.training.trainer import Trainer

# Version of the format of a saved run.
FORMAT = 1


@dataclasses.dataclass
class Measured:
    """Results that are valid only for certain weights of a model.

    Attributes:
        weights: Fingerprint (hash) of the weights for which the results are valid.
        evaluations: Dict from the name of a split to its evaluation.
        artifacts: Files for the report: items with large losses, PCA projections, and the
            comparison with training from scratch.
        fitted: Result of `fit`. `None`: the user trained without `fit`.
    """

    weights: str
    evaluations: dict[str, Evaluation] = dataclasses.field(default_factory=dict)
    artifacts: Artifacts = dataclasses.field(default_factory=Artifacts)
    fitted: FitResult | None = None

    def of(self, weights: str) -> "Measured":
        """Return the results that are valid for weights with the fingerprint `weights`."""
        if weights == self.weights:
            return self
        return Measured(weights, artifacts=self.artifacts.before_training())


class State:
    """State of a learner: model, distribution strategy, data, and the results so far.

    Attributes:
        config: Configuration with the current temperature and thresholds.
        parts: The model, its backbone, its head and its modality.
        data: Labelled images or texts. `None`: the learner was loaded without data.
        trainer: Object that trains the model and caches the features of the backbone.
        ranking: Ranking from which `Learner("auto", data)` chose the backbone. `None`: no ranking.
        findings: Problems that the preflight found. `None`: the preflight has not run.
        is_checked: Whether the preflight runs before the first training.
        trained_with: Description of the data, and versions of the libraries, from the loaded run.
        own_files: Runs and reports that this learner wrote, and the run from which it was loaded.
        reporter: Object that prints messages to the user.
    """

    ranking: Ranking | None = None
    findings: Findings | None = None
    is_checked = True
    trained_with: dict[str, Any] | None = None

    def __init__(
        self,
        config: ModelConfig,
        parts: TransferModel,
        strategy: tf.distribute.Strategy,
        seed: int,
        data: ImageData | TextData | None,
        verbose: bool,
    ):
        self.config = config
        self.data = data
        self.own_files = OwnFiles()
        self.reporter = Reporter(verbose)
        self.parts = parts
        self.trainer = Trainer(config, parts, strategy, seed, self.reporter)
        self._measured = Measured("")
        self._served: ServingModel | None = None

    @property
    def task(self) -> Task:
        """The task, with the current temperature and thresholds."""
        return task_of(self.config)

    @property
    def measured(self) -> Measured:
        """The results that are valid for the current weights. The getter deletes other results."""
        self._measured = self._measured.of(self.trainer.weights())
        return self._measured

    @property
    def evaluations(self) -> dict[str, Evaluation]:
        """The current evaluation of each split, with the current temperature and thresholds."""
        known, task = self.measured.evaluations, self.task
        for split, found in known.items():
            known[split] = found.under(task)
        return known

    @property
    def artifacts(self) -> Artifacts:
        """The report artifacts that are valid for the current weights."""
        return self.measured.artifacts

    @artifacts.setter
    def artifacts(self, artifacts: Artifacts) -> None:
        self.measured.artifacts = artifacts

    @property
    def serving_model(self) -> ServingModel:
        """See `Learner.serving_model`."""
        parts = self.float32_parts()
        # The graph contains temperature and thresholds as constants: new values need a new graph.
        if self._served is None or self._served.task != self.task:
            self._served = ServingModel(parts, self.task, parts.modality)
        return self._served

    def float32_parts(self) -> TransferModel:
        """Return a float32 model with the current weights, outside of any strategy."""
        if not shares_storage(self.parts.model, self.twin.model):
            copy_weights(self.parts.model, self.twin.model)
        return self.twin

    @cached_property
    def twin(self) -> TransferModel:
        """`parts`, or a float32 copy with weights that may be outdated (see `float32_parts`)."""
        return float32_copy(self.config, self.parts)

    @property
    def learned_splits(self) -> tuple[str, ...]:
        """Names of the splits on which this learner or an earlier run fine-tuned the backbone."""
        ancestry, own = self.parts.backbone.ancestry, self.trainer.learned_fingerprints
        return learned_splits(ancestry, self.need_data(), own)

    @property
    def source_settings(self) -> Mapping[str, Any]:
        """`source_settings` of the data, or of the loaded run if the learner has no data."""
        if self.data is not None:
            return self.data.source_settings
        recorded = (self.trained_with or {}).get("data") or {}
        return recorded.get("source_settings") or {}

    def need_data(self) -> ImageData | TextData:
        """Return the data.

        Raises:
            DataError: The learner was loaded without data.
        """
        if self.data is None:
            raise DataError(
                "This learner was loaded without data. Load the run again with its data: "
                "Learner.load(path, data=...)."
            )
        return self.data

    def is_training_data(self, split: str) -> bool:
        """Return whether the items of a split are the items that the loaded run recorded.

        Files are compared by path, size and modification time, so moved or copied files differ. The
        result is true if there are no data, no split with the name `split`, or no loaded run.

        Args:
            split: Name of the split. If the run has no record of the split `split`, the function
                compares the training splits instead.
        """
        if self.data is None or split not in self.data.splits or self.trained_with is None:
            return True
        recorded = (self.trained_with["data"] or {}).get("splits", {})
        name = split if split in recorded else "train"
        known = recorded.get(name, {}).get("fingerprint")
        return known is not None and known == self.data.splits[name].identity

    def finite_logits(self, split: str) -> np.ndarray:
        """Return the logits of a split, float32 (n, outputs).

        Raises:
            DataError: There are no data, or no split with the name `split`.
            ConfigError: A logit is not finite: training diverged, or the weights are wrong.
        """
        logits = self.trainer.logits(self.need_data().split(split))
        bad = np.count_nonzero(~np.isfinite(logits).all(axis=1))
        if bad:
            raise ConfigError(
                f"The logits of {bad:,} of the {len(logits):,} {self.data.item}s of the {split} "
                "split are not finite numbers: training diverged, or the weights are wrong. Train "
                "a new Learner with a lower learning_rate= (lr_find() suggests a value), or with "
                "precision='float32'."
            )
        return logits

    def run_record(self) -> dict[str, Any]:
        """Return all facts that a saved run records, except arrays and weights, as JSON types."""
        trained_with = self.trained_with or {
            "data": None if self.data is None else self.data.describe(),
            "versions": library_versions(),
        }
        trainer, fitted = self.trainer, self.measured.fitted
        return {
            "format": FORMAT,
            "config": self.config.to_json(),
            "seed": trainer.seed,
            "weights": self.parts.backbone.weights_source,
            "ancestry": list(self.parts.backbone.ancestry),
            "history": [phase.to_json() for phase in trainer.history],
            "is_as_trained": trainer.is_as_trained,
            "evaluations": {split: found.metrics for split, found in self.evaluations.items()},
            "fit": None if fitted is None else fitted.to_json(),
            "findings": None if self.findings is None else self.findings.to_json(),
            **trained_with,
        }

    def set_decision_rule(self, config: ModelConfig) -> None:
        """Set a configuration with a new temperature or thresholds, and update the evaluations."""
        before = self.evaluations.copy()
        self.config = config
        after = self.evaluations
        for split, found in before.items():
            if found.slices is not None and after[split].slices is None:
                self.reporter.say(
                    "The predictions have changed: the learner no longer has the metrics of the "
                    f"groups of the {split} split. Call evaluate(by=...) again."
                )
        if "test" in after:
            record = after["test"].record
            asked = self.task.question(record.labels, record.logits)
            self.artifacts = self.artifacts.explaining(asked.names)
