"""The parts of a learner, and what was measured of it: what all of its modules share."""

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
from keras_tl.data.labelled_data import LabelledData
from keras_tl.data.text_data import TextData
from keras_tl.errors import ConfigError, DataError
from keras_tl.evaluation.evaluation import Evaluation
from keras_tl.evaluation.ranking import Ranking
from keras_tl.export.serving import ServingModel
from keras_tl.learner.measured import Measured
from keras_tl.models.assembly import float32_twin
from keras_tl.models.heads import TransferModel
from keras_tl.preflight.findings import Findings
from keras_tl.report.exhibits import Exhibits
from keras_tl.runs.ancestry import learned_splits
from keras_tl.tasks import Task, task_of
from keras_tl.training.trainer import Trainer


class State:
    """A model, where it runs, its data, and what is known of them so far.

    Args:
        config: what the model is.
        parts: the model and its parts.
        strategy: where it runs.
        seed: makes everything random repeatable.
        data: what to learn; `None`: a saved run without its data.
        verbose: report progress on standard error.

    Attributes:
        config: with the temperature and the thresholds of the answers.
        parts: the same.
        data: the same.
        trainer: trains the model, and keeps its features.
        ranking: how `Learner("auto", data)` chose the backbone.
        findings: what `check` found; `None` if nobody looked.
        is_checked: whether `check` runs by itself before the first training.
        trained_with: what a loaded run says of its data and of the versions that trained it.
        own_files: the runs and reports that this learner wrote or was loaded from.
        reporter: tells people.
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
        data: LabelledData | None,
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
        """What is learned, with the temperature and the thresholds of the answers."""
        return task_of(self.config)

    @property
    def measured(self) -> Measured:
        """What was measured of the weights as they are now, whoever gave them to the model."""
        self._measured = self._measured.of(self.trainer.weights())
        return self._measured

    @property
    def evaluations(self) -> dict[str, Evaluation]:
        """The evaluations of these weights by split, with the temperature and thresholds of now."""
        known, task = self.measured.evaluations, self.task
        for split, found in known.items():
            known[split] = found.under(task)
        return known

    @property
    def exhibits(self) -> Exhibits:
        """The files for the report that hold for these weights."""
        return self.measured.exhibits

    @exhibits.setter
    def exhibits(self, exhibits: Exhibits) -> None:
        self.measured.exhibits = exhibits

    @property
    def serving_model(self) -> ServingModel:
        """See `Learner.serving_model`."""
        parts = self.float32_parts()
        # A graph holds the temperature and the thresholds that it was made with.
        if self._served is None or self._served.task != self.task:
            self._served = ServingModel(parts, self.task, parts.modality)
        return self._served

    def float32_parts(self) -> TransferModel:
        """The model in float32 and outside of any strategy, with the weights as they are now."""
        if not shares_storage(self.parts.model, self.twin.model):
            copy_weights(self.parts.model, self.twin.model)
        return self.twin

    @cached_property
    def twin(self) -> TransferModel:
        """The same without the weights of now; the model itself where it is like this already."""
        return float32_twin(self.config, self.parts)

    @property
    def learned_splits(self) -> tuple[str, ...]:
        """The splits on whose labels the backbone was fine-tuned, here or in an earlier run."""
        earlier = learned_splits(self.parts.backbone.ancestry, self.need_data())
        here = () if self.trainer.features.is_original else ("train",)
        return tuple(name for name in self.data.splits if name in {*earlier, *here})

    @property
    def source_settings(self) -> Mapping[str, Any]:
        """The `source_settings` of the data, or of those that a loaded run was trained on."""
        if self.data is not None:
            return self.data.source_settings
        recorded = (self.trained_with or {}).get("data") or {}
        return recorded.get("source_settings") or {}

    def need_data(self) -> ImageData | TextData:
        """Return the data.

        Raises:
            DataError: the learner was loaded without data.
        """
        if self.data is None:
            raise DataError(
                "This learner was loaded without data. Pass them: Learner.load(path, data=...)."
            )
        return self.data

    def has_own(self, split: str) -> bool:
        """Whether the items of a split are the run's: those that it records of its data.

        Files are known by path, size and time: moved or copied ones are others. Without data, or
        without such a split, there are no others.

        Args:
            split: its name. Where the run records none, the training split decides.
        """
        if self.data is None or split not in self.data.splits or self.trained_with is None:
            return True
        recorded = (self.trained_with["data"] or {}).get("splits", {})
        name = split if split in recorded else "train"
        known = recorded.get(name, {}).get("fingerprint")
        return known is not None and known == self.data.splits[name].identity

    def finite_logits(self, split: str) -> np.ndarray:
        """float32 (n, outputs) of a split.

        Raises:
            DataError: there are no data, or no such split.
            ConfigError: one is not a finite number: the model has diverged.
        """
        logits = self.trainer.logits(self.need_data().split(split))
        bad = np.count_nonzero(~np.isfinite(logits).all(axis=1))
        if bad:
            raise ConfigError(
                f"The answers to {bad:,} of the {len(logits):,} {self.data.item}s of the {split} "
                "split are not finite numbers: training diverged, or the weights are not right. "
                "Train a new Learner at a lower rate (learning_rate=; lr_find() finds one), or "
                "with precision='float32'."
            )
        return logits

    def answer_as(self, config: ModelConfig) -> None:
        """Answer with another temperature or other thresholds; what is known is measured again.

        Args:
            config: that of this model, but for these.
        """
        before = self.evaluations.copy()
        self.config = config
        after = self.evaluations
        for split, found in before.items():
            if found.slices is not None and after[split].slices is None:
                self.reporter.say(
                    f"Other answers are given now: the groups of the {split} split are forgotten. "
                    "Measure them again with evaluate(by=...)."
                )
        if "test" in after:
            outcomes = after["test"].outcomes
            asked = self.task.question(outcomes.labels, outcomes.logits)
            self.exhibits = self.exhibits.explaining(asked.names)
